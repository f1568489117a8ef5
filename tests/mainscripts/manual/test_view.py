import numpy as np
import pytest

from mainscripts.manual.square import Square
from mainscripts.manual.view import close_up, fitted_view


@pytest.mark.parametrize("image_size, window_size, expected", [
    ((1080, 1920), 1368, (770, 1368)),  # 769.5 rounds to the even 770
    ((270, 480), 1368, (770, 1368)), ((1280, 1440), 1368, (770, 866)),
    ((360, 640), 0, (360, 640)), ((720, 700), 1280, (720, 700))])
def test_frames_have_the_height_of_a_wide_one_of_the_size_asked_for(
        image_size, window_size, expected):
    assert fitted_view(image_size, window_size).size == expected


def test_pixel_centres_and_corners_are_where_they_belong():
    view = fitted_view((270, 480), 960)
    assert view.scale == pytest.approx(2)
    assert view.to_image(0.5, 0.5) == pytest.approx((0, 0))  # two pixels share one
    assert view.to_image(959.5, 539.5) == pytest.approx((479.5, 269.5))


def test_upright_frames_stand_in_the_middle_with_room_for_text():
    view = fitted_view((1920, 1080), 1368)
    assert view.size == (770, 640)
    left, right = view.to_image(0, 0)[0], view.to_image(639, 0)[0]
    assert left < 0 and right > 1079 and left + right == pytest.approx(1079, abs=3)
    assert fitted_view((360, 640), 0).to_image(9, 7) == pytest.approx((9, 7))
    assert fitted_view((360, 480), 0).to_image(89, 7) == pytest.approx((9, 7))


def test_a_close_up_puts_the_square_into_the_central_half():
    view = close_up(fitted_view((270, 480), 960), Square(30, 250, 20))
    assert view.size == (540, 960)
    assert view.to_image(479.5, 269.5) == pytest.approx((30, 250))
    top, bottom = view.to_image(479.5, 134.5)[1], view.to_image(479.5, 404.5)[1]
    assert (top, bottom) == pytest.approx((230, 270))
    wider = close_up(fitted_view((270, 480), 960), Square(30, 250, 20), 0.8)
    assert wider.scale == pytest.approx(0.8 * 540 / 40)


def test_a_close_up_never_shrinks():
    base = fitted_view((270, 480), 960)
    view = close_up(base, Square(240, 135, 200))
    assert view.scale == pytest.approx(base.scale)
    np.testing.assert_allclose(view.to_image(479.5, 269.5), (240, 135))
