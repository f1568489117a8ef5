"""train, with real small models on real faces."""

import json
import shutil

import numpy as np
import pytest

from core.imaging.io import read_image
from core.options import load_toml, to_toml
from core.prompt import ScriptedPrompter
from examples.tiny_model.options import TinyOptions
from mainscripts.training.options import TrainOptions
from models.store import ModelStore
from tests.commands import run
from tests.conftest import copy_workspace
from tests.models import example
from tests.models.tiny import FLAGS


@pytest.fixture(scope="module")
def example_trained(extracted, tmp_path_factory):
    """(a workspace with the example's model of 6 iterations, how its training went)."""
    made = copy_workspace(extracted, tmp_path_factory.mktemp("example") / "workspace")
    outcome = run(*made.train_words(), *example.FLAGS, "--target-iteration", 6)
    assert outcome.code == 0
    return made, outcome


@pytest.fixture
def own(example_trained, tmp_path):
    """A workspace with the example's model, to be worked on."""
    return copy_workspace(example_trained[0], tmp_path / "workspace")


def saved_model(workspace, name="new", kind=example.KIND):
    return ModelStore(workspace.path("model"), kind, name).require()


def losses(saved):
    return {name: saved.progress.history.column(name).tolist() for name in ("src", "dst")}


# A training from its start to its target


def test_training_ends_at_its_target_saved_and_with_a_preview(trained):
    saved = saved_model(trained, kind="Quick96")
    assert saved.progress.iteration == len(saved.progress.history) == 6
    assert saved.options["resolution"] == 64 and saved.options["learning_rate"] == 1e-3
    assert saved.progress.history.names == ("src", "dst")
    for preview in ("preview.png", "gen-000001/preview.png"):
        picture = read_image(trained.path("model/new_Quick96") / preview)
        assert min(picture.shape[:2]) > 4 * 160  # four rows of six faces
    assert trained.path("model/new_Quick96/status.json").exists()


def test_a_model_of_ones_own_trains_saves_and_shows_its_preview(example_trained):
    workspace, outcome = example_trained
    saved = saved_model(workspace)
    assert saved.progress.iteration == 6 and saved.options["code_length"] == 8
    assert set(saved.arrays) == {"encoder", "decoder_src", "decoder_dst", "generator_optimizer"}
    assert (workspace.path("model/new_TinyModel/preview_tiny_masked.png")).exists()
    assert outcome.event("training")["losses"]["src"] > 0


def test_facts_of_a_training_are_told(example_trained):
    workspace, outcome = example_trained
    facts = outcome.event("training")
    assert (facts["reason"], facts["iterations"], facts["images"]) == (
        "target iteration", 6, 6 * 2 * 2)
    assert facts["images_per_second"] > 0 and facts["losses"].keys() == {"src", "dst"}
    assert outcome.event("saved")["iteration"] == 6
    assert outcome.event("preview")["path"] == facts["preview"]
    progress = outcome.event("progress")
    assert (progress["done"], progress["total"]) == (6, 6)
    assert {"it/s", "img/s", "src", "dst", "src face", "dst mask", "wait ms", "MB"} <= set(progress)
    assert progress["img/s"] == pytest.approx(4 * progress["it/s"], rel=0.05)
    json.dumps(facts)


def test_a_resumed_training_equals_an_uninterrupted_one(trained, workspace):
    """Stopped at the worst place: before the iteration that takes the samples of the last one."""
    for target in (2, 6):
        outcome = run(*workspace.train_words(), *FLAGS, "--name", "parts", "--preview", "none",
                      "--target-iteration", target)
        assert outcome.code == 0 and outcome.event("training")["iterations"] == target
    parts = saved_model(workspace, "parts", "Quick96")
    whole = saved_model(trained, kind="Quick96")
    assert losses(parts) == losses(whole)
    assert parts.progress.positions == whole.progress.positions
    for stem, arrays in whole.arrays.items():
        for path, array in arrays.items():
            np.testing.assert_array_equal(parts.arrays[stem][path], array, err_msg=path)


def test_a_reached_target_trains_and_saves_nothing(own):
    before = own.snapshot()
    outcome = run(*own.train_words(), "--preview", "none")
    assert outcome.code == 0
    assert outcome.infos()[-1].startswith("target iteration: 6 iterations")
    assert own.snapshot() == before


