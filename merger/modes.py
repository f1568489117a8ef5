"""Merge modes: which steps a predicted face goes through on its way into the frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from merger.steps import (
    Blend,
    Step,
    blend_by_bands,
    blend_by_mask,
    blur_motion,
    clone,
    fit_color,
    match_histogram,
    set_sharpness,
)

FINISH: tuple[Step, ...] = (blur_motion, set_sharpness)
"""Done in the face square, so that the face is resampled once only."""


@dataclass(frozen=True)
class Mode:
    """The steps of one merge mode.

    Attributes:
        face_steps: Done in the face square, before the face is pasted.
        frame_steps: Done in the frame's region, after pasting and before blending.
        blend: Puts the pasted face into the frame.
        keeps_frame: The frame stays as it is; only the mask is of interest.
        raw: The prediction is pasted as it came, square and all; its mask is written beside it,
            neither moved nor softened.
    """

    face_steps: tuple[Step, ...] = ()
    frame_steps: tuple[Step, ...] = ()
    blend: Blend = blend_by_mask
    keeps_frame: bool = False
    raw: bool = False


MODES: Mapping[str, Mode] = MappingProxyType({
    "original": Mode(keeps_frame=True),
    "overlay": Mode((fit_color, *FINISH)),
    "hist-match": Mode((fit_color, match_histogram, *FINISH)),
    # Cloning sets the light anew, so a transfer of colours only lasts when it comes after.
    "seamless": Mode(FINISH, (clone, fit_color)),
    "seamless-hist-match": Mode(FINISH, (clone, fit_color, match_histogram)),
    "laplacian": Mode((fit_color, *FINISH), blend=blend_by_bands),
    "raw-rgb": Mode(raw=True),
})
"""Those that make a new frame of a frame."""

RAW_PREDICT = "raw-predict"
"""The mode that needs no frame: it gives out the prediction itself."""

MODE_NAMES = (*MODES, RAW_PREDICT)

HIST_MATCH_MODES = tuple(name for name, mode in MODES.items()
                         if match_histogram in (*mode.face_steps, *mode.frame_steps))


def is_raw(mode: str) -> bool:
    """Whether a mode gives out predictions as they came, for other programs to put in."""
    return mode == RAW_PREDICT or MODES[mode].raw
