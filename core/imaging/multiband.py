"""Blending two pictures band by band: coarse light over a wide border, fine detail over a thin one.

Source: Burt and Adelson, "A multiresolution spline with application to image mosaics", 1983.
"""

from collections.abc import Sequence

import cv2
import numpy as np

SMALLEST_BAND = 4
"""Pixels along the shorter side of the coarsest band: below, the border of the array rules it."""


def mask_pyramid(mask: np.ndarray, n_bands: int) -> list[np.ndarray]:
    """A mask for every band, from the finest to the coarsest, each half as wide as the last.

    Args:
        mask: (H, W, 1) float32 in [0, 1]; a sharp border gets softer with every band.
        n_bands: Halvings, at least 0; fewer are made of small masks.

    Returns:
        (h, w) float32 each, in [0, 1].
    """
    masks = [mask.reshape(mask.shape[:2])]
    while len(masks) <= n_bands and min(masks[-1].shape) >= 2 * SMALLEST_BAND:
        masks.append(cv2.pyrDown(masks[-1], borderType=cv2.BORDER_REFLECT_101))
    return masks


def multiband_blend(
    upper: np.ndarray, lower: np.ndarray, masks: Sequence[np.ndarray]
) -> np.ndarray:
    """Lays one picture over another, each band of frequencies by a mask of its own.

    Args:
        upper: (H, W, 3) float32, shown where the masks are 1.
        lower: (H, W, 3) float32, shown where they are 0.
        masks: Of `mask_pyramid`, or made of them.

    Returns:
        (H, W, 3) float32, not clipped. Equal pictures come back as they are.
    """
    bands = []
    difference = upper - lower  # blending is linear, so one pyramid does instead of two
    for mask in masks[:-1]:
        coarse = cv2.pyrDown(difference, borderType=cv2.BORDER_REFLECT_101)
        bands.append(_weighted(difference - _enlarged(coarse, difference), mask))
        difference = coarse
    blended = _weighted(difference, masks[-1])
    for band in reversed(bands):
        blended = _enlarged(blended, band) + band
    return lower + blended


def _enlarged(coarse: np.ndarray, like: np.ndarray) -> np.ndarray:
    return cv2.pyrUp(coarse, dstsize=like.shape[1::-1])


def _weighted(picture: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return picture * cv2.cvtColor(weight, cv2.COLOR_GRAY2BGR)
