"""Reads PyTorch's weight files without PyTorch: zip archives, TorchScript, and the old stream."""

import io
import struct
import zipfile
import zlib
from typing import Any

import numpy as np

from core.errors import FaceLabError
from core.legacy_pickle import LegacyPickleError, loads_at
from facelib.checkpoints.torch_tensors import Storage, Tensor, dialect

STREAM_MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
ZIP_MAGIC = b"PK\x03\x04"
_STREAM_PROTOCOL = 1001
_MAX_OPERATIONS = 5_000_000
_MAX_DEPTH = 64


class WeightsFileError(FaceLabError):
    """A weight file of another program is damaged, hostile or of an unknown kind."""


def read_torch(data: bytes, source: str) -> dict[str, np.ndarray]:
    """All tensors of a file that `torch.save` or `torch.jit.save` wrote.

    Args:
        data: The whole file.
        source: Named in errors, best the path of the file.

    Returns:
        Dotted name -> array, such as `conv1.weight` or `state_dict.conv1.weight`; bfloat16 as
        float32.

    Raises:
        WeightsFileError: Damaged, or holds more than tensors, numbers and text; nothing of it was
            executed.
    """
    try:
        if data.startswith(ZIP_MAGIC):
            return _read_zip(data, source)
        return _read_stream(data, source)
    except LegacyPickleError as error:
        raise WeightsFileError(str(error)) from error
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError,
            RuntimeError, KeyError, ValueError, OverflowError) as error:
        raise WeightsFileError(f"{source}: the weight file is damaged ({error}); take another copy "
                               "of it") from error


def _read_zip(data: bytes, source: str) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        pickle_name = next((name for name in names if name.endswith("/data.pkl")), None)
        if pickle_name is None:
            raise WeightsFileError(f"{source}: this archive is not from PyTorch; give the .pth or "
                                   ".pt file itself")
        folder = pickle_name.removesuffix("data.pkl")
        order_name = f"{folder}byteorder"
        is_big = order_name in names and _stored(archive, order_name) == b"big"
        storages: dict[str, Storage] = {}
        value, _ = loads_at(_stored(archive, pickle_name), 0, source, dialect=dialect(storages),
                            max_operations=_MAX_OPERATIONS)
        if sum(storage.n_bytes for storage in storages.values()) > len(data):
            raise ValueError("its tensors are larger than the file")
        numbers = {key: storage.numbers(_stored(archive, f"{folder}data/{key}"),
                                        ">" if is_big else "<")
                   for key, storage in storages.items()}
    return _arrays(value, numbers)


def _stored(archive: zipfile.ZipFile, name: str) -> bytes:
    """An entry that is not compressed, as PyTorch writes all but code: no bomb can hide in it."""
    if archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{name:.80} is packed in another way than PyTorch does")
    return archive.read(name)


def _read_stream(data: bytes, source: str) -> dict[str, np.ndarray]:
    """Pickles one behind the other: magic, protocol, system, value, keys; then the storages."""
    storages: dict[str, Storage] = {}
    spoken = dialect(storages)
    at, values = len(STREAM_MAGIC), []
    for _ in range(4):
        value, at = loads_at(data, at, source, dialect=spoken, max_operations=_MAX_OPERATIONS)
        values.append(value)
    protocol, _, value, keys = values
    if protocol != _STREAM_PROTOCOL:
        raise ValueError(f"protocol {protocol!r:.20}")
    numbers = {}
    for key in keys:
        storage = storages[key]
        (n_values,) = struct.unpack_from("<q", data, at)
        at += 8
        if n_values != storage.n_values or at + storage.n_bytes > len(data):
            raise ValueError(f"storage {key!r:.80} is cut off")
        numbers[key] = storage.numbers(data[at:at + storage.n_bytes])
        at += storage.n_bytes
    return _arrays(value, numbers)


def _arrays(value: Any, numbers: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The tensors in nested dictionaries, by dotted name."""
    found: dict[str, np.ndarray] = {}

    def collect(prefix: str, item: Any, depth: int) -> None:
        if isinstance(item, Tensor):
            found[prefix] = item.array(numbers[item.storage.key])
        elif type(item) is dict and depth < _MAX_DEPTH:
            for key, below in item.items():
                collect(f"{prefix}.{key}" if prefix else str(key), below, depth + 1)

    collect("", value, 0)
    if not found:
        raise ValueError("it holds no tensors")
    return found
