"""From a frame, its faces and their predictions to the merged frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from core.geometry import transform_points
from facelib.face_type import FaceType
from facelib.types import SwapPrediction
from merger.masks import face_mask
from merger.modes import MODES, Step, is_raw
from merger.options import MergeOptions
from merger.paste import (
    crop_for_prediction,
    mask_region,
    paste_face,
    paste_mask,
    paste_transform,
)

SMALLEST_FACE = 4
"""A mask that shows less than this many pixels across leaves the frame as it is."""

_SHOWN = 0.1
"""From this mask value on a pixel counts as shown."""


@dataclass(frozen=True, eq=False)
class FaceToMerge:
    """One face of a frame with what the model made of it.

    Attributes:
        landmarks: (68, 2) float, of dst, pixels of the frame.
        prediction: Of this face alone: `face` (R, R, 3), `face_mask` and `dst_mask` (R, R, 1) or
            None, float32 in [0, 1]; see `prediction_of`.
        crop: (R, R, 3) float32 BGR in [0, 1], what the model was shown, from the frame as it came;
            None has it cut out again when it is needed.
    """

    landmarks: np.ndarray
    prediction: SwapPrediction
    crop: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class MergedFrame:
    """A frame with its new faces.

    Attributes:
        image: (H, W, 3) uint8 BGR.
        mask: (H, W, 1) uint8, 255 where a new face covers the frame; 0 where nothing changed (of
            raw modes: where nothing is meant to).
    """

    image: np.ndarray
    mask: np.ndarray


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
) -> MergedFrame:
    """Puts all predicted faces into a frame, each on top of those before it.

    Args:
        frame: (H, W, 3) uint8 BGR, not changed.
        faces: Drawn in this order; colours are fitted to the frame as it came.
        options: How to merge.
        face_type: The model's.

    Returns:
        New arrays of the frame's size.

    Raises:
        ValueError: Landmarks or a prediction that are not finite, or a mask that is missing.
    """
    image = frame.copy()
    mask = np.zeros((*frame.shape[:2], 1), np.uint8)
    for face in faces:
        merge_face(image, mask, frame, face, options, face_type)
    return MergedFrame(image, mask)


def raw_prediction(
    faces: Sequence[FaceToMerge], options: MergeOptions, face_type: FaceType, resolution: int
) -> MergedFrame:
    """The prediction itself with its mask, in place of a frame (mode raw-predict).

    Args:
        faces: Of one frame; the first one is shown, black if there is none.
        options: Their mask mode counts.
        face_type: The model's.
        resolution: The model's, R.

    Returns:
        Arrays of side R.

    Raises:
        ValueError: As `merge_frame`.
    """
    if not faces:
        return MergedFrame(*(np.zeros((resolution, resolution, n), np.uint8) for n in (3, 1)))
    face = faces[0]
    mask = _at_side(_mask_of(face, options, face_type), resolution)
    return MergedFrame(*(
        cv2.convertScaleAbs(part, alpha=255.0).reshape(resolution, resolution, -1)
        for part in (_checked_face(face), mask)))


def merge_face(
    image: np.ndarray,
    mask: np.ndarray,
    frame: np.ndarray,
    face: FaceToMerge,
    options: MergeOptions,
    face_type: FaceType,
) -> None:
    """Puts one face into the running image, in place; only its bounding box is touched.

    Args:
        image: (H, W, 3) uint8 BGR, the frame with the faces merged so far; changed in place.
        mask: (H, W, 1) uint8, what they cover; changed in place.
        frame: (H, W, 3) uint8 BGR, the frame as it came.
        face: What to put in.
        options: How to merge.
        face_type: The model's.

    Raises:
        ValueError: As `merge_frame`.
    """
    frame_to_square = paste_transform(face.landmarks, face_type, options.output_face_scale)
    mask_face = _mask_of(face, options, face_type)
    frame_to_grid = frame_to_square * mask_face.shape[0]
    mode = MODES[options.mode]
    pasted_part = np.ones_like(mask_face) if mode.raw else mask_face
    region = mask_region(pasted_part, frame_to_grid, frame.shape)
    if min(region.size) < SMALLEST_FACE:
        return
    shown = paste_mask(pasted_part, frame_to_grid, region)
    if not _is_large_enough(shown):
        return
    if not mode.keeps_frame:
        picture = _finished_face(frame, face, mask_face, options, face_type)
        pasted = paste_face(picture, frame_to_square * picture.shape[0], region)
        _blend(image[region.slices], pasted, shown, options)
    if mode.raw:
        shown = paste_mask(mask_face, frame_to_grid, region)
    _cover(mask[region.slices], shown)


def _mask_of(face: FaceToMerge, options: MergeOptions, face_type: FaceType) -> np.ndarray:
    """The face's mask in the face square, (S, S, 1) float32 in [0, 1]."""
    frame_to_square = paste_transform(face.landmarks, face_type)
    raw = is_raw(options.mode)
    return face_mask(
        options.mask_mode,
        face.prediction,
        transform_points(face.landmarks, frame_to_square),
        erode=0.0 if raw else options.erode_mask,
        blur=0.0 if raw else options.blur_mask,
    )


