"""Blending two pictures band by band: coarse light over a wide border, fine detail over a sharp one.

Source: Burt and Adelson, "A multiresolution spline with application to image mosaics", 1983.
"""

import cv2
import numpy as np

SMALLEST_BAND = 4
"""Pixels along the shorter side of the coarsest band: below, the border of the array rules it."""


def multiband_blend(
    upper: np.ndarray, lower: np.ndarray, mask: np.ndarray, n_bands: int
) -> np.ndarray:
    """Lays one picture over another; each band of frequencies fades over its own wavelength.

    Args:
        upper: (H, W, 3) float32, shown where the mask is 1.
        lower: (H, W, 3) float32, shown where it is 0.
        mask: (H, W, 1) float32 in [0, 1]; a sharp border is softened by the coarser bands.
        n_bands: Halvings of the size, at least 0; fewer are made of small pictures.

    Returns:
        (H, W, 3) float32, not clipped. Equal pictures come back as they are.
    """
    weight = mask.reshape(mask.shape[:2])
    bands = []
    difference = upper - lower  # blending is linear, so one pyramid does instead of two
    for _ in range(n_bands):
        if min(difference.shape[:2]) < 2 * SMALLEST_BAND:
            break
        coarse = cv2.pyrDown(difference, borderType=cv2.BORDER_REFLECT_101)
        fine = difference - _enlarged(coarse, difference)
        bands.append(_weighted(fine, weight))
        difference = coarse
        weight = cv2.pyrDown(weight, borderType=cv2.BORDER_REFLECT_101)
    blended = _weighted(difference, weight)
    for band in reversed(bands):
        blended = _enlarged(blended, band) + band
    return lower + blended


def _enlarged(coarse: np.ndarray, like: np.ndarray) -> np.ndarray:
    return cv2.pyrUp(coarse, dstsize=like.shape[1::-1])


def _weighted(picture: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return picture * cv2.cvtColor(weight, cv2.COLOR_GRAY2BGR)
