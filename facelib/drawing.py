"""Faces drawn into their frame, so that people see what was found."""

import cv2
import numpy as np

from core.geometry import invert_affine, transform_points
from core.imaging.draw import draw_polyline, put_text
from facelib.landmarks import CLOSED_REGIONS, REGIONS

LANDMARKS = (0, 255, 0)  # colours are BGR
BOX = (255, 160, 0)
CROP = (0, 0, 255)
OUTLINE = (0, 0, 0)

_MARK = np.array([(0.05, 0), (0.1, 0.1), (0, 0.1)])
"""A triangle at the crop's upper left corner, in crop sides: shows which way up it is."""


def draw_landmarks(
    canvas: np.ndarray, landmarks: np.ndarray, color: tuple[int, int, int] = LANDMARKS
) -> np.ndarray:
    """Draws the parts of a face as lines with a dot at each landmark, in place.

    Args:
        canvas: (H, W, 3) uint8 BGR, changed in place.
        landmarks: (68, 2) float, pixels.
        color: BGR.

    Returns:
        The canvas.
    """
    points = np.asarray(landmarks, np.float64)
    for name, region in REGIONS.items():
        draw_polyline(canvas, points[region], color, closed=name in CLOSED_REGIONS)
    for x, y in points:
        cv2.circle(canvas, (round(x * 16), round(y * 16)), 20, color, -1, cv2.LINE_AA, 4)
    return canvas


def draw_face(
    canvas: np.ndarray, landmarks: np.ndarray, box: np.ndarray, image_to_face: np.ndarray,
    size: int, label: str = "",
) -> np.ndarray:
    """Draws a face with its box and the outline of its crop, in place.

    Args:
        canvas: (H, W, 3) uint8 BGR, changed in place.
        landmarks: (68, 2) float, pixels.
        box: (4,) float x1, y1, x2, y2, pixels.
        image_to_face: (2, 3) float to the aligned face.
        size: Side of the aligned face.
        label: Written above the box.

    Returns:
        The canvas.
    """
    thickness = max(round(min(canvas.shape[:2]) / 360), 1)
    face_to_image = invert_affine(image_to_face)
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float64)
    x1, y1, x2, y2 = np.asarray(box, np.float64)
    box_corners = np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])
    for outline, color in ((box_corners, BOX),
                           (transform_points(corners * size, face_to_image), CROP),
                           (transform_points(_MARK * size, face_to_image), CROP)):
        draw_polyline(canvas, outline, color, thickness=thickness, closed=True)
    draw_landmarks(canvas, landmarks)
    height = 12 * thickness + 2
    return put_text(canvas, label, (max(x1, 0), max(y1 - height - 8, 0)), height=height,
                    outline=OUTLINE) if label else canvas
