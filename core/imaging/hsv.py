"""Shifting hue, saturation and value."""

import cv2
import numpy as np


def shift_hsv(image: np.ndarray, hue: float, saturation: float, value: float) -> np.ndarray:
    """Shifts all colours of a picture.

    Args:
        image: (H, W, 3) uint8 BGR.
        hue: Degrees, any number.
        saturation: Added to the saturation in [0, 1], which is then clipped.
        value: Added to the value in [0, 1], which is then clipped.

    Returns:
        (H, W, 3) uint8 BGR.
    """
    planes = cv2.split(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_BGR2HSV))
    hues = planes[0] + np.float32(hue % 360)
    hues[hues >= 360] -= 360
    others = [np.clip(plane + np.float32(shift), 0, 1)
              for plane, shift in zip(planes[1:], (saturation, value), strict=True)]
    shifted = cv2.cvtColor(cv2.merge([hues, *others]), cv2.COLOR_HSV2BGR)
    return cv2.convertScaleAbs(shifted, alpha=255)
