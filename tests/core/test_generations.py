import errno
import hashlib
import io
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from core.array_file import pack_arrays, unpack_arrays
from core.errors import CheckpointError, DiskFull, FolderInUse
from core.folder_lock import FolderLock
from core.generation_folder import no_room_is_disk_full, write_folder
from core.generations import GenerationStore

ROOT = Path(__file__).parents[2]
HELPER = Path(__file__).with_name("generations_child.py")


def numbered_arrays(number, size=1000):
    """A model all of whose numbers are `number`, so that a mixture of two saves shows."""
    return {
        "weights": {"encoder/down.0/weight": np.full((5, 5, 3, size), number, np.float32),
                    "encoder/down.0/bias": np.full((size,), number, np.float32),
                    "decoder/bias": np.full((3,), number, np.float32)},
        "optimizer": {"step": np.array(number, np.int64),
                      "mean_square/encoder/bias": np.full((2, size), number, np.float32)},
    }


def numbers_in(generation):
    arrays = [a for named in generation.arrays.values() for a in named.values()]
    return {float(n) for a in arrays for n in np.unique(a)} | {float(generation.state["iteration"])}


def save_numbered(store, number, size=10):
    return store.save(numbered_arrays(number, size), {"iteration": number})


def flip_byte(path, position):
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


@pytest.fixture
def store(tmp_path):
    return GenerationStore(tmp_path / "model", keep=3)


# -- what is saved comes back -------------------------------------------------------------------

def test_a_saved_generation_comes_back_with_names_shapes_dtypes_and_values(store):
    rng = np.random.default_rng(0)
    arrays = {"weights": {"a/b.0/weight": rng.standard_normal((3, 3, 2, 4)).astype(np.float32),
                          "a/b.0/bias": rng.standard_normal(4), "é ü": np.float16([[1.5]]),
                          "empty": np.zeros((0, 3), np.float32)},
              "optimizer": {"step": np.array(2**40, np.int64), "on": np.array([True, False])}}
    state = {"iteration": 7, "loss": [0.1, 1e-300], "name": "Jürgen", "nested": {"a": None}}
    store.save(arrays, state, {"preview.png": b"\x89PNG\0"})
    generation = store.load()
    assert generation.number == 1 and generation.path.name == "gen-000001"
    assert generation.state == state and generation.extras == {"preview.png": b"\x89PNG\0"}
    for stem, named in arrays.items():
        assert set(generation.arrays[stem]) == set(named)
        for name, array in named.items():
            loaded = generation.arrays[stem][name]
            assert loaded.dtype == array.dtype and loaded.shape == array.shape
            assert loaded.tobytes() == array.tobytes()
    assert store.problems == []


def test_the_files_are_plain_hdf5_and_json_with_true_checksums(store):
    folder = save_numbered(store, 4)
    assert (store.folder / "CURRENT").read_text() == "gen-000001\n"
    with h5py.File(folder / "weights.h5") as file:
        assert file["encoder"]["down.0"]["weight"].shape == (5, 5, 3, 10)
        assert file["encoder/down.0/weight"].compression is None
    header = json.loads((folder / "state.json").read_text())
    assert header["state"] == {"iteration": 4}
    for name in ("weights.h5", "optimizer.h5"):
        data = (folder / name).read_bytes()
        assert header["files"][name] == {"sha256": hashlib.sha256(data).hexdigest(),
                                         "bytes": len(data)}


def test_numpy_numbers_in_the_state_are_saved_as_plain_numbers(store):
    store.save({}, {"iteration": np.int64(3), "loss": np.float32(0.5), "list": np.arange(2)})
    assert store.load().state == {"iteration": 3, "loss": 0.5, "list": [0, 1]}


