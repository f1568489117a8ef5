"""Alignment of turned faces: heads made from the mean face, turned and photographed."""

import cv2
import numpy as np
import pytest
from skimage.transform import SimilarityTransform

from core.geometry import transform_points
from facelib.align import face_transform
from facelib.face_type import FaceType
from facelib.landmarks import ALIGN_INDICES, MODEL_3D, TEMPLATE_51
from facelib.mean_face import fit_mean_face, misfit
from facelib.templates import FRONT, LEFT, RIGHT, choose_template

YAWS = np.arange(-90, 91, 5)
CAMERA = np.array([[600, 0, 128], [0, 600, 128], [0, 0, 1.0]])
TOWARDS = np.array((0, 0, 600.0))  # how far the camera stands off, millimetres


def rotation(axis, degrees):
    return cv2.Rodrigues(np.eye(3)[axis] * np.radians(degrees))[0]


def head(yaw, pitch=0, roll=0):
    """Rotation vector of a head that turns, then nods, then leans, degrees."""
    turn = rotation(2, roll) @ rotation(0, pitch) @ rotation(1, yaw)
    return cv2.Rodrigues(turn)[0][:, 0]


def photograph(points, vector):
    """(N, 2) pixels of points of the head, (N, 3) millimetres."""
    return cv2.projectPoints(np.float64(points), vector, TOWARDS, CAMERA, None)[0][:, 0]


def landmarks(*angles):
    return photograph(MODEL_3D, head(*angles))


def lean(angles, face_type=FaceType.FULL):
    """Degrees by which the head's own vertical axis leans in the aligned picture."""
    matrix = face_transform(landmarks(*angles), 256, face_type)
    neck_and_crown = photograph([(0, 80, 30), (0, -80, 30)], head(*angles))
    (x, y), = np.diff(transform_points(neck_and_crown, matrix), axis=0)
    return np.degrees(np.arctan2(x, -y))


@pytest.mark.parametrize("pitch", [-20, 0, 20])
@pytest.mark.parametrize("yaw", YAWS)
def test_turned_faces_stay_upright(yaw, pitch):
    for roll in (0, 130):
        assert abs(lean((yaw, pitch, roll))) < 11


@pytest.mark.parametrize("yaw", [-90, -75, -60, 60, 75, 90])
def test_profiles_keep_their_side_and_the_order_of_their_parts(yaw):
    for roll in (0, 90, 180, -60):
        points = landmarks(yaw, 0, roll)
        aligned = transform_points(points, face_transform(points, 256, FaceType.FULL))
        brows, eyes, nose, mouth, chin = (aligned[part, 1].mean() for part in (
            slice(17, 27), slice(36, 48), slice(31, 36), slice(48, 68), slice(6, 11)))
        assert brows < eyes < nose < mouth < chin
        nose_tip, ear = aligned[30, 0], aligned[[0, 16], 0].mean()
        assert (nose_tip < ear) == (yaw > 0)  # the nose still looks to where it looked
        assert 0 < min(nose_tip, ear) and max(nose_tip, ear) < 256


def test_a_profile_aligned_with_the_frontal_template_would_lie_askew():
    """What the side templates are for; the number the others are better than."""
    points = landmarks(90, 20)
    matrix = SimilarityTransform.from_estimate(points[ALIGN_INDICES], FRONT).params[:2]
    neck_and_crown = photograph([(0, 80, 30), (0, -80, 30)], head(90, 20))
    (x, y), = np.diff(transform_points(neck_and_crown, matrix), axis=0)
    assert abs(np.degrees(np.arctan2(x, -y))) > 25


