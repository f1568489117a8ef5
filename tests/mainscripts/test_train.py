"""train, with a real small model on real faces."""

import json

import numpy as np
import pytest

from core.imaging.io import read_image
from core.options import to_toml
from core.prompt import ScriptedPrompter
from mainscripts.train import TrainOptions
from models.quick96.options import Quick96Options
from models.store import ModelStore
from tests.commands import run
from tests.models.tiny import FLAGS


def saved_model(workspace, name="new"):
    return ModelStore(workspace.path("model"), "Quick96", name).require()


def losses(saved):
    return {name: saved.progress.history.column(name).tolist() for name in ("src", "dst")}


def test_training_ends_at_its_target_saved_and_with_a_preview(trained):
    saved = saved_model(trained)
    assert saved.progress.iteration == len(saved.progress.history) == 6
    assert saved.options["resolution"] == 64 and saved.options["learning_rate"] == 1e-3
    assert saved.progress.history.names == ("src", "dst")
    preview = trained.path("model/new_Quick96/preview.png")
    assert min(read_image(preview).shape[:2]) > 4 * 160  # four rows of six faces
    assert preview.read_bytes() == (
        trained.path("model/new_Quick96/gen-000001/preview.png").read_bytes())


def test_a_resumed_training_equals_an_uninterrupted_one(trained, workspace):
    """Stopped at the worst place: before the iteration that takes the samples of the last one."""
    for target in (2, 6):
        outcome = run(*workspace.train_words(), *FLAGS, "--name", "parts",
                      "--target-iteration", target)
        assert outcome.code == 0 and outcome.event("training")["iterations"] == target
    parts, whole = saved_model(workspace, "parts"), saved_model(trained)
    assert losses(parts) == losses(whole)
    assert parts.progress.positions == whole.progress.positions
    for path, array in whole.arrays["weights"].items():
        np.testing.assert_array_equal(parts.arrays["weights"][path], array, err_msg=path)


def test_a_reached_target_trains_and_saves_nothing(workspace):
    before = workspace.snapshot()
    outcome = run(*workspace.train_words())
    assert outcome.code == 0
    assert outcome.infos()[-1].startswith("target iteration: 6 iterations")
    assert workspace.snapshot() == before


def test_an_option_that_fixes_the_weights_cannot_change(workspace):
    before = workspace.snapshot()
    for flag, value in (("--resolution", 128), ("--e-dims", 32), ("--face-type", "h"),
                        ("--optimizer", "rmsprop")):
        outcome = run(*workspace.train_words(), flag, value)
        assert outcome.code == 2
        message = outcome.error()
        assert str(workspace.path("model/new_Quick96")) in message
        assert flag.removeprefix("--").replace("-", "_") in message and "--name" in message
    assert workspace.snapshot() == before


def test_options_that_do_not_fix_the_weights_may_change_and_a_flag_wins_over_the_file(
        workspace, tmp_path):
    config = tmp_path / "facelab.toml"
    config.write_text("[train]\nbatch_size = 3\nsave_minutes = 7\nrandom_src_flip = true\n")
    outcome = run(*workspace.train_words(), "--config", config, "--target-iteration", 7,
                  "--batch-size", 1)
    assert outcome.code == 0
    options = saved_model(workspace).options
    assert (options["batch_size"], options["save_minutes"], options["random_src_flip"]) == (
        1, 7, True)
    assert options["resolution"] == 64  # as saved, though not given


def test_options_of_a_toml_file_alone_equal_flags(trained, workspace, tmp_path):
    config = tmp_path / "facelab.toml"
    files = TrainOptions(workspace.path("data_src/aligned"), workspace.path("data_dst/aligned"),
                         workspace.path("model"), name="from_toml")
    options = Quick96Options(**saved_model(trained).options)
    text = to_toml(files, "train") + to_toml(options, "train").split("\n", 1)[1]
    config.write_text(text, encoding="utf-8")
    assert run("train", "--config", config).code == 0
    made = saved_model(workspace, "from_toml")
    assert made.options == saved_model(trained).options
    assert losses(made) == losses(saved_model(trained))