def _checked_face(face: FaceToMerge) -> np.ndarray:
    """The predicted face, (R, R, 3) float32 in [0, 1]."""
    picture = np.clip(face.prediction.face, 0.0, 1.0)
    if not np.isfinite(picture).all():
        raise ValueError("the predicted face holds values that are not finite")
    return picture


def _at_side(mask_face: np.ndarray, side: int) -> np.ndarray:
    """A mask brought from its grid to the prediction's pixels, (side, side, 1)."""
    resized = cv2.resize(mask_face, (side, side), interpolation=cv2.INTER_AREA)
    return resized[..., np.newaxis]


def _finished_face(
    frame: np.ndarray,
    face: FaceToMerge,
    mask_face: np.ndarray,
    options: MergeOptions,
    face_type: FaceType,
) -> np.ndarray:
    """The prediction after the mode's steps in the face square, (R, R, 3) float32 in [0, 1]."""
    picture = _checked_face(face)
    steps = MODES[options.mode].face_steps
    if not steps:
        return picture
    resolution = picture.shape[0]
    crop = face.crop
    if crop is None:
        crop = crop_for_prediction(frame, face.landmarks, face_type, resolution)
    return _run(steps, picture, crop, _at_side(mask_face, resolution), options)


def _blend(
    image: np.ndarray, pasted: np.ndarray, shown: np.ndarray, options: MergeOptions
) -> None:
    """Mixes a pasted face into its region, in place: face * mask + image * (1 - mask).

    Args:
        image: (h, w, 3) uint8 BGR, changed in place.
        pasted: (h, w, 3) float32 BGR in [0, 1].
        shown: (h, w, 1) float32 in [0, 1], the mask.
        options: Their mode's last steps are done first.
    """
    below = np.multiply(image, np.float32(1 / 255), dtype=np.float32)
    pasted = _run(MODES[options.mode].frame_steps, pasted, below, shown, options)
    blended = pasted - below
    blended *= cv2.cvtColor(shown, cv2.COLOR_GRAY2BGR)  # three channels are faster than broadcast
    blended += below
    image[:] = cv2.convertScaleAbs(blended, alpha=255.0)  # rounds to the nearest level


def _run(
    steps: Sequence[Step],
    picture: np.ndarray,
    reference: np.ndarray,
    mask: np.ndarray,
    options: MergeOptions,
) -> np.ndarray:
    for step in steps:
        picture = step(picture, reference, mask, options.color_transfer)
    return picture


def _is_large_enough(shown: np.ndarray) -> bool:
    """Whether what the mask shows is at least `SMALLEST_FACE` pixels wide and high."""
    _, _, width, height = cv2.boundingRect((shown >= _SHOWN).astype(np.uint8))
    return min(width, height) >= SMALLEST_FACE


def _cover(mask: np.ndarray, shown: np.ndarray) -> None:
    """Adds a face to its region of the frame's mask, in place; behind soft parts shows the old."""
    below = mask.astype(np.float32)
    mask[:] = np.rint(below + (255.0 - below) * shown).astype(np.uint8)
