"""Takes points drawn on one face to where they belong on another."""

import numpy as np

from core.geometry import compose_affine, invert_affine
from facelib.align import face_transform
from facelib.face_type import FaceType

_NEAR = 0.02
"""Landmarks within this share of the face's width count as equally near, so that a point beside
one does not follow its noise alone."""

_STIFFNESS = 1e-3
"""Weight of the whole face's motion against that of the landmarks around a point."""


def face_to_face(landmarks_from: np.ndarray, landmarks_to: np.ndarray) -> np.ndarray:
    """The map that lays one aligned face over another, whatever their face types and sizes.

    Args:
        landmarks_from: (68, 2) float, pixels of the first picture.
        landmarks_to: (68, 2) float, pixels of the second.

    Returns:
        (2, 3) float64.

    Raises:
        ValueError: Landmarks that are not finite or all in one place.
    """
    from_to_mean = face_transform(landmarks_from, 1, FaceType.FULL)
    to_to_mean = face_transform(landmarks_to, 1, FaceType.FULL)
    return compose_affine(from_to_mean, invert_affine(to_to_mean))


def carry_points(points: np.ndarray, landmarks_from: np.ndarray,
                 landmarks_to: np.ndarray) -> np.ndarray:
    """Moves points as the landmarks around them move.

    Each point has an affine map of its own, fitted to all landmarks with weights that fall with
    the square of their distance (moving least squares, Schaefer, McPhail and Warren 2006). Where
    the landmarks move affinely, the points do exactly so.

    Args:
        points: (n, 2) float, pixels of the first picture.
        landmarks_from: (68, 2) float, pixels of the first picture.
        landmarks_to: (68, 2) float, pixels of the second.

    Returns:
        (n, 2) float64, pixels of the second picture.
    """
    points = np.asarray(points, np.float64).reshape(-1, 2)
    source = np.asarray(landmarks_from, np.float64)
    target = np.asarray(landmarks_to, np.float64)
    if not len(points):
        return points
    weights = _weights(points, source)  # (n, 68)
    centre_from, centre_to = weights @ source, weights @ target  # (n, 2)
    offsets = source - centre_from[:, np.newaxis]  # (n, 68, 2)
    moved = target - centre_to[:, np.newaxis]
    weighted = weights[..., np.newaxis] * offsets
    matrices = np.linalg.solve(np.swapaxes(weighted, 1, 2) @ offsets,
                               np.swapaxes(weighted, 1, 2) @ moved)  # (n, 2, 2)
    return ((points - centre_from)[:, np.newaxis] @ matrices)[:, 0] + centre_to


def _weights(points: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """(n, 68) weights of the landmarks for each point; rows sum to 1."""
    width = max(float(np.ptp(landmarks, axis=0).max()), 1e-9)
    squares = ((points[:, np.newaxis] - landmarks) ** 2).sum(axis=2) / width ** 2
    weights = 1 / (squares + _NEAR ** 2) + _STIFFNESS
    return weights / weights.sum(axis=1, keepdims=True)
