"""What happens to pictures on their way to a model."""

import cv2
import numpy as np
import pytest

from core.imaging.hsv import shift_hsv
from samplelib import picture_filters as filters


class Chance:
    """Gives what the test says, in this order, for `random`, `uniform` and `integers` alike."""

    def __init__(self, *values):
        self._values = list(values)

    def _next(self, *_):
        return self._values.pop(0)

    random = uniform = integers = _next


@pytest.fixture(scope="module")
def image():
    rng = np.random.default_rng(2)
    coarse = rng.random((8, 8, 3)).astype(np.float32)
    return np.clip(cv2.resize(coarse, (64, 64), interpolation=cv2.INTER_CUBIC), 0, 1)


def test_levels_are_the_formula(image):
    black, out_black, low_white, low_out = (np.array(v) for v in (
        [0.1, 0.2, 0.0], [0.05, 0, 0.2], [0.2, 0.1, 0], [0, 0.1, 0.2]))
    gamma = np.array([0.5, 1.0, 1.5])
    chance = Chance(0.9, np.array([black, out_black]), np.array([low_white, low_out]), gamma)
    made = filters.recolored(image, chance)
    inside = np.clip((image.astype(np.float64) - black) / (1 - low_white - black), 0, 1)
    expected = out_black + inside**(1 / gamma) * (1 - low_out - out_black)
    np.testing.assert_allclose(made, expected, atol=2e-6)


def test_the_other_recolouring_shifts_hue_saturation_and_value(image):
    made = filters.recolored(image, Chance(0.1, 77.0, np.array([0.2, -0.3])))
    levels = np.rint(image * 255).astype(np.uint8)
    np.testing.assert_array_equal(np.rint(made * 255), shift_hsv(levels, 77.0, 0.2, -0.3))


def test_flares_add_the_wide_blur_of_face_and_background(image):
    mask = np.zeros((64, 64, 1), np.float32)
    mask[20:44, 20:44] = 1
    dark = image * 0.4  # so that nothing is clipped
    sums = {"face": (0.1, 0.5, 0.9), "ground": (0.9, 0.1, 0.5)}
    for part, draws in zip((mask, 1 - mask), sums.values(), strict=True):
        made = filters.flared(dark, mask, Chance(*draws))
        width = 33  # 0.5 * 64, odd
        expected = dark + cv2.GaussianBlur(dark * part, (width, width), 0)
        assert np.abs(made - np.clip(expected, 0, 1)).max() < 0.06
        assert np.abs(made - dark).mean() > 0.02


def test_a_faded_circle_falls_from_one_to_nothing():
    share = filters.faded_circle(64, Chance(np.array([20.0, 30.0]), 10.0, 16.0))[..., 0]
    assert share[30, 20] == 1 and share[30, 29] == 1 and share[30, 47] == 0
    assert share[30, 38] == pytest.approx(0.5) and share[48, 20] == pytest.approx(0.5)


def test_a_change_is_whole_inside_its_circle_and_nothing_outside(image):
    chance = Chance(np.array([20.0, 30.0]), 10.0, 16.0)
    made = filters.in_circle(image, lambda picture, rng: 1 - picture, chance)
    np.testing.assert_allclose(made[30, 20], 1 - image[30, 20], atol=1e-6)
    np.testing.assert_array_equal(made[30, 50], image[30, 50])


def test_shrinking_by_three_quarters_leaves_few_shades(image):
    made = filters.resized(image, Chance(np.array([0.999, 0.999]), 0.1))
    assert len(np.unique(made.reshape(-1, 3), axis=0)) <= 17**2
    kept = filters.resized(image, Chance(np.array([0.0, 0.0]), 0.9))
    np.testing.assert_allclose(kept, image, atol=1e-6)


def test_blurs_keep_the_mean_and_compression_stays_near(image):
    soft = filters.softened(image, Chance(5))
    expected = cv2.GaussianBlur(image, (11, 11), 0)
    np.testing.assert_array_equal(soft, expected)
    swept = filters.moved(image, Chance(5.0, 0.3))
    assert abs(swept.mean() - image.mean()) < 0.01
    good, bad = (filters.compressed(image, Chance(quality)) for quality in (100, 10))
    assert np.abs(good - image).mean() < 0.02 < np.abs(bad - image).mean() < 0.2


def test_all_together_stay_in_range_and_depend_on_the_seed_alone(image):
    for seed in range(30):
        one, same = (filters.degraded(image, np.random.default_rng(seed)) for _ in range(2))
        np.testing.assert_array_equal(one, same)
        assert one.dtype == np.float32 and 0 <= one.min() and one.max() <= 1
