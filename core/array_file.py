"""Named arrays as the bytes of one HDF5 file, and back."""

import io
from collections.abc import Mapping
from typing import BinaryIO

import h5py
import numpy as np

_NUMERIC = "biufc"  # boolean, signed, unsigned, float, complex


def pack_arrays(arrays: Mapping[str, np.ndarray]) -> io.BytesIO:
    """Writes named arrays into an HDF5 file in memory.

    HDF5 never sees the disk: its library cannot recover from a write that fails, plain file
    writing can.

    Args:
        arrays: Name to array of any shape and of a boolean, integer, float or complex dtype. A "/"
            in a name makes an HDF5 group, so `encoder/down/weight` opens as a tree in HDF5 viewers.

    Returns:
        The file, not rewound. Equal arrays in equal order give equal bytes.

    Raises:
        ValueError: A name is empty or has an empty, "." or ".." part; one name is a folder of
            another; or a dtype is not numeric.
    """
    file = io.BytesIO()
    with h5py.File(file, "w") as tree:
        for name, array in arrays.items():
            _add(tree, name, np.asarray(array))
    return file


def _add(tree: h5py.File, name: str, array: np.ndarray) -> None:
    if any(part in ("", ".", "..") for part in name.split("/")):
        raise ValueError(f"'{name}' is not a name for an array: it has an empty or a dotted part")
    if array.dtype.kind not in _NUMERIC:
        raise ValueError(f"array '{name}' has dtype {array.dtype}; only numbers can be stored")
    if name in tree or any(isinstance(tree.get(p), h5py.Dataset) for p in _parents(name)):
        raise ValueError(f"array '{name}' cannot be stored beside an array inside or above it")
    tree.create_dataset(name, data=array)


def _parents(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]


def unpack_arrays(file: BinaryIO) -> dict[str, np.ndarray]:
    """Reads what `pack_arrays` wrote.

    Args:
        file: The whole HDF5 file, open for binary reading.

    Returns:
        Name to array, with the shapes and dtypes that were stored, sorted by name.

    Raises:
        OSError: The bytes are not an HDF5 file.
        ValueError: An array is not stored plainly in this file.
    """
    arrays = {}

    def collect(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            _check_plain(name, item)
            # A number read from a zero-dimensional dataset is a NumPy scalar.
            arrays[name] = np.asarray(item[()])

    with h5py.File(file, "r") as tree:
        tree.visititems(collect)
    return dict(sorted(arrays.items()))


def _check_plain(name: str, dataset: h5py.Dataset) -> None:
    # A file from a stranger could point into other files, or unpack into more than memory holds.
    if dataset.external or dataset.is_virtual or dataset.id.get_storage_size() != dataset.nbytes:
        raise ValueError(f"array '{name}' is not stored as {dataset.nbytes} plain bytes")
    if dataset.dtype.kind not in _NUMERIC:
        raise ValueError(f"array '{name}' has dtype {dataset.dtype}, not numbers")