def test_without_preview_nothing_is_drawn(faces_workspace):
    outcome = run(*faces_workspace.train_words(), *example.FLAGS, "--target-iteration", 2,
                  "--no-preview")
    assert outcome.code == 0 and outcome.event("training")["preview"] is None
    assert "see" not in outcome.infos()[-1]
    folder = faces_workspace.path("model/new_TinyModel")
    assert sorted(path.name for path in folder.iterdir()) == [
        "CURRENT", "LOCK", "gen-000001", "options.toml"]
    assert not [event for event in outcome.events if event["event"] == "preview"]


def test_a_page_and_event_files_watch_the_same_training(own):
    outcome = run(*own.train_words(), "--preview", "web", "--tensorboard",
                  "--target-iteration", 8)
    assert outcome.code == 0
    assert any(line.startswith("open http://127.0.0.1:") for line in outcome.infos())
    folder = own.path("model/new_TinyModel")
    events, = (folder / "tensorboard").glob("events.out.tfevents.*")
    written = events.read_bytes()
    for tag in (b"loss/src", b"term/dst mask", b"preview/tiny masked"):
        assert tag in written


def test_a_model_of_ones_own_merges_by_its_name_alone(own):
    for path in own.path("data_dst").glob("*.png"):
        if path.stem > "00003":
            path.unlink()
    outcome = run(*own.merge_words())
    assert outcome.code == 0, outcome.events[-1]
    assert outcome.event("merging")["merged"] == 3


# Which model


def test_a_model_that_is_saved_is_found_by_its_name_alone(own):
    """Its kind, its options and where it stood; only what is said changes."""
    outcome = run(*own.train_words(), "--target-iteration", 7, "--batch-size", 1,
                  "--preview", "none")
    assert outcome.code == 0
    options = saved_model(own).options
    assert (options["batch_size"], options["width"]) == (1, 4)
    assert any("goes on from iteration 6" in line for line in outcome.infos())


def test_models_of_one_name_and_two_kinds_must_be_told_apart(own, trained):
    shutil.copytree(trained.path("model/new_Quick96"), own.path("model/new_Quick96"))
    outcome = run(*own.train_words())
    assert outcome.code == 2
    assert "Quick96" in outcome.error() and "--model" in outcome.error()


@pytest.mark.parametrize("words, told", [
    (("--model", "SAEHDD"), "did you mean 'SAEHD'"),
    (("--model", "no.such:Model"), "no.such"),
    (("--gpus", "7"), "--gpus"),
    (("--rank", "1"), "--workers"),
    (("--set", "batch_sise=3"), "did you mean 'batch_size'"),
    (("--set", "batch_size"), "--set name=value"),
    (("--set", "batch_size=700"), "between 1 and 512"),
    (("--start-from", "weights.npz"), "trained already"),
    (("--set", "pretrain_dir=x", "--width", "8"), "width is 4 in the saved model"),
])
def test_wrong_words_end_with_one_line_and_change_nothing(own, words, told):
    before = own.snapshot()
    outcome = run(*own.train_words(), *words)
    assert outcome.code in (1, 2)
    assert told in outcome.error()
    assert own.snapshot() == before


@pytest.mark.parametrize("name, value", [
    ("--resolution", 128), ("--e-dims", 32), ("--face-type", "h")])
def test_an_option_that_fixes_the_weights_cannot_change(workspace, name, value):
    before = workspace.snapshot()
    outcome = run(*workspace.train_words(), name, value)
    assert outcome.code == 2
    message = outcome.error()
    assert str(workspace.path("model/new_Quick96")) in message
    assert name.removeprefix("--").replace("-", "_") in message and "--name" in message
    assert workspace.snapshot() == before


def test_a_model_of_another_architecture_under_this_name_is_refused(own):
    """The folder of one kind, renamed to that of another."""
    folder = own.path("model/new_TinyModel")
    folder.rename(own.path("model/new_Quick96"))
    before = own.snapshot()
    outcome = run(*own.train_words(), "--model", "Quick96", *FLAGS)
    assert outcome.code == 1 and "not Quick96" in outcome.error()
    assert own.snapshot() == before


