"""One generation of a model on disk: a folder of files with checksums, written once."""

import contextlib
import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.array_file import pack_arrays, unpack_arrays
from core.errors import CheckpointError, DiskFull, is_disk_full
from core.paths import sync_folder

STATE_FILE = "state.json"
_FORMAT = 1
_ARRAYS_SUFFIX = ".h5"
_CHUNK_BYTES = 8 << 20


class UnreadableGeneration(CheckpointError):
    """A generation is incomplete or damaged. The message says in which way."""


class Contents(NamedTuple):
    """What a generation folder holds.

    `arrays`: file stem -> name -> array; `state`: what was saved as JSON; `extras`: file name ->
    bytes.
    """

    arrays: dict[str, dict[str, np.ndarray]]
    state: dict
    extras: dict[str, bytes]


def write_folder(folder: Path, arrays: Mapping[str, Mapping[str, np.ndarray]], state: Mapping,
                 extras: Mapping[str, bytes]) -> None:
    """Writes the files of a generation into a new folder; all is on the disk on return.

    Args:
        folder: Must not exist.
        arrays: File stem -> name -> array; see `core.array_file.pack_arrays`.
        state: Anything JSON can hold; NumPy numbers become Python's.
        extras: File name -> bytes, stored as they are.

    Raises:
        OSError: There is no room, among others; see `no_room_is_disk_full`.
        ValueError: A file name is not a plain name or comes twice, or an array cannot be stored.
        TypeError: `state` holds something JSON cannot.
    """
    state_text = _state_to_json(state)
    _check_names([stem + _ARRAYS_SUFFIX for stem in arrays] + [*extras, STATE_FILE])
    folder.mkdir()
    seals = {}
    for stem, named in arrays.items():
        file = pack_arrays(named)
        seals[stem + _ARRAYS_SUFFIX] = _write_file(folder / (stem + _ARRAYS_SUFFIX), file)
    for name, data in extras.items():
        seals[name] = _write_file(folder / name, io.BytesIO(data))
    header = {"format": _FORMAT, "files": seals, "state": json.loads(state_text)}
    header["checksum"] = _checksum(header)
    _write_file(folder / STATE_FILE, io.BytesIO(json.dumps(header, indent=1).encode()))
    sync_folder(folder)


def read_folder(folder: Path) -> Contents:
    """Reads a generation and checks every byte of it.

    Raises:
        UnreadableGeneration: A file is missing or damaged.
        CheckpointError: A newer version of the program wrote it.
    """
    header = _read_header(folder)
    arrays, extras = {}, {}
    for name in header["files"]:
        data = _read_sealed(folder / name, header["files"][name])
        if name.endswith(_ARRAYS_SUFFIX):
            arrays[name.removesuffix(_ARRAYS_SUFFIX)] = _unpack(name, data)
        else:
            extras[name] = data
    return Contents(arrays, header["state"], extras)


def read_state(folder: Path) -> dict:
    """The state of a generation whose other files are there and as long as they should be.

    Raises:
        UnreadableGeneration: A file is missing or was cut.
        CheckpointError: A newer version of the program wrote it.
    """
    header = _read_header(folder)
    for name, seal in header["files"].items():
        try:
            n_bytes = (folder / name).stat().st_size
        except OSError as error:
            raise UnreadableGeneration(f"{name} cannot be read: {error.strerror}") from error
        _check_length(name, n_bytes, seal)
    return header["state"]


def copy_folder(source: Path, folder: Path) -> None:
    """Copies a generation into a new folder, checking every byte; all is on the disk on return.

    Raises:
        UnreadableGeneration: The source is damaged.
        OSError: There is no room, among others; see `no_room_is_disk_full`.
    """
    header = _read_header(source)
    folder.mkdir()
    for name, seal in header["files"].items():
        _write_file(folder / name, io.BytesIO(_read_sealed(source / name, seal)))
    _write_file(folder / STATE_FILE, io.BytesIO(_read_bytes(source / STATE_FILE)))
    sync_folder(folder)


@contextlib.contextmanager
def no_room_is_disk_full(path: Path) -> Iterator[None]:
    """Turns the system's "no space left" inside the block into DiskFull."""
    try:
        yield
    except OSError as error:
        if not is_disk_full(error):
            raise
        raise DiskFull(f"{path}: {error.strerror}; nothing that was saved before is lost, free "
                       "some space and save again") from error


def _write_file(path: Path, data: io.BytesIO) -> dict:
    """Writes and fsyncs a file; gives its seal {"sha256": hex digits, "bytes": length}."""
    digest = hashlib.sha256()
    with open(path, "wb") as file, data.getbuffer() as view:
        for start in range(0, len(view), _CHUNK_BYTES):
            chunk = view[start:start + _CHUNK_BYTES]
            file.write(chunk)
            digest.update(chunk)
        file.flush()
        os.fsync(file.fileno())
        return {"sha256": digest.hexdigest(), "bytes": len(view)}


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableGeneration(f"{path.name} cannot be read: {error.strerror}") from error


def _read_sealed(path: Path, seal: Mapping) -> bytes:
    data = _read_bytes(path)
    _check_length(path.name, len(data), seal)
    if hashlib.sha256(data).hexdigest() != seal["sha256"]:
        raise UnreadableGeneration(f"{path.name} is damaged: its checksum differs")
    return data


def _check_length(name: str, n_bytes: int, seal: Mapping) -> None:
    if n_bytes != seal["bytes"]:
        raise UnreadableGeneration(f"{name} has {n_bytes} bytes, {seal['bytes']} were saved")


def _unpack(name: str, data: bytes) -> dict[str, np.ndarray]:
    try:
        return unpack_arrays(io.BytesIO(data))
    except (OSError, ValueError) as error:
        raise UnreadableGeneration(f"{name} is not one of our files: {error}") from error


def _read_header(folder: Path) -> dict:
    try:
        header = json.loads(_read_bytes(folder / STATE_FILE))
    except ValueError as error:  # bad UTF-8 and bad JSON
        raise UnreadableGeneration(f"{STATE_FILE} is damaged: {error}") from error
    checksum = header.pop("checksum", None) if isinstance(header, dict) else None
    if checksum is None or checksum != _checksum(header):
        raise UnreadableGeneration(f"{STATE_FILE} is damaged: its checksum differs")
    if header.get("format") != _FORMAT:
        # No fallback: training on from an older generation would drop good work.
        raise CheckpointError(f"{folder}: written in format {header.get('format')}, this version "
                              f"reads format {_FORMAT}; update the program")
    try:
        _check_names([*header["files"], STATE_FILE])  # none may lead out of the folder
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableGeneration(f"{STATE_FILE} is not one of our files: {error}") from error
    return header


def _checksum(header: Mapping) -> str:
    """SHA-256 over the compact JSON text, so that white space does not matter."""
    text = json.dumps(header, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _state_to_json(state: Mapping) -> str:
    def to_python(value: object) -> object:
        if isinstance(value, (np.generic, np.ndarray)):
            return value.tolist()
        raise TypeError(f"{type(value).__name__} cannot be saved in a model's state: {value!r}")

    return json.dumps(state, default=to_python)


def _check_names(names: list[str]) -> None:
    for name in names:
        if not name or name.startswith(".") or set(name) & set('/\\:'):
            raise ValueError(f"'{name}' cannot be a file of a generation: not a plain file name")
    # Compared without case: two names must not become one file on Windows or macOS.
    if len({name.lower() for name in names}) < len(names):
        raise ValueError(f"a generation cannot have one file name twice: {', '.join(names)}")
