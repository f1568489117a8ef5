"""What a faceset knows of all its files, in a few flat arrays that need not be in memory.

Reading the data of 60,000 faces takes seconds, so a large faceset keeps its index in the user's
cache folder. The file there is mapped, not read; an entry counts as long as its file has the size
and the time that are noted. An index that is damaged, old or missing is made again.

The file: a header (`_HEADER`), a row of `ROW` per picture in natural order of the names, all names
one after the other, then all reasons why pictures cannot be used. Little-endian throughout.
"""

import hashlib
import os
import struct
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.paths import atomic_write, cache_dir, image_names, natural_key
from facelib.face_type import FaceType

STORED_FROM = 1000
"""Smaller facesets are read in less than half a second each time."""

ROW = np.dtype([("size", "<i8"), ("mtime_ns", "<i8"), ("name_end", "<u4"), ("reason_end", "<u4"),
                ("yaw", "<f4"), ("face_type", "<i2"), ("is_usable", "<i2")])
_HEADER = struct.Struct("<8sI4xQQQQ")  # magic, CRC of the rest, made_ns, rows, names, reasons
_MAGIC = b"FLindex1"
_CRC_END = 12
_SETTLED_NS = 2 * 10**9
"""A file changed within this time before it was indexed may change again unnoticed: the clocks of
some file systems count in steps of up to two seconds."""

_UNUSED_DAYS = 90
_N_THREADS = 4  # they wait for slow disks together; the rest of the work is one thread's at a time
_AT_ONCE = 512  # files per task: a task each would take more memory than the index


class Entry(NamedTuple):
    """What reading a face file gave: its type and yaw, or why it cannot be used."""

    face_type: FaceType | None
    yaw: float
    reason: str


@dataclass(frozen=True, eq=False)
class FacesetIndex:
    """A table of the pictures of a folder.

    Attributes:
        rows: (n,) of dtype ROW, in natural order of the names.
        names: All names, UTF-8, one after the other; `name_end` of a row is where its own ends.
        reasons: The same for the reasons; empty for usable faces.
        made_ns: When the first of the pictures was looked at.
    """

    rows: np.ndarray
    names: bytes | memoryview
    reasons: bytes | memoryview
    made_ns: int

    def name(self, row: int) -> str:
        """The file name of a row."""
        return _piece(self.names, self.rows["name_end"], row)

    def reason(self, row: int) -> str:
        """Why the picture of a row cannot be used."""
        return _piece(self.reasons, self.rows["reason_end"], row)

    def entry(self, row: int) -> Entry:
        """What is known of a row's picture."""
        values = self.rows[row]
        face_type = FaceType(int(values["face_type"])) if values["is_usable"] else None
        return Entry(face_type, float(values["yaw"]), self.reason(row))


def load_index(folder: Path, read: Callable[[Path], Entry]) -> FacesetIndex:
    """Gives the index of a folder's pictures; only new and changed files are read.

    Args:
        folder: Of the faceset.
        read: Reads one file; called by several threads.
    """
    path = index_path(folder)
    known = read_index(path)
    made_ns = time.time_ns()
    names = _in_order(image_names(folder), known)
    stats = _stats(folder, names)
    known_rows = _known_rows(names, stats, known)
    if known is not None and len(names) == len(known.rows) and (known_rows >= 0).all():
        _touch(path)
        return known
    entries = _entries(folder, names, known_rows, known, read)
    index = _assemble(names, stats, entries, made_ns)
    if len(names) >= STORED_FROM:
        _store(path, index)
    return index


def index_path(folder: Path) -> Path:
    """Where the index of a folder lies."""
    where = os.path.realpath(folder)
    digest = hashlib.sha256(os.fsencode(where)).hexdigest()[:20]
    return cache_dir() / "facesets" / f"{digest}.index"


def read_index(path: Path) -> FacesetIndex | None:
    """Maps a stored index; None if there is none that is whole."""
    try:
        data = np.memmap(path, np.uint8, mode="r")
    except (OSError, ValueError):  # no such file, or an empty one
        return None
    view = memoryview(data)
    if len(view) < _HEADER.size:
        return None
    magic, crc, made_ns, n_rows, n_names, n_reasons = _HEADER.unpack(view[:_HEADER.size])
    rows_end = _HEADER.size + n_rows * ROW.itemsize
    names_end = rows_end + n_names
    if (magic != _MAGIC or n_rows == 0 or names_end + n_reasons != len(view)
            or zlib.crc32(view[_CRC_END:]) != crc):
        return None
    return FacesetIndex(data[_HEADER.size:rows_end].view(ROW), view[rows_end:names_end],
                        view[names_end:], made_ns)


