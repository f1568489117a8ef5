"""The outline of a face as an ellipse, from which follow boxes at any turn of the picture."""

from typing import NamedTuple

import numpy as np

FOREHEAD = 0.28
"""Height of the forehead above the brows that boxes show, in heights from the brows to the chin."""


class FaceOutline(NamedTuple):
    """An ellipse around a face; see `outline_of`.

    Attributes:
        centre: (2,) float64, pixels.
        across: (2,) from the centre to the face's left end, pixels.
        along: (2,) from the centre to the chin.
    """

    centre: np.ndarray
    across: np.ndarray
    along: np.ndarray

    @property
    def side(self) -> float:
        """Of a square with the area of the upright box, pixels."""
        return 2 * float(np.sqrt(np.linalg.norm(self.across) * np.linalg.norm(self.along)))

    @property
    def roll(self) -> float:
        """Radians by which the face is turned, clockwise as it is seen."""
        return float(np.arctan2(-self.along[0], self.along[1]))

    @property
    def box(self) -> np.ndarray:
        """(4,) float64, x1, y1, x2, y2: the bounds of the ellipse."""
        reach = np.hypot(self.across, self.along)
        return np.concatenate([self.centre - reach, self.centre + reach])


def outline_of(landmarks: np.ndarray) -> FaceOutline:
    """The ellipse of a face.

    "Down" is from between the eyes to between mouth and chin, which holds for profiles too, where
    the line of the eyes says little.

    Args:
        landmarks: (68, 2) float, pixels.
    """
    points = np.asarray(landmarks, np.float64)
    down = (points[48:68].mean(axis=0) + points[8]) / 2 - points[36:48].mean(axis=0)
    down = down / max(np.linalg.norm(down), 1e-9)
    right = np.array([down[1], -down[0]])
    x, y = points @ right, points @ down
    top = y.min() - FOREHEAD * (y.max() - y.min())
    centre = (x.min() + x.max()) / 2 * right + (top + y.max()) / 2 * down
    return FaceOutline(centre, right * np.ptp(x) / 2, down * (y.max() - top) / 2)
