"""The course of a training: commands of views, the guard, backups, pretraining, other starts."""

import math
import re

import numpy as np
import pytest

from core.generations import GenerationStore
from core.imaging.io import read_image
from examples.tiny_model.model import TinyModel
from mainscripts.training import session
from mainscripts.views.view import Command
from models.guard import LOWER_AT, MOST_ROLLBACKS, ROLL_BACK_AT
from models.store import ModelStore
from tests.commands import run
from tests.models import example
from tests.models.tiny import FLAGS


class Watcher:
    """A view that asks for something at some iterations, and remembers what it is told."""

    def __init__(self, asks):
        self.asks, self.told, self.closed = dict(asks), [], []

    def update(self, status):
        self.told.append(status)

    def commands(self):
        iteration = self.told[-1].iteration if self.told else 0
        return self.asks.pop(iteration, [])

    def close(self, reason=""):
        self.closed.append(reason)


@pytest.fixture
def watched(faces_workspace, monkeypatch):
    """Function (asks, *words): trains the example's model; gives (outcome, the view)."""
    monkeypatch.setattr("mainscripts.training.watch.SECONDS", 0.0)  # every iteration is told

    def train(asks, *words):
        view = Watcher(asks)
        monkeypatch.setattr(session, "make_view", lambda *_, **__: view)
        return run(*faces_workspace.train_words(), *example.FLAGS, *words), view

    return train


@pytest.fixture
def refuse(monkeypatch):
    """Function: makes the steps of some calls (counted from 1) be refused, by the real step."""
    step, calls = TinyModel.train_step, []

    def choose(bad):
        def train_step(self, iteration, batches, control):
            calls.append(iteration)
            if len(calls) in bad:
                control = control._replace(loss_limit=-math.inf)
            return step(self, iteration, batches, control)

        monkeypatch.setattr(TinyModel, "train_step", train_step)
        return calls

    return choose


def store_of(workspace, name="new"):
    return ModelStore(workspace.path("model"), example.KIND, name)


def iterations(outcome, kind):
    return [event["iteration"] for event in outcome.events if event["event"] == kind]


# Views


def test_a_view_may_ask_to_save_to_back_up_to_draw_and_to_stop(watched, faces_workspace):
    outcome, view = watched({2: [Command.BACKUP], 3: [Command.SAVE, Command.BACKUP],
                             5: [Command.PREVIEW], 8: [Command.STOP]})
    assert outcome.code == 0 and outcome.event("training")["reason"] == "stopped on request"
    store = store_of(faces_workspace)
    assert store.require().progress.iteration == 8
    assert store.backups.newest()["iteration"] == 3
    assert iterations(outcome, "saved") == [3, 8]
    assert iterations(outcome, "preview") == [1, 3, 5, 8]
    messages = [status.message for status in view.told]
    assert "no backup yet: the model was never saved" in messages
    assert "backup 01 made" in messages and "saved at iteration 3" in messages
    assert view.closed[0] == "stopped on request"


def test_a_view_is_told_everything(watched):
    outcome, view = watched({}, "--target-iteration", 4, "--batch-size", 3)
    assert outcome.code == 0 and view.closed[0] == "target iteration"
    last = view.told[-1]
    assert (last.name, last.kind, last.iteration, last.target_iteration) == (
        "new", example.KIND, 4, 4)
    assert list(last.losses) == ["src", "dst"]
    assert list(last.terms) == ["src face", "src mask", "dst face", "dst mask"]
    assert last.losses["src"] == pytest.approx(last.terms["src face"] + last.terms["src mask"])
    assert last.memory_mb > 100 and last.saved_iteration == 4 and len(last.history) == 4
    assert last.images_per_second == pytest.approx(6 * last.iterations_per_second)
    drawn = [status.previews for status in view.told if status.previews is not None]
    assert [list(previews) for previews in drawn] == [["tiny", "tiny masked"]] * 2
    assert drawn[0]["tiny"].shape[0] > 4 * 160 and drawn[0]["tiny"].dtype == np.uint8


def test_pictures_of_the_previews_are_kept_by_iteration(faces_workspace):
    outcome = run(*faces_workspace.train_words(), *example.FLAGS, "--target-iteration", 7,
                  "--write-preview-history", "--preview-history-iterations", 3,
                  "--preview", "none")
    assert outcome.code == 0
    folder = faces_workspace.path("model/new_TinyModel/history")
    for name in ("tiny", "tiny_masked"):
        kept = sorted((folder / name).iterdir())
        assert [path.name for path in kept] == ["0000003.jpg", "0000006.jpg"]
        assert min(read_image(kept[0]).shape[:2]) > 4 * 160


# Backups


def test_backups_are_made_by_hours_of_training_over_all_runs(faces_workspace, monkeypatch):
    """Every iteration takes twenty minutes here."""
    from models import trainer

    advance = trainer.Trainer._advance
    monkeypatch.setattr(trainer.Trainer, "_advance", lambda self, iteration, positions: advance(
        self, iteration._replace(seconds=1200.0), positions))
    words = (*faces_workspace.train_words(), *example.FLAGS, "--preview", "none",
             "--autobackup-hours", 1)
    for target in (3, 6, 7):
        assert run(*words, "--target-iteration", target).code == 0
    store = store_of(faces_workspace)
    kept = {number: GenerationStore(store.backups.folder / f"{number:02d}").load().state[
        "iteration"] for number in store.backups.numbers()}
    assert kept == {1: 6, 2: 3}


# The guard


def test_a_leap_of_the_loss_is_skipped_and_training_goes_on(faces_workspace, refuse):
    refuse({4})
    outcome = run(*faces_workspace.train_words(), *example.FLAGS, "--target-iteration", 8,
                  "--preview", "none")
    assert outcome.code == 0
    warning, = outcome.warnings()
    assert warning.startswith("iteration 4: ") and "the step is skipped" in warning
    assert store_of(faces_workspace).require().progress.iteration == 8


