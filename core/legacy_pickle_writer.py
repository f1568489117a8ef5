"""Writes plain data as a pickle that old programs can open (Python 3.4 and NumPy 1 or later).

Protocol 4, without frames. Arrays are named `numpy.core.multiarray`, as NumPy 1 called it, whatever
NumPy writes them.
"""

import struct
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from core.legacy_pickle_values import ENUM_MODULES, LegacyEnum

_MARK, _REDUCE, _BUILD = b"(", b"R", b"b"
_CONSTANTS = {None: b"N", True: b"\x88", False: b"\x89"}


def dump(value: Any, file: BinaryIO) -> None:
    """Writes one value.

    Args:
        value: dict, list, tuple, str, bytes, bool, int, float, None, LegacyEnum, numeric arrays,
            and NumPy numbers, which become Python's.
        file: Open for binary writing.

    Raises:
        TypeError: Some part of the value is of another type; the file holds a part by then.
    """
    file.write(b"\x80\x04")
    _write(value, file)
    file.write(b".")


def _write(value: Any, file: BinaryIO) -> None:
    if isinstance(value, np.generic):
        value = value.item()
    writer = _WRITERS.get(type(value))
    if writer is None:
        raise TypeError(f"{type(value).__name__} cannot be written for other programs")
    writer(value, file)


def _write_constant(value: bool | None, file: BinaryIO) -> None:
    file.write(_CONSTANTS[value])


def _write_int(value: int, file: BinaryIO) -> None:
    if -2**31 <= value < 2**31:
        file.write(b"J" + struct.pack("<i", value))
        return
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    file.write(b"\x8b" + struct.pack("<i", len(data)) + data)


def _write_float(value: float, file: BinaryIO) -> None:
    file.write(b"G" + struct.pack(">d", value))


def _write_text(value: str, file: BinaryIO) -> None:
    data = value.encode("utf-8", "surrogatepass")
    file.write(b"X" + struct.pack("<I", len(data)) + data)


def _write_bytes(value: bytes | memoryview, file: BinaryIO) -> None:
    size = len(value)
    file.write(b"\x8e" + struct.pack("<Q", size))
    file.write(value)


def _write_list(value: list, file: BinaryIO) -> None:
    file.write(b"]" + _MARK)
    for item in value:
        _write(item, file)
    file.write(b"e")


def _write_tuple(value: tuple, file: BinaryIO) -> None:
    file.write(_MARK)
    for item in value:
        _write(item, file)
    file.write(b"t")


def _write_dict(value: dict, file: BinaryIO) -> None:
    file.write(b"}" + _MARK)
    for key, item in value.items():
        _write(key, file)
        _write(item, file)
    file.write(b"u")


def _write_global(module: str, name: str, file: BinaryIO) -> None:
    _write_text(module, file)
    _write_text(name, file)
    file.write(b"\x93")


def _write_enum(value: LegacyEnum, file: BinaryIO) -> None:
    _write_global(ENUM_MODULES[value.kind], value.kind, file)
    _write_tuple((int(value),), file)
    file.write(_REDUCE)


def _write_array(array: np.ndarray, file: BinaryIO) -> None:
    if array.dtype.kind not in "biufc":
        raise TypeError(f"an array of {array.dtype} cannot be written for other programs")
    _write_global("numpy.core.multiarray", "_reconstruct", file)
    file.write(_MARK)
    _write_global("numpy", "ndarray", file)
    _write((0,), file)
    _write(b"b", file)
    file.write(b"t" + _REDUCE)

    file.write(_MARK)  # state: version, shape, dtype, whether columns come first, contents
    _write(1, file)
    _write(tuple(array.shape), file)
    _write_dtype(array.dtype, file)
    _write(False, file)
    _write_bytes(memoryview(np.ascontiguousarray(array)).cast("B") if array.size else b"", file)
    file.write(b"t" + _BUILD)


def _write_dtype(dtype: np.dtype, file: BinaryIO) -> None:
    _write_global("numpy", "dtype", file)
    _write((dtype.str[1:], False, True), file)
    file.write(_REDUCE)
    order = "|" if dtype.itemsize == 1 else dtype.str[0]
    _write((3, order, None, None, None, -1, -1, 0), file)
    file.write(_BUILD)


_WRITERS: dict[type, Callable[[Any, BinaryIO], None]] = {
    type(None): _write_constant, bool: _write_constant, int: _write_int, float: _write_float,
    str: _write_text, bytes: _write_bytes, list: _write_list, tuple: _write_tuple,
    dict: _write_dict, LegacyEnum: _write_enum, np.ndarray: _write_array,
}