@pytest.mark.parametrize("name", ["", "a//b", "/a", "a/../b", "a/."])
def test_an_array_name_that_would_not_come_back_is_refused(store, name):
    with pytest.raises(ValueError, match="not a name"):
        store.save({"weights": {name: np.zeros(1)}}, {})


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a"), ("a/b/c", "a/b")])
def test_an_array_beside_an_array_inside_it_is_refused(store, names):
    with pytest.raises(ValueError, match="beside"):
        store.save({"weights": {name: np.zeros(1) for name in names}}, {})


@pytest.mark.parametrize("extras", [{"../x": b""}, {"state.json": b""}, {"Weights.H5": b""},
                                    {".hidden": b""}, {"": b""}])
def test_a_file_name_that_leads_elsewhere_or_comes_twice_is_refused(store, extras):
    with pytest.raises(ValueError):
        store.save({"weights": {}}, {}, extras)
    assert store.numbers() == []


def test_values_that_cannot_be_stored_are_refused_before_anything_is_written(store):
    with pytest.raises(TypeError, match="object cannot be saved"):
        store.save({}, {"bad": object()})
    with pytest.raises(ValueError, match="only numbers"):
        store.save({"weights": {"a": np.array(["text"])}}, {})
    assert store.load() is None
    assert sorted(os.listdir(store.folder)) == ["LOCK"]


def test_an_hdf5_file_that_points_into_another_file_is_refused(tmp_path):
    (tmp_path / "secret").write_bytes(b"12345678")
    with h5py.File(tmp_path / "evil.h5", "w") as file:
        file.create_dataset("a", (8,), "u1", external=[(str(tmp_path / "secret"), 0, 8)])
    with pytest.raises(ValueError, match="not stored as 8 plain bytes"):
        unpack_arrays(open_closed(tmp_path / "evil.h5"))


def test_an_hdf5_file_that_unpacks_to_more_than_it_holds_is_refused(tmp_path):
    with h5py.File(tmp_path / "bomb.h5", "w") as file:
        file.create_dataset("a", (1 << 40,), "f4", chunks=(1 << 10,))
    with pytest.raises(ValueError, match="plain bytes"):
        unpack_arrays(open_closed(tmp_path / "bomb.h5"))


def open_closed(path):
    return io.BytesIO(path.read_bytes())


def test_equal_arrays_give_equal_bytes():
    first, second = (pack_arrays(numbered_arrays(1)["weights"]).getvalue() for _ in range(2))
    assert first == second


# -- several generations ------------------------------------------------------------------------

def test_an_empty_or_missing_folder_loads_nothing(tmp_path):
    assert GenerationStore(tmp_path).load() is None
    assert GenerationStore(tmp_path / "missing").load() is None
    assert GenerationStore(tmp_path / "missing").backup(tmp_path / "b") is None
    assert os.listdir(tmp_path) == []


def test_the_last_three_generations_stay(store):
    for number in range(1, 6):
        save_numbered(store, number)
    assert store.numbers() == [3, 4, 5]
    assert store.load().number == 5
    assert sorted(os.listdir(store.folder)) == [
        "CURRENT", "LOCK", "gen-000003", "gen-000004", "gen-000005"]


def test_keep_must_be_at_least_one(tmp_path):
    with pytest.raises(ValueError, match="not 0"):
        GenerationStore(tmp_path, keep=0)


def test_damaged_generations_do_not_push_a_whole_one_out(store):
    for number in range(1, 4):
        save_numbered(store, number)
    for number in (2, 3):
        flip_byte(store.folder / f"gen-{number:06d}" / "weights.h5", 3000)
    assert store.load().number == 1
    for number in (4, 5):
        save_numbered(store, number)
    assert store.numbers() == [1, 2, 3, 4, 5]  # 1, 4 and 5 are the three whole ones
    save_numbered(store, 6)
    assert store.numbers() == [4, 5, 6]


def test_leftovers_of_a_killed_save_are_ignored_and_cleaned_at_the_next_save(store):
    save_numbered(store, 1)
    leftover = store.folder / ".part-new-gen-000002"
    leftover.mkdir()
    (leftover / "weights.h5").write_bytes(b"half")
    (store.folder / ".part-0123456789ab").write_bytes(b"gen-")
    (store.folder / ".part-mine.png").write_bytes(b"not ours")
    assert store.load().number == 1 and store.problems == []
    save_numbered(store, 2)
    assert sorted(os.listdir(store.folder)) == [
        ".part-mine.png", "CURRENT", "LOCK", "gen-000001", "gen-000002"]