def test_the_lowered_rate_is_saved_and_goes_on(faces_workspace, refuse):
    refuse(range(2, 2 + LOWER_AT))
    words = (*faces_workspace.train_words(), *example.FLAGS, "--preview", "none")
    outcome = run(*words, "--target-iteration", 8)
    assert "the learning rate lowered to 0.5" in outcome.warnings()[-1]
    assert outcome.event("progress")["rate"] == 0.5
    assert store_of(faces_workspace).require().progress.guard_rate == 0.5
    refuse(())
    assert run(*words, "--target-iteration", 9).event("progress")["rate"] == 0.5


def test_a_training_that_fails_goes_back_to_its_last_save(faces_workspace, refuse):
    words = (*faces_workspace.train_words(), *example.FLAGS, "--preview", "none")
    assert run(*words, "--target-iteration", 5).code == 0
    saved = store_of(faces_workspace).require()
    calls = refuse(range(4, 4 + ROLL_BACK_AT))
    outcome = run(*words, "--target-iteration", 18)
    assert outcome.code == 0
    assert calls == [*range(6, 9 + ROLL_BACK_AT), *range(6, 19)]
    assert any("went back to iteration 5" in line for line in outcome.warnings())
    again = store_of(faces_workspace).require().progress
    assert again.iteration == len(again.history) == 18 and again.guard_rate < 0.5
    np.testing.assert_array_equal(again.history.column("src")[:5],
                                  saved.progress.history.column("src"))
    assert again.seconds > saved.progress.seconds


def test_a_training_that_cannot_go_on_ends_with_one_line_and_its_last_save(faces_workspace,
                                                                           refuse):
    words = (*faces_workspace.train_words(), *example.FLAGS, "--preview", "none")
    assert run(*words, "--target-iteration", 3).code == 0
    before = faces_workspace.snapshot()
    refuse(range(2, 1000))
    outcome = run(*words, "--target-iteration", 100)
    assert outcome.code == 1
    assert "--learning-rate" in outcome.error() and "last saved generation" in outcome.error()
    went_back = [line for line in outcome.warnings() if re.match("went back to iteration 3", line)]
    assert len(went_back) == MOST_ROLLBACKS
    after = faces_workspace.snapshot()
    assert {path: data for path, data in after.items() if not path.endswith(".toml")} == {
        path: data for path, data in before.items() if not path.endswith(".toml")}


def test_a_training_that_fails_before_its_first_save_says_so(faces_workspace, refuse):
    refuse(range(1, 1000))
    outcome = run(*faces_workspace.train_words(), *example.FLAGS, "--preview", "none")
    assert outcome.code == 1
    assert "before anything was saved" in outcome.error() and "--learning-rate" in outcome.error()
    assert store_of(faces_workspace).load() is None


# Pretraining and other starts


SMALL_SAEHD = ("--model", "SAEHD", "--resolution", 64, "--archi", "df", "--ae-dims", 32,
               "--e-dims", 16, "--d-dims", 16, "--d-mask-dims", 4, "--batch-size", 1, "--no-xla",
               "--sample-threads", 1, "--preview", "none")


def test_leaving_pretraining_begins_at_zero_with_new_inters(faces_workspace):
    """Both sides train on the folder of many; then on their own, with what all faces share."""
    many = faces_workspace.path("data_src/aligned")
    words = ("train", "--model-dir", faces_workspace.path("model"), *SMALL_SAEHD)
    outcome = run(*words, "--pretrain", "--pretrain-dir", many, "--target-iteration", 3)
    assert outcome.code == 0, outcome.events[-1]
    store = ModelStore(faces_workspace.path("model"), "SAEHD", "new")
    before = store.require()
    assert before.progress.iteration == 3 and before.options["pretrain"] is True
    own = (*faces_workspace.train_words(), "--no-pretrain", "--preview", "none")
    outcome = run(*own, "--target-iteration", 1, "--learning-rate", "1e-7")
    assert outcome.code == 0, outcome.events[-1]
    assert any("pretraining is over after 3 iterations" in line for line in outcome.infos())
    after = store.require()
    assert after.progress.iteration == len(after.progress.history) == 1
    assert after.options["pretrain"] is False
    for path, array in before.arrays["encoder"].items():
        np.testing.assert_allclose(after.arrays["encoder"][path], array, atol=1e-5)
    weight = "dense1/weight"
    moved = np.abs(after.arrays["inter"][weight] - before.arrays["inter"][weight])
    assert np.median(moved) > 0.01, "the inter is drawn anew"


def test_a_new_model_may_start_from_exported_weights(workspace, tmp_path):
    file = tmp_path / "weights.npz"
    assert run("models", "export-weights", "new", "--model-dir", workspace.path("model"),
               "--output-file", file, "--dtype", "float32").code == 0
    words = (*workspace.train_words(), *FLAGS, "--name", "other", "--preview", "none",
             "--learning-rate", "1e-7", "--target-iteration", 1)
    outcome = run(*words, "--start-from", file)
    assert outcome.code == 0, outcome.events[-1]
    assert any(line.startswith(f"starting from {file}") for line in outcome.infos())
    start, made = (ModelStore(workspace.path("model"), "Quick96", name).require().arrays
                   for name in ("new", "other"))
    for part in ("encoder", "decoder_src"):
        for path, array in start[part].items():
            np.testing.assert_allclose(made[part][path], array, atol=1e-5)
    refused = run(*words, "--start-from", tmp_path / "none.npz", "--name", "third")
    assert refused.code == 1 and str(tmp_path / "none.npz") in refused.error()
