"""One file with the weights of a model and its options: .npz, readable by NumPy alone.

Members are named `part/path`, such as `encoder/down1/downs_0/conv1/weight`; dense layers see maps
as (H, W, C). The member `facelab.json` holds UTF-8 JSON: format, kind, options, iteration.
"""

import json
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core.errors import CheckpointError, ModelNotFound
from core.paths import atomic_path

FORMAT = 1
HEADER = "facelab.json"
SUFFIX = ".npz"
DTYPES = {"float16": np.float16, "float32": np.float32}
# Networks that only training needs.
TRAINING_ONLY = ("GAN", "code_discriminator")
_MAX_HEADER_BYTES = 1 << 20
_ENCRYPTED = 0x1  # of a member's flag bits


class WeightsFile(NamedTuple):
    """What such a file says: `parts` maps part -> path -> float32 array."""

    kind: str
    options: dict[str, Any]
    iteration: int
    parts: dict[str, dict[str, np.ndarray]]


def write_weights_file(path: Path, weights: WeightsFile, dtype: str = "float16") -> None:
    """Writes the whole file or nothing.

    Args:
        path: Ends in `.npz`; replaced if it is there.
        weights: Arrays of any float dtype.
        dtype: A name of `DTYPES`.

    Raises:
        CheckpointError: A weight is no number, or too large for the dtype.
    """
    header = {"format": FORMAT, "kind": weights.kind, "options": weights.options,
              "iteration": weights.iteration}
    members = {HEADER: np.frombuffer(json.dumps(header).encode(), np.uint8)}
    for part, arrays in weights.parts.items():
        for name, array in arrays.items():
            members[f"{part}/{name}"] = _converted(array, f"{part}/{name}", dtype)
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **members)


def read_weights_file(path: Path) -> WeightsFile:
    """Reads a file of `write_weights_file`; never runs what it holds.

    Raises:
        ModelNotFound: There is no such file.
        CheckpointError: It is another file, damaged, or of a newer format.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelNotFound(f"{path}: there is no such file; check the path")
    try:
        with zipfile.ZipFile(path) as archive:
            members = {member.filename.removesuffix(".npy"): _read_member(archive, member)
                       for member in archive.infolist()}
        header = _header(members.pop(HEADER), path)
    except (KeyError, ValueError, OSError, EOFError, NotImplementedError, RecursionError,
            zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path}: no weights of FaceLab, or damaged ({error}); take another "
                              "copy, or write it anew with `models export-weights`") from error
    return WeightsFile(header["kind"], header["options"], header["iteration"],
                       _divided(members, path))


def _converted(array: np.ndarray, name: str, dtype: str) -> np.ndarray:
    if not np.isfinite(array).all():
        raise CheckpointError(f"{name} holds values that are no numbers; go back to an older "
                              "generation or a backup of the model")
    if np.abs(array).max(initial=0) > np.finfo(DTYPES[dtype]).max:
        raise CheckpointError(f"{name} holds values too large for {dtype}; use --dtype float32")
    return array.astype(DTYPES[dtype])


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    """One array, of which the zip file and the array's own header must tell the same size: either
    could name a size that no memory has."""
    if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & _ENCRYPTED:
        raise ValueError(f"{member.filename} is compressed or encrypted")
    with archive.open(member) as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError(f"{member.filename} is of another version")
        shape, columns_first, dtype = np.lib.format.read_array_header_1_0(file)
        n_bytes = member.file_size - file.tell()
        if dtype.kind not in "uf" or math.prod(shape) * dtype.itemsize != n_bytes:
            raise ValueError(f"{member.filename} is no array of numbers of its size")
        data = file.read()
    return np.frombuffer(data, dtype).reshape(shape, order="F" if columns_first else "C")


def _header(member: np.ndarray, path: Path) -> dict[str, Any]:
    if member.nbytes > _MAX_HEADER_BYTES:
        raise ValueError(f"{HEADER} is too long")
    header = json.loads(member.tobytes().decode("utf-8"))
    known = {"format": int, "kind": str, "options": dict, "iteration": int}
    if not isinstance(header, dict) or any(not isinstance(header.get(name), kind)
                                           for name, kind in known.items()):
        raise ValueError(f"{HEADER} is incomplete")
    if header["format"] != FORMAT:
        raise CheckpointError(f"{path}: weights of format {header['format']}, this version reads "
                              f"format {FORMAT}; update FaceLab")
    return header


def _divided(arrays: Mapping[str, np.ndarray], path: Path) -> dict[str, dict[str, np.ndarray]]:
    parts: dict[str, dict[str, np.ndarray]] = {}
    for name, array in arrays.items():
        if array.dtype.kind != "f":
            raise CheckpointError(f"{path}: {name} holds {array.dtype}, not weights; take another "
                                  "copy of it")
        part, _, rest = name.partition("/")
        parts.setdefault(part, {})[rest] = array.astype(np.float32)
    return parts
