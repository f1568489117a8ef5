"""What other networks than the swap say of the faces: a segmenter and an enhancer, in batches."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from core.errors import OptionError
from core.imaging.warp import resize_square
from facelib.protocols import FaceEnhancer, FaceSegmenter
from merger.faces import FaceToMerge
from merger.masks import HULL, MASK_MODES, XSEG_DST, XSEG_PRD
from merger.options import MergeOptions, puts_in

ENHANCED = "enhanced"
SEGMENTER_SIDE = 256
"""Of the faces that a segmenter is shown; it was trained on such."""


class NeededNetworks(NamedTuple):
    """What the options need: masks of predicted faces, masks of dst faces, enhanced faces."""

    xseg_prd: bool
    xseg_dst: bool
    enhanced: bool


def needed_networks(options: MergeOptions) -> NeededNetworks:
    """What has to be asked of which network."""
    parts = MASK_MODES[options.mask_mode].parts
    return NeededNetworks(XSEG_PRD in parts, XSEG_DST in parts,
                          puts_in(options) and options.super_resolution_power > 0)


def needed_of_faces(options: MergeOptions) -> frozenset[str]:
    """What has to be known of a face beside its prediction: masks that are not drawn from the
    landmarks, by their names in `merger.masks`, and ENHANCED."""
    enhanced = {ENHANCED} if needed_networks(options).enhanced else set()
    return frozenset(MASK_MODES[options.mask_mode].parts) - {HULL} | enhanced


def require_networks(
    options: MergeOptions, segmenter: FaceSegmenter | None, enhancer: FaceEnhancer | None
) -> None:
    """Makes sure before the work that the networks are there.

    Raises:
        OptionError: One is missing.
    """
    needed = needed_networks(options)
    if (needed.xseg_prd or needed.xseg_dst) and segmenter is None:
        instead = "*".join(part for part in MASK_MODES[options.mask_mode].parts
                           if part not in (XSEG_PRD, XSEG_DST)) or "learned-prd*learned-dst"
        raise OptionError(f"mask_mode {options.mask_mode} needs a segmenter, and there is none; "
                          f"train or import XSeg, or use {instead} instead")
    if needed.enhanced and enhancer is None:
        raise OptionError(
            f"super_resolution_power {options.super_resolution_power} needs an enhancer, and "
            "there is none; import or train FaceEnhancer, or set it to 0")


def with_networks(
    faces: Sequence[FaceToMerge],
    options: MergeOptions,
    segmenter: FaceSegmenter | None = None,
    enhancer: FaceEnhancer | None = None,
    dst_faces: Sequence[np.ndarray] | None = None,
) -> list[FaceToMerge]:
    """The same faces with what the options need of other networks and they do not have yet.

    Args:
        faces: Of any number of frames, all of one model; with their crops.
        options: How they will be merged.
        segmenter, enhancer: Those that `require_networks` asks for.
        dst_faces: (S, S, 3) float32 BGR in [0, 1], the dst faces as `crop_for_prediction` cuts them
            out at a side of SEGMENTER_SIDE, for masks finer than a small model's crops allow; None
            takes the crops.

    Raises:
        OptionError: One is missing.
    """
    require_networks(options, segmenter, enhancer)
    needed, done = needed_networks(options), list(faces)
    if not done:
        return done
    if needed.xseg_prd and any(face.xseg_prd is None for face in done):
        masks = _segmented(segmenter, [face.prediction.face for face in done])
        done = [replace(face, xseg_prd=mask) for face, mask in zip(done, masks, strict=True)]
    if needed.xseg_dst and any(face.xseg_dst is None for face in done):
        masks = _segmented(segmenter, dst_faces or [face.crop for face in done])
        done = [replace(face, xseg_dst=mask) for face, mask in zip(done, masks, strict=True)]
    if needed.enhanced:
        done = [replace(face, enhanced=enhancer.enlarge(np.clip(face.prediction.face, 0, 1)))
                for face in done]
    return done


def _segmented(segmenter: FaceSegmenter, pictures: Sequence[np.ndarray]) -> np.ndarray:
    """(N, S, S, 1) masks of faces of any side."""
    faces = [resize_square(np.clip(picture, 0, 1), SEGMENTER_SIDE) for picture in pictures]
    return segmenter.segment(np.stack(faces))
