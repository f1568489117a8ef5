"""Tells people in one video apart by how their faces look, without a network."""

from collections.abc import Sequence

import cv2
import numpy as np

from facelib.align import crop_face, face_transform
from facelib.face_type import FaceType

_SIDE = 64
_LIGHT_SIDE, _COLOR_SIDE = 16, 6
_SKIN, _SKIN_SPREAD = np.array([12.0, 14.0]), 8.0
"""Usual a and b of skin in Lab, and how far people and lamps are from it."""


class AppearanceEmbedder:
    """A `FaceEmbedder`: blurred lightness and colours of the aligned face.

    Good for telling people apart and for finding one again in the same light and a similar pose,
    as after a cut to somebody else and back. It does not know a person in another film.
    """

    same_person = 0.75
    """Faces of one person in one light have a cosine of 0.66 to 1, of two people 0 to 0.7."""

    def embed(
        self, images: Sequence[np.ndarray], landmarks: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """One (F, 328) float32 array per image; see `FaceEmbedder`."""
        size = _LIGHT_SIDE**2 + 2 * _COLOR_SIDE**2
        return [
            np.array([_describe(image, points) for points in faces], np.float32).reshape(-1, size)
            for image, faces in zip(images, landmarks, strict=True)
        ]


def _describe(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    face = crop_face(image, face_transform(landmarks, _SIDE, FaceType.FULL), _SIDE)
    lab = cv2.cvtColor(face.astype(np.float32) / 255, cv2.COLOR_BGR2Lab)
    light = _shrunk(lab[..., 0], _LIGHT_SIDE)
    light = (light - light.mean()) / (light.std() + 1e-3)  # exposure says nothing about the person
    colors = (_shrunk(lab[..., 1:], _COLOR_SIDE) - _SKIN) / _SKIN_SPREAD
    parts = [part.ravel() / np.sqrt(part.size) for part in (light, colors)]
    return np.concatenate(parts)


def _shrunk(image: np.ndarray, side: int) -> np.ndarray:
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
