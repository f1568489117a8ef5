"""From a face in a frame to an aligned face, and the matrices between the two."""

from types import MappingProxyType

import cv2
import numpy as np

from core.geometry import (
    affine_from_points,
    affine_scale,
    compose_affine,
    invert_affine,
    transform_points,
    umeyama,
)
from core.imaging.warp import OVERSAMPLING, shrink
from facelib.face_type import FaceType
from facelib.landmarks import ALIGN_INDICES
from facelib.pose import mean_yaw
from facelib.templates import choose_template

INTERPOLATIONS = MappingProxyType(
    {
        "nearest": cv2.INTER_NEAREST,
        "linear": cv2.INTER_LINEAR,
        "cubic": cv2.INTER_CUBIC,
        "lanczos": cv2.INTER_LANCZOS4,
    }
)
BORDERS = MappingProxyType(
    {
        "black": cv2.BORDER_CONSTANT,
        "replicate": cv2.BORDER_REPLICATE,
    }
)

_WHOLE_FACE_LIFT = 0.07
_HEAD_LIFT = 0.50
"""Crop centre moves up by this share of the unit face square's side."""

_INTERPOLATION_MARGIN = 4
"""Pixels around the crop's outline, so that interpolation at its rim sees real neighbours."""


def face_transform(
    landmarks: np.ndarray, size: int, face_type: FaceType, scale: float = 1.0
) -> np.ndarray:
    """The map from a frame to an aligned face.

    A mean face is fitted to the landmarks: the frontal one up to a yaw of 30 degrees, a side one
    from 65 degrees on, and steadily changing ones between (`facelib.templates`). The crop is its
    unit square, grown by the face type's padding and shifted for whole_face and head.

    Convention: maps frame pixels to face pixels; the crop spans 0 to `size` in both axes.

    Args:
        landmarks: (68, 2) float, pixels of the frame. The jaw only matters for head.
        size: Side of the aligned face, pixels.
        face_type: What the crop shows; not MARK_ONLY.
        scale: Above 1 enlarges the face inside the crop.

    Returns:
        (2, 3) float64, image_to_face.

    Raises:
        ValueError: MARK_ONLY, or landmarks that are not finite or all in one place.
    """
    landmarks = np.asarray(landmarks, np.float64)
    image_to_unit = umeyama(landmarks[ALIGN_INDICES], choose_template(landmarks))
    unit_to_image = invert_affine(image_to_unit)
    unit_side = affine_scale(unit_to_image)

    half_diagonal = unit_side * np.sqrt(2) * (face_type.padding * np.sqrt(2) + 0.5) / scale
    centre_unit = np.array([0.5, 0.5]) + _centre_shift(landmarks, image_to_unit, face_type)
    centre = transform_points(centre_unit, unit_to_image)
    if face_type.is_aligned:
        down_right = unit_to_image[:, :2] @ (1, 1)
        down_right *= half_diagonal / np.linalg.norm(down_right)
    else:
        down_right = np.full(2, half_diagonal / np.sqrt(2))
    up_right = np.array([down_right[1], -down_right[0]])
    corners = np.stack([centre - down_right, centre + up_right, centre + down_right])
    return affine_from_points(corners, [(0, 0), (size, 0), (size, size)])


def _centre_shift(
    landmarks: np.ndarray, image_to_unit: np.ndarray, face_type: FaceType
) -> tuple[float, float]:
    """How far the crop's centre moves, in the unit face square (x right, y down)."""
    if face_type == FaceType.WHOLE_FACE:
        return 0.0, -_WHOLE_FACE_LIFT
    if face_type == FaceType.HEAD:
        yaw = mean_yaw(transform_points(landmarks, image_to_unit))
        return yaw * abs(np.tanh(2 * yaw)) / 2, -_HEAD_LIFT
    return 0.0, 0.0


def crop_face(
    image: np.ndarray,
    image_to_face: np.ndarray,
    size: int,
    *,
    interpolation: str = "cubic",
    border: str = "black",
) -> np.ndarray:
    """Cuts one aligned face out of an image.

    When the face gets smaller, its region is first shrunk by averaging areas, so that no pixel is
    skipped. This does not happen for "nearest", which must keep label values.

    Convention: `image_to_face` maps image pixels to face pixels; (x, y), origin top-left.

    Args:
        image: (H, W, C) uint8 or float32, C from 1 to 4.
        image_to_face: (2, 3) float affine matrix.
        size: Side of the square crop, pixels.
        interpolation: A name of INTERPOLATIONS.
        border: A name of BORDERS: what lies outside the image.

    Returns:
        (size, size, C), dtype of `image`. Cubic and Lanczos may leave [0, 1] a little in float32
        images.

    Raises:
        ValueError: The matrix has no inverse.
    """
    corners = np.array([(0, 0), (size, 0), (size, size), (0, size)], np.float64)
    outline = transform_points(corners, invert_affine(image_to_face))
    scale = affine_scale(image_to_face)
    region, image_to_region = _cut_region(image, outline, crop_margin(scale))
    if interpolation != "nearest":
        region, region_to_small = shrink(region, scale)
        image_to_region = compose_affine(image_to_region, region_to_small)
    region_to_face = compose_affine(invert_affine(image_to_region), image_to_face)
    face = cv2.warpAffine(
        region,
        region_to_face,
        (size, size),
        flags=INTERPOLATIONS[interpolation],
        borderMode=BORDERS[border],
    )
    return face.reshape(size, size, image.shape[2])  # OpenCV drops a single channel


def crop_margin(scale: float) -> int:
    """How many pixels around the face square `crop_face` looks at.

    Args:
        scale: Of image_to_face.
    """
    return int(np.ceil(_INTERPOLATION_MARGIN / min(scale * OVERSAMPLING, 1)))


def _cut_region(
    image: np.ndarray, outline: np.ndarray, margin: int
) -> tuple[np.ndarray, np.ndarray]:
    """The part of the image inside the outline's bounding box, and image_to_region.

    Saves work on large frames, and keeps coordinates inside the 16 bits OpenCV's warp works with.
    An outline that misses the image gets the image's nearest pixels.
    """
    height, width = image.shape[:2]
    low = np.floor(outline.min(axis=0)).astype(int) - margin
    high = np.ceil(outline.max(axis=0)).astype(int) + margin + 1
    x1, y1 = np.clip(low, 0, (width - 1, height - 1))
    x2, y2 = np.clip(high, (x1 + 1, y1 + 1), (width, height))
    return image[y1:y2, x1:x2], np.array([(1, 0, -x1), (0, 1, -y1)], np.float64)
