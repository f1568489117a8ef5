"""A mean face drawn by hand from the tip of its nose, for faces that no network sees."""

import numpy as np

from core.geometry import transform_points, umeyama
from facelib.landmarks import FIRST_TEMPLATE_LANDMARK, MODEL_3D, TEMPLATE_51
from facelib.types import FoundFace
from mainscripts.manual.document import HAND_SCORE
from mainscripts.manual.square import face_box

LEAST_LENGTH = 5.0
"""Pixels; a shorter line gives no face."""

_NOSE_TIP = 30


def _mean_face() -> np.ndarray:
    """(68, 2) float64, nose tip at 0, unit face square of side 1.

    The template has no jaw; it is that of the mean head from the front, fitted to the template.
    """
    template = TEMPLATE_51.astype(np.float64)
    head = MODEL_3D[:, :2].astype(np.float64)
    jaw = transform_points(head[:FIRST_TEMPLATE_LANDMARK],
                           umeyama(head[FIRST_TEMPLATE_LANDMARK:], template))
    points = np.concatenate([jaw, template])
    return points - points[_NOSE_TIP]


MEAN_FACE = _mean_face()


def drawn_face(nose: tuple[float, float], end: tuple[float, float]) -> FoundFace | None:
    """The mean face at the end of a line.

    Args:
        nose: x, y where the line begins: the tip of the nose, pixels.
        end: x, y of its end. To the right of the nose the face is upright, and turns as the line
            does; the line is as long as the unit face square, from brow to lip.

    Returns:
        The face; None if the line is too short.
    """
    base, line = np.asarray(nose, np.float64), np.subtract(end, nose).astype(np.float64)
    if np.linalg.norm(line) < LEAST_LENGTH:
        return None
    x, y = line
    landmarks = (MEAN_FACE @ np.array([[x, y], [-y, x]]) + base).astype(np.float32)
    return FoundFace(face_box(landmarks), HAND_SCORE, landmarks)
