"""The border of a mask, moved and softened, in one of two kinds of units.

Convention: masks are (S, S, 1) float32 in [0, 1] over the face square.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from core.imaging.ellipse import erode_by_ellipse
from core.imaging.filters import blur_mask, blur_radius, clear_border, erode_mask

SMALLEST_GRID, LARGEST_GRID = 256, 512
"""Sides of the mask grid: fine enough for a smooth border, coarse enough to be cheap."""

REFERENCE_SCALE = 4
"""Mask pixels per pixel of the model in the reference program."""

NOISE_FLOOR = 1.0 / 255.0
"""Less than this changes no grey level."""


def grid_side(resolution: int) -> int:
    """Side of the mask grid for a model of that resolution, in pixels."""
    return min(max(resolution, SMALLEST_GRID), LARGEST_GRID)


def face_border(mask: np.ndarray, resolution: int, erode: float, blur: float) -> np.ndarray:
    """Lengths are percent of the square's side, the same for every model and size of face.

    Args:
        mask: On the grid of `grid_side`.
        resolution: Of the model.
        erode: How far the border moves inwards; outwards below 0.
        blur: Width of the fade.

    Returns:
        A new mask, 0 along the border of the square: a fade ends inside of it.
    """
    side = mask.shape[0]
    mask = erode_mask(mask, erode / 100.0 * side)
    # The fade reaches this far beyond the border: so it ends inside the square, not at its edge.
    width = blur / 100.0 * side
    return blur_mask(clear_border(mask, blur_radius(width) + 1), width)


def reference_border(mask: np.ndarray, resolution: int, erode: float, blur: float) -> np.ndarray:
    """Lengths are pixels of a square four times as wide as the model's, as in the reference.

    Args:
        mask: On a grid of `REFERENCE_SCALE` times the resolution.
        resolution: Of the model.
        erode: Width and height of the ellipse that the border is moved by, so it moves by half;
            below 0 outwards. Rounded to whole pixels.
        blur: Side of the Gaussian kernel, rounded to whole pixels and made odd; its deviation is
            0.3 (side / 2 - 1.5) + 0.8.

    Returns:
        A new mask, 0 along the border of the square.
    """
    mask = mask.copy()
    mask[mask < NOISE_FLOOR] = 0.0
    padded = np.pad(mask, ((resolution,) * 2, (resolution,) * 2, (0, 0)))
    padded = erode_by_ellipse(padded, round(erode))
    padded = clear_border(padded, resolution + round(blur) // 2)
    if blur >= 1:
        side = round(blur) | 1
        padded = cv2.GaussianBlur(padded, (side, side), 0)
    inside = slice(resolution, resolution + mask.shape[0])
    return np.clip(padded.reshape(*padded.shape[:2], 1)[inside, inside], 0.0, 1.0)


@dataclass(frozen=True)
class Border:
    """Units of a border.

    Attributes:
        grid_side: Resolution of the model -> side S of the masks.
        finish: (mask, resolution, erode, blur) -> mask.
    """

    grid_side: Callable[[int], int]
    finish: Callable[[np.ndarray, int, float, float], np.ndarray]


BORDERS: Mapping[str, Border] = MappingProxyType({
    "face": Border(grid_side, face_border),
    "reference": Border(lambda resolution: REFERENCE_SCALE * resolution, reference_border),
})
