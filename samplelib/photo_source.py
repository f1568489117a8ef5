"""Photographs by their number, decoded once, and parts of them that show no face."""

import cv2
import numpy as np

from core.errors import NoFacesFound
from core.imaging.io import read_image
from samplelib.bounded_cache import BoundedCache
from samplelib.face_outline import FaceOutline, outline_of
from samplelib.face_source import UNREADABLE, Problem, Problems
from samplelib.photographs import Photograph, Photographs

CACHE_BYTES = 384 * 2**20
_TRIES = 8


class PhotoSource:
    """The pictures of photographs; may be used by several threads.

    Args:
        photographs: Where they come from.
        problems: Where unreadable ones are noted.
        n_bytes: Most memory for decoded pictures.
    """

    def __init__(self, photographs: Photographs, problems: Problems, n_bytes: int = CACHE_BYTES):
        self._faces, self._plain = photographs.faces, photographs.plain
        self._folder = photographs.folder
        self._problems = problems
        self._cache: BoundedCache[np.ndarray] = BoundedCache(n_bytes, lambda image: image.nbytes)

    @property
    def n_faces(self) -> int:
        """Photographs with faces."""
        return len(self._faces)

    def face_photo(self, number: int) -> tuple[np.ndarray, Photograph]:
        """The first readable photograph with faces from a number on, counted round.

        Returns:
            (H, W, 3) uint8 BGR, and what is known about it.

        Raises:
            NoFacesFound: None can be read any more.
        """
        for skip in range(len(self._faces)):
            photo = self._faces[(number + skip) % len(self._faces)]
            image = self._image(photo)
            if image is not None:
                return image, photo
        raise NoFacesFound(f"{self._folder}: none of its photographs with faces can be read any "
                           "more; restore the folder")

    def plain_patch(self, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
        """A part of a picture that shows no face, at some scale and turn.

        Noise where none is found in a few tries.

        Returns:
            (height, width, 3) uint8 BGR.
        """
        for _ in range(_TRIES):
            photo = self._draw(rng)
            image = self._image(photo)
            if image is None:
                continue
            scale = np.exp(rng.uniform(np.log(0.4), np.log(2.5)))
            rows, columns = (min(max(round(side / scale), 8), whole) for side, whole
                             in zip((height, width), image.shape[:2]))
            y = int(rng.integers(image.shape[0] - rows + 1))
            x = int(rng.integers(image.shape[1] - columns + 1))
            if not _shows_face(photo, x, y, columns, rows):
                patch = np.rot90(image[y:y + rows, x:x + columns], rng.integers(4))
                return cv2.resize(np.ascontiguousarray(patch), (width, height),
                                  interpolation=cv2.INTER_LINEAR)
        rough = rng.integers(0, 256, (4, 4, 3)).astype(np.uint8)
        return cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)

    def _draw(self, rng: np.random.Generator) -> Photograph:
        """A photograph without faces in every second draw, if there are some."""
        among = self._plain if self._plain and rng.random() < 0.5 else self._faces
        return among[int(rng.integers(len(among)))]

    def _image(self, photo: Photograph) -> np.ndarray | None:
        known = self._cache.find(photo.path)
        if known is not None:
            return known
        try:
            return self._cache.keep(photo.path, read_image(photo.path))
        except UNREADABLE as error:
            self._problems.note(Problem(photo.path, str(error)))
            return None


def outlines(photo: Photograph) -> list[FaceOutline]:
    """The outline of each face of a photograph."""
    return [outline_of(landmarks) for landmarks in photo.landmarks]


def _shows_face(photo: Photograph, x: int, y: int, width: int, height: int) -> bool:
    """Whether a rectangle meets the box of a face."""
    return any(x < box[2] and y < box[3] and x + width > box[0] and y + height > box[1]
               for box in (outline.box for outline in outlines(photo)))
