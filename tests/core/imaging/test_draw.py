import numpy as np
import pytest

from core.imaging import draw


def test_floats_are_rounded_to_grey_levels_and_clipped():
    canvas = draw.as_canvas(np.array([[0.0, 0.499 / 255, 0.501 / 255, 1.7, np.nan]], np.float32))
    assert canvas[0, :, 0].tolist() == [0, 0, 1, 255, 0]
    assert canvas.shape == (1, 5, 3)


def test_canvas_is_a_copy_without_the_alpha_channel():
    image = np.full((2, 2, 4), 9, np.uint8)
    canvas = draw.as_canvas(image)
    canvas[:] = 0
    assert canvas.shape == (2, 2, 3) and image.min() == 9


def test_shapes_that_are_no_picture_are_refused():
    with pytest.raises(ValueError, match="shape"):
        draw.as_canvas(np.zeros((2, 3, 4, 5)))


def test_text_stays_inside_its_measured_box():
    canvas = np.zeros((60, 300, 3), np.uint8)
    draw.put_text(canvas, "Iteration 42 gjpqy", (20, 10), height=16, color=draw.WHITE)
    width, height = draw.text_size("Iteration 42 gjpqy", 16)
    rows, columns = np.nonzero(canvas.max(axis=2))
    assert 10 <= rows.min() and rows.max() < 10 + height
    assert 19 <= columns.min() and columns.max() <= 20 + width
    assert columns.max() > 20 + width - 4  # and the box is tight
    assert len(np.unique(canvas)) > 10  # antialiased: more than on and off


def test_long_text_is_cut_off_and_not_wrapped():
    canvas = np.zeros((60, 40, 3), np.uint8)
    draw.put_text(canvas, "a very long line of text", (2, 2), height=14)
    assert canvas[25:].max() == 0


def test_outline_surrounds_the_text():
    canvas = np.full((30, 60, 3), 255, np.uint8)
    draw.put_text(canvas, "ab", (10, 5), color=draw.WHITE, outline=(0, 0, 0))
    assert canvas.min() < 40


def test_fitted_text_keeps_start_and_end():
    fitted = draw.fit_text("frame_000123_extracted_0.png", 90, 12)
    assert draw.text_size(fitted, 12)[0] <= 90
    assert fitted.startswith("fra") and fitted.endswith("png") and "..." in fitted
    assert draw.fit_text("short", 90, 12) == "short"


def test_polyline_passes_through_its_points_and_breaks_at_nan():
    canvas = np.zeros((11, 41, 3), np.uint8)
    points = np.array([[0, 5], [10, 5], [np.nan, 5], [30, 5], [40, 5]])
    draw.draw_polyline(canvas, points, draw.WHITE)
    assert canvas[5, 1:10].min() > 200 and canvas[5, 31:40].min() > 200
    assert canvas[:, 14:27].max() == 0


def test_polyline_draws_a_lone_point_as_a_dot():
    canvas = np.zeros((11, 11, 3), np.uint8)
    draw.draw_polyline(canvas, np.array([[5, 5]]), draw.WHITE, thickness=2)
    assert canvas[5, 5, 0] == 255 and canvas[5, 7, 0] > 0


def test_checkerboard_alternates_every_cell():
    board = draw.checkerboard(4, 6, cell=2, dark=10, light=20)
    assert board[0, :, 0].tolist() == [10, 10, 20, 20, 10, 10]
    assert board[2, :, 0].tolist() == [20, 20, 10, 10, 20, 20]


def test_transparent_parts_show_the_checkerboard():
    image = np.full((2, 2, 3), 200, np.uint8)
    mask = np.array([[0.0, 1.0], [0.5, 1.0]], np.float32)[..., np.newaxis]
    shown = draw.over_checkerboard(image, mask, cell=2)
    assert shown[..., 0].tolist() == [[96, 200], [148, 200]]


def test_tile_places_pictures_of_different_sizes_in_a_grid():
    big, small = np.full((10, 8, 3), 255, np.uint8), np.full((4, 2, 1), 1.0, np.float32)
    sheet = draw.tile([[big, small], [small]], gap=3)
    assert sheet.shape == (3 + 10 + 3 + 4 + 3, 3 + 8 + 3 + 2 + 3, 3)
    assert (sheet[3:13, 3:11] == 255).all()
    assert (sheet[6:10, 14:16] == 255).all()  # centred in the 10 rows
    assert (sheet[16:20, 6:8] == 255).all()  # centred in the 8 columns
    assert (sheet == 255).all(axis=2).sum() == 80 + 8 + 8


def test_tile_labels_are_drawn_outside_the_pictures():
    image = np.zeros((40, 60, 3), np.uint8)
    plain = draw.tile([[image]], gap=4)
    labelled = draw.tile([[image]], gap=4, column_labels=["src"], row_labels=["one"])
    assert labelled.shape[0] > plain.shape[0] and labelled.shape[1] > plain.shape[1]
    assert (labelled[-44:-4, -64:-4] == 0).all()
    assert labelled[:-44].max() > 150 and labelled[:, :-64].max() > 150


def test_tile_without_pictures_is_refused():
    with pytest.raises(ValueError, match="no picture"):
        draw.tile([[], []])


def test_contact_sheet_puts_every_label_under_its_picture():
    image = np.zeros((20, 50, 3), np.uint8)
    sheet = draw.contact_sheet([[("a", image), ("b", image)]], gap=5, label_height=10)
    assert sheet.shape == (5 + 36 + 5, 5 + 50 + 5 + 50 + 5, 3)
    assert (sheet[5:25, 5:55] == 0).all()
    assert sheet[25:41, 5:55].max() > 150 and sheet[25:41, 60:110].max() > 150
