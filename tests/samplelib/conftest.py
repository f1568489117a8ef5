"""A drawn face whose landmarks are known, and facesets made of it."""

import cv2
import numpy as np
import pytest

from facelib.align import face_transform
from facelib.face_type import FaceType
from facelib.landmarks import TEMPLATE_51
from samplelib.face_image import write_face
from samplelib.face_info import FaceInfo
from samplelib.faceset import load_faceset


def landmarks_of(face_type: FaceType, size: int) -> np.ndarray:
    """(68, 2) landmarks of the mean face with a round jaw, in an aligned picture."""
    angles = np.linspace(0, np.pi, 17)
    jaw = np.stack([0.49 - 0.55 * np.cos(angles), 0.25 + 0.85 * np.sin(angles)], axis=1)
    frame = np.concatenate([jaw, TEMPLATE_51]) * 100 + 300
    matrix = face_transform(frame, size, face_type)
    return frame @ matrix[:, :2].T + matrix[:, 2]


def draw_face(landmarks: np.ndarray, size: int, shade: int = 128) -> np.ndarray:
    """(size, size, 3) uint8: a grey gradient of some shade with a white dot on each landmark."""
    image = np.full((size, size, 3), shade, np.uint8)
    image[..., 0] = np.linspace(0, 200, size)[None]
    for x, y in landmarks:
        cv2.circle(image, (round(x), round(y)), max(size // 100, 1), (255, 255, 255), -1)
    return image


@pytest.fixture
def make_faceset(tmp_path):
    """Function: writes n faces, each of its own shade (20 + 10 i), and loads them."""
    def make(n_faces: int = 5, face_type: FaceType = FaceType.FULL, size: int = 96,
             name: str = "aligned"):
        folder = tmp_path / name
        folder.mkdir()
        landmarks = landmarks_of(face_type, size)
        for number in range(n_faces):
            image = draw_face(landmarks, size, 20 + 10 * number)
            write_face(folder / f"{number:05d}_0.jpg", image, FaceInfo(face_type, landmarks))
        return load_faceset(folder)
    return make


@pytest.fixture(name="landmarks_of")
def landmarks_of_fixture():
    return landmarks_of


@pytest.fixture(name="draw_face")
def draw_face_fixture():
    return draw_face
