"""Saves and backups: what is told, and what a full disk does to a running training."""

from types import SimpleNamespace

import numpy as np
import pytest

from core.errors import CheckpointError, DiskFull
from core.report import SilentReporter
from mainscripts.training.saving import HOUR, Saver


class Store:
    """A store that fails when it is told to."""

    def __init__(self, newest=None):
        self.saved, self.failure, self.made = [], None, []
        self.backups = SimpleNamespace(newest=lambda: self._answer(newest), make=self._make)

    def _answer(self, value):
        if isinstance(value, Exception):
            raise value
        return value

    def save(self, model, options, progress, png):
        if self.failure is not None:
            raise self.failure
        self.saved.append((progress.iteration, png))
        return "folder"

    def _make(self):
        if self.failure is not None:
            raise self.failure
        self.made.append(len(self.saved))
        return SimpleNamespace(name="01")


def saver(store, iteration=5, seconds=0.0, hours=0, picture=None):
    reporter = SilentReporter()
    made = Saver(store, "model", SimpleNamespace(autobackup_hours=hours),
                 SimpleNamespace(iteration=iteration, seconds=seconds), lambda: picture, reporter)
    return made, reporter


def test_a_save_is_told_with_its_iteration_and_has_its_picture():
    store = Store()
    made, reporter = saver(store, picture=np.zeros((8, 8, 3), np.uint8))
    assert made.saved_at is None
    made.save()
    (iteration, png), = store.saved
    assert iteration == 5 and png.startswith(b"\x89PNG")
    assert made.saved_iteration == 5 and made.saved_at > 1.7e9
    assert reporter.events == [{"event": "saved", "path": "folder", "iteration": 5}]


def test_a_full_disk_is_told_and_training_goes_on_until_the_last_save():
    store = Store()
    made, reporter = saver(store)
    store.failure = DiskFull("no room; free some space")
    assert "not saved at iteration 5" in made.try_save()
    assert "free some space" in reporter.events[-1]["message"]
    assert made.saved_iteration is None
    with pytest.raises(DiskFull):
        made.save()
    store.failure = None
    assert made.try_save() == "" and made.saved_iteration == 5


@pytest.mark.parametrize("newest, seconds, hours, due", [
    (None, 2 * HOUR, 0, False), (None, 1.9 * HOUR, 2, False), (None, 2 * HOUR, 2, True),
    ({"seconds": 3 * HOUR}, 4.9 * HOUR, 2, False), ({"seconds": 3 * HOUR}, 5 * HOUR, 2, True),
    (CheckpointError("damaged"), 0.0, 2, True),
])
def test_a_backup_is_due_by_hours_of_training_since_the_newest(newest, seconds, hours, due):
    store = Store(newest)
    saver(store, seconds=seconds, hours=hours)[0].save()
    assert store.made == [1] * due, "after the save, so that the backup holds it"


def test_a_backup_that_cannot_be_made_is_told():
    store = Store()
    made, reporter = saver(store)
    store.failure = DiskFull("no room")
    assert "no backup was made" in made.backup()
    assert reporter.events[-1]["event"] == "warning"
