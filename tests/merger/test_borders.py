"""Borders in the reference's units against its steps, written with SciPy and OpenCV's kernels."""

import cv2
import numpy as np
import pytest
from scipy import ndimage

from merger.borders import BORDERS, reference_border

R = 40
SIDE = 4 * R


@pytest.fixture(scope="module")
def mask():
    noise = ndimage.gaussian_filter(np.random.default_rng(2).random((SIDE, SIDE)), 5)
    return np.clip((noise - noise.mean()) * 60 + 0.5, 0, 1).astype(np.float32)[..., np.newaxis]


def by_hand(mask, erode, blur):
    """Pad by R, erode, a frame of R + b // 2 emptied, blurred by an odd kernel, cut, clipped."""
    padded = np.pad(mask[..., 0], R)
    padded[padded < 1 / 255] = 0
    if erode:
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(erode),) * 2).astype(bool)
        if erode > 0:
            padded = ndimage.grey_erosion(padded, footprint=disc, mode="constant", cval=0)
        else:  # SciPy's dilation looks the other way round
            padded = -ndimage.grey_erosion(-padded, footprint=disc, mode="constant", cval=0)
    edge = R + blur // 2
    framed = np.zeros_like(padded)
    framed[edge:-edge, edge:-edge] = padded[edge:-edge, edge:-edge]
    if blur:
        side = blur + 1 - blur % 2
        sigma = 0.3 * ((side - 1) * 0.5 - 1) + 0.8
        kernel = np.exp(-np.square(np.arange(side) - side // 2) / (2 * sigma**2))
        for axis in (0, 1):
            framed = ndimage.correlate1d(framed, kernel / kernel.sum(), axis=axis, mode="constant")
    return np.clip(framed[R:-R, R:-R], 0, 1)


@pytest.mark.parametrize(("erode", "blur"), [
    (0, 0), (7, 0), (12, 0), (-9, 0), (-10, 0), (0, 11), (0, 30), (5, 21), (30, 40), (-20, 60)])
def test_reference_units_give_what_the_reference_does(erode, blur, mask):
    found = reference_border(mask, R, erode, blur)
    expected = by_hand(mask, erode, blur)
    assert found.shape == mask.shape and found.dtype == np.float32
    np.testing.assert_allclose(found[..., 0], expected, atol=2e-6)


def test_reference_grid_is_four_times_the_model():
    assert [BORDERS["reference"].grid_side(side) for side in (64, 224)] == [256, 896]


@pytest.mark.parametrize("units", BORDERS)
def test_the_given_mask_is_not_changed(units, mask):
    before = mask.copy()
    BORDERS[units].finish(mask, R, 6, 10)
    np.testing.assert_array_equal(mask, before)
