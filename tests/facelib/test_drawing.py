"""What is drawn lies where the face is."""

import numpy as np
import pytest

from core.geometry import invert_affine, transform_points
from facelib.align import face_transform
from facelib.drawing import BOX, CROP, LANDMARKS, draw_face, draw_landmarks
from facelib.face_type import FaceType


def where(canvas, color):
    """(N, 2) x, y of the pixels of that colour, at least half as bright."""
    color, pixels = np.float64(color), canvas.astype(np.float64)
    share = pixels @ color / (color @ color)
    rest = np.linalg.norm(pixels - share[..., None] * color, axis=-1)
    return np.argwhere((share > 0.45) & (rest < 20))[:, ::-1]


def nearest(points, pixels):
    """(N,) distance from each point to the nearest of the pixels."""
    return np.linalg.norm(points[:, None] - pixels[None], axis=-1).min(axis=1)


def test_landmarks_are_joined_to_lines(project_face):
    points = project_face((0, 0.2, 0.1), 256)
    canvas = draw_landmarks(np.zeros((256, 256, 3), np.uint8), points)
    drawn = where(canvas, LANDMARKS)
    assert nearest(points, drawn).max() < 1
    between = (points[0:16] + points[1:17]) / 2  # along the jaw
    assert nearest(between, drawn).max() < 1.5
    closing = (points[[59, 67, 41, 47]] + points[[48, 60, 36, 42]]) / 2
    assert nearest(closing, drawn).max() < 1.5
    assert nearest(drawn.astype(float), points).max() < 20


@pytest.mark.parametrize("roll", [0.0, 2.0])
def test_box_and_crop_are_outlined_and_the_crops_top_left_is_marked(project_face, roll):
    points = project_face((0, 0, roll), 200) + 100
    box = np.array([150, 140, 250, 260.0])
    matrix = face_transform(points, 128, FaceType.FULL)
    canvas = draw_face(np.zeros((400, 400, 3), np.uint8), points, box, matrix, 128, "track 3")
    assert nearest(np.array([(150, 200), (200, 260), (250.0, 180)]), where(canvas, BOX)).max() <= 3
    corners = transform_points(np.float64([(0, 0), (128, 0), (128, 128), (0, 128), (9, 9)]),
                               invert_affine(matrix))
    distances = nearest(corners, where(canvas, CROP))
    assert distances[:4].max() < 2 and distances[4] < 8
    label = canvas[: int(box[1]) - 4, int(box[0]):int(box[2])]
    assert (label == 225).all(axis=-1).sum() > 20


def test_a_face_at_the_border_is_drawn_as_far_as_it_shows(project_face):
    points = project_face((0, 0, 0), 200) - 120
    matrix = face_transform(points, 64, FaceType.HEAD)
    canvas = draw_face(np.zeros((50, 60, 3), np.uint8), points, points[[0, 8]].ravel(), matrix, 64,
                       "x")
    assert canvas.any() and canvas.shape == (50, 60, 3)
