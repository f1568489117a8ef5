"""How the mean face in space lies in a picture: a fit that does not depend on place and size."""

from dataclasses import dataclass

import numpy as np

from facelib.landmarks import ALIGN_INDICES, MODEL_3D

_MODEL = MODEL_3D[ALIGN_INDICES].astype(np.float64)
_CENTRED_MODEL = _MODEL - _MODEL.mean(axis=0)
_SOLVE = np.linalg.pinv(_CENTRED_MODEL)
"""(3, 33): takes centred landmarks to the affine map that fits the model to them best."""

_TINY = 1e-9


@dataclass(frozen=True, eq=False)
class MeanFaceFit:
    """The mean face, turned and scaled to lie on some landmarks (no perspective).

    Attributes:
        rotation: (3, 3) float64, axes of the model (x right, y down, z away from the camera) to
            those of the picture.
        scale: Pixels per millimetre.
        stretch: Smaller by larger scale along the two directions of the picture that differ most,
            0 to 1; 0.85 to 1 for real faces.
    """

    rotation: np.ndarray
    scale: float
    stretch: float

    @property
    def up(self) -> np.ndarray:
        """(2,) unit vector of the picture from the chin to the brows."""
        up = -self.rotation[:2, 1]
        length = np.linalg.norm(up)
        return up / length if length > _TINY else np.array([0.0, -1.0])

    @property
    def yaw(self) -> float:
        """Radians, positive when the nose goes to the left edge of the face turned upright."""
        up_x, up_y = self.up
        gaze_x, gaze_y = -self.rotation[:2, 2]  # the model's nose points to the camera
        return float(np.arcsin(np.clip(gaze_x * up_y - gaze_y * up_x, -1, 1)))


def fit_mean_face(landmarks: np.ndarray) -> MeanFaceFit:
    """Fits the mean face to brows, nose, eyes and mouth corners by least squares.

    The jaw is left out: in a turned face those landmarks follow the outline and not the bone.

    Args:
        landmarks: (68, 2) float, in any unit and with any roll.

    Raises:
        ValueError: The landmarks are not finite, or all in one place.
    """
    points = np.asarray(landmarks, np.float64)[ALIGN_INDICES]
    points = points - points.mean(axis=0)
    if not np.isfinite(points).all():
        raise ValueError("landmarks must be finite")
    affine = (_SOLVE @ points).T  # (2, 3), model to picture
    left, sizes, right = np.linalg.svd(affine, full_matrices=False)
    scale = float(sizes.mean())
    if scale < _TINY:
        raise ValueError("all landmarks coincide: no face fits them")
    (x1, y1, z1), (x2, y2, z2) = rows = left @ right  # the nearest two rows of a rotation
    depth = np.array([y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2])
    return MeanFaceFit(np.vstack([rows, depth]), scale, float(sizes[1] / sizes[0]))


def misfit(landmarks: np.ndarray, fit: MeanFaceFit) -> float:
    """How far landmarks are from the mean face that was fitted to them.

    Args:
        landmarks: (68, 2) float, as they went into the fit.
        fit: What came out of it.

    Returns:
        Root mean square distance in millimetres of the model; 2 to 4 for real faces.
    """
    points = np.asarray(landmarks, np.float64)[ALIGN_INDICES]
    model = fit.scale * _CENTRED_MODEL @ fit.rotation[:2].T
    distances = points - points.mean(axis=0) - model
    return float(np.sqrt(np.mean(np.sum(distances**2, axis=1))) / fit.scale)
