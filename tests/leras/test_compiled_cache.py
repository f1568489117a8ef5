"""Compiled steps on the disk; TensorFlow meets them in processes of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from leras import compiled_cache
from leras.compiled_cache import VARIABLE, keep_compiled, seal_compiled

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
from pathlib import Path
from leras.compiled_cache import keep_compiled
keep_compiled(Path(sys.argv[1]))

import numpy as np
import tensorflow as tf
from leras.layers.dense import Dense
from leras.optimizers.base import Schedule
from leras.optimizers.rmsprop import RMSprop
from leras.train_step import Objectives, TrainStep

layer = Dense(3, 2)
layer.initialize(np.random.default_rng(0))
optimizer = RMSprop(dict(layer.named_variables()), Schedule(0.1))
step = TrainStep(lambda x: Objectives({"all": tf.reduce_sum(layer(x)**2, -1)}, {}),
                 {"all": optimizer}, [tf.TensorSpec((4, 3))])
print([step.step([np.ones((4, 3), np.float32)]).total.hex() for _ in range(3)])
"""


def losses(folder, **environment):
    """What three steps of a process give that keeps what it compiles in a folder."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, folder], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout


def contents(folder):
    """Name -> (bytes, time of the last change) of all files below."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns)
            for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """(A folder with a quote and a space in its name and one compiled step, its losses)."""
    folder = tmp_path_factory.mktemp("cache") / "the user's steps"
    return folder, losses(folder)


@pytest.fixture
def copied(filled, tmp_path):
    """The same, to be changed: (the folder, its compiled file, its losses)."""
    folder = tmp_path / "cache"
    shutil.copytree(filled[0], folder)
    compiled, = folder.rglob("*.pb")
    return folder, compiled, filled[1]


def test_the_next_process_loads_what_was_compiled_and_learns_the_same(filled):
    folder, first = filled
    before = contents(folder)
    assert sorted(Path(name).suffix for name in before) == [".crc", ".pb"]
    assert losses(folder) == first
    assert contents(folder) == before, "nothing was compiled again"


@pytest.mark.parametrize("damage", ["cut", "emptied", "changed", "unsealed"])
def test_damaged_files_are_compiled_again(copied, damage):
    folder, compiled, first = copied
    whole = compiled.read_bytes()
    middle = len(whole) // 2
    if damage == "unsealed":
        compiled.with_suffix(".crc").unlink()
    else:
        compiled.write_bytes({"cut": whole[:middle], "emptied": b"", "changed": (
            whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1:])}[damage])
    assert losses(folder) == first
    assert {Path(name).suffix for name in contents(folder)} == {".crc", ".pb"}
    assert len(compiled.read_bytes()) > middle


def test_what_killed_processes_left_is_removed(copied, monkeypatch):
    folder, compiled, _ = copied
    monkeypatch.delenv(VARIABLE, raising=False)
    compiled.with_name("half.pb").write_bytes(b"x")
    compiled.with_name("step.pb-1234.tmp").write_bytes(b"x")
    compiled.with_name("alone.crc").write_bytes(b"x")
    keep_compiled(folder)
    assert {path.name for path in compiled.parent.iterdir()} == {
        compiled.name, compiled.with_suffix(".crc").name}


def test_the_oldest_make_room(copied, monkeypatch):
    folder, compiled, _ = copied
    monkeypatch.delenv(VARIABLE, raising=False)
    size = compiled.stat().st_size
    monkeypatch.setattr(compiled_cache, "MOST_BYTES", 2 * size + size // 2)
    for age, name in enumerate(("younger", "old", "oldest"), 1):
        path = compiled.with_name(f"{name}.pb")
        shutil.copy(compiled, path)
        shutil.copy(compiled.with_suffix(".crc"), path.with_suffix(".crc"))
        os.utime(path, ns=(0, compiled.stat().st_mtime_ns - age * 10**9))
    keep_compiled(folder)
    assert {path.stem for path in compiled.parent.iterdir()} == {compiled.stem, "younger"}


@pytest.mark.parametrize("chosen", [
    "--tf_xla_persistent_cache_directory=/elsewhere", "/file/of/flags"])
def test_the_users_choice_stands(tmp_path, monkeypatch, chosen):
    monkeypatch.setenv(VARIABLE, chosen)
    keep_compiled(tmp_path / "new")
    seal_compiled()
    assert os.environ[VARIABLE] == chosen and not list(tmp_path.iterdir())


def test_other_flags_are_kept_and_have_a_folder_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, "--tf_xla_clustering_debug")
    keep_compiled(tmp_path)
    assert os.environ[VARIABLE].startswith("--tf_xla_clustering_debug --tf_xla_persistent_cache")
    monkeypatch.setenv(VARIABLE, "")
    keep_compiled(tmp_path)
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.setenv("XLA_FLAGS", "--xla_backend_optimization_level=1")
    keep_compiled(tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, "")
    (tmp_path / "file").touch()
    keep_compiled(tmp_path / "file" / "cache")
    assert os.environ[VARIABLE] == ""


def test_a_nearly_full_disk_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.setattr(compiled_cache, "ROOM", 2**60)
    keep_compiled(tmp_path)
    assert os.environ[VARIABLE] == ""