# -- damage -------------------------------------------------------------------------------------

DAMAGES = {
    "truncated weights": lambda folder: os.truncate(folder / "weights.h5", 700),
    "empty weights": lambda folder: os.truncate(folder / "weights.h5", 0),
    "missing optimizer": lambda folder: (folder / "optimizer.h5").unlink(),
    "flipped weight": lambda folder: flip_byte(folder / "weights.h5", -200),
    "flipped optimizer header": lambda folder: flip_byte(folder / "optimizer.h5", 9),
    "truncated state": lambda folder: os.truncate(folder / "state.json", 60),
    "empty state": lambda folder: os.truncate(folder / "state.json", 0),
    "zero-filled state": lambda folder: (folder / "state.json").write_bytes(bytes(500)),
    "state is a list": lambda folder: (folder / "state.json").write_text("[1]"),
    "missing state": lambda folder: (folder / "state.json").unlink(),
    "state is a folder": lambda folder: ((folder / "state.json").unlink(),
                                         (folder / "state.json").mkdir()),
    "other iteration": lambda folder: (folder / "state.json").write_text(
        (folder / "state.json").read_text().replace('"iteration": 3', '"iteration": 4')),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_generation_falls_back_to_the_one_before_and_says_so(store, damage):
    for number in (1, 2, 3):
        save_numbered(store, number)
    damage(store.folder / "gen-000003")
    generation = store.load()
    assert generation.number == 2 and numbers_in(generation) == {2.0}
    assert len(store.problems) == 1
    assert "gen-000003 is unreadable: " in store.problems[0]
    assert store.problems[0].endswith("; using gen-000002") and "\n" not in store.problems[0]


def test_a_flipped_byte_of_state_json_is_noticed_or_harmless(store):
    save_numbered(store, 1)
    path = save_numbered(store, 2) / "state.json"
    whole = path.read_bytes()
    for position in range(0, len(whole), 3):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1:])
        assert store.load().state in ({"iteration": 1}, {"iteration": 2})
    # Only white space may change unnoticed: it carries nothing.
    assert len(store.problems) > 0.9 * len(whole.replace(b"\n", b"").replace(b" ", b"")) / 3


def test_two_damaged_generations_give_two_problems_in_order(store):
    for number in (1, 2, 3):
        save_numbered(store, number)
    flip_byte(store.folder / "gen-000003" / "weights.h5", 100)
    (store.folder / "gen-000002" / "optimizer.h5").unlink()
    assert numbers_in(store.load()) == {1.0}
    assert ["gen-000003" in store.problems[0], "gen-000002" in store.problems[1]] == [True, True]


def test_when_nothing_is_readable_the_error_names_folder_reasons_and_next_step(store):
    for number in (1, 2):
        save_numbered(store, number)
        flip_byte(store.folder / f"gen-{number:06d}" / "weights.h5", 100)
    with pytest.raises(CheckpointError) as raised:
        store.load()
    message = str(raised.value)
    assert str(store.folder) in message and "gen-000001" in message and "gen-000002" in message
    assert "copy a backup into this folder" in message and "\n" not in message
    assert len(store.problems) == 2


def test_without_current_the_newest_generation_is_used_and_said(store):
    for number in (1, 2):
        save_numbered(store, number)
    (store.folder / "CURRENT").unlink()
    assert store.load().number == 2
    assert store.problems == [f"{store.folder}: CURRENT is missing; using gen-000002"]


