"""Where a head looks, from its landmarks."""

from typing import NamedTuple

import cv2
import numpy as np

from facelib.landmarks import MODEL_3D

_POSE_INDICES = np.array([*range(27), *range(30, 36)])
"""Jaw, brows and nose base: what neither speech nor blinking moves."""

_GIMBAL_LOCK = 1e-6


class Pose(NamedTuple):
    """Radians, each in [-pi/2, pi/2].

    Signs, as seen in the picture: pitch grows when the head looks up, yaw when the nose moves to
    the left edge of the picture, roll when the head turns clockwise.
    """

    pitch: float
    yaw: float
    roll: float


def estimate_pose(landmarks_face: np.ndarray, size: int) -> Pose:
    """Pitch, yaw and roll by fitting a mean 3-D face to the landmarks (perspective-n-point).

    The camera is assumed to have a focal length of `size` and to look at the crop's centre.

    Args:
        landmarks_face: (68, 2) float, pixels of the aligned face.
        size: Side of the aligned face, pixels.

    Returns:
        The pose relative to the crop: an aligned face has a roll near 0.

    Raises:
        ValueError: The landmarks are not finite or are degenerate (all in one place).
    """
    points = np.asarray(landmarks_face, np.float64)[_POSE_INDICES]
    if not np.isfinite(points).all() or np.ptp(points, axis=0).min() <= 0:
        raise ValueError("landmarks are degenerate: no head pose fits them")
    camera = np.array([[size, 0, size / 2], [0, size, size / 2], [0, 0, 1]], np.float64)
    model = MODEL_3D[_POSE_INDICES].astype(np.float64)
    try:
        # Left to find its own start, the iterative method sometimes ends in the mirrored solution
        # behind the camera; SQPnP (Terzakis and Lourakis, 2020) finds the right one to start from.
        _, rotation, shift = cv2.solvePnP(model, points, camera, None, flags=cv2.SOLVEPNP_SQPNP)
        rotation, _ = cv2.solvePnPRefineLM(model, points, camera, None, rotation, shift)
    except cv2.error as error:
        raise ValueError(f"no head pose fits these landmarks: {error.err}") from error
    x, y, z = np.clip(_euler_angles(cv2.Rodrigues(rotation)[0]), -np.pi / 2, np.pi / 2)
    return Pose(pitch=-float(x), yaw=float(y), roll=float(z))


def _euler_angles(rotation: np.ndarray) -> tuple[float, float, float]:
    """(3, 3) rotation -> angles about x, y, z (applied in that order), radians."""
    cosine_y = np.hypot(rotation[0, 0], rotation[1, 0])
    y = np.arctan2(-rotation[2, 0], cosine_y)
    if cosine_y < _GIMBAL_LOCK:
        return np.arctan2(-rotation[1, 2], rotation[1, 1]), y, 0.0
    x = np.arctan2(rotation[2, 1], rotation[2, 2])
    return x, y, np.arctan2(rotation[1, 0], rotation[0, 0])


def mean_yaw(landmarks: np.ndarray) -> float:
    """A quick measure of yaw: how much wider the left half of the face is than the right half.

    Args:
        landmarks: (68, 2) float, upright face in any unit.

    Returns:
        In the unit of the landmarks; 0 for a frontal face, positive when the nose is nearer to the
        left edge of the picture. In the unit face square about -0.5 to 0.5.
    """
    x = np.asarray(landmarks, np.float64)[:, 0]
    right_half = np.mean(x[[27, 28, 29]] - x[[0, 1, 2]])
    left_half = np.mean(x[[16, 15, 14]] - x[[27, 28, 29]])
    return float(left_half - right_half)
