"""Generations under locks, full disks and crashes."""

import errno
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from core.errors import DiskFull, FolderInUse
from core.folder_lock import FolderLock
from core.generation_folder import no_room_is_disk_full, write_folder
from core.generations import GenerationStore
from tests.core.numbered_generations import numbers_in, save_numbered

ROOT = Path(__file__).parents[2]
HELPER = Path(__file__).with_name("generations_child.py")


@pytest.fixture
def store(tmp_path):
    return GenerationStore(tmp_path / "model", keep=3)


# -- the lock -----------------------------------------------------------------------------------

def test_a_second_writer_is_refused_while_the_first_holds_the_lock(store):
    with store.lock():
        save_numbered(store, 1)
        other = GenerationStore(store.folder)
        with pytest.raises(FolderInUse, match=f"process {os.getpid()} .*stop it first"):
            save_numbered(other, 2)
        with pytest.raises(FolderInUse), other.lock():
            pass
        assert other.load().number == 1  # reading needs no lock
    save_numbered(other, 2)
    assert store.load().number == 2


def test_the_lock_may_be_entered_again_by_its_holder(store):
    with store.lock():
        with store.lock():
            pass
        with pytest.raises(FolderInUse), FolderLock(store.folder):
            pass


def test_another_process_is_refused_and_its_lock_dies_with_it(store):
    child = start_child("hold_lock", store.folder)
    try:
        assert child.stdout.readline() == "locked\n"
        with pytest.raises(FolderInUse, match=f"process {child.pid} "):
            save_numbered(store, 1)
    finally:
        child.kill()
        child.communicate()
    save_numbered(store, 1)  # the LOCK file is still there, its process is not
    assert store.load().number == 1


# -- no room ------------------------------------------------------------------------------------

def test_a_full_disk_gives_disk_full_and_leaves_the_old_generations_untouched(tmp_path):
    """A real small file system in a private mount namespace, else a real file size limit."""
    folder = tmp_path / "disk"
    folder.mkdir()
    isolated = ["unshare", "--user", "--map-root-user", "--mount"]
    mount = f"mount -t tmpfs -o size=4m tmpfs '{folder}'"
    possible = subprocess.run([*isolated, "sh", "-c", mount], capture_output=True).returncode == 0
    if possible:
        run = f"{mount} && exec '{sys.executable}' '{HELPER}' full_disk '{folder}'"
        command = [*isolated, "sh", "-c", run]
    else:
        command = [sys.executable, str(HELPER), "size_limit", str(folder)]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    result = json.loads(finished.stdout)
    assert result["errno"] == (errno.ENOSPC if possible else errno.EFBIG)
    check_no_room_result(result)


def test_a_file_size_limit_gives_disk_full_and_leaves_the_old_generations_untouched(tmp_path):
    finished = subprocess.run([sys.executable, str(HELPER), "size_limit", str(tmp_path)], cwd=ROOT,
                              capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    result = json.loads(finished.stdout)
    assert result["errno"] == errno.EFBIG
    check_no_room_result(result)


def check_no_room_result(result):
    assert result["error"] == "DiskFull" and "free some space" in result["message"]
    assert result["after"] == result["before"]
    assert result["loaded"] == [2.0] and result["problems"] == []
    assert result["saved_when_there_is_room"] == [4.0]


def test_a_device_without_room_is_disk_full(tmp_path):
    with pytest.raises(DiskFull, match="No space left"), no_room_is_disk_full(tmp_path):
        with open("/dev/full", "wb", buffering=0) as file:
            file.write(b"x")


def test_another_system_error_stays_what_it_is(tmp_path):
    with pytest.raises(NotADirectoryError), no_room_is_disk_full(tmp_path):
        (tmp_path / "file").write_bytes(b"")
        write_folder(tmp_path / "file" / "part", {}, {}, {})


def test_a_generation_that_cannot_be_put_in_force_is_taken_back(store):
    save_numbered(store, 1)
    (store.folder / "CURRENT").unlink()
    (store.folder / "CURRENT").mkdir()  # nothing can be written over a folder
    with pytest.raises(IsADirectoryError):
        save_numbered(store, 2)
    assert store.numbers() == [1] and store.load().number == 1
    assert not [name for name in os.listdir(store.folder) if name.startswith(".part")]


# -- crashes ------------------------------------------------------------------------------------

def start_child(task, *arguments):
    return subprocess.Popen([sys.executable, str(HELPER), task, *map(str, arguments)], cwd=ROOT,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_kill_9_at_random_moments_always_leaves_a_complete_generation(store):
    rng = random.Random(20)
    acknowledged = 0
    for _ in range(12):
        child = start_child("save_forever", store.folder)
        child.stdout.readline()
        time.sleep(rng.uniform(0, 0.12))
        child.kill()
        lines, _ = child.communicate()
        # A line may be cut by the kill; what is whole was said after its save had returned.
        whole = [int(line) for line in lines.splitlines(keepends=True) if line.endswith("\n")]
        acknowledged = max([acknowledged, *whole])
        generation = GenerationStore(store.folder).load()
        seen = numbers_in(generation)
        assert len(seen) == 1, "numbers of two saves are mixed"
        assert seen.pop() >= acknowledged, "a save that had returned is lost"
    assert acknowledged > 12


def test_a_crash_at_every_single_file_operation_leaves_a_complete_generation(tmp_path):
    finished = subprocess.run([sys.executable, str(HELPER), "crash_everywhere", str(tmp_path)],
                              cwd=ROOT, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    result = json.loads(finished.stdout)
    # Every outcome is the whole old or the whole new generation; both must have been met.
    assert set(result["loaded"]) == {4, 5}
    assert result["loaded"] == sorted(result["loaded"])
    assert result["problems"] == [] and result["damaged"] == [] and result["leftovers"] == []
    assert len(result["loaded"]) > 15


def test_saving_150_megabytes_takes_about_a_second(store):
    rng = np.random.default_rng(0)
    weights = {f"layer.{i}/weight": rng.standard_normal(1_250_000, np.float32) for i in range(30)}
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        store.save({"weights": weights}, {})
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 3  # a busy machine; 0.4 s alone
