"""The pictures of previews: rows of faces below their titles."""

import numpy as np
import pytest

from models.preview import TILE_SIDE, preview_picture, preview_pictures, tile_side

TITLES = ("src", "src again", "dst")


def rows_of(n, side=64):
    """n rows of evenly coloured pictures: column c of row r has blue 0.2 (c + 1), green 0.1 r."""
    rows = []
    for r in range(n):
        colours = [np.float32([0.2 * (c + 1), 0.1 * r, 0.5]) for c in range(len(TITLES))]
        rows.append({title: np.tile(colour, (side, side, 1))
                     for title, colour in zip(TITLES, colours)})
    return rows


def count(image, colour):
    """Pixels within 2 levels of a BGR colour."""
    return int((np.abs(image.astype(int) - colour).max(-1) <= 2).sum())


def test_every_face_stands_in_its_row_and_column_in_its_own_colours():
    image = preview_picture(rows_of(2))
    assert image.dtype == np.uint8 and image.shape[2] == 3
    places = {}
    for r in range(2):
        for c in range(3):
            colour = np.rint(255 * np.array([0.2 * (c + 1), 0.1 * r, 0.5]))
            assert count(image, colour) > 0.9 * TILE_SIDE**2
            y, x = np.nonzero(np.abs(image.astype(int) - colour).max(-1) <= 2)
            places[r, c] = y.mean(), x.mean()
    assert places[0, 0][1] < places[0, 1][1] < places[0, 2][1]
    assert places[0, 0][0] < places[1, 0][0]


def test_every_preview_has_its_picture_under_its_name():
    pictures = preview_pictures({"SAEHD": rows_of(3), "SAEHD masked": rows_of(1)})
    assert list(pictures) == ["SAEHD", "SAEHD masked"]
    tall, low = (picture.shape[0] for picture in pictures.values())
    assert tall - low == 2 * (TILE_SIDE + 4)


def test_titles_stand_above_their_columns():
    titled, untitled = (preview_picture([dict(zip(names, rows_of(1)[0].values()))])
                        for names in (TITLES, (" ", "  ", "   ")))
    bar = titled.shape[0] - TILE_SIDE - 4  # and the gap below the faces
    assert 10 < bar < 40 and np.any(titled[:bar] != untitled[:bar])
    np.testing.assert_array_equal(titled[bar:], untitled[bar:])


@pytest.mark.parametrize("resolution, n_columns, side", [
    (64, 5, 160), (96, 6, 160), (192, 6, 192), (224, 6, 224), (256, 5, 256), (320, 5, 256),
    (640, 6, 256), (640, 10, 160), (64, 20, 80)])
def test_faces_are_drawn_as_they_are_or_to_a_size_that_fits(resolution, n_columns, side):
    assert tile_side(resolution, n_columns) == side
    row = {str(c): np.full((resolution, resolution, 3), 0.5, np.float32) for c in range(n_columns)}
    assert preview_picture([row]).shape[1] == n_columns * (side + 4) + 4


def test_large_faces_are_shrunk_without_moire():
    stripes = np.zeros((640, 640, 3), np.float32)
    stripes[:, ::2] = 1  # finer than what can be shown: grey
    picture = preview_picture([{"src": stripes}])
    middle = picture[100:200, 100:200].astype(int)
    assert np.abs(middle - 127).max() < 40


def test_values_outside_0_1_are_clipped():
    image = preview_picture([{"src": np.full((64, 64, 3), 1.7, np.float32),
                              "dst": np.full((64, 64, 3), -0.5, np.float32)}])
    assert count(image, [255, 255, 255]) > 0.9 * TILE_SIDE**2
    assert count(image, [0, 0, 0]) > 0.9 * TILE_SIDE**2
