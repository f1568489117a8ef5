"""Exported weights: readable by NumPy alone, and harmless whatever a file holds."""

import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import CheckpointError, ModelNotFound
from models.weights_file import HEADER, WeightsFile, read_weights_file, write_weights_file

RNG = np.random.default_rng(0)
PARTS = {"encoder": {"down1/weight": RNG.standard_normal((3, 3, 2, 4)).astype(np.float32),
                     "down1/bias": np.float32([1e-7, -2.5, 0, 300])},
         "inter": {"dense1/weight": RNG.standard_normal((5, 2)).astype(np.float32),
                   "columns first": np.asfortranarray(RNG.standard_normal((2, 3)), np.float32)}}
WEIGHTS = WeightsFile("SAEHD", {"resolution": 64, "archi": "df", "gan_power": 0.1}, 1234, PARTS)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.npz"
    write_weights_file(path, WEIGHTS, "float32")
    return path


def assert_equal(found, wanted, rtol=0.0, atol=0.0):
    assert found._replace(parts={}) == wanted._replace(parts={})
    assert found.parts.keys() == wanted.parts.keys()
    for part, arrays in wanted.parts.items():
        assert found.parts[part].keys() == arrays.keys()
        for name, array in arrays.items():
            assert found.parts[part][name].dtype == np.float32
            np.testing.assert_allclose(found.parts[part][name], array, rtol, atol)


def test_single_precision_loses_nothing(path):
    assert_equal(read_weights_file(path), WEIGHTS)


def test_half_precision_halves_the_file_and_keeps_three_digits(tmp_path, path):
    write_weights_file(tmp_path / "b.npz", WEIGHTS, "float16")
    assert_equal(read_weights_file(tmp_path / "b.npz"), WEIGHTS, rtol=2**-11, atol=2**-25)
    n = sum(array.size for arrays in PARTS.values() for array in arrays.values())
    assert path.stat().st_size - (tmp_path / "b.npz").stat().st_size == 2 * n


def test_numpy_alone_reads_it(path):
    with np.load(path, allow_pickle=False) as members:
        np.testing.assert_array_equal(members["encoder/down1/weight"],
                                      PARTS["encoder"]["down1/weight"])
        header = json.loads(members[HEADER].tobytes().decode())
    assert header == {"format": 1, "kind": "SAEHD", "options": WEIGHTS.options, "iteration": 1234}


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_not_written(value, tmp_path):
    broken = WEIGHTS._replace(parts={"encoder": {"bias": np.float32([1, value])}})
    with pytest.raises(CheckpointError, match="encoder/bias holds values that are no numbers"):
        write_weights_file(tmp_path / "a.npz", broken)
    assert list(tmp_path.iterdir()) == []


def test_values_too_large_for_half_precision_are_not_written_so(tmp_path):
    large = WEIGHTS._replace(parts={"encoder": {"bias": np.float32([1e5])}})
    with pytest.raises(CheckpointError, match="too large for float16; use --dtype float32"):
        write_weights_file(tmp_path / "a.npz", large)
    write_weights_file(tmp_path / "a.npz", large, "float32")
    assert read_weights_file(tmp_path / "a.npz").parts["encoder"]["bias"] == [1e5]


def test_a_failed_write_leaves_the_file_from_before(path):
    before = path.read_bytes()
    broken = WEIGHTS._replace(options={"x": object()})
    with pytest.raises(TypeError):
        write_weights_file(path, broken)
    assert path.read_bytes() == before and [path] == list(path.parent.iterdir())


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ModelNotFound, match="a.npz: there is no such file; check the path"):
        read_weights_file(tmp_path / "a.npz")


def written(path, **members):
    """A file of NumPy's with other members, bytes as they are."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in members.items():
            if not isinstance(value, bytes):
                file = io.BytesIO()
                np.save(file, value)
                value = file.getvalue()
            archive.writestr(name, value)


def header(**changes):
    known = {"format": 1, "kind": "SAEHD", "options": {}, "iteration": 1} | changes
    return np.frombuffer(json.dumps(known).encode(), np.uint8)


def npy(shape, data=b"", descr="'<f4'"):
    """An array's bytes by hand."""
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


