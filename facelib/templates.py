"""What an aligned face looks like: mean landmarks of a frontal, a left and a right face.

One frontal template makes turned faces lie askew: in a profile the nose stands out to one side,
and the best fit of a flat, symmetric face to it is turned by up to 35 degrees and shrunk by a
fifth. A side template is the frontal one moved by what turning the mean face in space moves.
"""

import numpy as np

from core.geometry import affine_scale, umeyama
from facelib.landmarks import ALIGN_INDICES, FIRST_TEMPLATE_LANDMARK, MODEL_3D, TEMPLATE_51
from facelib.mean_face import fit_mean_face

SIDE_YAW = np.radians(75)
"""Of the heads in the side templates."""

FRONT_ENDS, SIDE_STARTS = np.radians(30), np.radians(65)
"""Up to the first yaw a face is aligned with the frontal template alone, exactly as the reference
program does it; from the second on with a side template alone. Between them the template moves
steadily from one to the other, so that no video ever jumps, whatever the yaw does."""

_AXIS_DEPTH = 5.0
"""Where the heads turn, in millimetres of the mean face: midway between nose tip and ears, so that
the visible part of the face stays in the middle of the crop."""


def _turned_by(yaw: float) -> np.ndarray:
    """(33, 2) template of a face whose nose points left (yaw above 0) or right."""
    front = TEMPLATE_51[ALIGN_INDICES - FIRST_TEMPLATE_LANDMARK].astype(np.float64)
    x, y, z = MODEL_3D[ALIGN_INDICES].astype(np.float64).T
    scale = affine_scale(umeyama(np.column_stack([x, y]), front))
    depth = z - _AXIS_DEPTH
    turned_x = np.cos(yaw) * x + np.sin(yaw) * depth
    return front + np.column_stack([scale * (turned_x - x), np.zeros_like(x)])


FRONT, LEFT, RIGHT = (_turned_by(yaw) for yaw in (0.0, SIDE_YAW, -SIDE_YAW))
"""(33, 2) float64 each, in the unit face square: where ALIGN_INDICES belong when the nose points
to the camera, to the left edge and to the right edge of the picture."""

for _template in (FRONT, LEFT, RIGHT):
    _template.setflags(write=False)


def choose_template(landmarks: np.ndarray) -> np.ndarray:
    """The template a face is fitted to, by its yaw.

    Depends on nothing else, so extraction, training and merging agree without telling each other.

    Args:
        landmarks: (68, 2) float, in any unit and with any roll.

    Returns:
        (33, 2) float64: FRONT, LEFT, RIGHT, or between FRONT and one of the others.

    Raises:
        ValueError: The landmarks are not finite, or all in one place.
    """
    return template_of_yaw(fit_mean_face(landmarks).yaw)


def template_of_yaw(yaw: float) -> np.ndarray:
    """The template for a yaw in radians; see `choose_template`."""
    share = side_share(yaw)
    if share == 0:
        return FRONT
    side = LEFT if yaw > 0 else RIGHT
    return side if share == 1 else (1 - share) * FRONT + share * side


def side_share(yaw: float) -> float:
    """How much of a side template is used, 0 to 1."""
    return float(np.clip((abs(yaw) - FRONT_ENDS) / (SIDE_STARTS - FRONT_ENDS), 0, 1))
