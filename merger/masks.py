"""Where the new face is shown: masks in the face square.

Convention: a face mask is (S, S, 1) float32 in [0, 1] on the mask grid, whose pixel (x, y) lies at
(x, y) R / S on the grid of a model of resolution R.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType

import cv2
import numpy as np

from core.geometry import affine_scale, compose_affine, invert_affine, transform_points
from core.imaging.warp import resize_square, shrink
from facelib.masks import hull_mask
from merger.borders import BORDERS, NOISE_FLOOR
from merger.faces import FaceToMerge

XSEG_FLOOR = 0.1
"""What a segmenter is less sure of than this is no face."""

HULL = "hull"
LEARNED_PRD, LEARNED_DST = "learned-prd", "learned-dst"
XSEG_PRD, XSEG_DST = "XSeg-prd", "XSeg-dst"


@dataclass(frozen=True)
class _Grid:
    """What a mask is drawn on: `side` S in pixels, and (2, 3) `frame_to_grid`."""

    side: int
    frame_to_grid: np.ndarray


_Draw = Callable[[FaceToMerge, _Grid], np.ndarray | None]
"""(face, grid) -> (s, s, 1) float32 over the face square, on the grid or as fine as it came; None
where the face lacks what it takes."""


def _hull(face: FaceToMerge, grid: _Grid) -> np.ndarray:
    landmarks_grid = transform_points(face.landmarks, grid.frame_to_grid)
    return hull_mask((grid.side,) * 2, landmarks_grid, face.eyebrows_expand)


def _stored(face: FaceToMerge, grid: _Grid) -> np.ndarray:
    """The faceset's mask; the hull for a face without one, such as one put in between others."""
    if face.stored_mask is None:
        return _hull(face, grid)
    mask_to_grid = compose_affine(invert_affine(face.stored_mask.frame_to_mask),
                                  grid.frame_to_grid)
    small, mask_to_small = shrink(face.stored_mask.mask, affine_scale(mask_to_grid))
    mask = cv2.warpAffine(small, compose_affine(invert_affine(mask_to_small), mask_to_grid),
                          (grid.side,) * 2, flags=cv2.INTER_CUBIC)
    return np.clip(mask, 0.0, 1.0)[..., np.newaxis]


def _over_square(get: Callable[[FaceToMerge], np.ndarray | None], floor: float = 0.0) -> _Draw:
    """Draws a mask that covers the face square in some resolution."""

    def draw(face: FaceToMerge, grid: _Grid) -> np.ndarray | None:
        mask = get(face)
        if mask is None:
            return None
        mask = np.clip(mask, 0.0, 1.0)
        if floor:
            mask[mask < floor] = 0.0
        return mask

    return draw


_PARTS: Mapping[str, _Draw] = MappingProxyType({
    HULL: _hull,
    "stored": _stored,
    LEARNED_PRD: _over_square(lambda face: face.prediction.face_mask),
    LEARNED_DST: _over_square(lambda face: face.prediction.dst_mask),
    XSEG_PRD: _over_square(lambda face: face.xseg_prd, XSEG_FLOOR),
    XSEG_DST: _over_square(lambda face: face.xseg_dst, XSEG_FLOOR),
})


def _sum(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.minimum(a + b, 1.0)


@dataclass(frozen=True)
class MaskMode:
    """One way to say where the new face is shown.

    Attributes:
        parts: Names of the masks that it is made of; without any it is the whole square.
        combine: Two of them -> one.
    """

    parts: tuple[str, ...] = ()
    combine: Callable[[np.ndarray, np.ndarray], np.ndarray] = np.multiply


def _product(*parts: str) -> tuple[str, MaskMode]:
    return "*".join(parts), MaskMode(parts)


MASK_MODES: Mapping[str, MaskMode] = MappingProxyType(dict([
    ("full", MaskMode()),
    ("dst", MaskMode((HULL,))),
    _product(LEARNED_PRD),
    _product(LEARNED_DST),
    _product(LEARNED_PRD, LEARNED_DST),
    ("learned-prd+learned-dst", MaskMode((LEARNED_PRD, LEARNED_DST), _sum)),
    _product(XSEG_PRD),
    _product(XSEG_DST),
    _product(XSEG_PRD, XSEG_DST),
    _product(LEARNED_PRD, LEARNED_DST, XSEG_PRD, XSEG_DST),
    ("stored-dst", MaskMode(("stored",))),
]))


def face_mask(
    mask_mode: str,
    face: FaceToMerge,
    frame_to_square: np.ndarray,
    *,
    erode: float,
    blur: float,
    units: str = "face",
) -> np.ndarray:
    """The mask of one face, shrunk, softened, and 0 along the border of the face square.

    Args:
        mask_mode: A name of MASK_MODES.
        face: With the masks that the mode needs.
        frame_to_square: (2, 3) float; the square's side is 1.
        erode: Distance by which the border moves inwards (outwards below 0).
        blur: Width of the fade.
        units: A name of BORDERS, which says what these lengths are.

    Returns:
        (S, S, 1) float32 in [0, 1] on the mask grid.

    Raises:
        ValueError: The face lacks a mask that the mode needs, or one is not finite.
    """
    border, resolution = BORDERS[units], face.prediction.face.shape[0]
    side = border.grid_side(resolution)
    mask = _combined(mask_mode, face, _Grid(side, frame_to_square * side))
    mask = border.finish(mask, resolution, erode, blur)
    mask[mask < NOISE_FLOOR] = 0.0
    return mask


def _combined(mask_mode: str, face: FaceToMerge, grid: _Grid) -> np.ndarray:
    """The mode's masks as one, (S, S, 1)."""
    mode = MASK_MODES[mask_mode]
    masks = [_PARTS[part](face, grid) for part in mode.parts]
    for part, mask in zip(mode.parts, masks, strict=True):
        if mask is None:
            raise ValueError(f"mask mode {mask_mode} needs the mask {part}, which was not made")
        if not np.isfinite(mask).all():
            raise ValueError(f"the mask {part} holds values that are not finite")
    if not masks:
        return np.ones((grid.side, grid.side, 1), np.float32)
    if len({mask.shape for mask in masks}) > 1:
        masks = [resize_square(mask, grid.side) for mask in masks]
    return resize_square(reduce(mode.combine, masks), grid.side)
