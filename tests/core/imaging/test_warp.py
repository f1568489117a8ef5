"""Shrinking against block means and area integrals worked out in NumPy."""

import cv2
import numpy as np
import pytest

from core.imaging.warp import OVERSAMPLING, resize_square, shrink


def area_means(line, n):
    """Means of a step function over n equal parts of its range, by its integral."""
    integral = np.concatenate([[0], np.cumsum(line)])
    edges = np.linspace(0, len(line), n + 1)
    return np.diff(np.interp(edges, np.arange(len(line) + 1), integral)) * n / len(line)


def test_whole_blocks_become_their_mean():
    image = np.random.default_rng(0).random((12, 20, 3)).astype(np.float32)
    small, _ = shrink(image, 0.25 / OVERSAMPLING)
    expected = image.reshape(3, 4, 5, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(small, expected, atol=1e-6)


@pytest.mark.parametrize("n", [7, 20, 31])
def test_fractional_areas_are_weighted_by_what_they_cover(n):
    line = np.random.default_rng(1).random(32).astype(np.float32)
    small, _ = shrink(np.tile(line, (32, 1))[..., None], n / 32 / OVERSAMPLING)
    assert small.shape == (n, n, 1)
    np.testing.assert_allclose(small[n // 2, :, 0], area_means(line, n), atol=1e-5)


def test_bytes_are_averaged_as_floats_and_rounded():
    image = np.random.default_rng(2).integers(0, 256, (61, 83, 3), np.uint8)
    of_bytes, _ = shrink(image, 0.5)
    of_floats, _ = shrink(image.astype(np.float32), 0.5)
    assert of_bytes.dtype == np.uint8 and of_floats.dtype == np.float32
    assert np.abs(of_bytes - of_floats).max() <= 0.5 + 1e-4


@pytest.mark.parametrize("scale", [1 / OVERSAMPLING, 0.9, 1.0, 3.0])
def test_a_picture_that_stays_large_is_left_alone(scale):
    image = np.zeros((40, 40, 1), np.uint8)
    same, image_to_small = shrink(image, scale)
    assert same is image
    np.testing.assert_array_equal(image_to_small, [(1, 0, 0), (0, 1, 0)])


def test_the_matrix_leads_to_the_rounded_size():
    rows, columns = np.mgrid[:101, :67].astype(np.float32)
    image = np.stack([columns, rows], axis=2)  # each pixel holds its own (x, y)
    small, image_to_small = shrink(image, 0.3)
    middle = small[10:-10, 5:-5].reshape(-1, 2)
    y, x = np.mgrid[10:small.shape[0] - 10, 5:small.shape[1] - 5]
    # Pixels are steps, so means of areas waver around the ramp a little.
    found = middle @ image_to_small[:, :2].T + image_to_small[:, 2]
    np.testing.assert_allclose(found, np.stack([x.ravel(), y.ravel()], axis=1), atol=0.03)


def test_one_pixel_is_the_least():
    small, _ = shrink(np.full((5, 5, 3), 9, np.uint8), 0.01)
    assert small.shape == (1, 1, 3) and (small == 9).all()


@pytest.mark.parametrize("scale", [0.13, 0.3, 0.62, 0.76])
def test_a_warp_after_it_is_close_to_area_averages_of_the_turned_picture(scale):
    noise = np.random.default_rng(3).random((300, 300, 1)).astype(np.float32)
    image = cv2.GaussianBlur(noise, (0, 0), 1)[..., None]
    size, finer = round(300 * scale), 8
    matrix = np.vstack([cv2.getRotationMatrix2D((149.5, 149.5), 9, scale), (0, 0, 1)])
    matrix[:2, 2] += size / 2 - 150
    to_finer = np.array([(finer, 0, finer / 2 - 0.5), (0, finer, finer / 2 - 0.5), (0, 0, 1.0)])
    fine = cv2.warpAffine(image, (to_finer @ matrix)[:2], (size * finer,) * 2,
                          flags=cv2.INTER_CUBIC)
    expected = fine.reshape(size, finer, size, finer).mean(axis=(1, 3))

    def rms(picture, picture_to_image):
        warped = cv2.warpAffine(picture, (matrix @ picture_to_image)[:2], (size, size),
                                flags=cv2.INTER_CUBIC)
        middle = slice(size // 5, -size // 5)
        return np.sqrt(np.mean((warped - expected)[middle, middle] ** 2))

    small, image_to_small = shrink(image, scale)
    ours = rms(small, np.linalg.inv(np.vstack([image_to_small, (0, 0, 1)])))
    assert ours < 0.6 * rms(image, np.eye(3))


@pytest.mark.parametrize(("side", "wanted"), [(64, 256), (96, 256), (256, 96), (640, 100)])
def test_a_resized_square_keeps_its_corner(side, wanted):
    y, x = np.mgrid[:side, :side] / side
    ramp = np.float32(np.dstack([x, y]))
    resized = resize_square(ramp, wanted)
    y, x = np.mgrid[:wanted, :wanted] / wanted
    inside = np.s_[8:-8, 8:-8]
    np.testing.assert_allclose(resized[inside], np.dstack([x, y])[inside], atol=0.06 / wanted
                               + 0.04 / side)
    assert resize_square(ramp, side) is ramp


def test_a_square_that_gets_smaller_is_averaged():
    noise = np.random.default_rng(1).random((512, 512, 1)).astype(np.float32)
    small = resize_square(noise, 64)[2:-2, 2:-2]
    assert small.std() < 1.3 * noise.std() / 8 and small.mean() == pytest.approx(0.5, abs=0.01)