def write_index(path: Path, index: FacesetIndex) -> None:
    """Stores an index; the file appears whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    parts = [index.rows.tobytes(), bytes(index.names), bytes(index.reasons)]
    content = b"".join(parts)
    header = _HEADER.pack(_MAGIC, 0, index.made_ns, len(index.rows), *map(len, parts[1:]))
    crc = zlib.crc32(content, zlib.crc32(header[_CRC_END:]))
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, header[:8] + struct.pack("<I", crc) + header[_CRC_END:] + content,
                 durable=False)


def _in_order(names: list[str], known: FacesetIndex | None) -> list[str]:
    """Names in natural order; that of the known index if it has the same ones."""
    if known is not None and len(known.rows) == len(names):
        ordered = [known.name(row) for row in range(len(names))]
        if set(ordered) == set(names):
            return ordered
    return sorted(names, key=natural_key)


def _stats(folder: Path, names: Sequence[str]) -> np.ndarray:
    """(n, 2) int64: size and time of each file; -1 and 0 where there is none."""
    stats = np.empty((len(names), 2), np.int64)
    for row, name in zip(stats, names):
        try:
            found = os.stat(folder / name)
            row[:] = found.st_size, found.st_mtime_ns
        except OSError:  # reading it will tell why
            row[:] = -1, 0
    return stats


def _known_rows(names: Sequence[str], stats: np.ndarray,
                known: FacesetIndex | None) -> np.ndarray:
    """(n,) row of the known index that is still true of each file; -1 for none."""
    if known is None:
        return np.full(len(names), -1)
    rows = {known.name(row): row for row in range(len(known.rows))}
    found = np.array([rows.get(name, -1) for name in names], np.int64)
    noted = known.rows[found]
    is_true = ((found >= 0) & (noted["size"] == stats[:, 0]) & (noted["mtime_ns"] == stats[:, 1])
               & (noted["mtime_ns"] + _SETTLED_NS < known.made_ns))
    return np.where(is_true, found, -1)


def _entries(folder: Path, names: Sequence[str], known_rows: np.ndarray,
             known: FacesetIndex | None, read: Callable[[Path], Entry]) -> list[Entry]:
    """What is known of each file, the unknown ones read."""
    fresh = _read_all([folder / name for name, row in zip(names, known_rows) if row < 0], read)
    return [known.entry(row) if row >= 0 else next(fresh) for row in known_rows]


def _read_all(paths: Sequence[Path], read: Callable[[Path], Entry]) -> Iterator[Entry]:
    """Reads files with several threads; yields in order."""
    parts = [paths[start:start + _AT_ONCE] for start in range(0, len(paths), _AT_ONCE)]
    with ThreadPoolExecutor(_N_THREADS, thread_name_prefix="faceset") as pool:
        for part in pool.map(lambda part: [read(path) for path in part], parts):
            yield from part


def _assemble(names: Sequence[str], stats: np.ndarray, entries: Sequence[Entry],
              made_ns: int) -> FacesetIndex:
    rows = np.zeros(len(names), ROW)
    rows["size"], rows["mtime_ns"] = stats.T
    encoded = [os.fsencode(name) for name in names]
    reasons = [entry.reason.encode() for entry in entries]
    rows["name_end"] = np.cumsum([len(name) for name in encoded], dtype=np.int64)
    rows["reason_end"] = np.cumsum([len(reason) for reason in reasons], dtype=np.int64)
    rows["yaw"] = [entry.yaw for entry in entries]
    rows["is_usable"] = [entry.face_type is not None for entry in entries]
    rows["face_type"] = [entry.face_type or 0 for entry in entries]
    return FacesetIndex(rows, b"".join(encoded), b"".join(reasons), made_ns)


def _store(path: Path, index: FacesetIndex) -> None:
    """Writes an index if that is possible, and removes those that nobody used for long."""
    try:
        write_index(path, index)
        for other in path.parent.glob("*.index"):
            if other.stat().st_mtime < time.time() - _UNUSED_DAYS * 86400:
                other.unlink(missing_ok=True)
    except OSError:  # a full disk or a cache folder that cannot be written: it works without
        pass


def _touch(path: Path) -> None:
    """Notes that an index is in use."""
    try:
        os.utime(path)
    except OSError:
        pass


def _piece(joined: bytes | memoryview, ends: np.ndarray, row: int) -> str:
    start = int(ends[row - 1]) if row else 0
    return os.fsdecode(bytes(joined[start:int(ends[row])]))
