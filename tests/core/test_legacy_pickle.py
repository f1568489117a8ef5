"""Pickles of other programs: plain data comes through, nothing else does."""

import builtins
import collections
import copyreg
import io
import os
import pickle
import pickletools
import struct
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.legacy_pickle import MAX_NESTING, LegacyEnum, LegacyPickleError, loads
from core.legacy_pickle_writer import dump

PLAIN = {
    "iter": 12345, "none": None, "yes": True, "no": False, "negative": -3, "long": -2**70,
    "text": "schön \ud800", "bytes": b"\x00\xff", "empty": b"", "float": -0.1,
    "history": [[0.5, 0.25], [0.125, 1e-9]], "tuples": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
    5: {"nested": [{}]}}
ARRAYS = {
    "float": np.arange(12, dtype=np.float32).reshape(3, 4), "none": np.zeros((0, 3)),
    "columns first": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "number": np.array(3.5),
    "yes or no": np.array([True, False]), "bytes": np.uint8([[1], [255]]),
    "half": np.float16([1.5]), "other order": np.arange(3, dtype=">i4")}


def written(value):
    file = io.BytesIO()
    dump(value, file)
    return file.getvalue()


def assert_equal_arrays(found, wanted):
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        # NumPy itself turns arrays of the other byte order into its own when it reads them.
        assert found[name].dtype.newbyteorder("=") == array.dtype.newbyteorder("=")
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_data_of_every_protocol_comes_through(protocol):
    assert loads(pickle.dumps(PLAIN, protocol)) == PLAIN


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_arrays_of_every_protocol_come_through(protocol):
    assert_equal_arrays(loads(pickle.dumps(ARRAYS, protocol)), ARRAYS)


@pytest.mark.parametrize("protocol", [2, 4])
def test_names_of_numpy_1_mean_the_same(protocol):
    data = pickle.dumps(ARRAYS["float"], protocol)
    assert b"numpy._core.multiarray" in data
    old = data.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    # In protocol 4, lengths stand before the name and before the whole.
    old = old.replace(b"\x8c\x16numpy.core.multiarray", b"\x8c\x15numpy.core.multiarray")
    if protocol == 4:
        old = old[:3] + struct.pack("<Q", len(old) - 11) + old[11:]
    np.testing.assert_array_equal(loads(old), ARRAYS["float"])


def test_numpy_numbers_become_pythons():
    found = loads(pickle.dumps([np.float32(0.5), np.int64(-7), np.bool_(True)], 4))
    assert found == [0.5, -7, True]
    assert [type(value) for value in found] == [float, int, bool]


def test_ordered_dictionaries_become_plain_ones():
    for value in (collections.OrderedDict(), collections.OrderedDict(b=1, a=[2])):
        found = loads(pickle.dumps(value, 4))
        assert type(found) is dict and list(found.items()) == list(value.items())


def test_shared_values_and_reused_arrays_come_through():
    row, array = [1, 2], np.arange(3)
    found = loads(pickle.dumps({"a": row, "b": row, "c": [array, array]}, 4))
    assert found["a"] is found["b"] and found["c"][0] is found["c"][1]


def test_enumerations_are_numbers_with_their_kind():
    # By hand, since the program that defines them is not here.
    data = b"\x80\x04\x8c\x10facelib.FaceType\x8c\x08FaceType\x93K\x04\x85R."
    found = loads(data)
    assert found == 4 and found.kind == "FaceType"
    found = loads(b"\x80\x02csamplelib.Sample\nSampleType\nq\x00K\x01\x85q\x01Rq\x02.")
    assert found == 1 and found.kind == "SampleType"


def test_what_is_written_is_read_by_python_and_by_us():
    data = written({"plain": PLAIN, "arrays": ARRAYS})
    for found in (pickle.loads(data), loads(data)):
        assert found["plain"] == PLAIN
        assert_equal_arrays(found["arrays"], ARRAYS)


def test_what_is_written_is_known_to_python_3_6_and_numpy_1():
    data = written([ARRAYS, PLAIN, LegacyEnum("FaceType", 2)])
    operations = list(pickletools.genops(data))
    assert max(operation.proto for operation, _, _ in operations) <= 4
    assert b"numpy._core" not in data
    texts = {text for operation, text, _ in operations if isinstance(text, str)}
    assert {"numpy.core.multiarray", "_reconstruct", "ndarray", "dtype",
            "facelib.FaceType", "FaceType"} <= texts
    assert loads(data)[2].kind == "FaceType"


