"""models networks, fetch and import of the networks that find faces."""

import numpy as np
import pytest
import torch

from facelib.registry import DETECTORS
from facelib.weights import load_weights
from tests.commands import run
from tests.facelib.checkpoints.public_reference import our_state, torch_state


@pytest.fixture(autouse=True, name="folder")
def fixture_folder(tmp_path, monkeypatch):
    """A data folder of the test's own."""
    monkeypatch.setenv("FACELAB_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def sources():
    """Network -> where `models networks` says its weights come from."""
    return {event["name"]: event["source"] for event in run("models", "networks").events
            if event["event"] == "network"}


def test_imported_weights_are_listed_and_used(folder):
    tensors = {name: torch.from_numpy(np.array(a)) for name, a in torch_state("retinaface").items()}
    torch.save(tensors, folder / "mobilenet0.25_Final.pth")
    assert sources()["retinaface"] == "shipped"
    outcome = run("models", "import", folder / "mobilenet0.25_Final.pth")
    assert outcome.code == 0
    assert "weights of RetinaFace face detector are" in outcome.event("network_imported")["message"]
    assert sources()["retinaface"] == "imported"
    state = load_weights("retinaface").state
    for path, array in our_state("retinaface", "retinaface").items():
        np.testing.assert_array_equal(state[path], array)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    assert DETECTORS.load("retinaface")(score_threshold=0.3).detect([noise])[0]


@pytest.mark.parametrize("words, code, message", [
    (("import", "bad.pth"), 1, "the weight file is damaged"),
    (("import", "missing.pth"), 1, "cannot read the weight file"),
    (("import", "bad.pth", "--network", "nose"), 2, "network"),
    (("fetch", "nose"), 2, "no official file of 'nose'"),
    (("fetch", "s3fd", "--url", "http://127.0.0.1:9/s3fd.pth"), 1, "cannot fetch"),
])
def test_failures_are_one_line_with_their_exit_code(folder, monkeypatch, words, code, message):
    monkeypatch.chdir(folder)
    (folder / "bad.pth").write_bytes(b"PK\x03\x04")
    outcome = run("models", *words)
    assert outcome.code == code
    assert message in outcome.error()
