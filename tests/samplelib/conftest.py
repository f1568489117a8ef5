"""A drawn face whose landmarks are known, and facesets made of it."""

import cv2
import numpy as np
import pytest

from benchmarks.sampler import mean_landmarks
from facelib.face_type import FaceType
from samplelib.face_image import write_face
from samplelib.face_info import FaceInfo
from samplelib.faceset import load_faceset


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
        landmarks = mean_landmarks(size, face_type)
        for number in range(n_faces):
            image = draw_face(landmarks, size, 20 + 10 * number)
            write_face(folder / f"{number:05d}_0.jpg", image, FaceInfo(face_type, landmarks))
        return load_faceset(folder)
    return make


@pytest.fixture(name="landmarks_of")
def landmarks_of_fixture():
    return lambda face_type, size: mean_landmarks(size, face_type)


@pytest.fixture(name="draw_face")
def draw_face_fixture():
    return draw_face
