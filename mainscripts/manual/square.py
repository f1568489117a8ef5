"""The square that the mouse moves over a face and the wheel makes larger and smaller."""

from typing import NamedTuple

import numpy as np

FIRST_HALF = 100.0
LEAST_HALF = 5.0
SMALL_HALF = 40.0
"""Squares up to this half side grow pixel by pixel, and the window shows them enlarged."""

_LARGEST_STEP = 10.0

_FOREHEAD = 0.3
"""Boxes of detectors reach above the brows by this share of the height from brow to chin."""


class Square(NamedTuple):
    """Its centre `x`, `y` and half its side, pixels of the frame."""

    x: float = 0.0
    y: float = 0.0
    half: float = FIRST_HALF

    @property
    def box(self) -> np.ndarray:
        """(4,) float32 x1, y1, x2, y2; may reach over the border of the frame."""
        return np.array([self.x - self.half, self.y - self.half,
                         self.x + self.half, self.y + self.half], np.float32)

    @property
    def is_small(self) -> bool:
        """Whether it is too small to be seen well."""
        return self.half <= SMALL_HALF

    def moved(self, point: tuple[float, float], size: tuple[int, int]) -> "Square":
        """The square around a point.

        Args:
            point: x, y, pixels; brought into the frame if it lies outside.
            size: Height and width of the frame, pixels.
        """
        x, y = np.clip(point, 0, (size[1] - 1, size[0] - 1)).tolist()
        return self._replace(x=x, y=y)

    def resized(self, steps: int) -> "Square":
        """The square after some steps of the wheel, above 0 larger."""
        square = self
        for _ in range(abs(steps)):
            square = square._resized_once(1 if steps > 0 else -1)
        return square

    def _resized_once(self, sign: int) -> "Square":
        step = 1.0 if self.is_small else float(np.clip(self.half / 10, 1.0, _LARGEST_STEP))
        return self._replace(half=max(self.half + sign * step, LEAST_HALF))


def square_of_box(box: np.ndarray) -> Square:
    """The square with the centre and the longer side of a (4,) box x1, y1, x2, y2."""
    x1, y1, x2, y2 = np.asarray(box, np.float64).tolist()
    half = max(x2 - x1, y2 - y1, 2 * LEAST_HALF) / 2
    return Square((x1 + x2) / 2, (y1 + y2) / 2, half)


def face_box(landmarks: np.ndarray) -> np.ndarray:
    """The box that a detector would give, so that hand work and found faces share tracks.

    Args:
        landmarks: (68, 2) float, pixels.

    Returns:
        (4,) float32 x1, y1, x2, y2.
    """
    (left, top), (right, bottom) = landmarks.min(axis=0), landmarks.max(axis=0)
    return np.array([left, top - _FOREHEAD * (bottom - top), right, bottom], np.float32)


def square_around(landmarks: np.ndarray) -> Square:
    """The square around (68, 2) float landmarks, pixels."""
    return square_of_box(np.concatenate([landmarks.min(axis=0), landmarks.max(axis=0)]))
