"""What a user can set about merging."""

from dataclasses import dataclass

from core.errors import OptionError
from core.options import option
from merger.color_transfer import COLOR_TRANSFERS
from merger.masks import MASK_MODES, MISSING_MASK_MODES
from merger.modes import MODE_NAMES, RAW_PREDICT, is_raw


def _has_mask(options: "MergeOptions") -> bool:
    return options.mode != "original"


def _puts_in(options: "MergeOptions") -> bool:
    return _has_mask(options) and not is_raw(options.mode)


def _has_place(options: "MergeOptions") -> bool:
    return options.mode != RAW_PREDICT


@dataclass(frozen=True)
class MergeOptions:
    """Settings of one merge run.

    Lengths are percent of the face square's side (the square that the model sees), so a setting
    looks the same for every model resolution and every size of face in the frame.

    The default border: a fade 10 % wide, moved inwards by 2.5 %, so that less than 7 % of the new
    face shows beyond its mask. A model is only trained inside its mask; a fade centred on the
    border would show untrained pixels, and one wholly inside would leave the ends of the old brows.
    Without a fade, a mask's small errors from frame to frame show as a flickering outline.

    Raises:
        OptionError: A choice is not one of those offered.
    """

    mode: str = option(
        "overlay",
        choices=MODE_NAMES,
        ask=True,
        help="How the new face is put in: overlay pastes it, hist-match also copies the "
        "distribution of colours, seamless continues the light of the frame, original leaves "
        "the frame as it is. raw-rgb pastes the whole square as predicted, raw-predict writes "
        "the square itself without the frame, both beside the mask as it is: for other programs.",
    )
    mask_mode: str = option(
        "learned-prd*learned-dst",
        choices=tuple(MASK_MODES),
        refused=MISSING_MASK_MODES,
        ask=True,
        when=_has_mask,
        help="Where the new face is shown: the whole square, the hull of the dst landmarks, or the "
        "masks learned for the prediction (prd) and for dst; * where both are, + where any is.",
    )
    erode_mask: float = option(
        2.5,
        low=-40,
        high=40,
        ask=True,
        when=_puts_in,
        help="Moves the mask's border inwards by this many percent of the face square's side; "
        "negative moves it outwards.",
    )
    blur_mask: float = option(
        10.0,
        low=0,
        high=60,
        ask=True,
        when=_puts_in,
        help="Width of the fade along the mask's border, in percent of the face square's side.",
    )
    color_transfer: str = option(
        "rct",
        choices=tuple(COLOR_TRANSFERS),
        ask=True,
        when=_puts_in,
        help="Fits the new face's colours to the frame: rct takes over mean and spread of "
        "lightness and of colour, lct and mkl also how colours vary together, idt and sot their "
        "whole distribution, mix lightness as lct and colour as sot. rct and names ending in -m "
        "look at what the mask shows, the others at the whole square.",
    )
    output_face_scale: float = option(
        0.0,
        low=-50,
        high=50,
        ask=True,
        when=_has_place,
        help="Makes the new face larger by this many percent, around its middle; negative makes "
        "it smaller.",
    )

    def __post_init__(self) -> None:
        if self.mask_mode in MISSING_MASK_MODES:
            raise OptionError(f"mask_mode {MISSING_MASK_MODES[self.mask_mode]}")
        for name, known in (
            ("mode", MODE_NAMES),
            ("mask_mode", MASK_MODES),
            ("color_transfer", COLOR_TRANSFERS),
        ):
            value = getattr(self, name)
            if value not in known:
                raise OptionError(f"{name} must be one of {', '.join(known)}, not {value!r}")


def needed_masks(options: MergeOptions) -> tuple[bool, bool]:
    """Which masks the model has to predict: (face_mask, dst_mask), as `Predictor` takes them."""
    mode = MASK_MODES[options.mask_mode]
    return mode.face_mask, mode.dst_mask
