"""Shifts of hue, saturation and value against Python's colorsys."""

import colorsys

import numpy as np
import pytest

from core.imaging.hsv import shift_hsv


def by_colorsys(image, hue, saturation, value):
    result = np.empty(image.shape)
    for place in np.ndindex(image.shape[:2]):
        blue, green, red = image[place] / 255
        h, s, v = colorsys.rgb_to_hsv(red, green, blue)
        s, v = np.clip((s + saturation, v + value), 0, 1)
        result[place] = colorsys.hsv_to_rgb((h + hue / 360) % 1, s, v)[::-1]
    return result * 255


@pytest.mark.parametrize("shift", [
    (0, 0, 0), (20, 0, 0), (-75, 0.1, -0.2), (179.5, -0.4, 0.3), (-180, 0.9, 0.9), (540, 0, 0)])
def test_it_agrees_with_colorsys(shift):
    image = np.random.default_rng(1).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    found = shift_hsv(image, *shift)
    assert found.dtype == np.uint8
    assert np.abs(found - by_colorsys(image, *shift)).max() < 0.6


def test_pure_red_turned_by_120_degrees_is_green():
    assert shift_hsv(np.uint8([[[0, 0, 255]]]), 120, 0, 0).tolist() == [[[0, 255, 0]]]


def test_grey_has_no_hue():
    grey = np.full((2, 2, 3), 90, np.uint8)
    assert np.array_equal(shift_hsv(grey, 77, 0, 0), grey)
