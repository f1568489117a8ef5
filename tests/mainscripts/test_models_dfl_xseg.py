"""models export-dfl of an XSeg: files that DeepFaceLab's own network reads, and `models import`."""

import pickle

import numpy as np
import pytest
import torch

from core.options import resolve
from facelib.user_weights import read_weights, user_path
from models.history import LossHistory
from models.store import ModelStore, Progress
from models.ternausnet.model import TernausNetModel
from models.ternausnet.options import TernausNetOptions
from models.xseg.model import XSegModel
from models.xseg.options import XSegOptions
from tests.commands import run
from tests.facelib.networks import xseg_reference
from tests.models.saved import noisy

THEIRS = resolve(XSegOptions, given={"face_type": "head", "batch_size": 24, "xla": False})


def keep(folder, name, model, options):
    """Saves a model after three iterations, the second without a loss."""
    history = LossHistory(("loss", "iou"))
    for loss in (0.5, float("nan"), 0.25):
        history.append({"loss": loss, "iou": 0.5}, 1.0)
    ModelStore(folder, "TernausNet" if "Ternaus" in type(model).__name__ else "XSeg",
               name).save(model, options, Progress(3, 3.0, history, {"faces": 72}))


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """(model, the folder of all models, that of its files); not to be changed."""
    folder = tmp_path_factory.mktemp("xseg")
    model, rng = XSegModel(THEIRS), np.random.default_rng(0)
    for module in (model.network, *model.optimizers().values()):
        module.load_state({path: noisy(array, rng) for path, array in module.state().items()})
    keep(folder / "models", "my_mask", model, THEIRS)
    outcome = export("my_mask", folder)
    assert outcome.code == 0 and outcome.warnings() == []
    assert outcome.event("exported")["files"] == [
        str(folder / "dfl" / name)
        for name in ("XSeg_256.npy", "XSeg_256_opt.npy", "XSeg_data.dat")]
    return model, folder / "models", folder / "dfl"


def export(name, folder, *words):
    return run("models", "export-dfl", name, "--model-dir", folder / "models",
               "--output-dir", folder / "dfl", *words)


def test_the_files_are_those_of_the_specification(exported):
    _, _, folder = exported
    assert len(list(folder.iterdir())) == 3
    arrays, optimizer, data = (pickle.loads((folder / name).read_bytes()) for name in (
        "XSeg_256.npy", "XSeg_256_opt.npy", "XSeg_data.dat"))
    assert len(arrays) == 222 and sum(array.size for array in arrays.values()) == 17_569_317
    assert {array.dtype for array in arrays.values()} == {np.dtype("float32")}
    assert arrays["up5/conv/weight:0"].shape == (3, 3, 128, 256)
    assert arrays["dense1/weight:0"].shape == (4 * 4 * 256, 512)
    assert optimizer["iters:0"] == 7 and len(optimizer) == 223
    assert {"acc_XSeg/" + name.replace(":", "_") + ":0" for name in arrays} < optimizer.keys()
    assert data["iter"] == 3 and data["loss_history"] == [[0.5], [0.5], [0.25]]
    assert data["options"] == {"face_type": "head", "pretrain": False, "batch_size": 16}


def test_what_goes_out_computes_the_same_in_the_reference(exported):
    model, _, folder = exported
    arrays = pickle.loads((folder / "XSeg_256.npy").read_bytes())
    parameters = {name.removesuffix(":0"): torch.tensor(array) for name, array in arrays.items()}
    faces = np.random.default_rng(1).random((1, 256, 256, 3), np.float32)
    there = xseg_reference.logits(parameters, torch.tensor(faces)).numpy()
    np.testing.assert_allclose(model.network(faces), there, atol=1e-3 * np.abs(there).max())


def test_what_goes_out_can_be_imported_for_apply(exported, tmp_path, monkeypatch):
    monkeypatch.setenv("FACELAB_DATA_DIR", str(tmp_path))
    model, _, folder = exported
    assert run("models", "import", folder / "XSeg_256.npy").code == 0
    weights = read_weights(user_path("xseg"), "xseg")
    assert weights.about["face_type"] == "head"
    state = model.network.state()
    assert weights.state.keys() == state.keys()
    for name, array in state.items():
        np.testing.assert_array_equal(weights.state[name], array)


def test_files_that_are_there_stay_and_a_name_is_refused(exported):
    _, models, folder = exported
    before = (folder / "XSeg_data.dat").read_bytes()
    assert "XSeg_256.npy exists" in export("my_mask", folder.parent).error()
    assert "leave out --as-name" in export("my_mask", folder.parent, "--as-name", "x").error()
    assert (folder / "XSeg_data.dat").read_bytes() == before and len(list(folder.iterdir())) == 3


def test_other_sizes_are_refused_in_one_line_that_ends_with_what_to_do(tmp_path):
    options = XSegOptions(resolution=64, base=4, dense=16, xla=False)
    keep(tmp_path / "models", "small", XSegModel(options), options)
    outcome = export("small", tmp_path)
    assert outcome.code == 2 and outcome.error() == (
        "DeepFaceLab's XSeg is of resolution 256, base 32, dense 512, this one of resolution 64, "
        "base 4, dense 16; hand its masks over instead: `xseg apply`, then `util export-dfl`")
    assert not (tmp_path / "dfl").exists()


def test_a_segmenter_of_another_kind_is_refused(tmp_path):
    options = TernausNetOptions(resolution=64, base=4, xla=False)
    keep(tmp_path / "models", "other", TernausNetModel(options), options)
    outcome = export("other", tmp_path)
    assert outcome.code == 2 and "no TernausNet models, only SAEHD" in outcome.error()
    assert "`models export-weights`" in outcome.error() and not (tmp_path / "dfl").exists()


def test_another_optimizer_stays_here_and_that_is_told(exported, tmp_path):
    options = resolve(XSegOptions, given={"optimizer": "adam", "xla": False})
    keep(tmp_path / "models", "adam", XSegModel(options), options)
    outcome = export("adam", tmp_path)
    assert outcome.code == 0
    assert "the optimizer starts anew" in outcome.warnings()[0]
    optimizer = pickle.loads((tmp_path / "dfl/XSeg_256_opt.npy").read_bytes())
    assert optimizer.keys() == {"iters:0"}
