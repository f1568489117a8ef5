"""Weight files: presence, checksums, messages."""

import dataclasses
import hashlib

import numpy as np
import pytest

from core.errors import WeightsMissing
from facelib import weights
from facelib.user_weights import Weights, write_weights
from facelib.weights import WEIGHTS, WEIGHTS_FOLDER, load_arrays


@pytest.mark.parametrize("name", WEIGHTS)
def test_bundled_files_are_whole(name):
    file = WEIGHTS[name]
    assert file.problem() is None
    assert file.path.stat().st_size == file.n_bytes
    assert hashlib.sha256(file.path.read_bytes()).hexdigest() == file.sha256


def test_every_file_is_named_in_the_folder_s_readme():
    readme = (WEIGHTS_FOLDER / "README.md").read_text(encoding="utf-8")
    for file in WEIGHTS.values():
        assert f"`{file.file_name}`" in readme
        assert file.licence in readme


def test_arrays_are_float32_and_as_many_as_published():
    assert {array.dtype for array in load_arrays("yunet").values()} <= {
        np.dtype(np.float32),
        np.dtype(np.int64),
    }
    trained = [a.size for name, a in load_arrays("facemesh").items() if a.dtype == np.float32]
    assert sum(trained) == 604685


def test_missing_file_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "WEIGHTS_FOLDER", tmp_path)
    with pytest.raises(WeightsMissing, match="No such file.*restore the folder facelib/weights"):
        load_arrays("yunet")
    assert "YuNet" in WEIGHTS["yunet"].problem()


def test_damaged_file_is_refused(tmp_path, monkeypatch):
    data = bytearray(WEIGHTS["yunet"].read())
    data[50_000] ^= 1
    monkeypatch.setattr(weights, "WEIGHTS_FOLDER", tmp_path)
    WEIGHTS["yunet"].path.write_bytes(data)
    with pytest.raises(WeightsMissing, match="wrong checksum"):
        load_arrays("yunet")


def test_facts_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        WEIGHTS["yunet"].licence = "none"


def test_a_result_can_say_which_weights_were_used(tmp_path, monkeypatch):
    monkeypatch.setenv("FACELAB_DATA_DIR", str(tmp_path))
    assert weights.weights_used("yunet") is None  # nobody can exchange them
    assert weights.weights_used("retinaface").endswith("(come with FaceLab)")
    write_weights(weights.user_path("retinaface"),
                  Weights({"a": np.zeros(1, np.float32)}, {"origin": "mine"}))
    assert weights.weights_used("retinaface") == "mine (installed by the user)"