OTHERS = {
    "no header": {"encoder/a.npy": np.zeros(2)},
    "a header of text": {"facelab.json.npy": np.frombuffer(b"words", np.uint8)},
    "a header that is a list": {"facelab.json.npy": np.frombuffer(b"[1]", np.uint8)},
    "half a header": {"facelab.json.npy": np.frombuffer(b'{"format": 1}', np.uint8)},
    "a header of other types": {"facelab.json.npy": header(iteration="many")},
    "a header too long": {"facelab.json.npy": np.zeros(2**20 + 1, np.uint8)},
    "an object": {"facelab.json.npy": header(), "a/b.npy": np.array([{}], object)},
    "text": {"facelab.json.npy": header(), "a/b.npy": np.array(["x"])},
    "a size that no memory has": {"facelab.json.npy": header(),
                                  "a/b.npy": npy((10**6, 10**6, 10**6))},
    "fewer bytes than its shape": {"facelab.json.npy": header(), "a/b.npy": npy((3,), bytes(8))},
    "a shape below zero": {"facelab.json.npy": header(), "a/b.npy": npy((-1, -1), bytes(4))},
    "a program as dtype": {"facelab.json.npy": header(),
                           "a/b.npy": npy((1,), bytes(4), "__import__('os').getcwd()")},
    "nested without end": {"facelab.json.npy": header(),
                           "a/b.npy": npy("-" * 5000 + "1", bytes(4))},
    "no array": {"facelab.json.npy": header(), "a/b.npy": b"words"},
}


@pytest.mark.parametrize("members", OTHERS.values(), ids=OTHERS)
def test_other_files_are_refused_in_one_line(members, tmp_path):
    written(tmp_path / "a.npz", **members)
    with pytest.raises(CheckpointError) as caught:
        read_weights_file(tmp_path / "a.npz")
    message = str(caught.value)
    assert "a.npz: no weights of FaceLab, or damaged" in message and "\n" not in message


def test_weights_of_whole_numbers_are_refused(tmp_path):
    written(tmp_path / "a.npz", **{"facelab.json.npy": header(), "a/b.npy": np.zeros(2, np.uint8)})
    with pytest.raises(CheckpointError, match="a/b holds uint8, not weights"):
        read_weights_file(tmp_path / "a.npz")


def test_a_compressed_file_cannot_fill_the_memory(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("facelab.json.npy", npy((10**7,), bytes(4 * 10**7)))
    assert (tmp_path / "a.npz").stat().st_size < 100_000
    with pytest.raises(CheckpointError, match="is compressed or encrypted"):
        read_weights_file(tmp_path / "a.npz")


def test_a_newer_format_asks_for_a_newer_program(tmp_path):
    written(tmp_path / "a.npz", **{"facelab.json.npy": header(format=2)})
    with pytest.raises(CheckpointError, match="format 2, this version reads format 1; update"):
        read_weights_file(tmp_path / "a.npz")


@pytest.mark.parametrize("change", [lambda data: data[:-30], lambda data: b"",
                                    lambda data: bytes(len(data))], ids=["cut", "empty", "zeros"])
def test_damaged_files_are_refused(change, path):
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(CheckpointError, match="take another copy"):
        read_weights_file(path)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_bytes_are_refused_or_change_nothing(tmp_path_factory, data):
    """Every byte of an array is under a checksum of the zip file; names and padding are not."""
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    write_weights_file(path, WEIGHTS, "float32")
    whole = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(whole)
    try:
        found = read_weights_file(path)
    except CheckpointError:
        return
    arrays = [array for part in found.parts.values() for array in part.values()]
    expected = [array for part in PARTS.values() for array in part.values()]
    assert all(any(np.array_equal(array, other) for other in expected) for array in arrays)
