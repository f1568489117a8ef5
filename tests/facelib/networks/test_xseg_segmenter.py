"""XSeg as a segmenter: batches, sizes, the floor, and weights of DeepFaceLab."""

import pickle

import numpy as np
import pytest
import torch

from core.imaging.warp import resize_square
from facelib.checkpoints.importing import import_checkpoint
from facelib.face_type import FaceType
from facelib.networks.batch_segmenter import FLOOR
from facelib.networks.xseg import XSeg
from facelib.networks.xseg_segmenter import segmenter_of
from facelib.registry import SEGMENTERS
from facelib.weights import load_weights, source_of
from tests.facelib.networks import xseg_reference

BASE, SIDE, DENSE = 4, 64, 16


@pytest.fixture(scope="module")
def state():
    network, rng = XSeg(BASE, SIDE, DENSE), np.random.default_rng(3)
    network.initialize(rng)
    state = {path: array + rng.normal(0, 0.1, array.shape).astype(np.float32)
             for path, array in network.state().items()}
    # So that some places are sure and some are not.
    return state | {"out_conv/weight": 8 * state["out_conv/weight"]}


@pytest.fixture(scope="module")
def segmenter(state):
    return segmenter_of(state, base=BASE, resolution=SIDE, dense=DENSE, face_type="f",
                        origin="random", batch_size=2)


def reference(state, faces):
    """Masks by PyTorch, float64, with the floor."""
    parameters = {path: torch.tensor(array, dtype=torch.float64) for path, array in state.items()}
    masks = torch.sigmoid(xseg_reference.logits(parameters, torch.tensor(faces).double())).numpy()
    return np.where(masks < FLOOR, 0, masks)


def test_any_number_of_faces_is_segmented_as_by_the_reference(state, segmenter):
    faces = np.random.default_rng(5).random((5, SIDE, SIDE, 3)).astype(np.float32)
    expected, masks = reference(state, faces), segmenter.segment(faces)
    assert masks.shape == (5, SIDE, SIDE, 1) and masks.dtype == np.float32
    near_floor = np.abs(expected - FLOOR) < 1e-3
    np.testing.assert_allclose(masks[~near_floor], expected[~near_floor], atol=1e-3)
    assert (masks == 0).any() and masks[masks > 0].min() >= FLOOR and masks.max() <= 1
    assert segmenter.segment(faces[:0]).shape == (0, SIDE, SIDE, 1)


def test_a_face_alone_is_segmented_as_among_others(state, segmenter):
    faces = np.random.default_rng(7).random((3, SIDE, SIDE, 3)).astype(np.float32)
    alone = np.concatenate([segmenter.segment(face[None]) for face in faces])
    np.testing.assert_array_equal(segmenter.segment(faces), alone)
    single = segmenter_of(state, base=BASE, resolution=SIDE, dense=DENSE, face_type="f",
                          origin="random", batch_size=2, fills_batches=False)
    np.testing.assert_allclose(single.segment(faces), alone, atol=1e-4)


def test_faces_of_another_size_come_back_at_theirs(state, segmenter):
    large = np.random.default_rng(6).random((16, 16, 3)).astype(np.float32)
    large = resize_square(large, 150)[None]
    masks = segmenter.segment(large)
    small = reference(state, resize_square(large[0], SIDE)[None])
    expected = resize_square(np.float32(small[0]), 150)
    assert masks.shape == (1, 150, 150, 1)
    assert np.abs(masks[0] - expected).mean() < 0.02
    assert segmenter.face_type is FaceType.FULL


def test_segmenters_are_plugged_in_by_name_or_address():
    assert SEGMENTERS.names() == ("xseg", "ternausnet")
    assert SEGMENTERS.load("facelib.networks.xseg_segmenter:segmenter_of") is segmenter_of


def test_an_xseg_of_deepfacelab_is_imported_with_its_face_type(tmp_path, monkeypatch):
    monkeypatch.setenv("FACELAB_DATA_DIR", str(tmp_path / "data"))
    state = XSeg(32).state()
    path = tmp_path / "XSeg_256.npy"
    path.write_bytes(pickle.dumps({f"{name}:0": array for name, array in state.items()}, 4))
    (imported,) = import_checkpoint(path)
    assert (imported.network, imported.program) == ("xseg", "DeepFaceLab")
    assert "face_type" not in load_weights("xseg").about
    data = {"iter": 5, "options": {"face_type": "head", "batch_size": 4}}
    (tmp_path / "XSeg_data.dat").write_bytes(pickle.dumps(data, 4))
    import_checkpoint(path)
    weights = load_weights("xseg")
    assert source_of("xseg") == "imported" and weights.about["face_type"] == "head"
    assert weights.state.keys() == state.keys()
    for name, array in state.items():
        np.testing.assert_array_equal(weights.state[name], array)
    segmenter = SEGMENTERS.load("xseg")(batch_size=1)
    assert segmenter.face_type is FaceType.HEAD and "XSeg_256.npy" in segmenter.origin
