"""`faceset.pak`: the faces of a folder in one file, as DeepFaceLab packs them.

All numbers are unsigned, 64 bits, little-endian: version, length of the index, the index (a pickle
of a list of dictionaries), places of the files and of the end, then the files, unchanged.
"""

import struct
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from core import legacy_pickle
from core.errors import CorruptFaceImage

NAME = "faceset.pak"
VERSION = 1
_NUMBER = struct.Struct("<Q")


def read_pack(path: Path) -> Iterator[tuple[str, bytes]]:
    """The faces of a pack.

    Args:
        path: The file.

    Yields:
        (name, bytes of the file); faces of a person's folder come as "<person>/<name>".

    Raises:
        CorruptFaceImage: It is no pack, is damaged, or a name leads out of a folder.
        OSError: It cannot be read.
    """
    with open(path, "rb") as file:
        version, length = (_NUMBER.unpack(part)[0] for part in (file.read(8), file.read(8))
                           if len(part) == 8) if path.stat().st_size >= 16 else (0, 0)
        if version != VERSION:
            raise CorruptFaceImage(f"{path}: is no pack of version {VERSION}; unpack it with the "
                                   "program that made it")
        index = _index(path, file.read(length))
        offsets = file.read(8 * (len(index) + 1))
        if len(offsets) < 8 * (len(index) + 1):
            raise CorruptFaceImage(f"{path}: ends within its index; take another copy of it")
        *starts, end_written = (offset for offset, in _NUMBER.iter_unpack(offsets))
        first = file.tell()
        # The end counts from the start of the file, other than the rest; some writers forget that.
        size = path.stat().st_size
        last_end = end_written if end_written == size - first else end_written - first
        for entry, start, end in zip(index, starts, [*starts[1:], last_end], strict=True):
            name = _name(path, entry)
            file.seek(first + start)
            data = file.read(max(end - start, 0))
            if len(data) < end - start or end <= start:
                raise CorruptFaceImage(f"{path}: {name} is cut off; take another copy of the pack")
            yield name, data


def _index(path: Path, data: bytes) -> list[dict[str, Any]]:
    try:
        index = legacy_pickle.loads(data, str(path))
    except legacy_pickle.LegacyPickleError as error:
        raise CorruptFaceImage(str(error)) from error
    if not isinstance(index, list) or not all(isinstance(entry, dict) for entry in index):
        raise CorruptFaceImage(f"{path}: its index is no list of faces; take another copy of it")
    return index


def _name(path: Path, entry: dict[str, Any]) -> str:
    """The file's name, inside of its person's folder."""
    parts = [part for part in (entry.get("person_name"), entry.get("filename")) if part]
    if not all(isinstance(part, str) for part in parts) or not entry.get("filename"):
        raise CorruptFaceImage(f"{path}: a face has no name; take another copy of the pack")
    name = PurePosixPath(*(part.replace("\\", "/") for part in parts))
    if name.is_absolute() or ".." in name.parts or len(name.parts) > 2:
        raise CorruptFaceImage(f"{path}: the name {str(name)!r} leads out of the folder; the pack "
                               "is not to be trusted")
    return str(name)
