"""The second pass: what it asks of detector and extractor, and that real landmarks stay put."""

from pathlib import Path

import numpy as np
import pytest

from core.geometry import invert_affine, transform_points
from core.imaging.io import read_image
from facelib.align import face_transform
from facelib.detect import FaceFinder, find_faces
from facelib.face_type import FaceType
from facelib.types import Face

PICTURE = Path(__file__).parents[1] / "data/astronaut_nasa_pd.png"
ONE, NONE, TWO = 1, 0, 2


class Detector:
    """One face in pictures of the usual size, `in_crops` faces in aligned ones."""

    def __init__(self, in_crops):
        self.in_crops = in_crops

    def detect(self, images):
        face = Face(np.float32([40, 50, 200, 210]), 0.9)
        return [[face] * (self.in_crops if image.shape == (256, 256, 3) else 1)
                for image in images]


class Landmarker:
    """Known landmarks, others in the aligned picture; `refuses` gives none there."""

    def __init__(self, first, second, refuses=False):
        self.first, self.second, self.refuses = first, second, refuses

    def extract(self, images, faces):
        return [np.array([self._of(image) for _ in found], np.float32).reshape(-1, 68, 2)
                for image, found in zip(images, faces)]

    def _of(self, image):
        is_crop = image.shape == (256, 256, 3)
        return self.second * (np.nan if self.refuses else 1) if is_crop else self.first


@pytest.mark.parametrize("in_crops, refuses, changes", [
    (ONE, False, True), (NONE, False, False), (TWO, False, False), (ONE, True, False)])
def test_landmarks_of_the_crop_replace_the_first_where_there_is_one_face(
        project_face, in_crops, refuses, changes):
    first, second = project_face((0, 0.2, 0.4), 300), project_face((0, 0.1, 0), 200)
    finder = FaceFinder(Detector(in_crops), Landmarker(first, second, refuses), second_pass=True)
    picture = np.zeros((300, 400, 3), np.uint8)
    (face,), (other,) = finder.complete([picture] * 2, finder.detect([picture] * 2))
    to_image = invert_affine(face_transform(np.float32(first), 256, FaceType.FULL))
    expected = transform_points(second, to_image) if changes else first
    np.testing.assert_allclose(face.landmarks, expected, atol=1e-3)
    assert face.landmarks.dtype == np.float32
    np.testing.assert_array_equal(face.landmarks, other.landmarks)


def test_a_second_pass_of_the_networks_agrees_with_the_first(networks):
    image = read_image(PICTURE)
    (first,), (second,) = (find_faces([image], *networks, second_pass=wanted)[0]
                           for wanted in (False, True))
    eye_distance = np.linalg.norm(first.landmarks[36] - first.landmarks[45])
    moved = np.linalg.norm(first.landmarks - second.landmarks, axis=1) / eye_distance
    assert 0 < moved.mean() < 0.02
    np.testing.assert_array_equal(first.box, second.box)
