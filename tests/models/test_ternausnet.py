"""TernausNet as a model that is trained: its loss, its start from VGG11, and as a segmenter."""

from types import SimpleNamespace

import numpy as np
import pytest

from core.errors import OptionError, WeightsMissing
from facelib.face_type import FaceType
from facelib.user_weights import Weights, user_path, write_weights
from leras.train_step import StepControl
from mainscripts.training.starter import load_named_start
from mainscripts.xseg_segmenter import trained_segmenter
from models.store import ModelStore, Progress
from models.ternausnet.model import TernausNetModel
from models.ternausnet.options import TernausNetOptions

OPTIONS = TernausNetOptions(resolution=64, base=2, batch_size=1, face_type="f", lr_dropout=1.0,
                            optimizer="adam", xla=False, seed=3)
FROM_VGG11 = SimpleNamespace(start_from="vgg11")


@pytest.fixture(scope="module")
def model():
    return TernausNetModel(OPTIONS)


def test_a_step_lowers_the_cross_entropy_of_its_batch(model):
    rng = np.random.default_rng(4)
    batch = {"image": rng.integers(0, 256, (1, 64, 64, 3)).astype(np.uint8),
             "mask": np.zeros((1, 64, 64, 1), np.uint8)}
    batch["mask"][:, 16:48, 16:48] = 255
    logits = model.network(batch["image"] / np.float32(255)).numpy().astype(np.float64)
    wanted, likely = batch["mask"] / 255.0, 1 / (1 + np.exp(-logits))
    expected = -(wanted * np.log(likely) + (1 - wanted) * np.log(1 - likely)).mean()
    losses = [model.train_step(n, {"faces": batch}, StepControl(rate)).losses["loss"]
              for n, rate in enumerate((0.0, *[10.0] * 12), 1)]
    assert losses[0] == pytest.approx(expected, rel=1e-4)
    assert losses[-1] < 0.9 * losses[0]
    assert list(model.preview({"faces": batch})) == ["TernausNet training faces"]


def test_its_way_down_starts_from_imported_weights(model, tmp_path, monkeypatch):
    monkeypatch.setenv("FACELAB_DATA_DIR", str(tmp_path))
    with pytest.raises(WeightsMissing, match="models import"):
        load_named_start("TernausNet", model, FROM_VGG11)
    with pytest.raises(OptionError, match="not XSeg"):
        load_named_start("XSeg", model, FROM_VGG11)
    encoder = model.network.encoder
    state = {path: np.full_like(array, 0.25) for path, array in encoder.state().items()}
    write_weights(user_path("vgg11"), Weights(state, {}))
    way_up = model.network.center.conv.weight.numpy()
    (note,) = load_named_start("TernausNet", model, FROM_VGG11)
    assert "vgg11" in note
    assert all((array == 0.25).all() for array in model.network.encoder.state().values())
    np.testing.assert_array_equal(model.network.center.conv.weight.numpy(), way_up)


def test_a_saved_one_is_a_segmenter(model, tmp_path):
    model.network.initialize(np.random.default_rng(8))
    ModelStore(tmp_path, "TernausNet", "mask").save(model, OPTIONS, Progress(5))
    segmenter = trained_segmenter(tmp_path, "mask", "TernausNet", batch_size=1)
    faces = np.random.default_rng(6).random((1, 64, 64, 3)).astype(np.float32)
    logits = model.network(faces).numpy()
    expected = 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(segmenter.segment(faces), np.where(expected < 0.1, 0, expected),
                               atol=1e-3)
    assert segmenter.face_type is FaceType.FULL
    assert segmenter.origin == "mask (TernausNet, 5 iterations)"
