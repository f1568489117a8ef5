"""Filters that give a picture more or less detail.

Convention: pictures are (H, W, 3) float32 BGR in [0, 1], and so are the results.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import cv2
import numpy as np

SHARPEN_KERNEL = 3
"""Side of the neighbourhood that a pixel is set off against."""

_MEDIAN_SIDE = 5
_POINTS_PER_PIXEL = 4
"""Of the line along which a moving picture is averaged."""


def _box_sharpened(picture: np.ndarray, amount: float) -> np.ndarray:
    kernel = np.full((SHARPEN_KERNEL, SHARPEN_KERNEL), -amount / SHARPEN_KERNEL**2)
    kernel[SHARPEN_KERNEL // 2, SHARPEN_KERNEL // 2] += 1 + amount
    return cv2.filter2D(picture, -1, kernel)


def _gaussian_sharpened(picture: np.ndarray, amount: float) -> np.ndarray:
    blurred = cv2.GaussianBlur(picture, (SHARPEN_KERNEL, SHARPEN_KERNEL), 0)
    return cv2.addWeighted(picture, 1 + amount / 2, blurred, -amount / 2, 0)


SHARPENERS: Mapping[str, Callable[[np.ndarray, float], np.ndarray]] = MappingProxyType(
    {"box": _box_sharpened, "gaussian": _gaussian_sharpened})
"""Name -> (picture, amount) -> picture, not clipped."""


def sharpen(picture: np.ndarray, kind: str, amount: float) -> np.ndarray:
    """Sets every pixel off against its neighbourhood, or takes detail away.

    Args:
        picture: To sharpen.
        kind: A name of SHARPENERS.
        amount: Above 0: times the difference to the mean of 3 x 3 pixels that is added (half of it
            for gaussian). Below 0: a tenth of the times that a median of 5 x 5 pixels is taken.
    """
    if amount > 0:
        return np.clip(SHARPENERS[kind](picture, amount), 0.0, 1.0)
    return repeat_median(picture, -amount / 10)


def repeat_median(picture: np.ndarray, times: float) -> np.ndarray:
    """Takes the median of 5 x 5 pixels several times, which removes grain and fine detail.

    Args:
        picture: To smooth.
        times: The rest below 1 mixes the last median with what was there before.
    """
    while times > 0:
        median = cv2.medianBlur(picture, _MEDIAN_SIDE)
        picture = cv2.addWeighted(picture, 1 - min(times, 1), median, min(times, 1), 0)
        times -= 1
    return picture


def motion_blur(picture: np.ndarray, way: tuple[float, float]) -> np.ndarray:
    """Averages a picture along the line that it moves, evenly around where it is.

    Args:
        picture: That moves; beyond its border it goes on.
        way: (x, y) pixels from the beginning to the end.
    """
    kernel = line_kernel(way)
    if kernel.size == 1:
        return picture
    return cv2.filter2D(picture, -1, kernel, borderType=cv2.BORDER_REPLICATE)


def line_kernel(way: tuple[float, float]) -> np.ndarray:
    """(k, k) float64 weights with sum 1, k odd: an even line of this way around the middle.

    Ways and directions between whole pixels are shared out, so that the kernel changes smoothly.
    """
    length = math.hypot(*way)
    reach = math.ceil(max(abs(step) for step in way) / 2)
    n_points = math.ceil(length * _POINTS_PER_PIXEL) + 1
    shares = (np.arange(n_points) + 0.5) / n_points - 0.5
    kernel = np.zeros((2 * reach + 3, 2 * reach + 3))
    x, y = (reach + 1 + step * shares for step in way)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    for row, row_share in ((top, top + 1 - y), (top + 1, y - top)):
        for column, column_share in ((left, left + 1 - x), (left + 1, x - left)):
            np.add.at(kernel, (row, column), row_share * column_share / n_points)
    return kernel if reach else np.ones((1, 1))


def lose_detail(picture: np.ndarray, share: float) -> np.ndarray:
    """Makes a picture smaller and brings it back to its size, by cubic interpolation.

    Args:
        picture: To degrade.
        share: Of the size that is lost, in [0, 1).
    """
    height, width = picture.shape[:2]
    small = max(int(width * (1 - share)), 1), max(int(height * (1 - share)), 1)
    smaller = cv2.resize(picture, small, interpolation=cv2.INTER_CUBIC)
    back = cv2.resize(smaller, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(back, 0.0, 1.0, out=back)
