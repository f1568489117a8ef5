"""Facesets: folders of aligned faces."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np

from core.errors import CorruptFaceImage, NoFacesFound
from facelib.face_type import FaceType
from samplelib.face_image import JPEG_SUFFIXES, read_info, read_summary
from samplelib.face_info import FaceInfo
from samplelib.faceset_index import Entry, FacesetIndex, load_index


@dataclass(frozen=True)
class AlignedFace:
    """One face of a faceset.

    Attributes:
        path: Its file.
        face_type: How much of the head it showed when the faceset was loaded.
    """

    path: Path
    face_type: FaceType

    @property
    def info(self) -> FaceInfo:
        """What is known about the face; read from its file each time.

        Raises:
            CorruptFaceImage, OSError: The file has changed since the faceset was loaded.
        """
        return read_info(self.path)


class AlignedFaces(Sequence[AlignedFace]):
    """The usable faces of a folder, in natural order of their names.

    A face comes into being when it is asked for, so that 60,000 take no more memory than their
    index.
    """

    def __init__(self, folder: Path, index: FacesetIndex):
        self._folder = folder
        self._index = index
        self._rows = np.flatnonzero(index.rows["is_usable"]).astype(np.int32)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> AlignedFace: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[AlignedFace, ...]: ...

    def __getitem__(self, place: int | slice) -> AlignedFace | tuple[AlignedFace, ...]:
        if isinstance(place, slice):
            return tuple(self._face(row) for row in self._rows[place])
        return self._face(self._rows[place])

    def __iter__(self) -> Iterator[AlignedFace]:
        return (self._face(row) for row in self._rows)

    def column(self, name: str) -> np.ndarray:
        """(n,) values of all faces: "yaw" in radians, float32, or "face_type", int16."""
        return self._index.rows[name][self._rows]

    def _face(self, row: int) -> AlignedFace:
        return AlignedFace(self._folder / self._index.name(row),
                           FaceType(int(self._index.rows["face_type"][row])))


@dataclass(frozen=True, eq=False)
class Faceset:
    """A folder of aligned faces.

    Attributes:
        folder: Where the faces are.
        faces: Usable faces in natural order of their names; at least one.
        skipped: Pictures that cannot be used, each with the reason in one line.
    """

    folder: Path
    faces: AlignedFaces
    skipped: tuple[tuple[Path, str], ...] = ()


def load_faceset(folder: Path | str) -> Faceset:
    """Finds the aligned faces of a folder; pictures stay undecoded.

    A large faceset is indexed when it is first loaded; see `samplelib.faceset_index`.

    Raises:
        NoFacesFound: The folder does not exist or holds no usable face.
    """
    folder = Path(folder)
    index = load_index(folder, _entry)
    unusable = np.flatnonzero(index.rows["is_usable"] == 0)
    skipped = tuple((folder / index.name(row), index.reason(row)) for row in unusable)
    if len(unusable) == len(index.rows):
        raise NoFacesFound(_nothing_usable(folder, skipped))
    return Faceset(folder, AlignedFaces(folder, index), skipped)


def _entry(path: Path) -> Entry:
    """What a face file says, or why it cannot be used."""
    if path.suffix.lower() not in JPEG_SUFFIXES:
        return Entry(None, 0.0, "not a JPEG, so it carries no face data")
    try:
        return Entry(*read_summary(path), "")
    except CorruptFaceImage as error:
        return Entry(None, 0.0, str(error).removeprefix(f"{path}: "))
    except OSError as error:
        return Entry(None, 0.0, f"cannot be read ({error.strerror or error})")


def _nothing_usable(folder: Path, skipped: tuple[tuple[Path, str], ...]) -> str:
    """Words the message for a folder without faces."""
    advice = "run `extract` to make aligned faces"
    if not folder.is_dir():
        return f"{folder}: no such folder; {advice}"
    if not skipped:
        return f"{folder}: no pictures in this folder; {advice}"
    path, reason = skipped[0]
    return (f"{folder}: none of {len(skipped)} pictures is an aligned face "
            f"({path.name}: {reason.split(';')[0]}); {advice}")
