"""From pictures to faces with landmarks, whichever way up they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from core.geometry import transform_points
from facelib.protocols import FaceDetector, LandmarkExtractor
from facelib.types import FoundFace


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


def find_faces(
    images: Sequence[np.ndarray],
    detector: FaceDetector,
    landmarker: LandmarkExtractor,
    *,
    rotate: bool = True,
    max_faces: int = 0,
    min_face_size: float = 0.0,
) -> list[list[FoundFace]]:
    """Finds the faces of each image and their landmarks.

    Boxes in which the landmark extractor sees no face are dropped.

    Args:
        images: (H, W, 3) uint8 BGR each, of any sizes.
        detector: Finds the boxes.
        landmarker: Finds the landmarks in them.
        rotate: Whether an image without a face is tried again turned by 90 degrees clockwise, 90
            counter-clockwise, and 180, until there is one.
        max_faces: The largest so many faces of an image are kept; 0 keeps all.
        min_face_size: Shortest side of a box that is kept, pixels.

    Returns:
        One list per image, largest box first; float32 pixels of the upright image. Images without
        a face have an empty list.

    Raises:
        ValueError: The detector cannot take one of the images. In a `core.pipeline` batch stage
            each image is then tried on its own, so that one bad image does not stop the others.
    """
    found: list[list[FoundFace]] = [[] for _ in images]
    for turn in _TURNS if rotate else _TURNS[:1]:
        missing = [index for index, faces in enumerate(found) if not faces]
        turned = [turn.apply(images[index]) for index in missing]
        for index, faces in zip(missing, _find_upright(turned, detector, landmarker)):
            turned_to_image = turn.turned_to_image(images[index])
            found[index] = [_map_face(face, turned_to_image) for face in faces]
    return [_select(faces, max_faces, min_face_size) for faces in found]


def _find_upright(
    images: Sequence[np.ndarray], detector: FaceDetector, landmarker: LandmarkExtractor
) -> list[list[FoundFace]]:
    if not images:
        return []
    detected = detector.detect(images)
    return [
        [
            FoundFace(np.asarray(face.box, np.float32), face.score, points)
            for face, points in zip(faces, landmarks, strict=True)
            if np.isfinite(points).all()
        ]
        for faces, landmarks in zip(detected, landmarker.extract(images, detected), strict=True)
    ]


def _map_face(face: FoundFace, matrix: np.ndarray) -> FoundFace:
    """A face in the space that `matrix` leads to; the box keeps its corners in order."""
    corners = transform_points(face.box.reshape(2, 2), matrix)
    box = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
    return FoundFace(box, face.score, transform_points(face.landmarks, matrix))


def _select(faces: list[FoundFace], max_faces: int, min_face_size: float) -> list[FoundFace]:
    large = [face for face in faces if (face.box[2:] - face.box[:2]).min() >= min_face_size]
    large.sort(key=lambda face: face.area, reverse=True)
    return large[: max_faces or None]
