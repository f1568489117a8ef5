"""What a user can set about merging."""

from dataclasses import dataclass

from core.errors import OptionError
from core.imaging.finishing import SHARPENERS
from core.options import option
from merger.borders import BORDERS
from merger.color_transfer import COLOR_TRANSFERS
from merger.masks import LEARNED_DST, LEARNED_PRD, MASK_MODES
from merger.modes import HIST_MATCH_MODES, MODE_NAMES, RAW_PREDICT, is_raw

FACE_UNIT_LIMITS = {"erode_mask": (-40, 40), "blur_mask": (0, 60)}
"""Percent; the limits of the options are those of the reference's units."""


def _has_mask(options: "MergeOptions") -> bool:
    return options.mode != "original"


def puts_in(options: "MergeOptions") -> bool:
    """Whether a new face is blended into the frame."""
    return _has_mask(options) and not is_raw(options.mode)


def _has_place(options: "MergeOptions") -> bool:
    return options.mode != RAW_PREDICT


def _matches_histogram(options: "MergeOptions") -> bool:
    return options.mode in HIST_MATCH_MODES


def _sharpens(options: "MergeOptions") -> bool:
    return puts_in(options) and options.sharpen_mode != "none"


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
        OptionError: A choice is not one of those offered, or a length beyond its units' limits.
    """

    mode: str = option(
        "overlay",
        choices=MODE_NAMES,
        ask=True,
        help="How the new face is put in: overlay pastes it, hist-match also copies the "
        "distribution of colours, seamless continues the light of the frame, seamless-hist-match "
        "does both, laplacian fades light over a wide border and detail over a thin one, original "
        "leaves the frame as it is. raw-rgb pastes the whole square as predicted, raw-predict "
        "writes the square itself without the frame, both beside the mask as it is: for other "
        "programs.",
    )
    masked_hist_match: bool = option(
        True,
        ask=True,
        when=_matches_histogram,
        help="Of the modes with hist-match: looks at the distribution inside of the mask only, "
        "otherwise at that of the whole square.",
    )
    hist_match_threshold: int = option(
        255,
        low=0,
        high=255,
        ask=True,
        when=_matches_histogram,
        help="Of the modes with hist-match: how much of the frame's distribution is taken, from "
        "the dark end on, in 255ths; below 255 its highlights are left out.",
    )
    mask_mode: str = option(
        "learned-prd*learned-dst",
        choices=tuple(MASK_MODES),
        ask=True,
        when=_has_mask,
        help="Where the new face is shown: the whole square, the hull of the dst landmarks, the "
        "masks learned for the prediction (prd) and for dst, those of a segmenter (XSeg), or those "
        "stored in the dst faceset; * where all are, + where any is.",
    )
    mask_units: str = option(
        "face",
        choices=tuple(BORDERS),
        when=puts_in,
        help="Units of erode_mask and blur_mask: face is percent of the face square's side, "
        "reference is pixels of four times the model's resolution, with the kernels of "
        "the reference program, for settings made with it.",
    )
    erode_mask: float = option(
        2.5,
        low=-400,
        high=400,
        ask=True,
        when=puts_in,
        help="Moves the mask's border inwards by this many percent of the face square's side "
        "(-40..40); negative moves it outwards.",
    )
    blur_mask: float = option(
        10.0,
        low=0,
        high=400,
        ask=True,
        when=puts_in,
        help="Width of the fade along the mask's border, in percent of the face square's side "
        "(0..60).",
    )
    color_transfer: str = option(
        "rct",
        choices=tuple(COLOR_TRANSFERS),
        ask=True,
        when=puts_in,
        help="Fits the new face's colours to the frame: rct takes over mean and spread of "
        "lightness and of colour, lct and mkl also how colours vary together, idt and sot their "
        "whole distribution, mix lightness as lct and colour as sot. rct and names ending in -m "
        "look at what the mask shows, the others at the whole square.",
    )
    color_smoothing: int = option(
        4,
        low=0,
        high=50,
        when=puts_in,
        help="Frames before and after, of the same shot, over which the colours that the new face "
        "takes on are freed of flicker; 0 looks at each frame alone.",
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
    super_resolution_power: int = option(
        0,
        low=0,
        high=100,
        ask=True,
        when=puts_in,
        help="Percent of the new face's detail that an enhancer makes, at four times the "
        "resolution.",
    )
    sharpen_mode: str = option(
        "none",
        choices=("none", *SHARPENERS),
        ask=True,
        when=puts_in,
        help="How the new face is sharpened: against the mean of the pixels around, or against a "
        "Gaussian, which is softer.",
    )
    blursharpen_amount: int = option(
        0,
        low=-100,
        high=100,
        ask=True,
        when=_sharpens,
        help="How much the new face is sharpened; negative takes detail away instead.",
    )
    motion_blur_power: int = option(
        0,
        low=0,
        high=100,
        ask=True,
        when=puts_in,
        help="Blurs the new face along its motion: percent of the way from the frame before to the "
        "one after. A camera with a shutter of 180 degrees blurs by 25.",
    )
    image_denoise_power: int = option(
        0,
        low=0,
        high=500,
        ask=True,
        when=puts_in,
        help="Takes grain from the frame around the new face, in tenths of a median of 5 x 5 "
        "pixels.",
    )
    bicubic_degrade_power: int = option(
        0,
        low=0,
        high=100,
        ask=True,
        when=puts_in,
        help="Takes detail from the frame around the new face: percent of its size that is lost "
        "and brought back.",
    )
    color_degrade_power: int = option(
        0,
        low=0,
        high=100,
        ask=True,
        when=puts_in,
        help="Mixes the whole picture with one of 256 colours, in percent.",
    )

    def __post_init__(self) -> None:
        for name, known in (
            ("mode", MODE_NAMES),
            ("mask_mode", MASK_MODES),
            ("mask_units", BORDERS),
            ("color_transfer", COLOR_TRANSFERS),
            ("sharpen_mode", ("none", *SHARPENERS)),
        ):
            value = getattr(self, name)
            if value not in known:
                raise OptionError(f"{name} must be one of {', '.join(known)}, not {value!r}")
        if self.mask_units == "face":
            self._check_face_units()

    def _check_face_units(self) -> None:
        for name, (low, high) in FACE_UNIT_LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise OptionError(f"{name} must be between {low} and {high} percent, not {value}; "
                                  "with mask_units reference it is pixels and may be larger")


def needed_masks(options: MergeOptions) -> tuple[bool, bool]:
    """Which masks the model has to predict: (face_mask, dst_mask), as `Predictor` takes them."""
    parts = MASK_MODES[options.mask_mode].parts
    return LEARNED_PRD in parts, LEARNED_DST in parts
