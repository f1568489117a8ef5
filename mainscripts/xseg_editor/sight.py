"""Which part of the picture the canvas shows, and how large."""

from dataclasses import dataclass

import numpy as np

LARGEST = 20.0
"""Screen pixels for a pixel of the picture."""

_MARGIN = 12
"""Screen pixels left free around a picture that is shown whole."""


@dataclass(frozen=True)
class Sight:
    """A map from picture to canvas; both in pixels, (x, y), origin top-left.

    Attributes:
        side: Of the picture.
        canvas: (width, height).
        scale: Canvas pixels for a pixel of the picture.
        centre: What is shown in the middle, in pixels of the picture.
    """

    side: int
    canvas: tuple[int, int]
    scale: float
    centre: tuple[float, float]

    @classmethod
    def fit(cls, side: int, canvas: tuple[int, int]) -> "Sight":
        """The whole picture, centred."""
        scale = max(min(canvas) - 2 * _MARGIN, 1) / side
        return cls(side, canvas, scale, (side / 2, side / 2))

    def to_canvas(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) places of the picture on the canvas."""
        return (np.asarray(points, np.float64) - self.centre) * self.scale + self._middle

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) places of the canvas in the picture."""
        return (np.asarray(points, np.float64) - self._middle) / self.scale + self.centre

    def zoomed(self, steps: int, at: np.ndarray) -> "Sight":
        """Larger (steps > 0) or smaller; the place under the mouse stays under it.

        Zooming out ends where the whole picture is in sight, or one to one where it is small.

        Args:
            steps: Notches of the wheel.
            at: (2,) of the canvas.
        """
        whole, scale = Sight.fit(self.side, self.canvas), self.scale
        for _ in range(abs(steps)):
            scale += np.sign(steps) * (0.2 + scale / 10)
        scale = float(np.clip(scale, min(1.0, whole.scale), LARGEST))
        held = self.to_picture(at)
        centre = held - (np.asarray(at) - self._middle) / scale
        return Sight(self.side, self.canvas, scale, self._clipped(centre))

    def panned(self, shift: np.ndarray) -> "Sight":
        """The picture moved by (2,) pixels of the canvas; its middle never leaves the canvas."""
        centre = np.asarray(self.centre) - np.asarray(shift) / self.scale
        return Sight(self.side, self.canvas, self.scale, self._clipped(centre))

    def resized(self, canvas: tuple[int, int]) -> "Sight":
        """On a canvas of another size; a picture that was shown whole still is."""
        if self == Sight.fit(self.side, self.canvas):
            return Sight.fit(self.side, canvas)
        return Sight(self.side, canvas, self.scale, self.centre)

    @property
    def _middle(self) -> np.ndarray:
        return np.array(self.canvas, np.float64) / 2

    def _clipped(self, centre: np.ndarray) -> tuple[float, float]:
        x, y = np.clip(centre, 0, self.side).tolist()
        return x, y
