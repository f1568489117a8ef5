"""Masks drawn from landmarks: the face's hull, the eyes, the mouth."""

import cv2
import numpy as np

from facelib.landmarks import REGIONS

_HULL_PARTS = (
    [*range(0, 9), 17],  # right jaw
    [*range(8, 17), 26],  # left jaw
    [17, 18, 19, 8],  # right cheek
    [24, 25, 26, 8],  # left cheek
    [19, 20, 21, 22, 23, 24, 8],  # between the brows, down to the chin
    [17, 18, 19, 20, 21, 27, *range(31, 36), 8],  # right eye
    [22, 23, 24, 25, 26, 27, *range(31, 36), 8],  # left eye
    [27, 28, 29, 30, *range(31, 36)],  # nose
)
"""The face as a union of convex pieces; one hull of everything would fill the temples."""

_FRACTION_BITS = 4
"""Corners are drawn to 1/16 pixel, so that a mask moves smoothly with its landmarks."""


def hull_mask(
    shape: tuple[int, int], landmarks: np.ndarray, eyebrows_expand: float = 1.0
) -> np.ndarray:
    """The face from the chin to a little above the brows.

    Args:
        shape: (height, width) of the mask, pixels.
        landmarks: (68, 2) float, pixels of the picture that is masked.
        eyebrows_expand: How far the upper border is lifted: 0 ends at the brows, 1 adds half the
            distance between eyes and brows.

    Returns:
        (height, width, 1) float32, 0 or 1.
    """
    landmarks = expand_eyebrows(landmarks, eyebrows_expand)
    return _fill_hulls(shape, [landmarks[part] for part in _HULL_PARTS])


def expand_eyebrows(landmarks: np.ndarray, eyebrows_expand: float = 1.0) -> np.ndarray:
    """Landmarks with the brows lifted away from the upper line of the eyes.

    Args:
        landmarks: (68, 2) float.
        eyebrows_expand: Times half the distance between the eye line and the brow.

    Returns:
        (68, 2) float64.
    """
    expanded = np.array(landmarks, np.float64)
    # The eye line goes on a quarter of the way from the eye corner to the end of the jaw line.
    right_end = (3 * expanded[36] + expanded[0]) / 4
    left_end = (3 * expanded[45] + expanded[16]) / 4
    right_line = np.stack([right_end, *expanded[36:40]])  # (5, 2)
    left_line = np.stack([*expanded[42:46], left_end])  # (5, 2)
    right, left = REGIONS["right_eyebrow"], REGIONS["left_eyebrow"]
    expanded[right] += 0.5 * eyebrows_expand * (expanded[right] - right_line)
    expanded[left] += 0.5 * eyebrows_expand * (expanded[left] - left_line)
    return expanded


def eyes_mask(shape: tuple[int, int], landmarks: np.ndarray,
              side: float | None = None) -> np.ndarray:
    """Both eyes with a soft border.

    Args:
        shape: (height, width) of the mask, pixels.
        landmarks: (68, 2) float, pixels of the picture that is masked.
        side: Of the aligned face in these pixels, which the width of the border depends on; None
            takes the height of the mask.

    Returns:
        (height, width, 1) float32 in [0, 1].
    """
    return _soft_hulls(shape, landmarks, ["right_eye", "left_eye"], side)


def mouth_mask(shape: tuple[int, int], landmarks: np.ndarray,
               side: float | None = None) -> np.ndarray:
    """The mouth's inside and the rims of the lips, with a soft border; see `eyes_mask`."""
    return _soft_hulls(shape, landmarks, ["inner_lips"], side)


def eyes_mouth_mask(shape: tuple[int, int], landmarks: np.ndarray,
                    side: float | None = None) -> np.ndarray:
    """Eyes and mouth together; see `eyes_mask`."""
    parts = (make(shape, landmarks, side) for make in (eyes_mask, mouth_mask))
    return np.clip(sum(parts), 0, 1)


def _soft_hulls(shape: tuple[int, int], landmarks: np.ndarray, regions: list[str],
                side: float | None) -> np.ndarray:
    """Hulls of regions, grown by 1/32 of the side and blurred over 1/16."""
    parts = [np.asarray(landmarks, np.float64)[REGIONS[name]] for name in regions]
    side = shape[0] if side is None else side
    grow = max(int(side / 32), 1)
    blur = int(side / 16) | 1  # a Gaussian kernel has an odd side
    # Beyond this window all is 0, so it need not be blurred.
    points, reach = np.concatenate(parts), grow + blur
    start = np.clip(np.floor(points.min(axis=0)).astype(int) - reach, 0, shape[::-1])
    end = np.clip(np.ceil(points.max(axis=0)).astype(int) + reach + 1, start, shape[::-1])
    soft = np.zeros((*shape, 1), np.float32)
    if (start < end).all():
        width, height = (end - start).tolist()
        window = _fill_hulls((height, width), [part - start for part in parts])
        window = cv2.dilate(window, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (grow, grow)))
        soft[start[1]:end[1], start[0]:end[0], 0] = cv2.GaussianBlur(window, (blur, blur), 0)
    return np.clip(soft, 0, 1, out=soft)


def _fill_hulls(shape: tuple[int, int], parts: list[np.ndarray]) -> np.ndarray:
    """Union of the convex hulls of point sets, (height, width, 1) float32 of 0 and 1."""
    mask = np.zeros(shape, np.uint8)  # OpenCV fills bytes three times as fast as floats
    for points in parts:
        hull = cv2.convexHull(points.astype(np.float32))
        corners = np.round(hull * 2**_FRACTION_BITS).astype(np.int32)
        cv2.fillConvexPoly(mask, corners, 1, lineType=cv2.LINE_8, shift=_FRACTION_BITS)
    return mask[..., None].astype(np.float32)
