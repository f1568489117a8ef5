"""Growing, shrinking and softening of masks.

Convention: masks are (H, W, 1) float32 in [0, 1]; outside of a mask is 0. Distances are pixels.
"""

import math

import cv2
import numpy as np

_STEP = 5
"""A disc of radius r is the sum of discs whose radii add up to r (Minkowski), so a large radius is
done in steps: n small kernels cost far less than one large kernel, which is not separable."""


def erode_mask(mask: np.ndarray, distance: float) -> np.ndarray:
    """Moves the border of a soft mask inwards, the same way in all directions.

    Each value becomes the smallest one within `distance` (grey erosion by a disc); what is outside
    the mask's array counts as 0.

    Args:
        mask: (H, W, 1) float32 in [0, 1].
        distance: Pixels, rounded to whole ones; below 0 grows the mask instead.

    Returns:
        (H, W, 1) float32 in [0, 1].
    """
    return _morph(mask, cv2.MORPH_ERODE if distance > 0 else cv2.MORPH_DILATE, abs(distance))


def dilate_mask(mask: np.ndarray, distance: float) -> np.ndarray:
    """Moves the border of a soft mask outwards: `erode_mask` with the sign turned round."""
    return erode_mask(mask, -distance)


def _morph(mask: np.ndarray, operation: int, radius: float) -> np.ndarray:
    left = round(radius)
    while left > 0:
        step = min(left, _STEP)
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * step + 1, 2 * step + 1))
        mask = cv2.morphologyEx(
            mask, operation, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0.0
        )
        left -= step
    return mask.reshape(*mask.shape[:2], 1)


def blur_radius(width: float) -> int:
    """Pixels by which `blur_mask(mask, width)` reaches beyond the mask's border."""
    return math.ceil(width / 2) if width > 0 else 0


def blur_mask(mask: np.ndarray, width: float) -> np.ndarray:
    """Turns the hard border of a mask into a smooth fade.

    A Gaussian whose standard deviation is a sixth of the width, cut off (and normalised) at three
    deviations: the fade starts half the width inside the border and is exactly 0 half the width
    outside. What is outside the array counts as 0.

    Args:
        mask: (H, W, 1) float32 in [0, 1].
        width: Of the fade, pixels; 0 or less leaves the mask as it is.

    Returns:
        (H, W, 1) float32 in [0, 1].
    """
    radius = blur_radius(width)
    if radius == 0:
        return mask
    side = 2 * radius + 1
    blurred = cv2.GaussianBlur(mask, (side, side), width / 6, borderType=cv2.BORDER_CONSTANT)
    return np.clip(blurred, 0.0, 1.0).reshape(*mask.shape[:2], 1)


def clear_border(mask: np.ndarray, width: int) -> np.ndarray:
    """A copy of the mask with 0 in the outermost `width` rows and columns of every side.

    Args:
        mask: (H, W, 1) float32.
        width: Pixels, at least 0.
    """
    cleared = np.zeros_like(mask)
    inside = slice(width, mask.shape[0] - width), slice(width, mask.shape[1] - width)
    if 2 * width < min(mask.shape[:2]):
        cleared[inside] = mask[inside]
    return cleared
