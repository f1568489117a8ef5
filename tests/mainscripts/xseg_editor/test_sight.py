"""Zoom and shift: places stay under the mouse, and there is a way back."""

import numpy as np
import pytest

from mainscripts.xseg_editor.sight import LARGEST, Sight

FIT = Sight.fit(256, (800, 600))


def test_fit_shows_the_whole_picture_in_the_middle():
    (left, top), (right, bottom) = FIT.to_canvas([(0, 0), (256, 256)])
    assert right - left == pytest.approx(600 - 24) == bottom - top
    assert (left + right) / 2 == pytest.approx(400) and (top + bottom) / 2 == pytest.approx(300)


def test_places_come_back():
    sight = FIT.zoomed(3, np.array([500, 200])).panned(np.array([13, -40]))
    places = np.random.default_rng(0).uniform(0, 256, (20, 2))
    assert sight.to_picture(sight.to_canvas(places)) == pytest.approx(places)


@pytest.mark.parametrize("steps", [1, 5, -1])
def test_zoom_keeps_the_place_under_the_mouse(steps):
    start, at = FIT.zoomed(2, np.array([400, 300])), np.array([450.0, 250.0])
    sight = start.zoomed(steps, at)
    assert sight.scale != start.scale
    assert sight.to_picture(at) == pytest.approx(start.to_picture(at))


def test_one_notch_adds_a_fifth_and_a_tenth():
    assert FIT.zoomed(1, np.array([400, 300])).scale == pytest.approx(
        FIT.scale + 0.2 + FIT.scale / 10)


def test_zoom_has_ends():
    assert FIT.zoomed(99, np.array([400, 300])).scale == LARGEST
    assert FIT.zoomed(-99, np.array([400, 300])).scale == 1
    large = Sight.fit(2000, (800, 600))
    assert large.zoomed(-99, np.array([400, 300])).scale == pytest.approx(large.scale)


def test_the_picture_cannot_be_lost():
    assert FIT.panned(np.array([9999, -9999])).centre == (0, 256)


def test_a_whole_picture_stays_whole_and_a_part_keeps_its_scale():
    assert FIT.resized((500, 900)) == Sight.fit(256, (500, 900))
    zoomed = FIT.zoomed(3, np.array([1, 1]))
    assert zoomed.resized((500, 900)).scale == zoomed.scale
