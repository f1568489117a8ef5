"""What a training sample consists of: the outputs a model asks for and how they are varied."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from core.errors import OptionError
from core.options import option
from facelib.face_type import FaceType
from samplelib.faceset import Faceset

TRANSFER_NAMES = "none", "rct", "lct", "mkl", "idt", "sot"

Step = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""One finishing step of an output: (R, R, C) uint8 and chance in, a new (R, R, C) uint8 out."""


@dataclass(frozen=True)
class SampleOptions:
    """How far samples may differ from the aligned faces; each range is drawn evenly."""

    random_warp: bool = option(
        True, help="Distort the model's input at random; it learns the face, not the picture.")
    random_flip: bool = option(
        False, help="Mirror 40 % of the samples; gives more poses, blurs one-sided features.")
    rotation: float = option(
        10.0, low=0, high=180, help="Largest rotation either way, in degrees.")
    scale: float = option(
        0.05, low=0, high=1, help="Largest zoom s: sizes lie between 1/(1+s) and 1+s.")
    shift: float = option(
        0.05, low=0, high=1, help="Largest shift either way, as a share of the side.")
    hsv_power: float = option(
        0.0, low=0, high=1, help="How far hue, saturation and value of the model's input are "
        "shifted: 1 is half the colour circle and half the range; 0.05 is usual.")
    color_transfer: str = option(
        "none", choices=TRANSFER_NAMES,
        help="Give the faces the colours of random faces of the other side.")


@dataclass(frozen=True)
class Output:
    """How one array of a sample is made.

    Attributes:
        plane: Which picture of the face it shows; a name of `samplelib.face_cache.PLANES`.
        is_warped: Whether random warp and HSV shift apply, as to a model's input (rotation, scale,
            shift, flip and colour transfer always do).
        steps: Done in order after the geometry, for example on the colours.
    """

    plane: str
    is_warped: bool = False
    steps: tuple[Step, ...] = ()


def stretch_to_one(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Makes the largest value of a mask 255, unless it is empty; takes nothing from `rng`."""
    peak = mask.max()
    if peak in (0, 255):
        return mask
    return cv2.convertScaleAbs(mask, alpha=255 / int(peak)).reshape(mask.shape)


OUTPUTS = MappingProxyType({
    "warped": Output("image", is_warped=True),
    "target": Output("image"),
    "mask": Output("face_mask"),
    "eyes_mouth": Output("eyes_mouth", steps=(stretch_to_one,)),
    "warped_hull": Output("hull", is_warped=True),
    "warped_stored": Output("stored", is_warped=True),
    "warped_drawn": Output("drawn", is_warped=True),
})
"""The arrays a recipe may name; a new kind of sample is a new row."""

SWAP_OUTPUTS = ("warped", "target", "mask", "eyes_mouth")
"""Those that swaps may train on."""


@dataclass(frozen=True)
class SampleRecipe:
    """The samples one model trains on.

    Attributes:
        resolution: Side R of all arrays, in pixels.
        face_type: What the samples show; not wider than the faceset's.
        outputs: Names of OUTPUTS. Images are (R, R, 3) BGR, masks (R, R, 1); uint8.
        options: How far samples are varied.
    """

    resolution: int
    face_type: FaceType
    outputs: tuple[str, ...] = ("warped", "target", "mask")
    options: SampleOptions = SampleOptions()

    def __post_init__(self):
        unknown = [name for name in self.outputs if name not in OUTPUTS]
        if unknown:
            raise ValueError(f"unknown output {unknown[0]!r}; choose from {', '.join(OUTPUTS)}")
        if self.resolution < 8:
            raise ValueError(f"a resolution of {self.resolution} pixels is too small")

    @property
    def shows_pictures(self) -> bool:
        """Whether an output shows colours, not only a mask."""
        return any(OUTPUTS[name].plane == "image" for name in self.outputs)


def require_coverage(faceset: Faceset, face_type: FaceType) -> None:
    """Makes sure that every face shows as much of the head as the samples will.

    A wider crop would show smeared border pixels, which a model learns as if they were skin.

    Raises:
        OptionError: A face of the faceset is narrower than `face_type`, or that is MARK_ONLY.
    """
    if face_type == FaceType.MARK_ONLY:
        raise OptionError("samples cannot be of face type mark_only; choose a type with a crop")
    shown_types, first_places = np.unique(faceset.faces.column("face_type"), return_index=True)
    for shown, place in zip(map(FaceType, shown_types.tolist()), first_places.tolist()):
        if not covers(shown, face_type):
            raise OptionError(
                f"{faceset.folder}: {faceset.faces[place].path.name} is {shown.label}, too narrow "
                f"for samples of {face_type.label}; choose face type {shown.short} or extract "
                f"again with face type {face_type.short}")


def covers(shown: FaceType, wanted: FaceType) -> bool:
    """Whether an aligned face shows as much of the head as a sample."""
    return shown == FaceType.MARK_ONLY or shown.padding >= wanted.padding
