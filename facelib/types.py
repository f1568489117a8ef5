"""What detectors, landmark extractors and swap models hand to the rest of the program."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from facelib.face_type import FaceType


@dataclass(frozen=True, eq=False)
class Face:
    """A face a detector found.

    Attributes:
        box: (4,) float32, x1, y1, x2, y2 in pixels of the frame; may reach over its border.
        score: Confidence of the detector in [0, 1].
        points: (5, 2) float32 pixels or None: the person's right eye, left eye, nose tip, right
            and left mouth corner.
    """

    box: np.ndarray
    score: float
    points: np.ndarray | None = None

    @property
    def area(self) -> float:
        """Of the box, square pixels."""
        return box_area(self.box)


@dataclass(frozen=True, eq=False)
class FoundFace:
    """A face with landmarks, all in pixels of the frame.

    Attributes:
        box: (4,) float32, x1, y1, x2, y2.
        score: Confidence of the detector in [0, 1].
        landmarks: (68, 2) float32.
        embedding: (D,) float32 that is alike for faces of one person, or None.
    """

    box: np.ndarray
    score: float
    landmarks: np.ndarray
    embedding: np.ndarray | None = None

    @property
    def area(self) -> float:
        """Of the box, square pixels."""
        return box_area(self.box)


def box_area(box: np.ndarray) -> float:
    """Square pixels of a (4,) box x1, y1, x2, y2; 0 for a box without inside."""
    x1, y1, x2, y2 = np.asarray(box, np.float64)
    return float(max(x2 - x1, 0) * max(y2 - y1, 0))


@dataclass(frozen=True, eq=False)
class SwapPrediction:
    """What a swap model makes of a batch of aligned dst faces; all float32 in [0, 1].

    Attributes:
        face: (N, R, R, 3) BGR, the src identity with the expression of each dst face.
        face_mask: (N, R, R, 1) where that face is, or None if not wanted or not learned.
        dst_mask: (N, R, R, 1) where the dst face is, or None.
    """

    face: np.ndarray
    face_mask: np.ndarray | None
    dst_mask: np.ndarray | None


class Predictor(Protocol):
    """A trained swap model, ready to use.

    Attributes:
        resolution: Side R of the faces it takes and gives, pixels.
        face_type: Crop it was trained on.
    """

    resolution: int
    face_type: FaceType

    def __call__(
        self, faces: np.ndarray, *, face_mask: bool = True, dst_mask: bool = True
    ) -> SwapPrediction:
        """Swaps a batch.

        Args:
            faces: (N, R, R, 3) float32 BGR in [0, 1], aligned dst faces.
            face_mask: Whether the mask of the new face is wanted.
            dst_mask: Whether the mask of the dst face is wanted.
        """
