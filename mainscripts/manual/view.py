"""Which part of a frame the window shows, and where."""

from typing import NamedTuple

import numpy as np

from core.geometry import affine_scale, invert_affine, transform_points
from mainscripts.manual.square import Square

_WIDE = 16 / 9
"""Shape of the frames that fill the width asked for; others get the same height."""

LEAST_WIDTH = 640
"""Pixels of the picture, for its text."""


class View(NamedTuple):
    """`size`: height and width of the picture shown, pixels; `image_to_view`: (2, 3) float64."""

    size: tuple[int, int]
    image_to_view: np.ndarray

    @property
    def scale(self) -> float:
        """Pixels of the picture for one of the frame."""
        return affine_scale(self.image_to_view)

    def to_image(self, x: float, y: float) -> tuple[float, float]:
        """The place in the frame that is shown at this one of the picture; both in pixels."""
        point = transform_points(np.array([x, y], np.float64), invert_affine(self.image_to_view))
        return float(point[0]), float(point[1])


def fitted_view(image_size: tuple[int, int], window_size: int) -> View:
    """The whole frame; upright ones stand in the middle of a picture that has room for text.

    Args:
        image_size: Height and width of the frame, pixels.
        window_size: Width of a 16:9 frame in the window, pixels; 0 shows frames as they are.
    """
    height, width = image_size
    scale = window_size / (height * _WIDE) if window_size else 1.0
    shown = max(round(height * scale), 1), max(round(width * scale), LEAST_WIDTH)
    shift = 0.5 * scale - 0.5  # whole coordinates are pixel centres
    border = max(shown[1] - width * scale, 0) // 2
    return View(shown, np.array([[scale, 0, shift + border], [0, scale, shift]]))


def close_up(view: View, square: Square, share: float = 0.5) -> View:
    """A square and what is around it, in the middle.

    Args:
        view: The whole frame.
        square: If it is larger already, it is only moved to the middle.
        share: Of the shorter side that it fills.
    """
    height, width = view.size
    scale = max(min(height, width) * share / (2 * square.half), view.scale)
    middle = (width - 1) / 2, (height - 1) / 2
    matrix = np.array([[scale, 0, middle[0] - scale * square.x],
                       [0, scale, middle[1] - scale * square.y]])
    return View(view.size, matrix)
