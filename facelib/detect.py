"""From pictures to faces with landmarks, whichever way up they are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from core.geometry import transform_points
from facelib.landmarks import N_LANDMARKS
from facelib.protocols import FaceDetector, FaceEmbedder, LandmarkExtractor
from facelib.refine import refine
from facelib.types import Face, FoundFace


@dataclass(frozen=True)
class _Turn:
    """A rotation of the whole picture.

    Attributes:
        code: Of `cv2.rotate`, or None for the picture as it is.
        axes: (2, 2), turned to upright directions.
    """

    code: int | None
    axes: tuple[tuple[int, int], tuple[int, int]]

    def apply(self, image: np.ndarray) -> np.ndarray:
        """(H, W, 3) -> the turned picture."""
        return image if self.code is None else cv2.rotate(image, self.code)

    def turned_to_image(self, image: np.ndarray) -> np.ndarray:
        """(2, 3) float64 from pixels of the turned picture back to those of `image`."""
        axes = np.array(self.axes, np.float64)
        last_pixel = np.array([image.shape[1] - 1, image.shape[0] - 1])
        # An axis that now points the other way counts from the picture's far end.
        return np.column_stack([axes, np.where(axes.sum(axis=1) < 0, last_pixel, 0)])


_TURNS = (
    _Turn(None, ((1, 0), (0, 1))),
    _Turn(cv2.ROTATE_90_CLOCKWISE, ((0, 1), (-1, 0))),
    _Turn(cv2.ROTATE_90_COUNTERCLOCKWISE, ((0, -1), (1, 0))),
    _Turn(cv2.ROTATE_180, ((-1, 0), (0, -1))),
)


@dataclass(frozen=True)
class FaceFinder:
    """The way from pictures to faces, in two steps that may run in different threads.

    A face depends on its picture alone, not on those that are worked on with it.

    Attributes:
        detector: Finds the boxes.
        landmarker: Finds the landmarks in them.
        embedder: Describes the faces; None: they get no embedding.
        rotate: Whether a picture without a face is tried again turned by 90 degrees clockwise, 90
            counter-clockwise, and 180, until there is one.
        second_pass: Whether landmarks are found once more in the aligned face.
        max_faces: The largest so many faces of a picture are kept; 0 keeps all.
        min_face_size: Shortest side of a box that is kept, pixels.
    """

    detector: FaceDetector
    landmarker: LandmarkExtractor
    embedder: FaceEmbedder | None = None
    rotate: bool = True
    second_pass: bool = False
    max_faces: int = 0
    min_face_size: float = 0.0

    def detect(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        """The first step: boxes in the pictures as they are.

        Args:
            images: (H, W, 3) uint8 BGR each, of any sizes.

        Raises:
            ValueError: The detector cannot take one of the images. In a `core.pipeline` batch
                stage each is then tried on its own, so that a bad one does not stop the others.
        """
        return self.detector.detect(images)

    def complete(
        self, images: Sequence[np.ndarray], detected: Sequence[Sequence[Face]]
    ) -> list[list[FoundFace]]:
        """The second step: landmarks, and the search in turned pictures where it is needed.

        Boxes in which the landmark extractor sees no face are dropped.

        Args:
            images: Those that were given to `detect`.
            detected: What it gave.

        Returns:
            One list per image, largest box first; pixels of the upright image. Images without a
            face have an empty list.
        """
        found = self._with_landmarks(images, detected)
        for turn in _TURNS[1:] if self.rotate else ():
            # A picture whose faces are all too small is not turned: they would be again.
            missing = [index for index, faces in enumerate(found)
                       if not faces and not self._too_small(detected[index])]
            turned = [turn.apply(images[index]) for index in missing]
            again = self._with_landmarks(turned, self.detect(turned)) if turned else []
            for index, faces in zip(missing, again):
                turned_to_image = turn.turned_to_image(images[index])
                found[index] = [_map_face(face, turned_to_image) for face in faces]
        found = [self._largest(faces) for faces in found]
        if self.second_pass:
            found = refine(images, found, self.detector, self.landmarker)
        return self._with_embeddings(images, found)

    def _with_landmarks(
        self, images: Sequence[np.ndarray], detected: Sequence[Sequence[Face]]
    ) -> list[list[FoundFace]]:
        large = [[face for face in faces if not self._is_small(face)] for faces in detected]
        return [
            [
                FoundFace(np.asarray(face.box, np.float32), float(face.score), points)
                for face, points in zip(faces, landmarks, strict=True)
                if np.isfinite(points).all()
            ]
            for faces, landmarks in zip(large, self.landmarker.extract(images, large), strict=True)
        ]

    def _is_small(self, face: Face) -> bool:
        return bool((face.box[2:] - face.box[:2]).min() < self.min_face_size)

    def _too_small(self, faces: Sequence[Face]) -> bool:
        return bool(faces) and all(map(self._is_small, faces))

    def _largest(self, faces: Sequence[FoundFace]) -> list[FoundFace]:
        by_size = sorted(faces, key=lambda face: face.area, reverse=True)
        return by_size[: self.max_faces or None]

    def _with_embeddings(
        self, images: Sequence[np.ndarray], found: list[list[FoundFace]]
    ) -> list[list[FoundFace]]:
        if self.embedder is None:
            return found
        landmarks = [np.array([face.landmarks for face in faces]).reshape(-1, N_LANDMARKS, 2)
                     for faces in found]
        embedded = self.embedder.embed(images, landmarks)
        return [[replace(face, embedding=np.asarray(embedding, np.float32))
                 for face, embedding in zip(faces, embeddings, strict=True)]
                for faces, embeddings in zip(found, embedded, strict=True)]


def find_faces(
    images: Sequence[np.ndarray],
    detector: FaceDetector,
    landmarker: LandmarkExtractor,
    **settings: Any,
) -> list[list[FoundFace]]:
    """Finds the faces of each image and their landmarks; both steps of a `FaceFinder` at once.

    Args:
        images: (H, W, 3) uint8 BGR each, of any sizes.
        detector: Finds the boxes.
        landmarker: Finds the landmarks in them.
        settings: Further attributes of `FaceFinder`.

    Returns:
        One list per image, largest box first; pixels of the upright image.

    Raises:
        ValueError: The detector cannot take one of the images.
    """
    finder = FaceFinder(detector, landmarker, **settings)
    return finder.complete(images, finder.detect(images)) if len(images) else []


def _map_face(face: FoundFace, matrix: np.ndarray) -> FoundFace:
    """A face in the space that `matrix` leads to; the box keeps its corners in order."""
    corners = transform_points(face.box.reshape(2, 2), matrix)
    box = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
    return FoundFace(box, face.score, transform_points(face.landmarks, matrix))
