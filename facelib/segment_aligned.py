"""Masks of aligned faces by a segmenter that was trained on another crop than theirs.

Convention: face squares of any size share their first pixel and span 0 to their side.
"""

import cv2
import numpy as np

from core.geometry import affine_scale, compose_affine, invert_affine
from core.imaging.warp import shrink
from facelib.align import crop_face, face_transform
from facelib.face_type import FaceType

SIDE = 256
"""Of the squares that segmenters are shown; they are trained on such or smaller ones."""


def aligned_to_square(landmarks: np.ndarray, width: int, face_type: FaceType,
                      wanted: FaceType) -> np.ndarray:
    """The map from an aligned picture to the square that a segmenter sees.

    Args:
        landmarks: (68, 2) float, in the aligned picture.
        width: Side of the picture.
        face_type: Of the picture.
        wanted: Of the segmenter.

    Returns:
        (2, 3) float64; a mere scaling where both are of one type.

    Raises:
        ValueError: The landmarks fit no face.
    """
    if face_type == wanted:
        return np.eye(2, 3) * (SIDE / width)
    return face_transform(landmarks, SIDE, wanted)


def square_of(image: np.ndarray, aligned_to_square: np.ndarray) -> np.ndarray:
    """What a segmenter is shown of an aligned picture; beyond its border it goes on.

    Args:
        image: (W, W, 3) uint8 BGR.
        aligned_to_square: (2, 3) float64.

    Returns:
        (SIDE, SIDE, 3) float32 BGR in [0, 1].
    """
    square = image
    if not _keeps_all(image, aligned_to_square):
        square = crop_face(image, aligned_to_square, SIDE, border="replicate")
    return square.astype(np.float32) / 255


def _keeps_all(image: np.ndarray, matrix: np.ndarray) -> bool:
    """Whether a warp would give the picture itself, in ten times the time."""
    return image.shape[:2] == (SIDE, SIDE) and np.array_equal(matrix, np.eye(2, 3))


def mask_of_aligned(mask: np.ndarray, aligned_to_square: np.ndarray, width: int,
                    side: int) -> np.ndarray:
    """Brings a segmenter's mask back to the aligned picture.

    Args:
        mask: (SIDE, SIDE, 1) float32 in [0, 1], of the square.
        aligned_to_square: (2, 3) float64.
        width: Side of the aligned picture.
        side: Of the mask that is wanted, which shows the same.

    Returns:
        (side, side, 1) float32 in [0, 1]; 0 where the square does not reach.
    """
    aligned_to_wanted = np.eye(2, 3) * (side / width)
    square_to_wanted = compose_affine(invert_affine(aligned_to_square), aligned_to_wanted)
    if side == SIDE and _keeps_all(mask, square_to_wanted):
        return mask
    small, square_to_small = shrink(mask, affine_scale(square_to_wanted))
    small_to_wanted = compose_affine(invert_affine(square_to_small), square_to_wanted)
    moved = cv2.warpAffine(small, small_to_wanted, (side, side), flags=cv2.INTER_LINEAR,
                           borderMode=cv2.BORDER_CONSTANT)
    return moved.reshape(side, side, 1)
