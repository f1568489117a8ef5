"""XSeg as a model: its losses by NumPy, that it learns, and that it is saved like any other."""

import numpy as np
import pytest

from core.errors import UsageError
from core.polygons import Polygon
from facelib.face_type import FaceType
from leras.train_step import StepControl
from models.base import SwapModel
from models.loading import restore, restore_swap
from models.segmenter_data import SegmenterData
from models.segmenter_model import GREEN, overlap, tinted
from models.store import ModelStore, Progress
from models.training_data import Folders, Share, data_type
from models.xseg.model import XSegModel
from models.xseg.options import XSegOptions
from samplelib.face_image import write_face
from samplelib.face_info import FaceInfo
from samplelib.face_labels import write_polygons
from tests.samplelib.conftest import draw_face, mean_landmarks

OPTIONS = XSegOptions(resolution=64, base=4, dense=16, batch_size=2, face_type="f", lr_dropout=1.0,
                      learning_rate=2e-3, optimizer="adam", xla=False, sample_threads=1, seed=3)


@pytest.fixture(scope="module")
def built():
    """(A model, its state at the start): building and tracing takes longer than all its steps."""
    model = XSegModel(OPTIONS)
    return model, model.state()


@pytest.fixture
def model(built):
    """At its start."""
    model, start = built
    model.load_state(start)
    return model


@pytest.fixture(scope="module")
def batch():
    """Bright discs on noise, and their masks."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:64, :64]
    discs = np.stack([np.hypot(x - 24, y - 30) < 15, np.hypot(x - 40, y - 34) < 12])[..., None]
    images = rng.integers(0, 120, (2, 64, 64, 3)) + 120 * discs
    return {"image": images.astype(np.uint8), "mask": (255 * discs).astype(np.uint8)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four full faces, two of them with polygons."""
    folder = tmp_path_factory.mktemp("aligned")
    landmarks = mean_landmarks(96, FaceType.FULL)
    for number in range(4):
        path = folder / f"{number}.jpg"
        write_face(path, draw_face(landmarks, 96, 20 + 40 * number),
                   FaceInfo(FaceType.FULL, landmarks))
        if number % 2:
            write_polygons(path, [Polygon([(20, 20), (70, 20), (45, 80)])])
    return folder


def logits(model, images):
    return model.network(images.astype(np.float32) / 255).numpy().astype(np.float64)


def test_the_loss_is_the_mean_cross_entropy_and_the_overlap_is_reported(model, batch):
    before = logits(model, batch["image"])
    result = model.train_step(1, {"faces": batch}, StepControl(rate_scale=0.0))
    wanted, likely = batch["mask"] / 255.0, 1 / (1 + np.exp(-before))
    expected = -(wanted * np.log(likely) + (1 - wanted) * np.log(1 - likely)).mean()
    assert result.losses["loss"] == pytest.approx(expected, rel=1e-5)
    found = before > 0
    overlaps = [(f & w).sum() / (f | w).sum() for f, w in zip(found, wanted > 0.5, strict=True)]
    assert result.losses["iou"] == pytest.approx(np.mean(overlaps), abs=1e-5)