@pytest.mark.parametrize("text", [b"gen-000009\n", b"", b"\0" * 11, b"\xff\xfe", b"../other"])
def test_a_current_that_names_nothing_falls_back_to_the_newest_and_says_so(store, text):
    for number in (1, 2):
        save_numbered(store, number)
    (store.folder / "CURRENT").write_bytes(text)
    assert store.load().number == 2
    assert len(store.problems) == 1 and "CURRENT" in store.problems[0]


def test_a_current_without_any_generation_is_an_error_and_not_a_new_model(store):
    store.folder.mkdir()
    (store.folder / "CURRENT").write_text("gen-000005\n")
    with pytest.raises(CheckpointError, match="gen-000005"):
        store.load()


def test_current_decides_over_a_newer_generation(store):
    for number in (1, 2, 3):
        save_numbered(store, number)
    (store.folder / "CURRENT").write_text("gen-000002\n")
    assert store.load().number == 2 and store.problems == []
    assert save_numbered(store, 4).name == "gen-000004"


def rewrite_header(folder, change):
    """Changes state.json and gives it a true checksum, as a later version or a stranger could."""
    header = json.loads((folder / "state.json").read_text())
    del header["checksum"]
    change(header)
    text = json.dumps(header, separators=(",", ":"))
    header["checksum"] = hashlib.sha256(text.encode()).hexdigest()
    (folder / "state.json").write_text(json.dumps(header))


def test_a_generation_of_a_newer_version_stops_loading_and_is_not_skipped(store):
    save_numbered(store, 1)
    rewrite_header(save_numbered(store, 2), lambda header: header.update(format=2))
    with pytest.raises(CheckpointError, match="update the program"):
        store.load()


def test_a_state_that_lists_files_outside_the_folder_is_unreadable(store, tmp_path):
    save_numbered(store, 1)
    (tmp_path / "secret").write_bytes(b"s")
    seal = {"sha256": hashlib.sha256(b"s").hexdigest(), "bytes": 1}
    folder = save_numbered(store, 2)
    rewrite_header(folder, lambda header: header["files"].update({"../../secret": seal}))
    assert store.load().number == 1
    assert "not a plain file name" in store.problems[0]


def test_loading_survives_a_trainer_that_removes_what_is_being_read(store, monkeypatch):
    save_numbered(store, 1)
    reader = GenerationStore(store.folder)
    listed = reader.numbers

    def numbers_then_ten_saves():
        found = listed()
        if found == [1]:
            for number in range(2, 7):
                save_numbered(store, number)
        return found

    monkeypatch.setattr(reader, "numbers", numbers_then_ten_saves)
    assert numbers_in(reader.load()) in ({4.0}, {5.0}, {6.0})


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


# -- backups ------------------------------------------------------------------------------------

def test_a_backup_is_a_store_of_its_own(store, tmp_path):
    for number in (1, 2):
        save_numbered(store, number)
    copy = store.backup(tmp_path / "backups" / "monday")
    assert copy == tmp_path / "backups" / "monday" / "gen-000002"
    for path in (store.folder / "gen-000002").iterdir():
        assert (copy / path.name).read_bytes() == path.read_bytes()
    assert numbers_in(GenerationStore(tmp_path / "backups" / "monday").load()) == {2.0}


def test_a_backup_over_a_backup_replaces_the_generation_of_that_number(store, tmp_path):
    other = GenerationStore(tmp_path / "other")
    save_numbered(other, 9)
    save_numbered(store, 1)
    assert store.backup(other.folder).name == "gen-000001"
    assert numbers_in(other.load()) == {1.0} and other.numbers() == [1]
    store.backup(other.folder)
    assert not [name for name in os.listdir(other.folder) if name.startswith(".part")]


def test_a_backup_never_copies_a_damaged_generation(store, tmp_path):
    for number in (1, 2):
        save_numbered(store, number)
    flip_byte(store.folder / "gen-000002" / "optimizer.h5", 500)
    assert store.backup(tmp_path / "b").name == "gen-000001"
    assert "using gen-000001" in store.problems[0]
    assert sorted(os.listdir(tmp_path / "b")) == ["CURRENT", "LOCK", "gen-000001"]


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
