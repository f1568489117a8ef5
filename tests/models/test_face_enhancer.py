"""FaceEnhancer as a model: its loss, its training, and what it makes of faces."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from core.imaging.io import read_image
from facelib.networks.enhancer import PatchEnhancer
from facelib.networks.face_enhancer import FaceEnhancer
from models.face_enhancer.model import FaceEnhancerModel
from models.face_enhancer.options import FaceEnhancerOptions
from tests.commands import run

OPTIONS = FaceEnhancerOptions(patch=32, width=0.0625, batch_size=2, xla=False, seed=1,
                              learning_rate=1e-3, sample_threads=1)


def batch(seed=0, n=2):
    rng = np.random.default_rng(seed)
    large = np.stack([cv2.resize(rng.integers(0, 256, (16, 16, 3), np.uint8), (128, 128),
                                 interpolation=cv2.INTER_CUBIC) for _ in range(n)])
    small = np.stack([cv2.resize(face, (32, 32), interpolation=cv2.INTER_AREA) for face in large])
    return {"small": small, "large": large}


def test_absolute_error_is_that_of_the_picture():
    model = FaceEnhancerModel(OPTIONS)
    samples = batch()
    found = model.train_step(1, {"faces": samples}).losses
    fresh = FaceEnhancerModel(OPTIONS).enhancer()
    made = np.stack([fresh.enlarge(face / np.float32(255)) for face in samples["small"]])
    wanted = torch.tensor(samples["large"] / 255.0)
    error = torch.nn.functional.l1_loss(torch.tensor(made.astype(np.float64)), wanted)
    assert found["absolute"] == pytest.approx(float(error), rel=1e-4)
    assert found["loss"] == pytest.approx(5 * found["dssim"] + 10 * found["absolute"], rel=1e-5)


def test_training_lowers_the_loss():
    model = FaceEnhancerModel(OPTIONS)
    samples = batch()
    losses = [model.train_step(n, {"faces": samples}).losses["loss"] for n in range(1, 31)]
    assert losses[-1] < 0.75 * losses[0]


def test_a_saved_model_makes_the_same_faces():
    model, other = FaceEnhancerModel(OPTIONS), FaceEnhancerModel(replace(OPTIONS, seed=2))
    model.train_step(1, {"faces": batch()})
    face = np.random.default_rng(5).random((48, 40, 3), np.float32)
    before = other.enhancer().enlarge(face)
    assert other.load_state(model.state()) == []
    after = other.enhancer().enlarge(face)
    np.testing.assert_array_equal(after, model.enhancer().enlarge(face))
    assert np.abs(after - before).max() > 1e-3 and after.shape == (192, 160, 3)


def test_patches_of_any_side_agree_on_a_face_as_large_as_they_are():
    network = FaceEnhancer(width=0.0625)
    network.initialize(np.random.default_rng(0))
    face = np.random.default_rng(1).random((64, 64, 3), np.float32)
    large = PatchEnhancer(network, patch=64).enlarge(face)
    assert large.shape == (256, 256, 3)
    by_half = PatchEnhancer(network, patch=32).enlarge(face)
    assert np.abs(by_half - large).mean() < 0.05  # only what lies beyond a patch is unknown


def test_the_preview_shows_small_enhanced_and_wanted():
    model = FaceEnhancerModel(OPTIONS)
    (rows,) = model.preview({"faces": batch(n=3)}).values()
    assert len(rows) == 3 and list(rows[0]) == ["small", "enhanced", "face"]
    assert {picture.shape for picture in rows[0].values()} == {(128, 128, 3)}


def test_the_command_trains_on_src_alone_and_merging_uses_it(workspace):
    words = ("train", "--model", "FaceEnhancer", "--src-dir", workspace.path("data_src/aligned"),
             "--model-dir", workspace.path("model"), "--patch", 32, "--width", 0.0625,
             "--batch-size", 2, "--no-xla", "--target-iteration", 2)
    assert run(*words).code == 0
    assert run(*words[:-1], 4).code == 0  # goes on
    merged = workspace.path("data_dst/merged/00003.png")
    plain = (*workspace.merge_words(), "--mask-mode", "dst")
    assert run(*plain).code == 0
    before = read_image(merged).astype(int)
    assert run(*plain, "--super-resolution-power", 100, "--overwrite").code == 0
    changed = np.abs(read_image(merged) - before).max(axis=2) > 0
    mask = cv2.imread(str(workspace.path("data_dst/merged_mask/00003.png")), cv2.IMREAD_GRAYSCALE)
    assert changed.any() and not changed[mask == 0].any()


def test_without_an_enhancer_merging_says_what_to_do(workspace):
    outcome = run(*workspace.merge_words(), "--super-resolution-power", 50)
    assert outcome.code == 1
    assert "FaceEnhancer" in outcome.error() and "train --model FaceEnhancer" in outcome.error()
    assert not workspace.path("data_dst/merged/00001.png").exists()
