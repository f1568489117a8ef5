import numpy as np
import pytest

from mainscripts.manual.square import Square, square_around, square_of_box

FRAME = 270, 480


def test_a_square_follows_the_mouse_and_its_centre_stays_in_the_frame():
    square = Square().moved((200.5, 100.25), FRAME)
    np.testing.assert_array_equal(square.box, np.float32([100.5, 0.25, 300.5, 200.25]))
    assert square.moved((-5, 1000), FRAME)[:2] == (0, 269)
    assert square.moved((480, -1), FRAME)[:2] == (479, 0)


@pytest.mark.parametrize("half, steps, expected", [
    (100, 1, 110), (100, -1, 90), (200, 1, 210), (60, 1, 66), (40, 1, 41), (40, -1, 39),
    (41, -1, 36.9), (6, -3, 5), (100, 2, 120), (90, -2, 72.9), (50, 0, 50)])
def test_steps_grow_with_the_square_from_one_to_ten_pixels(half, steps, expected):
    assert Square(0, 0, half).resized(steps).half == pytest.approx(expected)


def test_small_squares_are_those_up_to_forty_pixels():
    assert Square(0, 0, 40).is_small and not Square(0, 0, 40.5).is_small


def test_the_square_of_a_box_has_its_centre_and_longer_side():
    assert square_of_box(np.float32([10, 20, 50, 120])) == (30, 70, 50)
    assert square_of_box(np.float32([10, 20, 10, 20])).half == 5
    points = np.float32([[10, 20], [30, 120], [50, 70]])
    assert square_around(points) == (30, 70, 50)
