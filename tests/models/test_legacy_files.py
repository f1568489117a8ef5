"""DeepFaceLab's files: which belong to a model, what is in them, and writing them all or none."""

import pickle

import numpy as np
import pytest

from core.errors import CheckpointError, ModelNotFound, UsageError
from models.history import LossHistory
from models.legacy.convert import export_model
from models.legacy.files import (
    LegacyData,
    choose_model,
    files_written_together,
    find_models,
    read_data,
    read_weights,
    write_data,
    write_weights,
)
from models.store import Progress
from tests.models.saved import tiny_model


def touch(folder, *names):
    for name in names:
        (folder / name).write_bytes(b"")


def test_files_are_told_apart_by_name_and_kind(tmp_path):
    touch(tmp_path, "new_SAEHD_encoder.npy", "new_SAEHD_data.dat", "new_AMP_inter_src.npy",
          "my_own_SAEHD_decoder_dst.npy", "new_SAEHD_src_dst_opt.npy", "new_SAEHD_summary.txt",
          "new_SAEHD_encoder.npy.tmp", "other_SAEHD_data.dat", "XSeg_256.npy", "encoder.npy")
    (tmp_path / "folder_SAEHD_encoder.npy").mkdir()
    found = {(model.name, model.kind): set(model.files) for model in find_models(tmp_path)}
    assert found == {("new", "SAEHD"): {"encoder", "src_dst_opt"},
                     ("new", "AMP"): {"inter_src"}, ("my_own", "SAEHD"): {"decoder_dst"}}
    assert find_models(tmp_path / "nowhere") == []


def test_a_file_tells_which_model_is_meant(tmp_path):
    touch(tmp_path, "a_SAEHD_encoder.npy", "a_SAEHD_data.dat", "a_AMP_encoder.npy",
          "b_SAEHD_encoder.npy")
    chosen = choose_model(tmp_path / "a_SAEHD_data.dat")
    assert (chosen.name, chosen.kind) == ("a", "SAEHD")
    assert chosen.data == tmp_path / "a_SAEHD_data.dat"
    assert choose_model(tmp_path, lambda model: model.kind == "AMP").kind == "AMP"
    with pytest.raises(UsageError, match=r"a \(AMP\), a \(SAEHD\), b \(SAEHD\); name the data"):
        choose_model(tmp_path)
    with pytest.raises(ModelNotFound, match="no model files of DeepFaceLab here"):
        choose_model(tmp_path / "c_SAEHD_data.dat")


def test_data_is_read_as_the_reference_writes_it(tmp_path):
    touch(tmp_path, "a_SAEHD_encoder.npy")
    model = choose_model(tmp_path)
    options = {"archi": "df", "gan_power": np.float32(0.5), "batch_size": np.int64(4)}
    model.data.write_bytes(pickle.dumps(
        {"iter": 2, "options": options, "loss_history": [[np.float32(1), 2.0], [0.5, 0.25]],
         "sample_for_preview": [np.zeros((1, 4, 4, 3))], "choosed_gpu_indexes": None}, 4))
    data = read_data(model)
    assert (data.iteration, data.options) == (2, {"archi": "df", "gan_power": 0.5, "batch_size": 4})
    np.testing.assert_array_equal(data.history, np.float32([[1, 2], [0.5, 0.25]]))


@pytest.mark.parametrize("history", [[], [[]], None, "x", [1.0, 2.0]])
def test_a_history_that_is_none_is_empty_or_refused(history, tmp_path):
    touch(tmp_path, "a_SAEHD_encoder.npy")
    model = choose_model(tmp_path)
    model.data.write_bytes(pickle.dumps({"iter": 0, "options": {}, "loss_history": history}, 4))
    if history == "x":
        with pytest.raises(CheckpointError, match="the losses are not a table of numbers"):
            read_data(model)
    else:
        assert read_data(model).history.shape[1] in (0, 2)


def test_what_is_written_is_what_python_reads(tmp_path):
    write_data(tmp_path / "data.dat", LegacyData(3, {"archi": "df"}, np.float32([[1, 2]])))
    assert pickle.loads((tmp_path / "data.dat").read_bytes()) == {
        "iter": 3, "options": {"archi": "df"}, "loss_history": [[1.0, 2.0]],
        "sample_for_preview": None, "choosed_gpu_indexes": None}
    write_weights(tmp_path / "x.npy", {"a/weight": np.float32([[1]]), "iters": np.int64(5)})
    written = pickle.loads((tmp_path / "x.npy").read_bytes())
    assert written == {"a/weight:0": np.float32([[1]]), "iters:0": 5}
    assert read_weights(tmp_path / "x.npy").keys() == {"a/weight", "iters"}


def test_files_written_together_are_all_there_or_none(tmp_path):
    folder = tmp_path / "sub" / "dfl"
    with pytest.raises(OSError, match="full"):
        with files_written_together(folder) as part:
            (part / "a").write_text("1")
            assert not (folder / "a").exists()
            raise OSError("full")
    assert not folder.exists()
    with files_written_together(folder) as part:
        (part / "a").write_text("1")
        (part / "x_data.dat").write_text("2")
    assert sorted(path.name for path in folder.iterdir()) == ["a", "x_data.dat"]
    with pytest.raises(KeyboardInterrupt):
        with files_written_together(folder) as part:
            (part / "a").write_text("new")
            raise KeyboardInterrupt
    assert (folder / "a").read_text() == "1" and len(list(folder.iterdir())) == 2


def test_losses_that_were_no_numbers_are_written_as_the_one_before(tmp_path):
    """The reference cannot draw what is no number."""
    history = LossHistory(("src", "dst", "gan"))
    for src, dst in ((float("nan"), 4.0), (2.0, float("inf")), (float("nan"), 3.0)):
        history.append({"src": src, "dst": dst, "gan": 1.0}, 1.0)
    model = tiny_model("AMP")
    export_model("AMP", model, model.options, Progress(3, 3.0, history), tmp_path, "new")
    written = pickle.loads((tmp_path / "new_AMP_data.dat").read_bytes())
    assert written["loss_history"] == [[0.0, 4.0], [2.0, 4.0], [2.0, 3.0]]
    export_model("AMP", model, model.options, Progress(), tmp_path, "empty")
    assert pickle.loads((tmp_path / "empty_AMP_data.dat").read_bytes())["loss_history"] == []
