"""From mesh to landmarks, on a mesh whose outline is known: an ellipse with rays inside."""

import json

import numpy as np
import pytest

from facelib.landmarks import FLIP_68
from facelib.mesh_landmarks import N_VERTICES, MeshToLandmarks, upright_axes
from facelib.weights import WEIGHTS

IDENTITY_MAP = [(index, index, 1.0) for index in range(68)]


def ellipse_mesh(angle=0.0):
    """(468, 2): vertices 100 and above on an ellipse 80 x 100 around (200, 300), turned."""
    vertices = np.zeros((N_VERTICES, 2))
    turns = np.linspace(0, 2 * np.pi, N_VERTICES - 100, endpoint=False)
    vertices[100:] = np.stack([80 * np.cos(turns), 100 * np.sin(turns)], axis=1)
    vertices[33], vertices[263] = (-40, 0), (40, 0)
    turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
    return vertices @ turn + (200, 300)


@pytest.mark.parametrize("degrees", [0, 40, 180])
def test_jaw_goes_out_to_the_outline_along_the_eye_line(degrees):
    angle = np.radians(degrees)
    vertices = ellipse_mesh(angle)
    turn = upright_axes(vertices)
    rows = np.linspace(0, 90, 8)
    level = vertices @ turn
    centre = np.array([200, 300]) @ turn
    level[0:8] = centre + np.stack([np.full(8, -5), rows], axis=1)  # right jaw, far inside
    level[9:17] = centre + np.stack([np.full(8, 5), rows[::-1]], axis=1)
    vertices[:17] = level[:17] @ turn.T
    landmarks = (MeshToLandmarks(IDENTITY_MAP)(vertices) - (200, 300)) @ turn
    expected = 80 * np.sqrt(1 - (rows / 100) ** 2)  # half width of the ellipse
    np.testing.assert_allclose(landmarks[0:8, 0], -expected, atol=0.05)
    np.testing.assert_allclose(landmarks[9:17, 0], expected[::-1], atol=0.05)
    np.testing.assert_allclose(landmarks[0:8, 1], rows, atol=1e-6)


def test_other_landmarks_are_the_weighted_vertices():
    vertices = np.random.default_rng(0).normal(size=(N_VERTICES, 2)) * 50
    landmark_map = [(index, 467 - index, 0.75) for index in range(68)]
    landmarks = MeshToLandmarks(landmark_map)(vertices)
    expected = 0.75 * vertices[:68] + 0.25 * vertices[467:399:-1]
    np.testing.assert_allclose(landmarks[17:], expected[17:], atol=1e-9)
    np.testing.assert_allclose(landmarks[8], expected[8], atol=1e-9)


def test_axes_make_the_eyes_level():
    vertices = ellipse_mesh(np.radians(25))
    level = vertices @ upright_axes(vertices)
    assert level[33, 1] == pytest.approx(level[263, 1])
    assert level[33, 0] < level[263, 0]


def test_bundled_map_has_right_and_left_where_the_flip_table_says():
    table = json.loads(WEIGHTS["landmark_map"].read())
    np.testing.assert_array_equal(table["flip68"], FLIP_68)


def test_map_of_another_length_is_refused():
    with pytest.raises(ValueError, match="68 landmarks wanted, got 3"):
        MeshToLandmarks(IDENTITY_MAP[:3])
