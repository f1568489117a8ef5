"""How plausible a found face is: what a person would see at once in a drawing of its landmarks."""

import numpy as np

from facelib.landmarks import FLIP_68, MODEL_3D
from facelib.mean_face import MeanFaceFit, fit_mean_face, misfit

DOUBTFUL = 0.5
"""A face below this is worth a look. Faces of the demo clips, an occluded one among them, reach
0.88 to 0.96; landmarks in disorder, on the wrong spot or of a wrong shape stay below 0.45."""

_GOOD_MISFIT, _BAD_MISFIT = 5.0, 12.0  # millimetres; real faces 1.2 to 4.6
_GOOD_STRETCH, _BAD_STRETCH = 0.8, 0.5  # real faces 0.84 to 1
_MARGIN = 0.25  # of the box, on each side: boxes end at the brows or at the hair, as detectors like

_FROM_TOP = ("right_brow", "right_eye", "nose", "lips", "chin"), (
    "left_brow", "left_eye", "nose", "lips", "chin")
_PARTS = {
    "right_brow": slice(17, 22), "left_brow": slice(22, 27), "right_eye": slice(36, 42),
    "left_eye": slice(42, 48), "nose": slice(31, 36), "lips": slice(48, 68), "chin": slice(6, 11),
}
_RIGHT_SIDE = np.flatnonzero(MODEL_3D[:, 0] < MODEL_3D[FLIP_68, 0])
"""Landmarks of the person's right side; FLIP_68 gives their partners on the left."""


def face_sanity(landmarks: np.ndarray, box: np.ndarray, score: float) -> float:
    """A score from 0 (nonsense) to 1: the product of five, each of them 0 to 1.

    The detector's confidence; the share of landmarks in or near the box; the order of the parts
    from brow to chin and of the two sides; how near the landmarks are to a mean face turned in
    space, which is where symmetry comes in; and how evenly that is stretched.

    Args:
        landmarks: (68, 2) float, pixels.
        box: (4,) float x1, y1, x2, y2, pixels.
        score: Confidence of the detector, 0 to 1.

    Returns:
        0 also where no face fits the landmarks at all.
    """
    points = np.asarray(landmarks, np.float64)
    try:
        fit = fit_mean_face(points)
    except ValueError:
        return 0.0
    shape = _ramp(misfit(points, fit), _BAD_MISFIT, _GOOD_MISFIT)
    stretch = _ramp(fit.stretch, _BAD_STRETCH, _GOOD_STRETCH)
    return float(np.clip(score, 0, 1) * share_inside(points, box) * _order(points, fit)
                 * shape * stretch)


def share_inside(points: np.ndarray, box: np.ndarray) -> float:
    """How many of the points lie in a box that is a quarter larger on each side, 0 to 1."""
    low, high = np.asarray(box, np.float64).reshape(2, 2)
    margin = _MARGIN * (high - low)
    return float(np.mean(((points >= low - margin) & (points <= high + margin)).all(axis=1)))


def _order(points: np.ndarray, fit: MeanFaceFit) -> float:
    """Share of neighbouring parts in the right order, times that of the sides."""
    up_x, up_y = fit.up
    down = points @ (-up_x, -up_y)
    heights = {name: down[part].mean() for name, part in _PARTS.items()}
    neighbours = [heights[upper] < heights[lower]
                  for column in _FROM_TOP for upper, lower in zip(column, column[1:])]
    across = points @ (-up_y, up_x)  # grows from the person's right to the left
    sides = across[_RIGHT_SIDE] < across[FLIP_68[_RIGHT_SIDE]]
    # In a profile the far side's landmarks crowd behind the outline, so these count by cos(yaw).
    weight = np.cos(fit.yaw)
    return float(np.mean(neighbours) * (1 - weight + weight * np.mean(sides)))


def _ramp(value: float, bad: float, good: float) -> float:
    return float(np.clip((value - bad) / (good - bad), 0, 1))