def test_numpy_numbers_are_written_as_plain_ones():
    assert loads(written([np.float32(0.5), np.int8(-3)])) == [0.5, -3]


@pytest.mark.parametrize("value", [object(), {1, 2}, np.array([None]), np.array(["text"])])
def test_other_types_are_not_written(value):
    with pytest.raises(TypeError, match="cannot be written"):
        written([value])


class Calls:
    """Pickles as a call of anything."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


def by_name(module, name, arguments=b")"):
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + arguments + b"R."


HOSTILE = {
    "a command": pickle.dumps(Calls(os.system, ("touch /tmp/hostile",)), 4),
    "a command of protocol 2": by_name("os", "system", b"X\x04\x00\x00\x00true\x85"),
    "eval": pickle.dumps(Calls(builtins.eval, ("1 + 1",)), 2),
    "getattr": pickle.dumps(Calls(getattr, ("", "join")), 3),
    "an attribute of an allowed module": by_name("collections", "namedtuple"),
    "a dotted name": b"\x80\x04\x8c\x0bcollections\x8c\x14OrderedDict.fromkeys\x93)R.",
    "numpy's loader": by_name("numpy", "load", b"X\x01\x00\x00\x00x\x85"),
    "an object array": pickle.dumps(np.array([{}], object), 4),
    "an array of text": pickle.dumps(np.array(["x"]), 4),
    "an array of records": pickle.dumps(np.zeros(2, [("a", "i4")]), 4),
    "a date": pickle.dumps(np.datetime64("2020-01-01"), 4),
    "a set": pickle.dumps({1}, 4),
    "a class instance": pickle.dumps(Calls(object.__new__, (LegacyEnum,)), 4),
    "a new object": b"\x80\x04\x8c\x05numpy\x8c\x07ndarray\x93)\x81.",
    "an old-style object": b"(inumpy\nndarray\n.",
    "a persistent id": b"\x80\x02K\x01Q.",
    "a textual persistent id": b"P1\n.",
    "an extension": b"\x80\x02\x82\x01.",
    "a longer extension": b"\x80\x02\x83\x01\x00.",
    "the longest extension": b"\x80\x02\x84\x01\x00\x00\x00.",
    "an outside buffer": b"\x80\x05\x97.",
    "a call of data": b"\x80\x02]K\x01\x85R.",
    "a call with a list": b"\x80\x02cnumpy\ndtype\n]R.",
    "ndarray itself": by_name("numpy", "ndarray", b"K\x01\x85"),
    "attributes of a list": b"\x80\x02]}b.",
    "attributes of a name": b"\x80\x02cnumpy\nndarray\n}b.",
    "a name as the value": b"\x80\x02cnumpy\nndarray\n.",
    "a name in a list": b"\x80\x02]cnumpy\nndarray\na.",
    "a name in a tuple": b"\x80\x02cnumpy\nndarray\n\x85.",
    "a name as a key": b"\x80\x02}cnumpy\nndarray\nK\x01s.",
    "a type that was not finished": by_name("numpy", "dtype", b"X\x02\x00\x00\x00f4\x85"),
    "a type without numbers": by_name("numpy", "dtype", b"X\x01\x00\x00\x00O\x85"),
    "a type by a tuple": by_name("numpy", "dtype", b"K\x01\x85\x85"),
    "bytes by another encoding": by_name(
        "_codecs", "encode", b"X\x01\x00\x00\x00xX\x04\x00\x00\x00zlib\x86"),
    "a list in place of a dictionary": b"\x80\x02]K\x01K\x02s.",
    "a number in place of a list": b"\x80\x02K\x01K\x02a.",
    "a list as a key": b"\x80\x02}]K\x01s.",
    "a tuple as a key": b"\x80\x02}K\x01\x85K\x01s.",
    "a list that holds itself": b"\x80\x02]q\x00h\x00a.",
    "a tower of lists": b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",
    "a tower of tuples": b"\x80\x02)" + b"\x85" * 100_000 + b".",
    "lists that double": b"\x80\x02]" + b"q\x00](h\x00h\x00e" * 60 + b".",
    "an enumeration by text": by_name("facelib.FaceType", "FaceType", b"X\x01\x00\x00\x002\x85"),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_pickles_are_refused_in_one_line(data, monkeypatch):
    monkeypatch.setattr(os, "system", lambda command: pytest.fail("a command was run"))
    with pytest.raises(LegacyPickleError) as caught:
        loads(data, "model.npy")
    message = str(caught.value)
    assert message.startswith("model.npy: ") and "\n" not in message and len(message) < 400


def test_the_refused_global_is_named():
    with pytest.raises(LegacyPickleError, match="os.system|posix.system"):
        loads(HOSTILE["a command"])


def test_extensions_stay_closed_even_when_the_program_registered_one():
    copyreg.add_extension("os", "system", 77)
    try:
        data = pickle.dumps(os.system, 2)
        with pytest.raises(LegacyPickleError, match="instruction"):
            loads(b"\x80\x02\x82\x4d.")
        with pytest.raises(LegacyPickleError):
            loads(data)
    finally:
        copyreg.remove_extension("os", "system", 77)


def array_pickle(shape, data, dtype=b"f4"):
    """A pickle of an array with any shape, by hand."""
    shape = b"(" + b"".join(b"\x8a\x09" + side.to_bytes(9, "little", signed=True)
                            for side in shape) + b"t"
    return (b"\x80\x04cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
            b"(K\x01" + shape + b"cnumpy\ndtype\nX\x02\x00\x00\x00" + dtype + b"\x89\x88\x87R"
            b"(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
            b"\x89C" + bytes([len(data)]) + data + b"tb.")


def test_an_array_by_hand_is_read():
    np.testing.assert_array_equal(loads(array_pickle((2, 1), struct.pack("<2f", 1, 2))),
                                  np.float32([[1], [2]]))


@pytest.mark.parametrize("shape", [(3,), (2**40, 2**40), (-1,), (-1, -2), (1,) * 40, (2**63, 0)])
def test_arrays_whose_shape_does_not_fit_their_bytes_are_refused(shape):
    with pytest.raises(LegacyPickleError):
        loads(array_pickle(shape, bytes(8)))


@pytest.mark.parametrize("data", [
    b"\x80\x04\x8e" + struct.pack("<Q", 2**60) + b"x.",  # bytes
    b"\x80\x04B\xff\xff\xff\xffx.", b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"x.",
    b"\x80\x02\x8b\xff\xff\xff\x7fx.",  # a number
    b"\x80\x02Nr\xff\xff\xff\xff0.",  # a far place in the memo
], ids=["bytes", "short bytes", "text", "number", "memo"])
def test_lengths_that_the_file_does_not_have_take_no_memory_and_no_time(data):
    start = time.perf_counter()
    with pytest.raises(LegacyPickleError):
        loads(data)
    assert time.perf_counter() - start < 1


def test_endless_files_stop_at_the_limit():
    with pytest.raises(LegacyPickleError, match="more than 1000 instructions"):
        loads(b"\x80\x02" + b"N" * 5000, max_operations=1000)


def test_too_many_containers_are_refused(monkeypatch):
    monkeypatch.setattr("core.legacy_pickle.MAX_CONTAINERS", 100)
    assert len(loads(pickle.dumps([[]] * 50 + [[] for _ in range(90)], 4))) == 140
    with pytest.raises(LegacyPickleError, match="more than 100 lists"):
        loads(pickle.dumps([[] for _ in range(200)], 4))


def test_ordinary_nesting_is_read():
    value = []
    for _ in range(MAX_NESTING - 2):
        value = [value]
    assert loads(pickle.dumps(value, 4)) == value


@pytest.mark.parametrize("keep", [0, 1, 2, 10, 50, -1])
def test_cut_files_are_damaged(keep):
    data = pickle.dumps(PLAIN, 4)
    with pytest.raises(LegacyPickleError, match="damaged at byte"):
        loads(data[:keep])


def test_zero_filled_files_are_refused():
    with pytest.raises(LegacyPickleError):
        loads(bytes(1000))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_bytes_give_data_or_our_error(data):
    pickled = bytearray(pickle.dumps([PLAIN, ARRAYS], data.draw(st.sampled_from([2, 4]))))
    for _ in range(data.draw(st.integers(1, 4))):
        pickled[data.draw(st.integers(0, len(pickled) - 1))] = data.draw(st.integers(0, 255))
    try:
        loads(bytes(pickled))
    except LegacyPickleError:
        pass


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_data_or_our_error(data):
    try:
        loads(data)
    except LegacyPickleError:
        pass
