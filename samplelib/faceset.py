"""Facesets: folders of aligned faces."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from core.errors import CorruptFaceImage, NoFacesFound
from core.paths import image_paths
from samplelib.face_image import JPEG_SUFFIXES, read_info
from samplelib.face_info import FaceInfo

_N_THREADS = min(8, (os.cpu_count() or 1) + 2)


@dataclass(frozen=True, eq=False)
class AlignedFace:
    """One face of a faceset: its file and what is known about it."""

    path: Path
    info: FaceInfo


@dataclass(frozen=True, eq=False)
class Faceset:
    """A folder of aligned faces.

    Attributes:
        folder: Where the faces are.
        faces: Usable faces in natural order of their names; at least one.
        skipped: Pictures that cannot be used, each with the reason in one line.
    """

    folder: Path
    faces: tuple[AlignedFace, ...]
    skipped: tuple[tuple[Path, str], ...] = ()


def load_faceset(folder: Path | str) -> Faceset:
    """Reads the data of all aligned faces in a folder; pictures stay undecoded.

    Raises:
        NoFacesFound: The folder does not exist or holds no usable face.
    """
    folder = Path(folder)
    paths = image_paths(folder)
    with ThreadPoolExecutor(_N_THREADS, thread_name_prefix="faceset") as pool:
        results = list(pool.map(_info_or_reason, paths))
    faces = tuple(AlignedFace(path, result) for path, result in zip(paths, results)
                  if isinstance(result, FaceInfo))
    skipped = tuple((path, result) for path, result in zip(paths, results)
                    if not isinstance(result, FaceInfo))
    if not faces:
        raise NoFacesFound(_nothing_usable(folder, skipped))
    return Faceset(folder, faces, skipped)


def _info_or_reason(path: Path) -> FaceInfo | str:
    """Gives the data of one face, or why it cannot be used."""
    if path.suffix.lower() not in JPEG_SUFFIXES:
        return "not a JPEG, so it carries no face data"
    try:
        return read_info(path)
    except CorruptFaceImage as error:
        return str(error).removeprefix(f"{path}: ")
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"


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
