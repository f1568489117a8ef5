"""Where the new face is shown: masks in the face square.

Convention: a face mask is (S, S, 1) float32 in [0, 1] on the mask grid, whose pixel (x, y) lies at
(x, y) R / S on the grid of a model of resolution R.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from core.imaging.filters import blur_mask, blur_radius, clear_border, erode_mask
from facelib.masks import hull_mask
from facelib.types import SwapPrediction

SMALLEST_GRID, LARGEST_GRID = 256, 512
"""Sides of the mask grid: fine enough for a smooth border, coarse enough to be cheap."""

NOISE_FLOOR = 1.0 / 255.0
"""Less than this changes no grey level."""


@dataclass(frozen=True)
class MaskMode:
    """One way to say where the new face is shown.

    Attributes:
        face_mask: Whether it needs the mask that the model predicts for the new face.
        dst_mask: Whether it needs the mask that the model predicts for dst.
        combine: (prediction masks in the order above, as available) -> mask; None if the mask does
            not come from the model.
        uses_hull: Whether the mask is the hull of the dst landmarks.
    """

    face_mask: bool = False
    dst_mask: bool = False
    combine: Callable[..., np.ndarray] | None = None
    uses_hull: bool = False


def _only(mask: np.ndarray) -> np.ndarray:
    return mask


def _sum(face_mask: np.ndarray, dst_mask: np.ndarray) -> np.ndarray:
    return np.minimum(face_mask + dst_mask, 1.0)


MASK_MODES: Mapping[str, MaskMode] = MappingProxyType(
    {
        "full": MaskMode(),
        "dst": MaskMode(uses_hull=True),
        "learned-prd": MaskMode(face_mask=True, combine=_only),
        "learned-dst": MaskMode(dst_mask=True, combine=_only),
        "learned-prd*learned-dst": MaskMode(face_mask=True, dst_mask=True, combine=np.multiply),
        "learned-prd+learned-dst": MaskMode(face_mask=True, dst_mask=True, combine=_sum),
    }
)

XSEG_MASK_MODES: Mapping[str, str] = MappingProxyType(
    {
        "XSeg-prd": "learned-prd",
        "XSeg-dst": "learned-dst",
        "XSeg-prd*XSeg-dst": "learned-prd*learned-dst",
        "learned-prd*learned-dst*XSeg-prd*XSeg-dst": "learned-prd*learned-dst",
    }
)
"""Modes that need a segmentation network, which there is not yet -> the mode nearest to each."""

MISSING_MASK_MODES: Mapping[str, str] = MappingProxyType(
    {
        name: f"cannot be {name}: that needs an XSeg model, and FaceLab has none yet; "
        f"use {instead} instead"
        for name, instead in XSEG_MASK_MODES.items()
    }
)
"""Mode -> why it is not there and what to use, so that asking for one does not end in a list."""


def face_mask(
    mask_mode: str,
    prediction: SwapPrediction,
    landmarks_square: np.ndarray,
    *,
    erode: float,
    blur: float,
) -> np.ndarray:
    """The mask of one face, shrunk, softened, and 0 along the border of the face square.

    Args:
        mask_mode: A name of MASK_MODES.
        prediction: Of one face: `face` (R, R, 3), masks (R, R, 1) where the mode needs them.
        landmarks_square: (68, 2) of dst in the face square, whose side is 1.
        erode: Percent of the square's side by which the border moves inwards (outwards below 0).
        blur: Width of the fade, percent of the square's side.

    Returns:
        (S, S, 1) float32 in [0, 1] on the mask grid.

    Raises:
        ValueError: The prediction lacks a mask that the mode needs, or one that is not finite.
    """
    side = grid_side(prediction.face.shape[0])
    mode = MASK_MODES[mask_mode]
    if mode.combine is not None:
        mask = _learned_mask(mask_mode, prediction, side)
    elif mode.uses_hull:
        mask = hull_mask((side, side), landmarks_square * side)
    else:
        mask = np.ones((side, side, 1), np.float32)
    mask = erode_mask(mask, erode / 100.0 * side)
    # The fade reaches this far beyond the border: so it ends inside the square, not at its edge.
    width = blur / 100.0 * side
    mask = blur_mask(clear_border(mask, blur_radius(width) + 1), width)
    mask[mask < NOISE_FLOOR] = 0.0
    return mask


def grid_side(resolution: int) -> int:
    """Side of the mask grid for a model of that resolution, in pixels."""
    return min(max(resolution, SMALLEST_GRID), LARGEST_GRID)


def _learned_mask(mask_mode: str, prediction: SwapPrediction, side: int) -> np.ndarray:
    """The mode's combination of predicted masks, brought to the mask grid."""
    mode = MASK_MODES[mask_mode]
    needed = {"face_mask": mode.face_mask, "dst_mask": mode.dst_mask}
    masks = [getattr(prediction, name) for name, is_needed in needed.items() if is_needed]
    if any(mask is None for mask in masks):
        raise ValueError(f"mask mode {mask_mode} needs masks that the prediction does not have")
    mask = np.clip(mode.combine(*masks), 0.0, 1.0)
    if not np.isfinite(mask).all():
        raise ValueError("the predicted mask holds values that are not finite")
    resolution = mask.shape[0]
    if resolution == side:
        return mask
    scale = side / resolution
    resized = cv2.warpAffine(
        mask,
        np.array([(scale, 0, 0), (0, scale, 0)]),
        (side, side),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.clip(resized, 0.0, 1.0).reshape(side, side, 1)
