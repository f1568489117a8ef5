import cv2
import numpy as np
import pytest
from scipy import ndimage

from core.imaging.finishing import (
    line_kernel,
    lose_detail,
    motion_blur,
    repeat_median,
    sharpen,
)


@pytest.fixture(scope="module")
def picture():
    rng = np.random.default_rng(8)
    return np.float32(ndimage.gaussian_filter(rng.random((40, 52, 3)), (2, 2, 0)) * 2 - 0.5)


def test_box_sharpening_adds_the_difference_to_the_mean_of_nine(picture):
    mean = ndimage.uniform_filter(picture.astype(float), (3, 3, 1), mode="mirror")
    expected = picture + 1.7 * (picture - mean)
    np.testing.assert_allclose(sharpen(picture, "box", 1.7), np.clip(expected, 0, 1), atol=1e-5)


def test_gaussian_sharpening_adds_half_the_difference_to_a_gaussian(picture):
    blurred = picture.astype(float)
    for axis in (0, 1):  # OpenCV's Gaussian of three pixels is the binomial one
        blurred = ndimage.correlate1d(blurred, [0.25, 0.5, 0.25], axis=axis, mode="mirror")
    expected = picture + 1.5 * (picture - blurred)
    np.testing.assert_allclose(sharpen(picture, "gaussian", 3), np.clip(expected, 0, 1), atol=1e-5)


@pytest.mark.parametrize("kind", ["box", "gaussian"])
def test_negative_sharpening_takes_medians_and_a_part_of_the_last(kind, picture):
    def median(x):
        return ndimage.median_filter(x, (5, 5, 1), mode="nearest")

    once = median(picture)
    expected = once * 0.6 + median(once) * 0.4
    np.testing.assert_allclose(sharpen(picture, kind, -14), expected, atol=1e-6)
    np.testing.assert_array_equal(repeat_median(picture, 2), median(once))
    assert repeat_median(picture, 0) is picture


@pytest.mark.parametrize("way", [(7, 0), (0, 4.5), (6, 6), (-9.3, 2.2), (0.6, -0.3)])
def test_line_kernel_has_the_moments_of_an_even_line(way):
    kernel = line_kernel(way)
    assert kernel.sum() == pytest.approx(1) and kernel.min() >= 0 and len(kernel) % 2
    y, x = np.mgrid[:len(kernel), :len(kernel)] - len(kernel) // 2
    assert (kernel * x).sum() == pytest.approx(0, abs=1e-9)
    assert (kernel * y).sum() == pytest.approx(0, abs=1e-9)
    # An even line of length L has the variance L^2 / 12 along it; sharing out adds at most 1/4.
    for axis, step in ((x, way[0]), (y, way[1])):
        assert step**2 / 12 - 0.05 <= (kernel * axis**2).sum() <= step**2 / 12 + 0.26
    assert (kernel * x * y).sum() == pytest.approx(way[0] * way[1] / 12, abs=0.03 + 0.05 *
                                                   abs(way[0] * way[1]) / 12)


def test_motion_blur_smears_a_point_along_its_way_only():
    point = np.zeros((41, 41, 3), np.float32)
    point[20, 20] = 1
    blurred = motion_blur(point, (0, 8))
    assert blurred[:, 20].sum(axis=0) == pytest.approx([1, 1, 1], abs=1e-5)
    assert (blurred[17:24, 20] > 0.08).all() and blurred[:15].max() == 0
    np.testing.assert_array_equal(motion_blur(point, (0, 0)), point)


def test_a_longer_way_changes_the_kernel_by_little():
    for length in np.arange(1, 12, 0.37):
        kernels = [line_kernel((step, step / 3)) for step in (length, length + 0.02)]
        size = max(map(len, kernels))
        padded = [np.pad(kernel, (size - len(kernel)) // 2) for kernel in kernels]
        assert np.abs(padded[0] - padded[1]).sum() < 0.1


def test_lost_detail_is_gone_and_the_light_stays(picture):
    stripes = np.tile(np.float32([0, 1]), 40)[np.newaxis, :, np.newaxis] * np.ones((60, 1, 3))
    degraded = lose_detail(stripes.astype(np.float32), 0.7)
    assert degraded.shape == stripes.shape and degraded.std() < 0.45
    expected = cv2.resize(cv2.resize(picture, (26, 20), interpolation=cv2.INTER_CUBIC), (52, 40),
                          interpolation=cv2.INTER_CUBIC)
    np.testing.assert_allclose(lose_detail(picture, 0.5), np.clip(expected, 0, 1), atol=1e-6)
