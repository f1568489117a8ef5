"""The models of a folder, looked at without building any."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from core.errors import FolderInUse, ModelNotFound, UsageError
from core.generations import GenerationStore
from models import catalog
from models.backups import Backups


def save(folder, kind="SAEHD", iteration=5, **options):
    """A generation as small as can be."""
    GenerationStore(folder).save(
        {"weights": {"a": np.zeros(3)}},
        {"kind": kind, "iteration": iteration, "options": {"resolution": 96, **options}})
    return folder


def at(path, seconds):
    """Sets the time of a model's last save."""
    os.utime(path / "gen-000001" / "state.json", (seconds, seconds))


def test_a_glance_shows_what_the_state_says(tmp_path):
    at(save(tmp_path / "a_b_SAEHD", archi="df-ud"), 1000)
    (entry,) = catalog.entries(tmp_path)
    assert entry == catalog.Entry(
        "a_b", "SAEHD", tmp_path / "a_b_SAEHD", 5, 96, "df-ud", 1000.0,
        sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()), ())


@pytest.mark.parametrize("kind, architecture", [("Quick96", "df-ud"), ("AMP", "amp-udt"),
                                                ("SAEHD", None), ("package.module:Own", None)])
def test_kinds_without_a_choice_have_the_architecture_that_they_always_have(
        kind, architecture, tmp_path):
    save(tmp_path / f"x_{kind.rpartition(':')[2]}", kind)
    (entry,) = catalog.entries(tmp_path)
    assert (entry.name, entry.kind, entry.architecture) == ("x", kind, architecture)


def test_the_last_saved_comes_first_and_unreadable_ones_last(tmp_path):
    for name, seconds in (("old", 1000), ("new", 3000), ("middle", 2000)):
        at(save(tmp_path / f"{name}_AMP", "AMP"), seconds)
    (save(tmp_path / "broken_AMP", "AMP") / "gen-000001" / "state.json").write_text("{}")
    assert [entry.name for entry in catalog.entries(tmp_path)] == ["new", "middle", "old", "broken"]
    broken = catalog.entries(tmp_path)[-1]
    assert (broken.kind, broken.iteration, broken.saved) == ("AMP", None, None)
    assert "state.json is damaged" in broken.problems[0]


def test_other_folders_are_no_models(tmp_path):
    (tmp_path / "pictures").mkdir()
    save(tmp_path / ".trash" / "x_AMP")
    save(tmp_path / ".deleted-x_AMP")
    (tmp_path / "file_AMP").write_text("x")
    assert catalog.entries(tmp_path) == []


def test_a_model_is_found_by_its_name_or_its_folders(tmp_path):
    folders = {name: save(tmp_path / name, name.rpartition("_")[2])
               for name in ("a_AMP", "a_SAEHD", "a_AMP_SAEHD", "b_AMP")}
    assert catalog.find(tmp_path, "b").folder == folders["b_AMP"]
    assert catalog.find(tmp_path, "a", "SAEHD").folder == folders["a_SAEHD"]
    assert catalog.find(tmp_path, "a_AMP_SAEHD").folder == folders["a_AMP_SAEHD"]
    # "a_AMP" is the folder of one and the name of another; the folder is meant.
    assert catalog.find(tmp_path, "a_AMP").folder == folders["a_AMP"]
    with pytest.raises(UsageError, match=r"'a' names models of several kinds \(AMP, SAEHD\)"):
        catalog.find(tmp_path, "a")
    with pytest.raises(ModelNotFound, match="no model named 'c'; see `models list`"):
        catalog.find(tmp_path, "c")


def test_a_backup_has_the_name_of_its_model(tmp_path):
    folder = save(tmp_path / "a_AMP", "AMP", iteration=5)
    backups = Backups(GenerationStore(folder))
    backups.make()
    save(folder, "AMP", iteration=8)
    backups.make()
    found = catalog.backups_of(catalog.find(tmp_path, "a"))
    assert [(name, entry.name, entry.iteration) for name, entry in found.items()] == [
        ("01", "a", 8), ("02", "a", 5)]
    assert catalog.entry_of(folder).iteration == 8
    assert catalog.backups_of(found["01"]) == {}


def test_a_failed_start_of_a_model_leaves_no_folder(tmp_path):
    with pytest.raises(OSError, match="full"):
        with catalog.removed_on_error(tmp_path / "a_AMP"):
            save(tmp_path / "a_AMP")
            raise OSError("full")
    assert list(tmp_path.iterdir()) == []
    with catalog.removed_on_error(tmp_path / "a_AMP"):
        save(tmp_path / "a_AMP")
    assert (tmp_path / "a_AMP").is_dir()


def test_a_model_in_use_is_not_moved(tmp_path):
    entry = catalog.entry_of(save(tmp_path / "a_AMP", "AMP"))
    with GenerationStore(entry.folder).lock():
        for move in (lambda: catalog.rename(entry, "b"), lambda: catalog.delete(entry),
                     lambda: catalog.move_to_trash(entry)):
            with pytest.raises(FolderInUse):
                move()
    assert catalog.entry_of(entry.folder)[:7] == entry[:7]
    assert catalog.rename(entry, "b") == tmp_path / "b_AMP"


def test_the_size_counts_no_file_twice_and_none_that_vanishes(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(bytes(100))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b").write_bytes(bytes(20))
    (tmp_path / "link").symlink_to(tmp_path / "a")
    n_bytes = 120 + os.lstat(tmp_path / "link").st_size
    assert catalog.size_of(tmp_path) == n_bytes
    walk = os.walk
    monkeypatch.setattr(os, "walk", lambda folder: (
        (parent, folders, [*names, "gone"]) for parent, folders, names in walk(folder)))
    assert catalog.size_of(tmp_path) == n_bytes
    assert catalog.size_of(tmp_path / "nowhere") == 0


def test_looking_needs_no_tensorflow(tmp_path):
    save(tmp_path / "a_AMP", "AMP")
    code = ("import sys; from pathlib import Path; from models import catalog; "
            f"assert catalog.entries(Path({str(tmp_path)!r}))[0].name == 'a'; "
            "catalog.rename(catalog.find(Path(sys.argv[1]), 'a'), 'b'); "
            "sys.exit('tensorflow' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code, tmp_path]).returncode == 0
    assert (tmp_path / "b_AMP").is_dir()
    shutil.rmtree(tmp_path / "b_AMP")