@pytest.mark.parametrize("yaw", [0, 10, -10, 20, -25])
def test_frontal_faces_are_aligned_as_the_reference_does_it(yaw):
    """The published steps, with scikit-image's similarity: fit, corners, half diagonal, anchors."""
    points = landmarks(yaw, 5, 12)
    template = TEMPLATE_51[ALIGN_INDICES - 17].astype(np.float64)
    fit = SimilarityTransform.from_estimate(points[ALIGN_INDICES], template)
    corners = fit.inverse([(0, 0), (1, 0), (1, 1), (0, 1), (0.5, 0.5)])
    down_right, up_right = corners[2] - corners[0], corners[1] - corners[3]
    half = np.linalg.norm(down_right) * (0.2109375 * np.sqrt(2) + 0.5)
    down_right *= half / np.linalg.norm(down_right)
    up_right *= half / np.linalg.norm(up_right)
    anchors = np.float32([corners[4] - down_right, corners[4] + up_right, corners[4] + down_right])
    expected = cv2.getAffineTransform(anchors, np.float32([(0, 0), (256, 0), (256, 256)]))
    np.testing.assert_allclose(
        face_transform(points, 256, FaceType.FULL), expected, rtol=1e-5, atol=2e-4)


def test_a_slowly_turning_head_never_jumps():
    """Landmarks of the nose ridge, aligned, over a turn from one profile to the other."""
    turns = np.arange(-90, 90.5, 0.5)
    paths = []
    for yaw in turns:
        points = landmarks(yaw)
        aligned = transform_points(points, face_transform(points, 256, FaceType.WHOLE_FACE))
        paths.append(aligned[[27, 28, 29, 36, 45, 8]])
    steps = np.linalg.norm(np.diff(paths, axis=0), axis=-1)  # pixels per half degree
    assert steps.max() < 1.6
    assert np.abs(np.diff(steps, axis=0)).max() < 0.8  # nor does its speed


def test_faces_keep_their_size_while_they_turn():
    sizes = [np.linalg.norm(face_transform(landmarks(yaw), 256, FaceType.FULL)[:, 0])
             for yaw in YAWS]
    assert max(sizes) / min(sizes) < 1.15


def test_the_template_of_a_face_is_the_mirrored_one_of_the_mirrored_face():
    partners = np.array([*range(9, -1, -1), 10, 11, 12, 13, 18, 17, 16, 15, 14, *range(28, 24, -1),
                         30, 29, *range(22, 18, -1), 24, 23, 32, 31])
    mirrored = RIGHT[partners] * (-1, 1) + (2 * 0.490127, 0)
    np.testing.assert_allclose(mirrored, LEFT, atol=0.06)  # the mean face is a little askew
    assert LEFT[13, 0] < FRONT[13, 0] - 0.2  # row 13 is the nose tip


def test_templates_at_both_ends_are_the_three_named_ones():
    assert choose_template(landmarks(0)) is FRONT
    assert choose_template(landmarks(85)) is LEFT
    assert choose_template(landmarks(-85)) is RIGHT


@pytest.mark.parametrize("yaw", [-90, -60, -30, 0, 30, 60, 90])
@pytest.mark.parametrize("pitch, roll", [(0, 0), (15, 0), (-15, 0), (0, 100), (0, -170)])
def test_yaw_of_a_fit(yaw, pitch, roll):
    """Seen from infinitely far, as the fit assumes; nodding a profile only turns its picture."""
    turn = cv2.Rodrigues(head(yaw, pitch, roll))[0]
    points = MODEL_3D @ turn.T[:, :2] * 3 + (500, -20)
    fit = fit_mean_face(points)
    nose, up = turn @ (0, 0, -1), turn @ (0, -1, 0)
    expected = np.arcsin((nose[0] * up[1] - nose[1] * up[0]) / np.hypot(*up[:2]))
    assert fit.yaw == pytest.approx(expected, abs=1e-6)
    if pitch == 0:
        assert np.degrees(fit.yaw) == pytest.approx(yaw, abs=1e-3)
    assert fit.scale == pytest.approx(3, rel=1e-6) and fit.stretch == pytest.approx(1, rel=1e-6)
    assert misfit(points, fit) < 1e-4


def test_misfit_is_the_distance_in_millimetres():
    rng = np.random.default_rng(0)
    points = MODEL_3D[:, :2] * 4.0 + rng.normal(size=(68, 2)) * 4 * 3
    assert misfit(points, fit_mean_face(points)) == pytest.approx(3 * np.sqrt(2), rel=0.2)


@pytest.mark.parametrize("points", [np.full((68, 2), 7.0), np.full((68, 2), np.nan)])
def test_no_face_fits_degenerate_landmarks(points):
    with pytest.raises(ValueError, match="coincide|finite"):
        fit_mean_face(points)
