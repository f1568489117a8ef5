"""The files of a faceset: their labels, and a trash beside the folder."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.paths import sibling
from core.polygons import Polygon
from samplelib.face_image import read_info
from samplelib.face_info import FaceInfo
from samplelib.face_labels import write_polygons
from samplelib.faceset import load_faceset


@dataclass(frozen=True, eq=False)
class FaceFolder:
    """Where the faces are.

    Attributes:
        folder: Of the faceset.
        names: Of its faces, in natural order.
        yaws: (n,) float32 radians, in that order.
        n_skipped: Pictures that are no faces.
    """

    folder: Path
    names: tuple[str, ...]
    yaws: np.ndarray
    n_skipped: int = 0

    @classmethod
    def load(cls, folder: Path) -> "FaceFolder":
        """Finds the faces of a folder.

        Raises:
            NoFacesFound: There are none.
        """
        faceset = load_faceset(folder)
        names = tuple(face.path.name for face in faceset.faces)
        return cls(folder, names, faceset.faces.column("yaw").astype(np.float32),
                   len(faceset.skipped))

    @property
    def trash(self) -> Path:
        """Where faces go that nobody wants."""
        return sibling(self.folder, "trash")

    def path(self, name: str) -> Path:
        """The file of a face."""
        return self.folder / name

    def read(self, name: str) -> FaceInfo:
        """What is known of a face now.

        Raises:
            CorruptFaceImage, OSError: Its file cannot be read.
        """
        return read_info(self.path(name))

    def write(self, name: str, polygons: Sequence[Polygon]) -> FaceInfo:
        """Replaces the polygons of a face, whole or not at all; raises as `read` does."""
        return write_polygons(self.path(name), polygons)

    def move_to_trash(self, name: str) -> str:
        """Moves a face away, and returns the name it got there.

        Raises:
            OSError: It cannot be moved.
        """
        self.trash.mkdir(exist_ok=True)
        place, number = self.trash / name, 1
        while place.exists():
            place = self.trash / f"{Path(name).stem}_{number}{Path(name).suffix}"
            number += 1
        os.rename(self.path(name), place)
        return place.name

    def restore(self, place: str, name: str) -> None:
        """Moves a face back from the trash.

        Raises:
            OSError: It cannot be moved, or is gone.
        """
        if self.path(name).exists():
            raise FileExistsError(None, "a face of this name is there again", str(self.path(name)))
        os.rename(self.trash / place, self.path(name))
