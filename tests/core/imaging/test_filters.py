import numpy as np
import pytest
from scipy import ndimage

from core.imaging import filters


def disc(side, radius, value=1.0):
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    return np.where(x**2 + y**2 <= radius**2, value, 0.0).astype(np.float32)[..., np.newaxis]


@pytest.mark.parametrize("distance", [1, 4, 5, 7, 12, 23])
def test_erosion_moves_the_border_of_a_disc_by_the_distance(distance):
    eroded = filters.erode_mask(disc(161, 60), distance)
    radius = np.sqrt(eroded.sum() / np.pi)
    assert radius == pytest.approx(60 - distance, abs=0.02 * distance + 0.6)
    centre_row = eroded[80, :, 0]
    assert centre_row.sum() == pytest.approx(2 * (60 - distance) + 1, abs=2)
    diagonal = np.diagonal(eroded[..., 0]).sum() * np.sqrt(2)
    assert diagonal == pytest.approx(2 * (60 - distance), abs=0.08 * distance + 2)


@pytest.mark.parametrize("distance", [1, 4, 9])
def test_dilation_moves_the_border_outwards(distance):
    dilated = filters.dilate_mask(disc(161, 40), distance)
    assert np.sqrt(dilated.sum() / np.pi) == pytest.approx(40 + distance, abs=0.5 + 0.02 * distance)
    np.testing.assert_array_equal(dilated, filters.erode_mask(disc(161, 40), -distance))


def test_erosion_of_soft_values_is_the_smallest_value_nearby():
    mask = np.random.default_rng(1).random((40, 33, 1)).astype(np.float32)
    offsets = np.array([(0, 1, 0), (1, 1, 1), (0, 1, 0)], bool)  # the disc of radius 1
    expected = ndimage.grey_erosion(mask[..., 0], footprint=offsets, mode="constant", cval=0)
    np.testing.assert_array_equal(filters.erode_mask(mask, 1)[..., 0], expected)


def test_outside_of_the_array_counts_as_nothing():
    eroded = filters.erode_mask(np.ones((20, 20, 1), np.float32), 3)
    assert eroded[:3].max() == 0 and eroded[:, :3].max() == 0 and eroded[3:17, 3:17].min() == 1


def test_half_a_pixel_or_less_changes_nothing():
    mask = disc(31, 10)
    np.testing.assert_array_equal(filters.erode_mask(mask, 0.4), mask)
    np.testing.assert_array_equal(filters.blur_mask(mask, 0), mask)


def test_blur_is_a_gaussian_cut_off_at_three_deviations():
    mask = disc(61, 20)
    expected = ndimage.gaussian_filter(mask[..., 0], 12 / 6, mode="constant", radius=6)
    np.testing.assert_allclose(filters.blur_mask(mask, 12)[..., 0], expected, atol=1e-5)


def test_fade_reaches_half_the_width_to_both_sides():
    mask = np.zeros((9, 101, 1), np.float32)
    mask[:, 50:] = 1
    row = filters.blur_mask(mask, 20)[4, :90, 0] / filters.blur_mask(mask, 20)[4, 80, 0]
    assert row[:40].max() == 0 and row[40] > 0
    assert row[61:].min() == pytest.approx(1, abs=1e-6) and row[58] < 1
    assert (np.diff(row) >= -1e-6).all()
    assert row[49] + row[50] == pytest.approx(1, abs=1e-5)  # half way at the border


def test_blur_radius_says_how_far_the_fade_reaches():
    point = np.zeros((41, 41, 1), np.float32)
    point[20, 20] = 1
    for width in (1, 3, 7.5, 12):
        columns = np.flatnonzero(filters.blur_mask(point, width)[20, :, 0])
        assert 20 - columns.min() == filters.blur_radius(width) == np.ceil(width / 2)


def test_clear_border_empties_the_outermost_pixels_only():
    mask = np.ones((6, 8, 1), np.float32)
    cleared = filters.clear_border(mask, 2)
    assert cleared.sum() == 2 * 4 and cleared[2:4, 2:6].min() == 1
    assert mask.min() == 1
    assert filters.clear_border(mask, 3).sum() == 0
    np.testing.assert_array_equal(filters.clear_border(mask, 0), mask)