def test_the_jaccard_part_of_the_loss_is_the_sum_of_smaller_by_that_of_larger_values(batch):
    model = XSegModel(XSegOptions(**{**vars(OPTIONS), "jaccard": 2.0}))
    shaded = {**batch, "mask": batch["mask"] // 2 + 40}
    before, wanted = logits(model, batch["image"]), shaded["mask"] / 255.0
    found = 1 / (1 + np.exp(-before))
    entropy = -(wanted * np.log(found) + (1 - wanted) * np.log(1 - found)).mean()
    shares = (np.minimum(wanted, found).sum((1, 2, 3))
              / np.maximum(wanted, found).sum((1, 2, 3)))
    loss = model.loss(shaded).total.numpy().mean()
    assert loss == pytest.approx(entropy + 2 * (1 - shares.mean()), rel=1e-5)


def test_the_overlap_is_one_for_equal_masks_and_for_none():
    grey = np.full((1, 4, 4, 1), 0.3, np.float32)
    for mask in (grey, np.zeros_like(grey), np.ones_like(grey)):
        assert float(overlap(mask, mask)[0]) == pytest.approx(1)
    assert float(overlap(grey, 2 * grey)[0]) == pytest.approx(0.5)


def test_pretraining_draws_greys_without_the_shortcuts(batch):
    model = XSegModel(XSegOptions(**{**vars(OPTIONS), "pretrain": True}))
    grey = {"image": batch["image"], "mask": batch["image"][..., :1]}
    drawn = 1 / (1 + np.exp(-model.network(batch["image"] / np.float32(255),
                                           with_skips=False).numpy().astype(np.float64)))
    result = model.train_step(1, {"faces": grey}, StepControl(rate_scale=0.0))
    assert result.losses["mse"] == pytest.approx(((drawn - grey["mask"] / 255)**2).mean(), rel=1e-4)
    assert result.losses["loss"] == pytest.approx(
        10 * result.losses["dssim"] + 10 * result.losses["mse"], rel=1e-5)
    assert list(model.preview({"faces": grey})["XSeg training faces"][0]) == [
        "face", "wanted", "drawn"]


def test_it_learns_two_masks_by_heart(model, batch):
    losses = [model.train_step(n, {"faces": batch}).losses for n in range(1, 61)]
    assert losses[-1]["loss"] < 0.3 * losses[0]["loss"] and losses[-1]["iou"] > 0.9


def test_previews_show_label_prediction_and_tinted_face(model, batch):
    previews = model.preview({"faces": batch, "src": batch})
    assert list(previews) == ["XSeg training faces", "XSeg src faces"]
    row = previews["XSeg src faces"][1]
    face = batch["image"][1] / 255.0
    assert list(row) == ["label", "prediction", "face by prediction"]
    np.testing.assert_allclose(row["label"][34, 40], face[34, 40], atol=1e-6)
    np.testing.assert_allclose(row["label"][2, 2], (face[2, 2] + GREEN) / 2, atol=1e-6)
    likely = 1 / (1 + np.exp(-logits(model, batch["image"])[1]))
    np.testing.assert_allclose(row["prediction"], np.repeat(likely, 3, -1), atol=1e-5)
    np.testing.assert_allclose(row["face by prediction"],
                               tinted(face[None], likely[None])[0], atol=1e-5)


def test_arrays_of_another_kind_are_refused(model, batch):
    with pytest.raises(TypeError, match="image: the batch holds float32"):
        model.place({**batch, "image": batch["image"].astype(np.float32)})


def test_a_saved_model_goes_on_exactly_and_is_no_swap(model, batch, tmp_path):
    store = ModelStore(tmp_path, "XSeg", "few")
    for number in (1, 2):
        model.train_step(number, {"faces": batch})
    store.save(model, OPTIONS, Progress(2))
    saved = store.require()
    again = restore("XSeg", saved)
    assert not isinstance(again, SwapModel)
    one, other = (m.train_step(3, {"faces": batch}).losses for m in (model, again))
    assert one == pytest.approx(other, rel=1e-6)
    with pytest.raises(UsageError, match="XSeg swaps no faces"):
        restore_swap("XSeg", saved)
    state = model.state()
    with pytest.raises(KeyError, match="no xseg"):
        again.load_state({"generator_optimizer": state["generator_optimizer"]})
    with pytest.raises(KeyError, match="unknown parts: encoder"):
        again.load_state(state | {"encoder": {}})
    notes = again.load_state({"xseg": state["xseg"]})
    assert notes == ["generator_optimizer starts anew: none is saved"]


# What it trains on


def load(**known):
    folders = Folders(**{name: known.pop(name) for name in list(known) if name.endswith("_dir")})
    options = XSegOptions(**{**vars(OPTIONS), **known})
    return SegmenterData.load(folders, options, lambda line: None)


def test_both_sides_are_one_source(folder, model):
    data = load(src_dir=folder, dst_dir=folder)
    assert data_type(OPTIONS) is SegmenterData and data.names == ("faces",)
    assert data.counts() == {"labelled (drawn)": 2}
    assert data.fingerprints()["faces"].startswith("2 faces ")
    assert data.labelled.faces[0].path.name == "1.jpg"
    assert load(src_dir=folder, labels="hull").counts() == {"labelled (hull)": 4}
    with pytest.raises(UsageError, match="--src-dir, --dst-dir or both"):
        load()


def test_its_batches_are_what_the_model_reads_and_go_on_where_they_were(folder, model):
    data = load(dst_dir=folder, labels="hull", occluders=0.5)
    source = data.sources(model, Share(0, 2))["faces"]
    with source:
        first, second = source.next_batch(), source.next_batch()
        assert source.position == 4
    assert first["image"].shape == (2, 64, 64, 3)
    with data.sources(model, Share(0, 2, {"faces": 2}))["faces"] as later:
        np.testing.assert_array_equal(later.next_batch()["mask"], second["mask"])
    with data.sources(model, Share(1, 1))["faces"] as half:
        made = half._make_sample(1)  # this process's only row
        np.testing.assert_array_equal(made["mask"], np.array(first["mask"])[1])


def test_previews_show_samples_and_the_faces_of_each_folder(folder):
    batches = load(src_dir=folder).preview_batches(None)
    assert list(batches) == ["faces", "src"]
    assert {batch["image"].shape for batch in batches.values()} == {(4, 64, 64, 3)}
    pretraining = load(pretrain_dir=folder, pretrain=True)
    assert pretraining.counts() == {"pretraining": 4}
    assert list(pretraining.preview_batches(None)) == ["faces"]
