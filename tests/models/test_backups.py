"""Backups: whole generations under rotating numbers."""

import os

import numpy as np
import pytest

from core.errors import CheckpointError, DiskFull
from core.generations import GenerationStore
from models.backups import MOST, Backups


@pytest.fixture
def store(tmp_path):
    return GenerationStore(tmp_path / "model")


def save(store, number):
    store.save({"weights": {"w": np.full(5, number, np.float32)}}, {"iteration": number},
               {"preview.png": b"picture %d" % number})


def content(backups):
    """Number of a backup -> the iteration in it, all checksums verified."""
    found = {}
    for number in backups.numbers():
        generation = GenerationStore(backups.folder / f"{number:02d}").load()
        iteration = generation.state["iteration"]
        assert generation.arrays["weights"]["w"].tolist() == [iteration] * 5
        assert generation.extras["preview.png"] == b"picture %d" % iteration
        found[number] = iteration
    return found


def test_a_backup_is_a_whole_generation_that_later_saves_do_not_touch(store):
    save(store, 1)
    backups = Backups(store)
    assert backups.newest() is None
    assert backups.make() == store.folder / "backups" / "01"
    for number in range(2, 7):
        save(store, number)
    assert content(backups) == {1: 1}
    assert backups.newest() == {"iteration": 1}
    assert store.load().state == {"iteration": 6}, "the model takes no notice of its backups"


def test_the_newest_is_01_and_the_24th_is_the_last(store):
    backups = Backups(store)
    for number in range(1, MOST + 4):
        save(store, number)
        backups.make()
        assert content(backups) == {place: number - place + 1
                                    for place in range(1, min(number, MOST) + 1)}
    assert sorted(os.listdir(backups.folder)) == [f"{place:02d}" for place in range(1, MOST + 1)]


def test_a_model_never_saved_has_no_backup_and_gets_no_folder(store):
    assert Backups(store).make() is None
    assert not store.folder.exists()


def test_a_gap_left_by_a_killed_rotation_is_filled_and_nothing_is_lost(store):
    backups = Backups(store)
    for number in (1, 2, 3):
        save(store, number)
        backups.make()
    os.rename(backups.folder / "01", backups.folder / "04")  # 2, 3 and 4 are taken, 1 is free
    (backups.folder / ".part-new").mkdir()
    (backups.folder / ".part-new" / "half").write_bytes(b"x")
    save(store, 9)
    backups.make()
    assert content(backups) == {1: 9, 2: 2, 3: 1, 4: 3}
    assert not [name for name in os.listdir(backups.folder) if name.startswith(".")]


@pytest.mark.parametrize("stop_at", range(1, 9))
def test_a_crash_at_any_rename_loses_no_backup(store, monkeypatch, stop_at):
    """All renames of a backup that rotates, cut off after each of them."""
    backups = Backups(store)
    for number in (1, 2, 3, 4):
        save(store, number)
        backups.make()
    save(store, 5)
    rename, left = os.rename, [stop_at]

    def die(source, target):
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(os, "rename", die)
    try:
        backups.make()
    except KeyboardInterrupt:
        pass
    monkeypatch.setattr(os, "rename", rename)
    assert set(content(backups).values()) >= {1, 2, 3, 4}
    save(store, 6)
    backups.make()
    found = content(backups)
    assert found[1] == 6 and set(found.values()) >= {1, 2, 3, 4, 6}


def test_a_full_disk_leaves_all_backups_as_they_were(store, monkeypatch):
    backups = Backups(store)
    for number in (1, 2):
        save(store, number)
        backups.make()
    save(store, 3)
    monkeypatch.setattr("core.generation_folder.os.fsync", lambda descriptor: full())

    def full():
        raise OSError(28, "No space left on device")

    with pytest.raises(DiskFull):
        backups.make()
    monkeypatch.undo()
    assert content(backups) == {1: 2, 2: 1}
    assert sorted(os.listdir(backups.folder)) == ["01", "02"]


def test_a_damaged_backup_is_told(store):
    save(store, 1)
    folder = Backups(store).make()
    (folder / "gen-000001" / "state.json").write_bytes(b"{")
    with pytest.raises(CheckpointError):
        Backups(store).newest()