def test_a_wrong_name_or_value_in_a_toml_file_names_the_file(workspace, tmp_path):
    config = tmp_path / "facelab.toml"
    before = workspace.snapshot()
    for text, told in (("bach_size = 2", "did you mean 'batch_size'"),
                       ("batch_size = 0", "batch_size must be between 1 and 128"),
                       ("batch_size = 'many'", "batch_size"),
                       ("model = 'SAEHD'", "Quick96")):
        config.write_text(f"[train]\n{text}\n", encoding="utf-8")
        outcome = run(*workspace.train_words(), "--config", config)
        assert outcome.code == 2
        assert told in outcome.error()
        assert str(config) in outcome.error() or "SAEHD" in text
    config.write_text("[tarin]\nbatch_size = 2\n", encoding="utf-8")
    outcome = run(*workspace.train_words(), "--config", config)
    assert outcome.code == 2
    assert str(config) in outcome.error() and "[train]" in outcome.error()
    assert workspace.snapshot() == before


def test_a_new_model_is_asked_for_its_options_and_a_saved_one_is_not(workspace):
    prompter = ScriptedPrompter({"target_iteration": 1, "batch_size": 1})
    words = [word for word in FLAGS if word not in ("--batch-size", "2")]
    assert run(*workspace.train_words(), *words, "--name", "asked",
               prompter=prompter).code == 0
    assert "batch_size" in prompter.asked and "resolution" not in prompter.asked
    assert saved_model(workspace, "asked").options["batch_size"] == 1
    prompter = ScriptedPrompter({})
    assert run(*workspace.train_words(), "--name", "asked", prompter=prompter).code == 0
    assert prompter.asked == []


def test_the_flags_of_the_field_work_too(workspace):
    words = ("train", "--training-data-src-dir", workspace.path("data_src/aligned"),
             "--training-data-dst-dir", workspace.path("data_dst/aligned"),
             "--model-dir", workspace.path("model"), "--force-model-name", "new")
    assert run(*words).event("training")["iterations"] == 6


@pytest.mark.parametrize("damage, told", [
    (lambda folder: [path.unlink() for path in folder.iterdir()], "no pictures"),
    (lambda folder: [path.write_bytes(b"") for path in folder.glob("*.jpg")], "00001_0.jpg"),
])
def test_a_faceset_without_faces_is_refused(faces_workspace, damage, told):
    folder = faces_workspace.path("data_src/aligned")
    damage(folder)
    outcome = run(*faces_workspace.train_words(), *FLAGS)
    assert outcome.code == 1
    assert str(folder) in outcome.error() and told in outcome.error()
    assert "`extract`" in outcome.error()
    assert not faces_workspace.path("model").exists()


def test_damaged_faces_are_left_out_with_a_warning(workspace):
    workspace.path("data_src/aligned/00002_0.jpg").write_bytes(b"")
    whole = workspace.path("data_dst/aligned/00003_0.jpg").read_bytes()
    workspace.path("data_dst/aligned/00003_0.jpg").write_bytes(whole[:len(whole) // 2])
    outcome = run(*workspace.train_words(), "--target-iteration", 12)
    assert outcome.code == 0 and outcome.event("training")["iterations"] == 12
    assert any("00002_0.jpg" in line for line in outcome.warnings())


def test_a_loss_that_is_no_number_keeps_the_saved_generation(workspace, monkeypatch):
    from models.quick96.model import Quick96Model

    before = workspace.snapshot()
    step = Quick96Model.train_step

    def diverge(self, iteration, *others):
        losses = step(self, iteration, *others)
        return losses if iteration < 8 else losses | {"dst": float("nan")}

    monkeypatch.setattr(Quick96Model, "train_step", diverge)
    outcome = run(*workspace.train_words(), "--target-iteration", 20)
    assert outcome.code == 1
    message = outcome.error()
    assert "iteration 8" in message and "--learning-rate" in message
    assert workspace.snapshot() == before


def test_facts_of_a_training_are_told(training):
    _, outcome = training
    facts = outcome.event("training")
    assert (facts["reason"], facts["iterations"], facts["images"]) == (
        "target iteration", 6, 6 * 2 * 2)
    assert facts["images_per_second"] > 0 and facts["losses"].keys() == {"src", "dst"}
    assert outcome.event("saved")["iteration"] == 6
    assert outcome.event("preview")["path"] == facts["preview"]
    progress = outcome.event("progress")
    assert (progress["done"], progress["total"]) == (6, 6)
    json.dumps(facts)
