"""models import: files of DeepFaceLab that are damaged, hostile or of several models."""

import pickle

import numpy as np
import pytest

from models.store import ModelStore
from tests.commands import run
from tests.mainscripts.dfl_files import data, draw
from tests.models import legacy_reference as reference
from tests.models.saved import save, snapshot


@pytest.fixture
def dfl(tmp_path):
    """Files of a good model."""
    files = draw("df-ud")
    reference.write_files(tmp_path / "dfl", "new", "SAEHD", files, data(archi="df-ud"))
    return tmp_path / "dfl"


def refused(path, model_dir, code, line, *words):
    outcome = run("models", "import", path, "--model-dir", model_dir, *words)
    assert outcome.code == code and line in outcome.error(), outcome.events
    assert not model_dir.exists()


class Attack:
    """Writes a file when Python's own pickle opens it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("file", ["data.dat", "encoder.npy", "src_dst_opt.npy"])
def test_an_attack_in_any_file_is_refused_and_nothing_runs(file, dfl, tmp_path):
    trap = tmp_path / "trap"
    (dfl / f"new_SAEHD_{file}").write_bytes(pickle.dumps({"iter": Attack(trap)}, 4))
    refused(dfl, tmp_path / "models", 1, "may be an attack")
    assert not trap.exists()


def test_an_attack_behind_good_data_is_refused_too(dfl, tmp_path):
    trap = tmp_path / "trap"
    (dfl / "new_SAEHD_data.dat").write_bytes(pickle.dumps(
        data(archi="df-ud") | {"sample_for_preview": Attack(trap)}, 4))
    refused(dfl, tmp_path / "models", 1, "io.open, which is not plain data")
    assert not trap.exists()


@pytest.mark.parametrize("file", ["data.dat", "decoder_dst.npy"])
@pytest.mark.parametrize("change", [lambda data: data[:len(data) // 2], lambda data: b"",
                                    lambda data: bytes(len(data)),
                                    lambda data: data[:100] + bytes(50) + data[150:]],
                         ids=["half", "empty", "zeros", "a hole"])
def test_damaged_files_are_refused_and_nothing_is_written(file, change, dfl, tmp_path):
    path = dfl / f"new_SAEHD_{file}"
    path.write_bytes(change(path.read_bytes()))
    refused(dfl, tmp_path / "models", 1, str(path))


def test_a_missing_network_is_refused(dfl, tmp_path):
    (dfl / "new_SAEHD_inter.npy").unlink()
    refused(dfl, tmp_path / "models", 1, "new_SAEHD_inter.npy: there is no such file; copy all")


def test_missing_options_are_refused(dfl, tmp_path):
    (dfl / "new_SAEHD_data.dat").unlink()
    refused(dfl, tmp_path / "models", 1, "new_SAEHD_data.dat: there is no such file")


@pytest.mark.parametrize("changes, line", [
    ({"archi": "df-udt"}, "encoder.npy: lacks "), ({"e_dims": 32}, "where the options make"),
    ({"resolution": 96}, "inter.npy: dense1/weight has shape"),
    ({"archi": "mobile"}, "unknown architecture 'mobile'"),
    ({"resolution": 2048}, "resolution of the SAEHD model must be between 64 and 640")])
def test_options_of_another_model_are_refused(changes, line, dfl, tmp_path):
    told = data(archi="df-ud")
    told["options"] |= changes
    (dfl / "new_SAEHD_data.dat").write_bytes(pickle.dumps(told, 4))
    outcome = run("models", "import", dfl, "--model-dir", tmp_path / "models")
    assert outcome.code in (1, 2) and line in outcome.error()
    assert not (tmp_path / "models").exists()


def test_collapsed_weights_are_refused(dfl, tmp_path):
    files = draw("df-ud")
    files["inter"]["dense2/bias:0"][3] = np.nan
    reference.write_files(dfl, "new", "SAEHD", files, data(archi="df-ud"))
    refused(dfl, tmp_path / "models", 1, "dense2/bias holds values that are no numbers")


@pytest.mark.parametrize("value", [[1], {"iter": "3", "options": {}}, {"iter": -1, "options": {}},
                                   {"iter": 3, "options": []},
                                   {"iter": 3, "options": {}, "loss_history": [[1.0], "x"]}])
def test_other_things_in_place_of_options_are_refused(value, dfl, tmp_path):
    (dfl / "new_SAEHD_data.dat").write_bytes(pickle.dumps(value, 4))
    refused(dfl, tmp_path / "models", 1, "new_SAEHD_data.dat: ")


def test_which_of_several_models_must_be_said(dfl, tmp_path):
    files = draw("df-ud", seed=1)
    reference.write_files(dfl, "second", "SAEHD", files, data(archi="df-ud"))
    refused(dfl, tmp_path / "models", 2, "new (SAEHD), second (SAEHD); name the data.dat file")
    outcome = run("models", "import", dfl / "second_SAEHD_data.dat", "--model-dir",
                  tmp_path / "models")
    assert outcome.code == 0
    saved = ModelStore(tmp_path / "models", "SAEHD", "second").require()
    np.testing.assert_array_equal(saved.arrays["decoder_src"]["out_conv/weight"],
                                  files["decoder_src"]["out_conv/weight:0"])


def test_paths_without_a_model_are_told(dfl, tmp_path):
    refused(tmp_path / "nowhere", tmp_path / "models", 1, "no such file or folder; check the path")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", tmp_path / "models", 1, "no model files of DeepFaceLab here")
    (dfl / "notes.txt").write_text("x")
    refused(dfl / "notes.txt", tmp_path / "models", 1, "no model files of DeepFaceLab here")


def test_a_name_in_use_is_refused_before_anything_is_read(dfl, tmp_path):
    save(tmp_path / "models", "SAEHD", "new")
    (dfl / "new_SAEHD_data.dat").write_bytes(b"")
    before = snapshot(tmp_path / "models")
    outcome = run("models", "import", dfl, "--model-dir", tmp_path / "models")
    assert outcome.code == 2 and "new_SAEHD exists; choose another name" in outcome.error()
    assert snapshot(tmp_path / "models") == before
