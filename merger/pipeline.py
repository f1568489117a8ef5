"""From a frame, its faces and their predictions to the merged frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from core.imaging.depth import from_unit, to_unit
from core.imaging.warp import resize_square
from facelib.face_type import FaceType
from facelib.types import SwapPrediction
from merger.backdrop import changes_all, degrade_backdrop, degrade_colors
from merger.color_transfer import SEED
from merger.faces import FaceToMerge, checked_face
from merger.modes import MODES
from merger.options import MergeOptions
from merger.paste import (
    Region,
    mask_region,
    paste_face,
    paste_mask,
    paste_transform,
    scaled_transform,
)
from merger.square import (
    finished_face,
    mask_in_square,
    run,
    steady_colors_of,
)
from merger.steps import Surroundings

SMALLEST_FACE = 4
"""A mask that shows less than this many pixels across leaves the frame as it is."""

_SHOWN = 0.1
"""From this mask value on a pixel counts as shown."""


@dataclass(frozen=True, eq=False)
class MergedFrame:
    """A frame with its new faces.

    Attributes:
        image: (H, W, 3) BGR, uint8 or uint16 as the frame.
        mask: (H, W, 1) of the same depth, its highest level where a new face covers the frame; 0
            where there is no new face (of raw modes: where none is meant to be).
    """

    image: np.ndarray
    mask: np.ndarray


class _Placed(NamedTuple):
    """A face with its place in the frame.

    `frame_to_square` (2, 3), what the model sees; `frame_to_pasted` (2, 3), where its square goes;
    `mask_face` (S, S, 1) in the square; `region` of the frame; `shown` (h, w, 1) in the region, how
    much of the pasted square is seen.
    """

    face: FaceToMerge
    frame_to_square: np.ndarray
    frame_to_pasted: np.ndarray
    mask_face: np.ndarray
    region: Region
    shown: np.ndarray


def prediction_of(batch: SwapPrediction, index: int) -> SwapPrediction:
    """One face of a batch, as `FaceToMerge` takes it: (R, R, C) arrays instead of (N, R, R, C)."""
    return SwapPrediction(
        face=batch.face[index],
        face_mask=None if batch.face_mask is None else batch.face_mask[index],
        dst_mask=None if batch.dst_mask is None else batch.dst_mask[index],
    )


def merge_frame(
    frame: np.ndarray,
    faces: Sequence[FaceToMerge],
    options: MergeOptions,
    face_type: FaceType,
    seed: int = SEED,
) -> MergedFrame:
    """Puts all predicted faces into a frame, each on top of those before it.

    Everything is done in floats and rounded once, to the nearest level. Frames without faces get
    the filters of the whole picture too, so that the look of a shot does not jump.

    Args:
        frame: (H, W, 3) uint8 or uint16 BGR, not changed.
        faces: Drawn in this order; colours are fitted to the frame as it came.
        options: How to merge.
        face_type: The model's.
        seed: Of the colour transfers with random directions.

    Returns:
        New arrays of the frame's size and depth.

    Raises:
        ValueError: Landmarks or a prediction that are not finite, or a mask or an enhanced face
            that is missing.
    """
    image = frame.copy()
    mask = np.zeros((*frame.shape[:2], 1), frame.dtype)
    placed = [found for face in faces
              if (found := _place(face, frame.shape, options, face_type)) is not None]
    everything = Region(0, 0, *frame.shape[1::-1])
    patches = [(everything, placed)] if changes_all(options) else _patches(placed)
    for region, members in patches:
        canvas, cover = _merged_patch(frame, region, members, options, face_type, seed)
        image[region.slices] = from_unit(canvas, frame.dtype)
        mask[region.slices] = from_unit(cover, frame.dtype)
    return MergedFrame(image, mask)


def raw_prediction(
    faces: Sequence[FaceToMerge],
    options: MergeOptions,
    face_type: FaceType,
    resolution: int,
    dtype: type = np.uint8,
) -> MergedFrame:
    """The prediction itself with its mask, in place of a frame (mode raw-predict).

    Args:
        faces: Of one frame; the first one is shown, black if there is none.
        options: Their mask mode counts.
        face_type: The model's.
        resolution: The model's, R.
        dtype: uint8 or uint16.

    Returns:
        Arrays of side R.

    Raises:
        ValueError: As `merge_frame`.
    """
    if not faces:
        return MergedFrame(*(np.zeros((resolution, resolution, n), dtype) for n in (3, 1)))
    frame_to_square = paste_transform(faces[0].landmarks, face_type)
    mask = resize_square(mask_in_square(faces[0], frame_to_square, options), resolution)
    return MergedFrame(*(from_unit(part, dtype) for part in (checked_face(faces[0]), mask)))


def _place(
    face: FaceToMerge, frame_shape: tuple[int, ...], options: MergeOptions, face_type: FaceType
) -> _Placed | None:
    """Where a face goes; None where too little of it would be seen."""
    frame_to_square = paste_transform(face.landmarks, face_type)
    frame_to_pasted = scaled_transform(frame_to_square, face.landmarks, options.output_face_scale)
    mask_face = mask_in_square(face, frame_to_square, options)
    pasted_part = np.ones_like(mask_face) if MODES[options.mode].raw else mask_face
    frame_to_grid = frame_to_pasted * mask_face.shape[0]
    region = mask_region(pasted_part, frame_to_grid, frame_shape)
    if min(region.size) < SMALLEST_FACE:
        return None
    shown = paste_mask(pasted_part, frame_to_grid, region)
    if not _is_large_enough(shown):
        return None
    return _Placed(face, frame_to_square, frame_to_pasted, mask_face, region, shown)


def _is_large_enough(shown: np.ndarray) -> bool:
    """Whether what the mask shows is at least `SMALLEST_FACE` pixels wide and high."""
    _, _, width, height = cv2.boundingRect((shown >= _SHOWN).astype(np.uint8))
    return min(width, height) >= SMALLEST_FACE


def _patches(placed: Sequence[_Placed]) -> list[tuple[Region, list[_Placed]]]:
    """Faces that overlap share a part of the frame; their order stays."""
    patches: list[tuple[Region, list[_Placed]]] = []
    for face in placed:
        region, members = face.region, [face]
        while touched := [patch for patch in patches if patch[0].overlaps(region)]:
            for patch in touched:
                region, members = region.united(patch[0]), patch[1] + members
            patches = [patch for patch in patches if patch not in touched]
        patches.append((region, members))
    return patches


def _merged_patch(
    frame: np.ndarray,
    region: Region,
    members: Sequence[_Placed],
    options: MergeOptions,
    face_type: FaceType,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """A part of the frame with its faces, (h, w, 3) float32, and what they cover, (h, w, 1)."""
    canvas = to_unit(frame[region.slices])
    if changes_all(options):
        canvas = degrade_backdrop(canvas, options)
    cover = np.zeros((*canvas.shape[:2], 1), np.float32)
    for member in members:
        part = member.region.within(region).slices
        _put_in(canvas[part], cover[part], frame, member, options, face_type, seed)
    return degrade_colors(canvas, options) if changes_all(options) else canvas, cover


def _put_in(
    canvas: np.ndarray,
    cover: np.ndarray,
    frame: np.ndarray,
    placed: _Placed,
    options: MergeOptions,
    face_type: FaceType,
    seed: int,
) -> None:
    """Puts one face into its region, in place.

    Args:
        canvas: (h, w, 3) float32 BGR in [0, 1], the region with the faces merged so far.
        cover: (h, w, 1) float32 in [0, 1], what they cover; behind soft parts shows the old.
        frame: The frame as it came.
        placed: What to put in.
        options, face_type, seed: As for `merge_frame`.
    """
    face, mode, shown = placed.face, MODES[options.mode], placed.shown
    if not mode.keeps_frame:
        picture = finished_face(frame, face, placed.frame_to_square, placed.mask_face, options,
                                face_type, seed)
        pasted = paste_face(picture, placed.frame_to_pasted * picture.shape[0], placed.region)
        if mode.frame_steps:
            around = _surroundings_in_frame(canvas, face, shown, options, seed)
            pasted = run(mode.frame_steps, pasted, around)
        canvas[:] = mode.blend(canvas, pasted, shown)
    if mode.raw:
        side = placed.mask_face.shape[0]
        shown = paste_mask(placed.mask_face, placed.frame_to_pasted * side, placed.region)
    cover += (1 - cover) * shown


def _surroundings_in_frame(
    below: np.ndarray, face: FaceToMerge, shown: np.ndarray, options: MergeOptions, seed: int
) -> Surroundings:
    """Of a pasted face; beyond its mask there is no face, so the whole ends there."""
    return Surroundings(below=below, colors=steady_colors_of(face, below, shown, options),
                        mask=shown,
                        whole=np.float32(shown >= _SHOWN), motion=face.motion, options=options,
                        seed=seed)
