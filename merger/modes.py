"""Merge modes: which steps a predicted face goes through on its way into the frame.

A step changes the colours of a picture with the help of a reference of the same size: in the face
square the prediction and the dst face, in the frame the pasted face and the frame's own pixels.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from core.imaging.color import TRANSFERS, histogram_match
from core.imaging.poisson import fast_side, poisson_clone

Step = Callable[[np.ndarray, np.ndarray, np.ndarray, str], np.ndarray]
"""(picture (h, w, 3), reference (h, w, 3), mask (h, w, 1), colour transfer) -> (h, w, 3), all
float32 BGR in [0, 1]."""

CLONE_FROM_MASK = 0.25
"""Where the face is shown at least this much, seamless cloning takes all of its detail; below, the
gradients fade to the frame's. Lower would drag in what lies outside the face."""


def transfer_color(
    picture: np.ndarray, reference: np.ndarray, mask: np.ndarray, transfer: str
) -> np.ndarray:
    """The chosen colour transfer, with statistics of what the mask shows."""
    return TRANSFERS[transfer](picture, reference, mask, mask)


def match_histogram(
    picture: np.ndarray, reference: np.ndarray, mask: np.ndarray, transfer: str
) -> np.ndarray:
    """The reference's distribution of values in each channel, inside the mask."""
    return histogram_match(picture, reference, mask, mask)


def clone(
    picture: np.ndarray, reference: np.ndarray, mask: np.ndarray, transfer: str
) -> np.ndarray:
    """The picture's detail in the reference's light (Poisson cloning)."""
    box = _clone_box(mask)
    weight = np.minimum(mask[box] / CLONE_FROM_MASK, 1.0)
    cloned = picture.copy()
    cloned[box] = np.clip(poisson_clone(picture[box], reference[box], weight), 0.0, 1.0)
    return cloned


def _clone_box(mask: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns that hold the mask, with a little more where that is faster to solve."""
    x, y, width, height = cv2.boundingRect((mask > 0).astype(np.uint8))
    return _grow(y, height, mask.shape[0]), _grow(x, width, mask.shape[1])


def _grow(start: int, length: int, limit: int) -> slice:
    """A range grown evenly to a fast length, but not beyond 0 and `limit`."""
    fast = min(fast_side(length + 2), limit)
    start = min(max(start - (fast - length) // 2, 0), limit - fast)
    return slice(start, start + fast)


@dataclass(frozen=True)
class Mode:
    """The steps of one merge mode.

    Attributes:
        face_steps: Done in the face square, before the face is pasted.
        frame_steps: Done in the frame's region, after pasting and before blending by the mask.
        keeps_frame: The frame stays as it is; only the mask is of interest.
    """

    face_steps: tuple[Step, ...] = ()
    frame_steps: tuple[Step, ...] = ()
    keeps_frame: bool = False


MODES: Mapping[str, Mode] = MappingProxyType(
    {
        "original": Mode(keeps_frame=True),
        "overlay": Mode(face_steps=(transfer_color,)),
        "hist-match": Mode(face_steps=(transfer_color, match_histogram)),
        # Cloning sets the light anew, so a transfer of colours only lasts when it comes after.
        "seamless": Mode(frame_steps=(clone, transfer_color)),
    }
)
