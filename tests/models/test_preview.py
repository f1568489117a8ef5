"""The preview picture: a chart above rows of faces."""

import numpy as np
import pytest

from models.history import LossHistory
from models.preview import CHART_HEIGHT, TILE_SIDE, preview_image

TITLES = ("src", "src again", "dst")


def rows_of(n, side=64):
    """n rows of evenly coloured pictures: column c of row r has blue 0.2 (c + 1), green 0.1 r."""
    rows = []
    for r in range(n):
        colours = [np.float32([0.2 * (c + 1), 0.1 * r, 0.5]) for c in range(len(TITLES))]
        rows.append({title: np.tile(colour, (side, side, 1))
                     for title, colour in zip(TITLES, colours)})
    return rows


def history_of(n):
    history = LossHistory()
    for i in range(n):
        history.append({"src": 3 / (1 + i / 100), "dst": 2 / (1 + i / 100)}, 0.1)
    return history


def count(image, colour):
    """Pixels within 2 levels of a BGR colour."""
    return int((np.abs(image.astype(int) - colour).max(-1) <= 2).sum())


@pytest.mark.parametrize("n_iterations", [0, 1, 2, 5000])
def test_every_face_stands_below_the_chart_in_its_own_colours(n_iterations):
    image = preview_image(rows_of(2), history_of(n_iterations))
    assert image.dtype == np.uint8 and image.shape[2] == 3
    faces = image[CHART_HEIGHT:]
    for r in range(2):
        for c in range(3):
            colour = np.rint(255 * np.array([0.2 * (c + 1), 0.1 * r, 0.5]))
            assert count(faces, colour) > 0.9 * TILE_SIDE**2
            assert count(image[:CHART_HEIGHT], colour) == 0


def test_faces_are_in_rows_and_columns_as_given():
    faces = preview_image(rows_of(2), history_of(3))[CHART_HEIGHT:]
    places = {}
    for r in range(2):
        for c in range(3):
            colour = np.rint(255 * np.array([0.2 * (c + 1), 0.1 * r, 0.5]))
            y, x = np.nonzero(np.abs(faces.astype(int) - colour).max(-1) <= 2)
            places[r, c] = y.mean(), x.mean()
    assert places[0, 0][1] < places[0, 1][1] < places[0, 2][1]
    assert places[0, 0][0] < places[1, 0][0]


def test_values_outside_0_1_are_clipped():
    rows = [{"src": np.full((64, 64, 3), 1.7, np.float32),
             "dst": np.full((64, 64, 3), -0.5, np.float32)}]
    faces = preview_image(rows, history_of(0))[CHART_HEIGHT:]
    assert count(faces, [255, 255, 255]) > 0.9 * TILE_SIDE**2
    assert count(faces, [0, 0, 0]) > 0.9 * TILE_SIDE**2


def test_the_chart_changes_with_the_losses():
    few, many = (preview_image(rows_of(1), history_of(n))[:CHART_HEIGHT] for n in (2, 3000))
    assert few.shape == many.shape and np.any(few != many)
