"""What a user can set about merging."""

from dataclasses import dataclass

from core.errors import OptionError
from core.imaging.color import TRANSFERS
from core.options import option
from merger.masks import LATER_MASK_MODES, MASK_MODES
from merger.modes import MODES


def _has_mask(options: "MergeOptions") -> bool:
    return options.mode != "original"


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
        choices=tuple(MODES),
        ask=True,
        help="How the new face is put in: overlay pastes it, hist-match also copies the "
        "distribution of colours, seamless continues the light of the frame, original leaves "
        "the frame as it is.",
    )
    mask_mode: str = option(
        "learned-prd*learned-dst",
        choices=tuple(MASK_MODES),
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
        when=_has_mask,
        help="Moves the mask's border inwards by this many percent of the face square's side; "
        "negative moves it outwards.",
    )
    blur_mask: float = option(
        10.0,
        low=0,
        high=60,
        ask=True,
        when=_has_mask,
        help="Width of the fade along the mask's border, in percent of the face square's side.",
    )
    color_transfer: str = option(
        "rct",
        choices=tuple(TRANSFERS),
        ask=True,
        when=_has_mask,
        help="Fits the new face's colours to the frame: rct takes over mean and spread.",
    )
    output_face_scale: float = option(
        0.0,
        low=-50,
        high=50,
        ask=True,
        help="Makes the new face larger by this many percent, around its middle; negative makes "
        "it smaller.",
    )

    def __post_init__(self) -> None:
        if self.mask_mode in LATER_MASK_MODES:
            raise OptionError(
                f"mask mode {self.mask_mode} needs an XSeg model, which cannot be trained yet; "
                f"choose one of {', '.join(MASK_MODES)}"
            )
        for name, known in (
            ("mode", MODES),
            ("mask_mode", MASK_MODES),
            ("color_transfer", TRANSFERS),
        ):
            value = getattr(self, name)
            if value not in known:
                raise OptionError(f"{name} must be one of {', '.join(known)}, not {value!r}")


def needed_masks(options: MergeOptions) -> tuple[bool, bool]:
    """Which masks the model has to predict: (face_mask, dst_mask), as `Predictor` takes them."""
    mode = MASK_MODES[options.mask_mode]
    return mode.face_mask, mode.dst_mask