# Options of files, flags and questions


def test_a_flag_wins_over_set_and_set_over_the_file(own, tmp_path):
    config = tmp_path / "facelab.toml"
    config.write_text("[train]\nbatch_size = 3\nsave_minutes = 7\nrandom_src_flip = true\n")
    outcome = run(*own.train_words(), "--config", config, "--set", "target_iteration=7",
                  "--set", "save-minutes=9", "--set", "batch_size=5", "--batch-size", 1,
                  "--preview", "none")
    assert outcome.code == 0
    options = saved_model(own).options
    assert (options["batch_size"], options["save_minutes"], options["random_src_flip"]) == (
        1, 9, True)
    assert options["resolution"] == 32  # as saved, though not given


def test_options_of_a_toml_file_alone_equal_flags(own, tmp_path):
    config = tmp_path / "facelab.toml"
    files = TrainOptions(own.path("data_src/aligned"), own.path("data_dst/aligned"),
                         own.path("model"), example.KIND, name="from_toml", preview="none")
    options = TinyOptions(**saved_model(own).options)
    text = to_toml(files, "train") + to_toml(options, "train").split("\n", 1)[1]
    config.write_text(text, encoding="utf-8")
    assert run("train", "--config", config).code == 0
    assert saved_model(own, "from_toml").options == saved_model(own).options
    assert losses(saved_model(own, "from_toml")) == losses(saved_model(own))


def test_a_wrong_name_or_value_in_a_toml_file_names_the_file(own, tmp_path):
    config = tmp_path / "facelab.toml"
    before = own.snapshot()
    for text, told in (("bach_size = 2", "did you mean 'batch_size'"),
                       ("batch_size = -1", "batch_size must be between 1 and 512"),
                       ("batch_size = 'many'", "batch_size"),
                       ("model = 'SAEHDD'", "SAEHD")):
        config.write_text(f"[train]\n{text}\n", encoding="utf-8")
        outcome = run(*own.train_words(), "--config", config)
        assert outcome.code == 2
        assert told in outcome.error()
        assert str(config) in outcome.error() or "SAEHD" in text
    config.write_text("[tarin]\nbatch_size = 2\n", encoding="utf-8")
    outcome = run(*own.train_words(), "--config", config)
    assert outcome.code == 2
    assert str(config) in outcome.error() and "[train]" in outcome.error()
    assert own.snapshot() == before


def test_options_beside_the_model_make_the_same_model_again(own):
    written = own.path("model/new_TinyModel/options.toml")
    values = load_toml(written, "train")
    assert values.pop("model") == example.KIND
    assert values == saved_model(own).options
    outcome = run(*own.train_words(), "--config", written, "--name", "again", "--preview", "none")
    assert outcome.code == 0
    assert losses(saved_model(own, "again")) == losses(saved_model(own))


def test_a_new_model_starts_with_the_options_of_the_last_new_one(own):
    words = (*own.train_words(), "--model", example.KIND, "--preview", "none")
    assert run(*words, "--name", "second", "--target-iteration", 1).code == 0
    second = saved_model(own, "second").options
    first = saved_model(own).options
    assert second == first | {"target_iteration": 1}, "the target is not taken over"
    values = load_toml(own.path("model/TinyModel_defaults.toml"), "train")
    assert values["code_length"] == 8 and values["target_iteration"] == 0


def test_a_damaged_file_of_defaults_only_warns(own):
    path = own.path("model/TinyModel_defaults.toml")
    words = (*own.train_words(), *example.FLAGS, "--preview", "none", "--target-iteration", 1)
    for number, damage in enumerate((b"\xff\xfe", b"[train", b"[train]\nbatch_size = 'x'\n",
                                     b"[train]\nno_such_option = 1\n", b"")):
        path.write_bytes(damage)
        outcome = run(*words, "--name", f"damaged{number}", "--dry-run")
        assert outcome.code == 0
        warning, = outcome.warnings()
        assert str(path) in warning and "left out" in warning
    assert run(*words, "--name", "damaged").code == 0
    assert load_toml(path, "train")["code_length"] == 8, "the next new model writes it anew"


