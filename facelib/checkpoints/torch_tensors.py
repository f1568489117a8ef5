"""Tensors as PyTorch's pickles describe them, made as NumPy arrays by constructors of our own."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from core.legacy_pickle import Dialect
from core.legacy_pickle_values import CONSTRUCTORS, Arguments, Name, Unfinished

_BFLOAT16 = "bfloat16"
STORAGE_TYPES = {
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "BFloat16Storage": _BFLOAT16,
    "DoubleStorage": "f8",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
"""Storage class of PyTorch -> type of its numbers."""

MAX_VALUES = 2**28
"""Of one tensor: a gigabyte of float32."""


class Storage(NamedTuple):
    """A piece of memory that tensors look into; its numbers may come later.

    Attributes:
        key: Its name in the file.
        kind: A value of STORAGE_TYPES.
        n_values: How many numbers it holds.
    """

    key: str
    kind: str
    n_values: int

    @property
    def n_bytes(self) -> int:
        """Size in the file."""
        return self.n_values * (2 if self.kind == _BFLOAT16 else np.dtype(self.kind).itemsize)

    def numbers(self, data: bytes, byte_order: str = "<") -> np.ndarray:
        """(n_values,) from the bytes of the file; bfloat16 becomes float32."""
        if self.kind == _BFLOAT16:
            halves = np.frombuffer(data, f"{byte_order}u2", self.n_values)
            return (halves.astype(np.uint32) << 16).view(np.float32)
        stored = np.dtype(self.kind).newbyteorder(byte_order)
        return np.frombuffer(data, stored, self.n_values).astype(self.kind)


class Tensor(NamedTuple):
    """A view of a storage.

    Attributes:
        storage: Where its numbers are.
        offset: Of its first number.
        shape, strides: In numbers, not bytes.
    """

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self, numbers: np.ndarray) -> np.ndarray:
        """The tensor as an array of its own, from the numbers of its storage."""
        strides = tuple(stride * numbers.itemsize for stride in self.strides)
        view = np.lib.stride_tricks.as_strided(
            numbers[self.offset:], self.shape, strides, writeable=False)
        return view.copy()


def dialect(storages: dict[str, Storage]) -> Dialect:
    """The dialect of PyTorch's files.

    Args:
        storages: Filled with every storage that the pickle names.
    """

    def persistent(key: Any) -> Storage:
        storage = _storage(key)
        if storages.setdefault(storage.key, storage) != storage:
            raise ValueError(f"storage {storage.key!r} in two sizes")
        return storage

    return Dialect(_constructor, persistent, has_attributes=True)


def _storage(key: Any) -> Storage:
    """From ("storage", class, name, device, number of values, ...)."""
    if not isinstance(key, Arguments) or len(key) not in (5, 6) or key[0] != "storage":
        raise ValueError("not a storage")
    _, storage_type, name, _, n_values = key[:5]
    if key[5:] not in ((), (None,)) or type(name) is not str or type(n_values) is not int:
        raise ValueError("a storage of another kind")
    kind = STORAGE_TYPES.get(storage_type.rpartition(".")[2])
    if not isinstance(storage_type, Name) or kind is None or not 0 <= n_values <= 2**40:
        raise ValueError(f"a storage of {n_values} values of {storage_type!r}")
    return Storage(name, kind, n_values)


def _tensor(storage: Storage, offset: int, shape: tuple, strides: tuple, *_: Any) -> Tensor:
    if not isinstance(storage, Storage) or len(shape) != len(strides) or len(shape) > 32:
        raise ValueError("a tensor of another kind")
    if not all(type(n) is int and 0 <= n < 2**40 for n in (offset, *shape, *strides)):
        raise ValueError(f"shape {shape!r:.80}, strides {strides!r:.80}")
    last = offset + sum((n - 1) * stride for n, stride in zip(shape, strides))
    n_values = math.prod(shape)
    if n_values > MAX_VALUES or n_values and last >= storage.n_values:
        raise ValueError(f"{storage.n_values} values for shape {shape!r:.80} at {offset}")
    if n_values > max(storage.n_values, 1):
        raise ValueError(f"{storage.n_values} values repeated to shape {shape!r:.80}")
    return Tensor(storage, offset, shape, strides)


def _parameter(data: Tensor, *_: Any) -> Tensor:
    if not isinstance(data, Tensor):
        raise ValueError("a parameter that is no tensor")
    return data


def _script_module(*arguments: Any) -> Unfinished:
    """A module of a TorchScript archive: its attributes by name."""
    if arguments:
        raise ValueError("a module with arguments")

    def attributes(state: dict) -> dict:
        if type(state) is not dict:
            raise ValueError("a module without attributes")
        return state

    return Unfinished(attributes)


def _only_named(*arguments: Any) -> None:
    raise TypeError("it is only ever named")


def _plain_list(items: list) -> list:
    if type(items) is not list:
        raise ValueError("no list")
    return items


_CONSTRUCTORS: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": CONSTRUCTORS["collections.OrderedDict"],
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch.jit._pickle.build_intlist": _plain_list,
    "torch.jit._pickle.build_doublelist": _plain_list,
    "torch.jit._pickle.build_boollist": _plain_list,
    **{f"torch.{name}": _only_named for name in STORAGE_TYPES},
}


def _constructor(address: str) -> Callable[..., Any] | None:
    if address.startswith("__torch__."):
        return _script_module
    return _CONSTRUCTORS.get(address)
