import hashlib
import io
import json
import os

import h5py
import numpy as np
import pytest

from core.array_file import pack_arrays, unpack_arrays
from core.errors import CheckpointError
from core.generations import GenerationStore
from tests.core.numbered_generations import flip_byte, numbered_arrays, numbers_in, save_numbered


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


def test_a_glance_gives_number_and_state_without_reading_arrays(store):
    assert store.glance() is None
    save_numbered(store, 1)
    save_numbered(store, 2)
    number, state = store.glance()
    assert (number, state) == (2, store.load().state)
    with open(store.folder / "gen-000002/weights.h5", "r+b") as file:
        file.truncate(100)
    assert store.glance() == (1, GenerationStore(store.folder).load().state)
    assert "weights.h5 has 100 bytes" in store.problems[-1]
    (store.folder / "gen-000001/weights.h5").unlink()
    with pytest.raises(CheckpointError, match="no saved generation"):
        store.glance()