def test_a_new_model_is_asked_for_its_options_and_a_saved_one_is_not(faces_workspace):
    prompter = ScriptedPrompter({"target_iteration": 1, "batch_size": 1})
    words = [word for word in example.FLAGS if word not in ("--batch-size", "2")]
    assert run(*faces_workspace.train_words(), *words, "--preview", "none",
               prompter=prompter).code == 0
    assert "batch_size" in prompter.asked and "resolution" not in prompter.asked
    assert saved_model(faces_workspace).options["batch_size"] == 1
    prompter = ScriptedPrompter({})
    assert run(*faces_workspace.train_words(), prompter=prompter).code == 0
    assert prompter.asked == []


def test_the_flags_of_the_field_work_too(own):
    words = ("train", "--training-data-src-dir", own.path("data_src/aligned"),
             "--training-data-dst-dir", own.path("data_dst/aligned"),
             "--model-dir", own.path("model"), "--force-model-name", "new", "--cpu-only",
             "--no-preview", "--silent-start")
    assert run(*words).event("training")["iterations"] == 6


# Dry runs


def test_a_dry_run_shows_all_options_and_the_memory_and_writes_nothing(faces_workspace):
    before = faces_workspace.snapshot()
    outcome = run(*faces_workspace.train_words(), "--model", "saehd", "--archi", "df-ud",
                  "--set", "batch_size=3", "--dry-run")
    assert outcome.code == 0
    plan = outcome.event("plan")
    assert plan["model"] == "SAEHD" and plan["iteration"] == 0
    assert plan["faces"] == {"src": 12, "dst": 12}
    assert plan["options"]["batch_size"] == 3 and plan["options"]["archi"] == "df-ud"
    lines = plan["message"].splitlines()
    assert any(line.split() == ["batch_size", "3", "(default", "8)"] for line in lines)
    assert len(lines) == 1 + len(plan["options"])
    memory = outcome.event("memory")
    parts = ("program", "weights", "optimizer", "gradients", "activations")
    assert memory["total"] == pytest.approx(sum(memory[part] for part in parts))
    assert faces_workspace.snapshot() == before and not faces_workspace.path("model").exists()


def test_a_dry_run_shows_what_pretraining_changes(faces_workspace):
    outcome = run(*faces_workspace.train_words(), "--model", "SAEHD", "--pretrain",
                  "--pretrain-dir", faces_workspace.path("data_src/aligned"),
                  "--gan-power", "0.1", "--dry-run")
    assert outcome.code == 0
    message = outcome.event("plan")["message"]
    assert "gan_power              0.1   (while pretraining 0.0)" in message
    assert outcome.event("plan")["options"]["random_warp"] is False


# Facesets


@pytest.mark.parametrize("damage, told", [
    (lambda folder: [path.unlink() for path in folder.iterdir()], "no pictures"),
    (lambda folder: [path.write_bytes(b"") for path in folder.glob("*.jpg")], "00001_0.jpg"),
])
def test_a_faceset_without_faces_is_refused(faces_workspace, damage, told):
    folder = faces_workspace.path("data_src/aligned")
    damage(folder)
    outcome = run(*faces_workspace.train_words(), *example.FLAGS)
    assert outcome.code == 1
    assert str(folder) in outcome.error() and told in outcome.error()
    assert "`extract`" in outcome.error()
    assert not faces_workspace.path("model").exists()


def test_damaged_faces_are_left_out_with_a_warning(own):
    own.path("data_src/aligned/00002_0.jpg").write_bytes(b"")
    whole = own.path("data_dst/aligned/00003_0.jpg").read_bytes()
    own.path("data_dst/aligned/00003_0.jpg").write_bytes(whole[:len(whole) // 2])
    outcome = run(*own.train_words(), "--target-iteration", 20, "--preview", "none")
    assert outcome.code == 0 and outcome.event("training")["iterations"] == 20
    assert any("00002_0.jpg" in line for line in outcome.warnings())


def test_pretraining_needs_its_folder(faces_workspace):
    outcome = run(*faces_workspace.train_words(), "--model", "SAEHD", "--pretrain")
    assert outcome.code == 2 and "--pretrain-dir" in outcome.error()
    assert not faces_workspace.path("model").exists()
