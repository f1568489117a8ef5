"""Head pose: projections of the 3-D mean face give back the angles they were made with."""

import cv2
import numpy as np
import pytest

from facelib.pose import estimate_pose, mean_yaw


@pytest.mark.parametrize(
    "rotation, expected",
    [
        ((0, 0, 0), (0, 0, 0)),
        ((0.2, 0, 0), (-0.2, 0, 0)),
        ((0, 0.3, 0), (0, 0.3, 0)),
        ((0, 0, 0.1), (0, 0, 0.1)),
        ((0.1, -0.4, 0.05), (-0.0950, -0.4018, 0.0314)),
    ],
)
def test_pose_of_a_projected_mean_face(rotation, expected, project_face):
    pose = estimate_pose(project_face(rotation, 256), 256)
    np.testing.assert_allclose(pose, expected, atol=1e-4)


def test_pose_does_not_depend_on_the_size_of_the_crop(project_face):
    small = project_face((0.1, 0.2, 0.0), 128)
    large = project_face((0.1, 0.2, 0.0), 640)
    np.testing.assert_allclose(estimate_pose(small, 128), estimate_pose(large, 640), atol=1e-4)


def test_pose_signs_are_those_of_the_docstring(project_face):
    straight = project_face((0, 0, 0), 256)
    nose_left = project_face((0, 0.3, 0), 256)
    nose_down = project_face((0.3, 0, 0), 256)
    assert nose_left[30, 0] < straight[30, 0] and estimate_pose(nose_left, 256).yaw > 0
    assert nose_down[30, 1] > straight[30, 1] and estimate_pose(nose_down, 256).pitch < 0
    assert mean_yaw(nose_left) > 10 > abs(mean_yaw(straight))
    turned = cv2.transform(straight[None], cv2.getRotationMatrix2D((128, 128), -10, 1))[0]
    assert estimate_pose(turned, 256).roll == pytest.approx(np.radians(10), abs=0.01)


@pytest.mark.parametrize("landmarks", [np.zeros((68, 2)), np.full((68, 2), np.nan)])
def test_degenerate_landmarks_have_no_pose(landmarks):
    with pytest.raises(ValueError, match="degenerate"):
        estimate_pose(landmarks, 256)


@pytest.mark.parametrize("seed", range(40))
def test_noise_never_turns_the_head_over(project_face, seed):
    rng = np.random.default_rng(seed)
    rotation = rng.uniform(-1, 1, 3) * (0.4, 0.9, 0.3)
    noisy = project_face(rotation, 256) + rng.normal(size=(68, 2)) * 3
    clean = estimate_pose(project_face(rotation, 256), 256)
    np.testing.assert_allclose(estimate_pose(noisy, 256), clean, atol=0.15)
