"""The way from the frame to the face square and back, in the face's part of the frame only."""

from dataclasses import dataclass

import cv2
import numpy as np

from core.geometry import affine_scale, compose_affine, invert_affine, transform_points
from core.imaging.depth import white_level
from core.imaging.warp import shrink
from facelib.align import crop_face, crop_margin, face_transform
from facelib.face_type import FaceType
from facelib.landmarks import FIRST_TEMPLATE_LANDMARK


@dataclass(frozen=True)
class Region:
    """The part of a frame that holds a face square.

    Attributes:
        x1, y1, x2, y2: Pixels of the frame, ends not included; inside the frame, may be empty.
    """

    x1: int
    y1: int
    x2: int
    y2: int

    @property
    def size(self) -> tuple[int, int]:
        """(width, height), at least 0."""
        return max(self.x2 - self.x1, 0), max(self.y2 - self.y1, 0)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the region's pixels in a frame."""
        return slice(self.y1, self.y2), slice(self.x1, self.x2)

    def overlaps(self, other: "Region") -> bool:
        """Whether both share a pixel."""
        return (self.x1 < other.x2 and other.x1 < self.x2
                and self.y1 < other.y2 and other.y1 < self.y2)

    def united(self, other: "Region") -> "Region":
        """The smallest region that holds both."""
        return Region(min(self.x1, other.x1), min(self.y1, other.y1),
                      max(self.x2, other.x2), max(self.y2, other.y2))

    def within(self, outer: "Region") -> "Region":
        """The same part of the frame, in pixels of a region that holds it."""
        return Region(self.x1 - outer.x1, self.y1 - outer.y1,
                      self.x2 - outer.x1, self.y2 - outer.y1)

    @property
    def to_frame(self) -> np.ndarray:
        """(2, 3) float64, region_to_frame."""
        return np.array([(1.0, 0.0, self.x1), (0.0, 1.0, self.y1)])


def crop_for_prediction(
    frame: np.ndarray, landmarks: np.ndarray, face_type: FaceType, resolution: int
) -> np.ndarray:
    """The aligned dst face that a swap model wants to see.

    Args:
        frame: (H, W, 3) uint8 or uint16 BGR.
        landmarks: (68, 2) float, pixels of the frame.
        face_type: The model's.
        resolution: The model's side R, pixels.

    Returns:
        (R, R, 3) float32 BGR in [0, 1]; black where the square leaves the frame.

    Raises:
        ValueError: Landmarks that are not finite or all in one place.
    """
    frame_to_face = face_transform(landmarks, resolution, face_type)
    margin = crop_margin(affine_scale(frame_to_face))
    region = face_region(frame_to_face, resolution, frame.shape, margin)
    if not all(region.size):
        return np.zeros((resolution, resolution, 3), np.float32)
    # Floats from here on: the crop is not rounded to grey levels a second time.
    pixels = frame[region.slices].astype(np.float32)
    region_to_face = compose_affine(region.to_frame, frame_to_face)
    crop = crop_face(pixels, region_to_face, resolution)
    return np.clip(crop / np.float32(white_level(frame.dtype)), 0.0, 1.0)


def square_inside(frame_to_face: np.ndarray, size: int, frame_shape: tuple[int, ...]) -> np.ndarray:
    """Which pixels of a face square lie inside of the frame.

    Args:
        frame_to_face: (2, 3) float.
        size: Side of the square, pixels of the square.
        frame_shape: (height, width, ...) of the frame.

    Returns:
        (size, size, 1) float32, 0 or 1.
    """
    face_to_frame = invert_affine(frame_to_face)
    places = np.arange(size, dtype=np.float64)
    inside = np.ones((size, size), bool)
    for (of_x, of_y, shift), limit in zip(face_to_frame, frame_shape[1::-1], strict=True):
        coordinate = of_x * places + (of_y * places + shift)[:, np.newaxis]
        inside &= (coordinate >= 0) & (coordinate <= limit - 1)
    return inside[..., np.newaxis].astype(np.float32)


def paste_transform(
    landmarks: np.ndarray, face_type: FaceType, output_face_scale: float = 0.0
) -> np.ndarray:
    """The map from the frame to the face square as it is pasted.

    Args:
        landmarks: (68, 2) float, pixels of the frame.
        face_type: The model's.
        output_face_scale: See `scaled_transform`.

    Returns:
        (2, 3) float64, frame_to_square; the square's side is 1, so that times S it maps to the
        pixels of a picture of side S.

    Raises:
        ValueError: Landmarks that are not finite or all in one place.
    """
    return scaled_transform(face_transform(landmarks, 1, face_type), landmarks, output_face_scale)


