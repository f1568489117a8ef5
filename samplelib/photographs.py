"""Photographs with faces in them, and what is known about these faces.

Beside `photo.jpg` lies `photo.jpg.faces.json`: the landmarks of its faces, and who found them. A
photograph whose file of labels names no face shows none.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import ImageError, NoFacesFound
from core.imaging.io import read_image
from core.paths import atomic_write, image_paths
from facelib.detect import FaceFinder
from facelib.landmarks import N_LANDMARKS

LABELS_SUFFIX = ".faces.json"
_FORMAT = 1
_DECIMALS = 2


@dataclass(frozen=True, eq=False)
class Photograph:
    """A picture that holds any number of faces.

    Attributes:
        path: Of the picture.
        landmarks: (F, 68, 2) float32 of its faces, in pixels of the picture.
    """

    path: Path
    landmarks: np.ndarray


@dataclass(frozen=True)
class Photographs:
    """The photographs of a folder.

    Attributes:
        folder: Where they are.
        faces: Those with faces.
        plain: Those without.
        skipped: Files that are of no use, each with the reason.
    """

    folder: Path
    faces: tuple[Photograph, ...]
    plain: tuple[Photograph, ...]
    skipped: tuple[tuple[Path, str], ...]


def labels_path(photo: Path) -> Path:
    """Where the labels of a photograph are, or would be."""
    return photo.with_name(photo.name + LABELS_SUFFIX)


def write_labels(photo: Path, landmarks: np.ndarray, origin: str) -> None:
    """Writes the labels of a photograph, whole or not at all.

    Args:
        photo: The picture, which need not be read.
        landmarks: (F, 68, 2) float, pixels of the picture.
        origin: Who found them.
    """
    faces = [{"landmarks": np.round(points.astype(np.float64), _DECIMALS).tolist()}
             for points in landmarks]
    text = json.dumps({"format": _FORMAT, "origin": origin, "faces": faces})
    atomic_write(labels_path(photo), text.encode(), durable=False)


def read_labels(photo: Path) -> Photograph:
    """A photograph by its labels; the picture itself is not looked at.

    Raises:
        ImageError: There are no labels, or they are damaged.
    """
    path = labels_path(photo)
    try:
        labels = json.loads(path.read_text(encoding="utf-8"))
        found = [face["landmarks"] for face in labels["faces"]]
        landmarks = np.array(found, np.float32).reshape(len(found), N_LANDMARKS, 2)
        if labels["format"] != _FORMAT or not np.isfinite(landmarks).all():
            raise ValueError("another format, or no numbers")
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror or error}); start again, and "
                         "the faces will be looked for anew") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ImageError(f"{path}: no labels of faces ({error}); delete it, and the faces will "
                         "be looked for anew") from error
    return Photograph(photo, landmarks)


def unlabelled(folder: Path) -> list[Path]:
    """The pictures of a folder that have no file of labels."""
    return [path for path in image_paths(folder, required=True)
            if not labels_path(path).exists()]


def label_photographs(photos: Sequence[Path], finder: FaceFinder, origin: str,
                      warn: Callable[[str], None]) -> None:
    """Looks for the faces of photographs and writes them beside them.

    Args:
        photos: Pictures.
        finder: Finds the faces.
        origin: Its name, for the file.
        warn: Told a line about each file that is no picture.
    """
    for photo in photos:
        try:
            image = read_image(photo)
        except ImageError as error:
            warn(str(error))
            continue
        (found,) = finder.complete([image], finder.detect([image]))
        landmarks = np.array([face.landmarks for face in found]).reshape(-1, N_LANDMARKS, 2)
        write_labels(photo, landmarks, origin)


def load_photographs(folder: Path) -> Photographs:
    """The labelled photographs of a folder; those without a file of labels are left out.

    Raises:
        NoFacesFound: None of them shows a face.
        NoImagesFound: The folder holds no picture.
    """
    faces, plain, skipped = [], [], []
    for path in image_paths(folder, required=True):
        if not labels_path(path).exists():
            continue
        try:
            photo = read_labels(path)
        except ImageError as error:
            skipped.append((path, str(error)))
            continue
        (faces if len(photo.landmarks) else plain).append(photo)
    if not faces:
        raise NoFacesFound(f"{folder}: no face in its photographs; add photographs of people, "
                           f"and delete the files *{LABELS_SUFFIX} of those that show some")
    return Photographs(Path(folder), tuple(faces), tuple(plain), tuple(skipped))
