"""Options of AMP."""

from dataclasses import dataclass
from typing import ClassVar

from core.options import option
from models.options import (
    BATCH_WORDS,
    AdversarialOptions,
    AugmentationOptions,
    PretrainingOptions,
)


@dataclass(frozen=True)
class AMPOptions(PretrainingOptions, AdversarialOptions, AugmentationOptions):
    """Masked training and eyes and mouth priority are always on."""

    structural: ClassVar[tuple[str, ...]] = (
        "resolution", "face_type", "ae_dims", "inter_dims", "e_dims", "d_dims", "d_mask_dims",
        "morph_factor")

    batch_size: int = option(
        8, low=1, high=512, words=BATCH_WORDS, ask=True,
        help="Faces of each side per iteration, over all devices; more is steadier and needs more "
        "memory. auto takes what fits.")
    random_dst_flip: bool = option(
        True, ask=True, help="Mirror dst faces at random.")
    resolution: int = option(
        224, low=64, high=640, multiple_of=32, ask=True,
        help="Side of the square that the model sees, in pixels.")
    face_type: str = option(
        "wf", choices=("f", "wf", "head"), ask=True,
        help="How much of the head is swapped: full, whole face or head.")
    ae_dims: int = option(
        256, low=32, high=1024, ask=True, help="Width of the encoder's bottleneck.")
    inter_dims: int = option(
        1024, low=32, high=2048, ask=True,
        help="Channels of the codes that the morph chooses from.")
    e_dims: int = option(
        64, low=16, high=256, multiple_of=2, ask=True, help="Width of the encoder.")
    d_dims: int = option(
        64, low=16, high=256, multiple_of=2, ask=True, help="Width of the decoder.")
    d_mask_dims: int = option(
        22, low=4, high=256, multiple_of=2, ask=True, help="Width of the decoder's mask branch.")
    morph_factor: float = option(
        0.5, low=0.1, high=0.5, ask=True,
        help="Share of the code that is src's own in training; 0.5 suits most.")
    blur_out_mask: bool = option(
        False, ask=True,
        help="Blur what lies just outside of the mask, so that its edge shows less after merging.")
    ssim_compat: bool = option(
        False, help="Compare structure with two windows of one blur, as DeepFaceLab does, instead "
        "of two scales.")
