"""From the 468 vertices of a FaceMesh to the 68 landmarks."""

import json
from collections.abc import Sequence

import cv2
import numpy as np

from facelib.landmarks import N_LANDMARKS
from facelib.weights import WEIGHTS

N_VERTICES = 468

_RIGHT_EYE_CORNER, _LEFT_EYE_CORNER = 33, 263
"""Vertices of the outer eye corners."""

_RIGHT_JAW, _LEFT_JAW = slice(0, 8), slice(9, 17)


class MeshToLandmarks:
    """Each landmark lies on a line between two vertices; the jaw is then taken to the outline.

    The mesh knows one jaw in space, whereas the 68 landmarks follow the jaw that is seen: in a
    turned face the far cheek hides it, and the near one ends at the ear. So jaw points move along
    the eye line out to the mesh's outline, never inwards.
    """

    def __init__(self, landmark_map: Sequence[tuple[int, int, float]]):
        """
        Args:
            landmark_map: (a, b, w) per landmark: it lies at w a + (1 - w) b of vertices a and b.

        Raises:
            ValueError: There are not 68 entries.
        """
        if len(landmark_map) != N_LANDMARKS:
            raise ValueError(f"a map of {N_LANDMARKS} landmarks wanted, got {len(landmark_map)}")
        self._weights = np.zeros((N_LANDMARKS, N_VERTICES))
        for landmark, (a, b, share) in enumerate(landmark_map):
            self._weights[landmark, a] += share
            self._weights[landmark, b] += 1 - share

    @classmethod
    def load(cls) -> "MeshToLandmarks":
        """The map that comes with FaceLab.

        Raises:
            WeightsMissing: Its file is absent or damaged.
        """
        return cls(json.loads(WEIGHTS["landmark_map"].read())["map"])

    def __call__(self, vertices: np.ndarray) -> np.ndarray:
        """(468, 2) float64 vertices -> (68, 2) float64 landmarks in the same pixels."""
        turn = upright_axes(vertices)
        level = vertices @ turn
        landmarks = self._weights @ level
        _push_jaw_out(landmarks, level)
        return landmarks @ turn.T


def upright_axes(vertices: np.ndarray) -> np.ndarray:
    """The directions along and across the eye line.

    Args:
        vertices: (468, 2) float, pixels.

    Returns:
        (2, 2) float64 rotation; `vertices @ upright_axes(vertices)` has level eyes.
    """
    x, y = vertices[_LEFT_EYE_CORNER] - vertices[_RIGHT_EYE_CORNER]
    length = max(np.hypot(x, y), np.finfo(np.float64).tiny)
    return np.array([(x, -y), (y, x)]) / length


def _push_jaw_out(landmarks: np.ndarray, vertices: np.ndarray) -> None:
    """Moves jaw points sideways to the convex outline, in place; both arrays have level eyes."""
    outline = cv2.convexHull(vertices.astype(np.float32))[:, 0].astype(np.float64)  # (K, 2)
    outline = np.roll(outline, -outline[:, 1].argmin(), axis=0)  # starts at the top
    bottom = outline[:, 1].argmax()
    sides = outline[: bottom + 1], np.vstack([outline[bottom:], outline[:1]])[::-1]
    for jaw, outermost in ((_RIGHT_JAW, np.minimum), (_LEFT_JAW, np.maximum)):
        points = landmarks[jaw]  # a view
        edges = [np.interp(points[:, 1], side[:, 1], side[:, 0]) for side in sides]
        points[:, 0] = outermost(points[:, 0], outermost(*edges))