def scaled_transform(
    frame_to_square: np.ndarray, landmarks: np.ndarray, output_face_scale: float
) -> np.ndarray:
    """The map to a face square that is pasted larger or smaller.

    Args:
        frame_to_square: (2, 3) float, unscaled.
        landmarks: (68, 2) float, pixels of the frame.
        output_face_scale: Percent by which the face grows around the middle of its brows, eyes,
            nose and mouth, so that it stays in place.

    Returns:
        (2, 3) float64.
    """
    if output_face_scale == 0:
        return frame_to_square
    x, y = np.asarray(landmarks, np.float64)[FIRST_TEMPLATE_LANDMARK:].mean(axis=0)
    shrink = 1.0 / (1.0 + output_face_scale / 100.0)
    frame_to_unscaled = np.array([(shrink, 0, x - shrink * x), (0, shrink, y - shrink * y)])
    return compose_affine(frame_to_unscaled, frame_to_square)


def face_region(
    frame_to_face: np.ndarray, size: int, frame_shape: tuple[int, ...], margin: int = 0
) -> Region:
    """The bounding box of a face square, cut off at the frame's border.

    Args:
        frame_to_face: (2, 3) float.
        size: Side of the square, pixels of the square.
        frame_shape: (height, width, ...) of the frame.
        margin: Pixels of the frame added on all sides.
    """
    return _region_of(frame_to_face, (0, 0, size, size), frame_shape, margin)


def mask_region(
    mask: np.ndarray, frame_to_grid: np.ndarray, frame_shape: tuple[int, ...]
) -> Region:
    """The bounding box of what a mask shows, cut off at the frame's border.

    Args:
        mask: (S, S, 1) float32.
        frame_to_grid: (2, 3) float, to the mask's grid.
        frame_shape: (height, width, ...) of the frame.

    Returns:
        A region outside of which `paste_mask` gives 0; empty if the mask is.
    """
    x, y, width, height = cv2.boundingRect((mask > 0).astype(np.uint8))
    if not width:
        return Region(0, 0, 0, 0)
    # Interpolation carries a value to the next pixel of the grid, and of the frame.
    box = (x - 1, y - 1, x + width, y + height)
    return _region_of(frame_to_grid, box, frame_shape, margin=1)


def _region_of(
    frame_to_face: np.ndarray,
    box_face: tuple[float, float, float, float],
    frame_shape: tuple[int, ...],
    margin: int,
) -> Region:
    """Bounding box in the frame of a box x1, y1, x2, y2 in the face square."""
    x1, y1, x2, y2 = box_face
    corners = np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)], np.float64)
    outline = transform_points(corners, invert_affine(frame_to_face))
    limits = np.array(frame_shape[1::-1])
    low = np.clip(np.floor(outline.min(axis=0)) - margin, 0, limits).astype(int).tolist()
    high = np.clip(np.ceil(outline.max(axis=0)) + margin + 1, 0, limits).astype(int).tolist()
    return Region(*low, *high)


def paste_face(picture: np.ndarray, frame_to_face: np.ndarray, region: Region) -> np.ndarray:
    """Brings the face square to its place in the frame.

    Args:
        picture: (S, S, 3) float32 in [0, 1].
        frame_to_face: (2, 3) float.
        region: Where in the frame; not empty.

    Returns:
        (h, w, 3) float32 in [0, 1], (w, h) being the region's size; outside of the square its
        border goes on.
    """
    pasted = _warp_back(picture, frame_to_face, region, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE)
    return np.clip(pasted, 0.0, 1.0, out=pasted)


def paste_mask(mask: np.ndarray, frame_to_grid: np.ndarray, region: Region) -> np.ndarray:
    """Brings a mask of the face square to its place in the frame.

    Args:
        mask: (S, S, 1) float32 in [0, 1].
        frame_to_grid: (2, 3) float, to the mask's grid.
        region: Where in the frame; not empty.

    Returns:
        (h, w, 1) float32 in [0, 1], (w, h) being the region's size; 0 outside of the square.
    """
    return _warp_back(mask, frame_to_grid, region, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)


def _warp_back(
    picture: np.ndarray,
    frame_to_picture: np.ndarray,
    region: Region,
    interpolation: int,
    border: int,
) -> np.ndarray:
    """(h, w, C) float32; what gets smaller is first area-averaged, so that no pixel is skipped."""
    picture, picture_to_small = shrink(picture, 1.0 / affine_scale(frame_to_picture))
    pasted = cv2.warpAffine(
        picture,
        compose_affine(region.to_frame, frame_to_picture, picture_to_small),
        region.size,
        flags=interpolation | cv2.WARP_INVERSE_MAP,
        borderMode=border,
    )
    return pasted.reshape(*pasted.shape[:2], -1)
