"""Pictures of 8 and of 16 bits as floats, and back.

Convention: the highest level of the file is 1.0, so that both depths mean the same colours.
"""

from collections.abc import Mapping
from types import MappingProxyType

import cv2
import numpy as np

WHITE_LEVELS: Mapping[np.dtype, int] = MappingProxyType(
    {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535})
"""Depth of a picture -> its highest level."""


def white_level(dtype: np.dtype) -> int:
    """The highest level of a depth.

    Raises:
        ValueError: Neither uint8 nor uint16.
    """
    level = WHITE_LEVELS.get(np.dtype(dtype))
    if level is None:
        raise ValueError(f"pictures have 8 or 16 bits, not {np.dtype(dtype)}")
    return level


def to_unit(image: np.ndarray) -> np.ndarray:
    """(H, W, C) uint8 or uint16 -> (H, W, C) float32 in [0, 1], a new array."""
    return np.multiply(image, np.float32(1 / white_level(image.dtype)), dtype=np.float32)


def from_unit(picture: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Rounds floats to the nearest level; what lies outside of [0, 1] becomes 0 or the highest.

    Args:
        picture: (H, W, C) float32.
        dtype: uint8 or uint16.

    Returns:
        (H, W, C) of that depth; `from_unit(to_unit(image), image.dtype)` is the image.
    """
    level = white_level(dtype)
    clipped = np.clip(picture, 0.0, 1.0)
    if level == 255:
        return cv2.convertScaleAbs(clipped, alpha=255.0).reshape(picture.shape)
    clipped *= np.float32(level)
    return np.rint(clipped, out=clipped).astype(dtype)
