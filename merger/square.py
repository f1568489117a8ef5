"""What happens to a face in the face square, before it goes into the frame."""

from collections.abc import Sequence

import cv2
import numpy as np

from core.imaging.color_statistics import apply_color_map, color_statistics
from core.imaging.warp import resize_square
from facelib.face_type import FaceType
from merger.color_transfer import COLOR_TRANSFERS
from merger.faces import FaceToMerge, checked_enhanced, checked_face
from merger.masks import face_mask
from merger.modes import HIST_MATCH_MODES, MODES, is_raw
from merger.options import MergeOptions
from merger.paste import crop_for_prediction, square_inside
from merger.steps import Step, Surroundings

SMALL_MOVE = 1 / 255
"""Root mean square of moves of colours in [0, 1]: flicker up to this is wholly taken back where
distributions are matched; twice of it is left alone."""


def mask_in_square(
    face: FaceToMerge, frame_to_square: np.ndarray, options: MergeOptions
) -> np.ndarray:
    """The face's mask, (S, S, 1) float32 in [0, 1]; of raw modes neither moved nor softened.

    Args:
        face: With the masks that the mask mode needs.
        frame_to_square: (2, 3) float, to the square of side 1 that the model sees.
        options: How to merge.

    Raises:
        ValueError: A mask that the mode needs is missing or not finite.
    """
    raw = is_raw(options.mode)
    return face_mask(
        options.mask_mode,
        face,
        frame_to_square,
        erode=0.0 if raw else options.erode_mask,
        blur=0.0 if raw else options.blur_mask,
        units="face" if raw else options.mask_units,
    )


def finished_face(
    frame: np.ndarray,
    face: FaceToMerge,
    frame_to_square: np.ndarray,
    mask_face: np.ndarray,
    options: MergeOptions,
    face_type: FaceType,
    seed: int,
) -> np.ndarray:
    """The prediction after the mode's steps in the face square.

    Args:
        frame: (H, W, 3) uint8 or uint16 BGR, as it came.
        face: What to finish.
        frame_to_square: As for `mask_in_square`.
        mask_face: From `mask_in_square`.
        options: How to merge.
        face_type: The model's.
        seed: Of all chance.

    Returns:
        (S, S, 3) float32 in [0, 1]; S is the model's resolution, or what the enhancer made of it.

    Raises:
        ValueError: The prediction is not finite.
    """
    mode = MODES[options.mode]
    if mode.raw:
        return checked_face(face)
    picture = _in_full_detail(face, options)
    if not mode.face_steps:
        return picture
    around = surroundings_in_square(frame, face, frame_to_square, mask_face, options, face_type,
                                    picture.shape[0], seed)
    return run(mode.face_steps, picture, around)


def surroundings_in_square(
    frame: np.ndarray,
    face: FaceToMerge,
    frame_to_square: np.ndarray,
    mask_face: np.ndarray,
    options: MergeOptions,
    face_type: FaceType,
    side: int,
    seed: int,
) -> Surroundings:
    """The dst face and its mask at the side of a picture; what lies outside of the frame does not
    count. Arguments as those of `finished_face`."""
    inside = square_inside(frame_to_square * side, side, frame.shape)
    below = face.crop
    if below is None or below.shape[0] != side:
        below = crop_for_prediction(frame, face.landmarks, face_type, side)
    mask = resize_square(mask_face, side) * inside
    return Surroundings(
        below=below,
        colors=steady_colors_of(face, below, mask, options),
        mask=mask,
        whole=inside,
        motion=tuple((frame_to_square[:, :2] @ face.motion * side).tolist()),
        options=options,
        seed=seed,
    )


def steady_colors_of(
    face: FaceToMerge, below: np.ndarray, mask: np.ndarray, options: MergeOptions
) -> np.ndarray:
    """What is below a face, (h, w, 3) float32, without the flicker of its colours.

    A strand of hair in the mask moves mean and spread of all that it shows; a whole distribution
    keeps its bulk in place. So where distributions are matched, only small moves are taken back.
    """
    if face.steady_map is None:
        return below
    change, share = face.steady_map - np.eye(3, 4), 1.0
    if options.mode in HIST_MATCH_MODES or not COLOR_TRANSFERS[options.color_transfer].by_moments:
        share = float(np.clip(2 - _mean_move(change, below, mask) / SMALL_MOVE, 0.0, 1.0))
    return apply_color_map(below, np.eye(3, 4) + share * change)


def _mean_move(change: np.ndarray, picture: np.ndarray, mask: np.ndarray) -> float:
    """How far a (3, 4) map of colours to changes moves a picture's colours, root mean square."""
    if not mask.any():
        return 0.0
    colors = color_statistics(picture, mask)
    shift = change @ np.append(colors.mean, 1.0)
    linear = change[:, :3]
    return float(np.sqrt(shift @ shift + np.trace(linear @ colors.covariance @ linear.T)))


def run(steps: Sequence[Step], picture: np.ndarray, around: Surroundings) -> np.ndarray:
    """One step after the other."""
    for step in steps:
        picture = step(picture, around)
    return picture


def _in_full_detail(face: FaceToMerge, options: MergeOptions) -> np.ndarray:
    """The prediction, mixed with what the enhancer made of it."""
    picture, power = checked_face(face), options.super_resolution_power / 100
    if not power:
        return picture
    enhanced = checked_enhanced(face)
    large = resize_square(picture, enhanced.shape[0])
    return np.clip(cv2.addWeighted(large, 1 - power, enhanced, power, 0), 0.0, 1.0)
