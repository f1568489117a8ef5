"""The values that `core.legacy_pickle` can make: NumPy arrays and numbers, and two enumerations.

Each constructor stands for a global of other programs' pickles, is written here, and checks what it
is given; none of NumPy's own is ever called with what a file says.
"""

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

_MAX_DIMENSIONS = 32
_DTYPE_CODE = re.compile(r"[biufc][0-9]{1,2}")
_KEY_TYPES = (str, bytes, int, float, type(None))  # hashing a deep tuple could end the process


class Refused(Exception):
    """The pickle asks for something that is not plain data. The message says what."""


class Name(str):
    """A global that the table of constructors knows, not called yet."""


class Arguments(tuple):
    """A tuple for a constructor: it holds what data may not hold."""


class Unfinished:
    """An array or dtype whose state has not come yet; it may only wait on top of the stack."""

    def __init__(self, finish: Callable[[Any], Any]):
        self.finish = finish
        self.memo_keys = []


class LegacyEnum(int):
    """A member of one of the two enumerations that DeepFaceLab stores: a number with its kind.

    Attributes:
        kind: "SampleType" or "FaceType".
    """

    kind: str

    def __new__(cls, kind: str, value: int):
        """
        Raises:
            ValueError: The kind is unknown.
        """
        if kind not in ENUM_MODULES:
            raise ValueError(f"there is no enumeration {kind!r}; known are {list(ENUM_MODULES)}")
        member = super().__new__(cls, value)
        member.kind = kind
        return member


ENUM_MODULES = {"SampleType": "samplelib.Sample", "FaceType": "facelib.FaceType"}


def checked_key(key: Any) -> Any:
    """The key itself if it may be one of a dictionary."""
    if not isinstance(key, _KEY_TYPES):
        raise Refused(f"a {type(key).__name__} is a key of a dictionary")
    return key


def _dtype(code: str, align: bool = False, copy: bool = True) -> Unfinished:
    if type(code) is not str or not _DTYPE_CODE.fullmatch(code):
        raise ValueError(f"dtype {code!r} is not numeric")

    def finish(state: tuple) -> np.dtype:
        _, order, *rest = state
        if order not in ("<", ">", "|", "=") or any(part is not None for part in rest[:3]):
            raise ValueError("a dtype with fields")
        return np.dtype(code).newbyteorder(order)

    return Unfinished(finish)


def _array(array_type: Name, shape: tuple, code: bytes | str) -> Unfinished:
    if array_type != "numpy.ndarray":
        raise ValueError(f"{array_type!r} is no array type")

    def finish(state: tuple) -> np.ndarray:
        _, final_shape, dtype, is_fortran, data = state
        return _shaped(data, dtype, final_shape, "F" if is_fortran else "C")

    return Unfinished(finish)


def _shaped(data: bytes, dtype: np.dtype, shape: tuple, order: str = "C") -> np.ndarray:
    if not isinstance(data, bytes) or not isinstance(dtype, np.dtype) or order not in ("C", "F"):
        raise ValueError("contents that are no bytes")
    if len(shape) > _MAX_DIMENSIONS or not all(
            type(side) is int and 0 <= side < 2**63 for side in shape):
        raise ValueError(f"shape {shape!r:.80}")
    if math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"{len(data)} bytes for shape {shape!r:.80}")
    return np.frombuffer(data, dtype).reshape(shape, order=order)


def _scalar(dtype: np.dtype, data: bytes) -> Any:
    return _shaped(data, dtype, ()).item()


def _latin1_bytes(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise ValueError(f"encoding {encoding!r}")
    return text.encode("latin1")


def _ordered_dict(pairs: list = ()) -> dict:
    return {checked_key(key): value for key, value in pairs}


def _empty_bytes() -> bytes:
    return b""


def _enum(kind: str) -> Callable[[int], LegacyEnum]:
    def member(value: int) -> LegacyEnum:
        if type(value) is not int:
            raise TypeError(f"{value!r} is no number")
        return LegacyEnum(kind, value)

    return member


def _only_named(*arguments: Any) -> None:
    raise TypeError("it is only ever named")


CONSTRUCTORS: dict[str, Callable[..., Any]] = {
    "numpy.ndarray": _only_named,
    "numpy.dtype": _dtype,
    "numpy.core.multiarray._reconstruct": _array,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy.core.numeric._frombuffer": _shaped,
    "_codecs.encode": _latin1_bytes,
    "__builtin__.bytes": _empty_bytes,  # b"" by protocol 2, as written by Python 3
    "builtins.bytes": _empty_bytes,
    "collections.OrderedDict": _ordered_dict,
    **{f"{module}.{kind}": _enum(kind) for kind, module in ENUM_MODULES.items()},
}
