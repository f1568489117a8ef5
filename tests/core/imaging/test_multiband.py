import cv2
import numpy as np
import pytest
from scipy import ndimage

from core.imaging.multiband import mask_pyramid, multiband_blend

BINOMIAL = np.array([1, 4, 6, 4, 1]) / 16


def blend(upper, lower, mask, n_bands):
    return multiband_blend(upper, lower, mask_pyramid(mask, n_bands))


def smoothed(picture):
    for axis in (0, 1):
        picture = ndimage.correlate1d(picture, BINOMIAL, axis=axis, mode="mirror")
    return picture


def enlarged(picture, shape):
    """Zeros between the pixels, then the binomial filter with four times the weight."""
    wide = np.zeros((*shape, *picture.shape[2:]))
    wide[::2, ::2] = picture
    return 4 * smoothed(wide)


def by_burt_and_adelson(upper, lower, mask, n_bands):
    """Two Laplacian pyramids and one of the mask, in float64."""
    blended = []
    for _ in range(n_bands):
        small = [smoothed(x)[::2, ::2] for x in (upper, lower, mask)]
        bands = [x - enlarged(y, x.shape[:2]) for x, y in zip((upper, lower), small)]
        blended.append(mask * bands[0] + (1 - mask) * bands[1])
        upper, lower, mask = small
    result = mask * upper + (1 - mask) * lower
    for band in reversed(blended):
        result = enlarged(result, band.shape[:2]) + band
    return result


@pytest.fixture
def pictures():
    rng = np.random.default_rng(3)
    upper, lower = (cv2.GaussianBlur(rng.random((96, 128, 3)).astype(np.float32), (0, 0), sigma)
                    for sigma in (1, 4))
    y, x = np.mgrid[:96, :128]
    mask = (np.hypot(x - 60, y - 45) < 30).astype(np.float32)[..., np.newaxis]
    return upper, lower, mask


@pytest.mark.parametrize("n_bands", [0, 1, 3])
def test_blend_equals_two_pyramids(n_bands, pictures):
    expected = by_burt_and_adelson(*(x.astype(float) for x in pictures), n_bands)
    found = blend(*pictures, n_bands)
    inside = np.s_[16:-16, 16:-16]  # at the border OpenCV enlarges otherwise
    np.testing.assert_allclose(found[inside], expected[inside], atol=1e-5)


def test_light_fades_over_more_pixels_than_detail():
    columns = np.arange(128)
    mask = np.float32(columns >= 64) * np.ones((128, 1), np.float32)
    black, white = (np.full((128, 128, 3), level, np.float32) for level in (0, 1))
    light = blend(white, black, mask[..., np.newaxis], 4)[64, :, 0]
    detail = np.float32((-1.0) ** columns)[np.newaxis, :, np.newaxis] * np.ones((128, 128, 3))
    fine = blend(detail.astype(np.float32), black, mask[..., np.newaxis], 4)[64, :, 0]
    assert np.count_nonzero((light > 0.05) & (light < 0.95)) > 15
    assert np.abs(fine[:60]).max() < 0.05 and np.abs(fine[70:120]).min() > 0.95


def test_equal_pictures_come_back_and_small_ones_have_fewer_bands(pictures):
    upper, _, mask = pictures
    np.testing.assert_allclose(blend(upper, upper, mask, 5), upper, atol=1e-6)
    tiny = [x[:5, :3] for x in pictures]
    np.testing.assert_allclose(blend(*tiny, 5), tiny[0] * tiny[2] + tiny[1] *
                               (1 - tiny[2]), atol=1e-6)
