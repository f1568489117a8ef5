"""Options of SAEHD."""

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
class SAEHDOptions(PretrainingOptions, AdversarialOptions, AugmentationOptions):
    """Shape first, then what is trained, then the finishing tools."""

    structural: ClassVar[tuple[str, ...]] = (
        "resolution", "face_type", "archi", "ae_dims", "e_dims", "d_dims", "d_mask_dims")

    batch_size: int = option(
        8, low=1, high=512, words=BATCH_WORDS, ask=True,
        help="Faces of each side per iteration, over all devices; more is steadier and needs more "
        "memory. auto takes what fits.")
    random_dst_flip: bool = option(
        True, ask=True, help="Mirror dst faces at random.")
    resolution: int = option(
        128, low=64, high=640, multiple_of=16, ask=True,
        help="Side of the square that the model sees, in pixels; with -d or -t a multiple of 32.")
    face_type: str = option(
        "f", choices=("h", "mf", "f", "wf", "head"), ask=True,
        help="How much of the head is swapped: half, mid-full, full, whole face or head.")
    archi: str = option(
        "liae-ud", ask=True,
        help="df keeps src's shape, liae adapts to dst's light and shape; dfhd and liaehd are "
        "larger. Letters after a dash: u likeness, d twice the resolution for the same work, t "
        "deeper networks, c another activation.")
    ae_dims: int = option(
        256, low=32, high=1024, ask=True, help="Width of the bottleneck that both sides share.")
    e_dims: int = option(
        64, low=16, high=256, multiple_of=2, ask=True, help="Width of the encoder.")
    d_dims: int = option(
        64, low=16, high=256, multiple_of=2, ask=True, help="Width of the decoders.")
    d_mask_dims: int = option(
        22, low=4, high=256, multiple_of=2, ask=True, help="Width of the decoders' mask branch.")
    masked_training: bool = option(
        True, ask=True, when=lambda options: options.face_type in ("wf", "head"),
        help="Train on the inside of the face's mask only; the rest of the picture is left alone.")
    eyes_mouth_prio: bool = option(
        False, ask=True, help="Let eyes and mouth count more; against a wrong gaze.")
    blur_out_mask: bool = option(
        False, ask=True,
        help="Blur what lies just outside of the mask, so that its edge shows less after merging.")
    true_face_power: float = option(
        0.0, low=0, high=1, ask=True,
        help="Pull the codes of src to those of dst, for a face more like src; 0.01 is usual.")
    face_style_power: float = option(
        0.0, low=0, high=100, ask=True,
        help="Teach the swapped face dst's colours; only after likeness is there, 1 is usual.")
    bg_style_power: float = option(
        0.0, low=0, high=100, ask=True,
        help="Teach the swap what dst shows around the face; 1 is usual.")
    ssim_compat: bool = option(
        False,
        help="From 256 pixels on, compare structure with two windows of one blur, as DeepFaceLab "
        "does, instead of two scales.")
