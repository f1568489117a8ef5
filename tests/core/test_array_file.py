"""Named arrays in one HDF5 file: what goes in comes out; what a stranger made does no harm."""

import io

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from core.array_file import pack_arrays, unpack_arrays

ARRAYS = {
    "encoder/down1/downs_0/conv1/weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "encoder/down1/downs_0/conv1/bias": np.zeros(3, np.float32),
    "step": np.int64(7), "nothing": np.zeros((0, 4)), "half": np.float16([[1.5]]),
    "yes or no": np.array([True, False]), "complex": np.array([1j, 2]),
    "not in a row": np.arange(12.0).reshape(3, 4)[:, ::2]}


def packed(arrays):
    return io.BytesIO(pack_arrays(arrays).getvalue())


def test_what_goes_in_comes_out_sorted_by_name():
    found = unpack_arrays(packed(ARRAYS))
    assert list(found) == sorted(ARRAYS)
    for name, array in ARRAYS.items():
        assert isinstance(found[name], np.ndarray)
        assert found[name].dtype == array.dtype and found[name].shape == np.shape(array)
        np.testing.assert_array_equal(found[name], array)


def test_equal_arrays_give_equal_bytes():
    assert pack_arrays(ARRAYS).getvalue() == pack_arrays(ARRAYS).getvalue()


def test_other_programs_open_it_as_a_tree():
    with h5py.File(packed(ARRAYS)) as tree:
        np.testing.assert_array_equal(tree["encoder"]["down1"]["downs_0"]["conv1"]["weight"],
                                      ARRAYS["encoder/down1/downs_0/conv1/weight"])


def test_no_arrays_are_a_file_too():
    assert unpack_arrays(packed({})) == {}


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-z]{1,3}(/[a-z]{1,3})?", fullmatch=True),
                       arrays_of.arrays(st.sampled_from([np.float32, np.uint8, np.int64]),
                                        arrays_of.array_shapes(min_dims=0, min_side=0)),
                       max_size=4))
def test_any_arrays_come_back(arrays):
    folders = {name.partition("/")[0] for name in arrays if "/" in name}
    arrays = {name: array for name, array in arrays.items() if name not in folders}
    found = unpack_arrays(packed(arrays))
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", ".", "a/../b"])
def test_names_that_are_no_paths_are_refused(name):
    with pytest.raises(ValueError, match="not a name"):
        pack_arrays({name: np.zeros(2)})


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a"), ("a/b/c", "a")])
def test_an_array_cannot_be_the_folder_of_another(names):
    with pytest.raises(ValueError, match="inside or above"):
        pack_arrays({name: np.zeros(2) for name in names})


@pytest.mark.parametrize("array", [np.array(["text"]), np.array([None]), np.array([b"x"]),
                                   np.zeros(1, [("a", "f4")]), np.array(["2020"], "datetime64[D]")])
def test_only_numbers_are_stored(array):
    with pytest.raises(ValueError, match="only numbers"):
        pack_arrays({"a": array})


@pytest.mark.parametrize("keep", [0, 10, 500, -1])
def test_cut_files_are_no_files(keep):
    with pytest.raises(OSError):
        unpack_arrays(io.BytesIO(pack_arrays(ARRAYS).getvalue()[:keep]))


@pytest.mark.parametrize("data", [bytes(4096), b"PK\x03\x04" + bytes(100), b"\x89HDF\r\n\x1a\n"])
def test_other_bytes_are_no_files(data):
    with pytest.raises(OSError):
        unpack_arrays(io.BytesIO(data))


def written_by_a_stranger(fill):
    file = io.BytesIO()
    with h5py.File(file, "w") as tree:
        fill(tree)
    return file


def test_an_array_that_would_unpack_into_all_memory_is_refused():
    bomb = written_by_a_stranger(lambda tree: tree.create_dataset(
        "bomb", (10**6, 10**6), np.float32, chunks=(1000, 1000), compression="gzip"))
    assert len(bomb.getvalue()) < 100_000
    with pytest.raises(ValueError, match="'bomb' is not stored as 4000000000000 plain bytes"):
        unpack_arrays(bomb)


def test_an_array_in_another_file_is_refused(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(range(16)))
    outside = written_by_a_stranger(lambda tree: tree.create_dataset(
        "outside", (16,), np.uint8, external=[(str(secret), 0, 16)]))
    with pytest.raises(ValueError, match="'outside' is not stored"):
        unpack_arrays(outside)


def test_a_view_of_another_file_is_refused(tmp_path):
    layout = h5py.VirtualLayout((2,), np.float32)
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "a", (2,))
    view = written_by_a_stranger(lambda tree: tree.create_virtual_dataset("view", layout))
    with pytest.raises(ValueError, match="'view' is not stored"):
        unpack_arrays(view)


def test_a_link_into_another_file_leads_nowhere(tmp_path):
    other = tmp_path / "other.h5"
    other.write_bytes(pack_arrays({"secret": np.ones(3)}).getvalue())

    def link(tree):
        tree["link"] = h5py.ExternalLink(str(other), "secret")
        tree["own"] = np.zeros(2)

    assert unpack_arrays(written_by_a_stranger(link)).keys() == {"own"}


def test_text_in_a_file_is_refused():
    text = written_by_a_stranger(lambda tree: tree.create_dataset("text", data="words"))
    with pytest.raises(ValueError, match="'text'"):
        unpack_arrays(text)
