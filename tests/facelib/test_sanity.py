"""The sanity score: high for faces in any pose, low for what no face looks like."""

import numpy as np
import pytest

from facelib.landmarks import FLIP_68
from facelib.sanity import DOUBTFUL, face_sanity, share_inside


def box_of(landmarks):
    return np.concatenate([landmarks.min(axis=0), landmarks.max(axis=0)])


def sanity(landmarks, box=None, score=1.0):
    return face_sanity(landmarks, box_of(landmarks) if box is None else box, score)


def rolled(landmarks, degrees):
    angle = np.radians(degrees)
    turn = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    return landmarks @ turn.T


@pytest.mark.parametrize("yaw", [-85, -45, 0, 30, 70])
@pytest.mark.parametrize("pitch, roll", [(0, 0), (20, 0), (-20, 170), (0, -90)])
def test_a_mean_face_is_sane_in_any_pose(project_face, yaw, pitch, roll):
    points = rolled(project_face(np.radians((pitch, yaw, 0)), 256), roll)
    assert sanity(points) > 0.85
    assert sanity(points, score=0.6) == pytest.approx(0.6 * sanity(points))


def damaged(name, points):
    rng = np.random.default_rng(0)
    size = np.ptp(points[:, 1])
    return {
        "sides swapped": lambda: points[FLIP_68],
        "turned over": lambda: points * (1, -1),
        "shuffled": lambda: points[rng.permutation(68)],
        "scattered": lambda: points + rng.normal(size=points.shape) * size / 8,
        "squeezed": lambda: points * (0.45, 1),
        "all in one place": lambda: np.full_like(points, 3),
        "not numbers": lambda: np.full_like(points, np.nan),
        "eyes on the mouth": lambda: np.vstack([points[:36], points[36:48] + (0, size / 2),
                                                points[48:]]),
    }[name]()


@pytest.mark.parametrize("yaw", [-50, 0, 30])
@pytest.mark.parametrize("name", [
    "sides swapped", "turned over", "shuffled", "scattered", "squeezed", "all in one place",
    "not numbers", "eyes on the mouth"])
def test_what_no_face_looks_like_is_doubtful(project_face, name, yaw):
    points = project_face(np.radians((0, yaw, 0)), 256)
    assert sanity(damaged(name, points), box_of(points)) < DOUBTFUL


def test_landmarks_beside_the_box_are_doubtful(project_face):
    points = project_face((0, 0.2, 0), 256)
    assert sanity(points + (np.ptp(points[:, 0]), 0), box_of(points)) < DOUBTFUL


def test_a_box_reaches_a_quarter_further_on_each_side():
    points = np.array([(-2.0, 5), (-3, 5), (12, 12), (13, 5)])
    assert share_inside(points, np.array([0, 0, 10, 10])) == 0.5
