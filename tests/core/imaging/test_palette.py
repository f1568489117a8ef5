import numpy as np
import pytest
from PIL import Image

from core.imaging.palette import reduce_colors


def n_colors(picture):
    return len(np.unique(np.rint(picture * 255).astype(np.uint8).reshape(-1, 3), axis=0))


def test_many_colours_become_256_near_ones():
    y, x = np.mgrid[:90, :120]
    picture = np.float32(np.dstack([x / 119, y / 89, (x + y) / 208]))
    reduced = reduce_colors(picture, 1.0)
    assert n_colors(picture) > 5000 and 200 <= n_colors(reduced) <= 256
    assert np.abs(reduced - picture).mean() < 0.03
    np.testing.assert_allclose(reduced.mean((0, 1)), picture.mean((0, 1)), atol=0.02)
    half = reduce_colors(picture, 0.5)
    np.testing.assert_allclose(half, (picture + reduced) / 2, atol=1e-6)


def test_few_colours_stay_as_they_are():
    colors = np.random.default_rng(1).integers(0, 256, (20, 3))
    picture = np.float32(colors[np.random.default_rng(2).integers(0, 20, (30, 30))] / 255)
    np.testing.assert_allclose(reduce_colors(picture, 1.0), picture, atol=1e-6)
    assert reduce_colors(picture, 0.0) == pytest.approx(picture)


def test_no_farther_off_than_the_median_cut_of_pillow():
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:120, :160] / 160
    picture = np.float32(np.dstack([0.4 + 0.3 * np.sin(5 * x), y, 0.2 + 0.5 * x * y]))
    picture = np.clip(picture + rng.normal(0, 0.02, picture.shape), 0, 1).astype(np.float32)
    picture[:10] = 0
    levels = np.rint(picture * 255).astype(np.uint8)
    few = np.asarray(Image.fromarray(levels).quantize(
        256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).convert("RGB"))
    reduced = reduce_colors(picture, 1.0)
    assert np.square(reduced - picture).mean() < np.square(few / 255 - picture).mean()
    np.testing.assert_array_equal(np.rint(reduced[:10] * 255), 0)
