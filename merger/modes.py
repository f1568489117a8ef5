"""Merge modes: which steps a predicted face goes through on its way into the frame.

A step changes the colours of a picture with the help of a reference of the same size: in the face
square the prediction and the dst face, in the frame the pasted face and the frame's own pixels.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from core.imaging.color import histogram_match
from core.imaging.poisson import fast_side, poisson_clone
from merger.color_transfer import transfer_color

Step = Callable[[np.ndarray, np.ndarray, np.ndarray, str], np.ndarray]
"""(picture (h, w, 3), reference (h, w, 3), mask (h, w, 1), colour transfer) -> (h, w, 3), all
float32 BGR in [0, 1]."""

CLONE_FROM_MASK = 0.25
"""Where the face is shown at least this much, seamless cloning takes all of its detail; below, the
gradients fade to the frame's. Lower would drag in what lies outside the face."""


def fit_color(
    picture: np.ndarray, reference: np.ndarray, mask: np.ndarray, transfer: str
) -> np.ndarray:
    """The chosen colour transfer."""
    return transfer_color(transfer, picture, reference, mask)


def fit_shown_color(
    picture: np.ndarray, reference: np.ndarray, mask: np.ndarray, transfer: str
) -> np.ndarray:
    """The chosen colour transfer in the frame, where there is no face beyond the mask."""
    return transfer_color(transfer, picture, reference, mask, whole=np.float32(mask > 0))


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
        raw: The prediction is pasted as it came, square and all; its mask is written beside it,
            neither moved nor softened.
    """

    face_steps: tuple[Step, ...] = ()
    frame_steps: tuple[Step, ...] = ()
    keeps_frame: bool = False
    raw: bool = False


MODES: Mapping[str, Mode] = MappingProxyType(
    {
        "original": Mode(keeps_frame=True),
        "overlay": Mode(face_steps=(fit_color,)),
        "hist-match": Mode(face_steps=(fit_color, match_histogram)),
        # Cloning sets the light anew, so a transfer of colours only lasts when it comes after.
        "seamless": Mode(frame_steps=(clone, fit_shown_color)),
        "raw-rgb": Mode(raw=True),
    }
)
"""Those that make a new frame of a frame."""

RAW_PREDICT = "raw-predict"
"""The mode that needs no frame: it gives out the prediction itself."""

MODE_NAMES = (*MODES, RAW_PREDICT)


def is_raw(mode: str) -> bool:
    """Whether a mode gives out predictions as they came, for other programs to put in."""
    return mode == RAW_PREDICT or MODES[mode].raw
