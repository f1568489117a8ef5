"""Points carried between faces: affine motion is exact, landmarks go to landmarks."""

import numpy as np
import pytest

from benchmarks.sampler import mean_landmarks
from core.geometry import transform_points
from facelib.carry import carry_points, face_to_face
from facelib.face_type import FaceType

POINTS = np.random.default_rng(0).uniform(0, 256, (50, 2))


@pytest.fixture(name="landmarks")
def landmarks_fixture():
    return np.asarray(mean_landmarks(256, FaceType.FULL), np.float64)


def test_affine_motion_of_the_landmarks_moves_points_the_same_way(landmarks):
    matrix = np.array([(1.1, 0.2, -9), (-0.1, 0.9, 14)])
    moved = carry_points(POINTS, landmarks, landmarks @ matrix[:, :2].T + matrix[:, 2])
    assert moved == pytest.approx(POINTS @ matrix[:, :2].T + matrix[:, 2], abs=1e-6)


def test_a_point_follows_the_landmark_it_lies_on(landmarks):
    opened = landmarks.copy()
    opened[[6, 7, 8, 9, 10], 1] += 20  # the chin goes down
    moved = carry_points(landmarks[[8, 27]], landmarks, opened)
    assert moved[0] == pytest.approx(opened[8], abs=3)
    assert moved[1] == pytest.approx(landmarks[27], abs=1)


def test_points_far_from_all_landmarks_stay_sensible(landmarks):
    noisy = landmarks + np.random.default_rng(1).normal(0, 1, landmarks.shape)
    corners = np.array([(0, 0), (256, 0), (0, 256), (256, 256)], float)
    assert carry_points(corners, landmarks, noisy) == pytest.approx(corners, abs=6)


def test_each_point_is_the_weighted_fit_of_its_own(landmarks):
    rng = np.random.default_rng(2)
    target = landmarks + rng.normal(0, 4, landmarks.shape)
    at = np.array([100.0, 140.0])
    width = np.ptp(landmarks, axis=0).max()
    weight = 1 / (((landmarks - at) ** 2).sum(1) / width ** 2 + 0.02 ** 2) + 1e-3
    rows = np.hstack([landmarks, np.ones((68, 1))]) * np.sqrt(weight)[:, None]
    fit, *_ = np.linalg.lstsq(rows, target * np.sqrt(weight)[:, None], rcond=None)
    assert carry_points(at, landmarks, target)[0] == pytest.approx([*at, 1] @ fit, abs=1e-8)


def test_no_points_give_no_points(landmarks):
    assert carry_points(np.zeros((0, 2)), landmarks, landmarks).shape == (0, 2)


def test_faces_of_other_size_and_type_lie_over_each_other():
    small, wide = (np.asarray(mean_landmarks(size, kind), np.float64)
                   for size, kind in ((128, FaceType.FULL), (300, FaceType.WHOLE_FACE)))
    assert transform_points(small, face_to_face(small, wide)) == pytest.approx(wide, abs=1e-3)
