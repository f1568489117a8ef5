"""A drawn thing in front of a face, and how it is put there.

Convention: pictures are (S, S, 3) float32 BGR in [0, 1], covers (S, S, 1) float32 in [0, 1]; points
are (x, y) in sides of the picture, from 0 to 1.
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from core.geometry import transform_points
from facelib.align import face_transform
from facelib.face_type import FaceType
from facelib.templates import TEMPLATE_51

FINE = 2
"""Things are drawn so many times larger and averaged, for smooth edges."""

_SHADOW = 0.35  # of the light that the darkest shadow takes
_TINT, _OPAQUE = 0.2, 0.8
"""A cover up to the first only tints what is behind, from the second on hides it; between them lie
edges, which hide a part of a pixel."""


class Layer(NamedTuple):
    """What is drawn: its picture, and how far it covers what is behind."""

    picture: np.ndarray
    cover: np.ndarray


@dataclass(frozen=True, eq=False)
class Place:
    """Where a thing is drawn.

    Attributes:
        face: Picture of the face, for colours.
        other: Picture of another face with its surroundings.
        points: (51, 2) where brows, nose, eyes and mouth of an aligned face lie.
    """

    face: np.ndarray
    other: np.ndarray
    points: np.ndarray

    @property
    def side(self) -> int:
        """Of the picture, in pixels."""
        return self.face.shape[0]

    @property
    def unit(self) -> float:
        """Distance from eye to eye, in sides."""
        return float(np.linalg.norm(self.eye(1) - self.eye(0)))

    def eye(self, number: int) -> np.ndarray:
        """(2,) middle of an eye: 0 is the left one of the picture."""
        first = 19 + 6 * number
        return self.points[first:first + 6].mean(0)

    @property
    def mouth(self) -> np.ndarray:
        """(2,) its middle."""
        return self.points[31:51].mean(0)

    @property
    def middle(self) -> np.ndarray:
        """(2,) of the face: the tip of the nose."""
        return self.points[16]

    def skin(self) -> np.ndarray:
        """(3,) BGR of the face around its nose."""
        x, y = (self.middle * self.side).astype(int)
        reach = max(self.side // 12, 1)
        patch = self.face[max(y - reach, 0):y + reach, max(x - reach, 0):x + reach]
        return np.median(patch.reshape(-1, 3), axis=0)


def usual_points(face_type: FaceType) -> np.ndarray:
    """(51, 2) where the points of a mean face lie in an aligned picture, in its sides."""
    # The jaw is not used for the crop of these types; a mean one need not be drawn.
    landmarks = np.concatenate([np.zeros((17, 2)), TEMPLATE_51]) * 100
    return transform_points(landmarks, face_transform(landmarks, 1, face_type))[17:]


def put_over(image: np.ndarray, mask: np.ndarray, layer: Layer,
             rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Puts a thing in front of a face; often it throws a soft shadow.

    Args:
        image: Of the face.
        mask: (S, S, 1) float32 in [0, 1], of the visible face.

    Returns:
        Picture and mask with the thing.
    """
    hidden = np.clip((layer.cover - _TINT) / (_OPAQUE - _TINT), 0, 1)
    if rng.random() < 0.6:
        image = image * (1 - _shadow(layer.cover, rng))
    made = layer.cover * layer.picture + (1 - layer.cover) * image
    return made.astype(np.float32), (mask * (1 - hidden)).astype(np.float32)


def _shadow(cover: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(S, S, 1): how much light is missing around a thing."""
    side = cover.shape[0]
    dx, dy = rng.normal(0, 0.02 * side, 2)
    moved = cv2.warpAffine(cover, np.float32([[1, 0, dx], [0, 1, dy]]), (side, side))
    soft = cv2.GaussianBlur(moved, (0, 0), rng.uniform(0.01, 0.04) * side)
    return (rng.uniform(0, _SHADOW) * soft)[..., np.newaxis]
