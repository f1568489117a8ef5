import numpy as np
import pytest
from skimage import color as skimage_color
from skimage import exposure

from core.imaging import color


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def muted(rng, height=24, width=20, centre=0.5, spread=0.08):
    """Random colours around a centre, far from black and white."""
    noise = rng.normal(0, spread, (height, width, 3)) + centre
    return np.clip(noise, 0.05, 0.95).astype(np.float32)


def skimage_lab(bgr):
    return skimage_color.rgb2lab(np.asarray(bgr, np.float64)[..., ::-1])


def rct_by_hand(face, reference, face_mask, reference_mask):
    """The transfer in NumPy and scikit-image, channel by channel."""
    face_lab, reference_lab = skimage_lab(face), skimage_lab(reference)
    result = np.empty_like(face_lab)
    for channel in range(3):
        x, y = face_lab[..., channel], reference_lab[..., channel]
        mean = np.average(x, weights=face_mask[..., 0])
        wanted_mean = np.average(y, weights=reference_mask[..., 0])
        spread = np.average((x - mean) ** 2, weights=face_mask[..., 0]) ** 0.5
        wanted = np.average((y - wanted_mean) ** 2, weights=reference_mask[..., 0]) ** 0.5
        result[..., channel] = (x - mean) * wanted / spread + wanted_mean
    return np.clip(skimage_color.lab2rgb(result)[..., ::-1], 0, 1)


def test_lab_agrees_with_scikit_image(rng):
    image = rng.random((16, 16, 3)).astype(np.float32)
    np.testing.assert_allclose(color.bgr_to_lab(image), skimage_lab(image), atol=0.6)


def test_lab_of_white_and_of_pure_red_are_the_published_values():
    white_and_red = np.float32([[[1, 1, 1], [0, 0, 1]]])
    lab = color.bgr_to_lab(white_and_red)
    np.testing.assert_allclose(lab[0], [[100, 0, 0], [53.24, 80.09, 67.20]], atol=0.1)


def test_lab_and_back_changes_at_most_a_grey_level(rng):
    image = rng.random((32, 32, 3)).astype(np.float32)
    back = color.lab_to_bgr(color.bgr_to_lab(image))
    assert np.abs(back - image).max() < 1 / 255 and np.abs(back - image).mean() < 0.3 / 255


def test_reinhard_agrees_with_the_formula_in_numpy(rng):
    face, reference = muted(rng, centre=0.35), muted(rng, 18, 30, centre=0.6, spread=0.05)
    face_mask = rng.random((24, 20, 1)).astype(np.float32)
    reference_mask = (rng.random((18, 30, 1)) > 0.5).astype(np.float32)
    result = color.reinhard(face, reference, face_mask, reference_mask)
    expected = rct_by_hand(face, reference, face_mask, reference_mask)
    assert result.dtype == np.float32
    assert np.abs(result - expected).max() < 0.5 / 255


def test_reinhard_gives_mean_and_spread_of_the_reference(rng):
    face, reference = muted(rng, centre=0.4), muted(rng, centre=0.6, spread=0.04)
    lab, wanted = (skimage_lab(x) for x in (color.reinhard(face, reference), reference))
    np.testing.assert_allclose(lab.mean(axis=(0, 1)), wanted.mean(axis=(0, 1)), atol=0.1)
    np.testing.assert_allclose(lab.std(axis=(0, 1)), wanted.std(axis=(0, 1)), atol=0.1)


def test_reinhard_ignores_what_the_masks_hide(rng):
    face, reference = muted(rng), muted(rng, centre=0.6)
    mask = np.zeros((24, 20, 1), np.float32)
    mask[4:20, 3:15] = 1
    spoiled = [np.where(mask > 0, image, 0.0).astype(np.float32) for image in (face, reference)]
    clean = color.reinhard(face, reference, mask, mask)
    result = color.reinhard(*spoiled, mask, mask)
    np.testing.assert_allclose(result[4:20, 3:15], clean[4:20, 3:15], atol=1e-5)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_reinhard_takes_a_flat_face_to_the_mean_without_nan(rng, level):
    face = np.full((8, 8, 3), level, np.float32)
    reference = muted(rng)
    result = color.reinhard(face, reference)
    mean = skimage_color.lab2rgb(skimage_lab(reference).mean(axis=(0, 1)))[::-1]
    np.testing.assert_allclose(result, np.broadcast_to(mean, result.shape), atol=0.5 / 255)


def test_reinhard_with_a_flat_reference_gives_a_flat_face(rng):
    result = color.reinhard(muted(rng), np.full((8, 8, 3), 0.3, np.float32))
    np.testing.assert_allclose(result, 0.3, atol=0.5 / 255)


def test_reinhard_does_not_stretch_noise_of_less_than_a_grey_level(rng):
    face = (0.5 + rng.normal(0, 0.05 / 255, (32, 32, 3))).astype(np.float32)
    assert color.reinhard(face, muted(rng, spread=0.1)).std() < 0.05


@pytest.mark.parametrize("name", color.TRANSFERS)
def test_every_transfer_stays_in_range_and_keeps_type(rng, name):
    face = rng.random((24, 20, 3)).astype(np.float32)
    reference = (rng.random((24, 20, 3)) > 0.5).astype(np.float32)  # as much contrast as there is
    for masks in ((None, None), (np.ones((24, 20, 1), np.float32),) * 2):
        result = color.TRANSFERS[name](face, reference, *masks)
        assert result.dtype == np.float32 and result.shape == face.shape
        assert np.isfinite(result).all() and result.min() >= 0 and result.max() <= 1


@pytest.mark.parametrize("function", [*color.TRANSFERS.values(), color.histogram_match])
def test_an_empty_mask_changes_nothing(rng, function):
    face, reference = muted(rng), muted(rng, centre=0.7)
    empty = np.zeros((24, 20, 1), np.float32)
    np.testing.assert_array_equal(function(face, reference, empty, None), face)
    np.testing.assert_array_equal(function(face, reference, None, empty), face)


@pytest.mark.parametrize("function", [*color.TRANSFERS.values(), color.histogram_match])
def test_a_face_that_is_its_own_reference_stays_itself(rng, function):
    face = rng.random((24, 20, 3)).astype(np.float32)
    mask = rng.random((24, 20, 1)).astype(np.float32)
    assert np.abs(function(face, face, mask, mask) - face).max() <= 1 / 255


def grey_levels(rng, shape, low, high):
    return rng.integers(low, high, shape).astype(np.uint8)


def test_histogram_match_agrees_with_scikit_image(rng):
    face = grey_levels(rng, (40, 30, 3), 20, 120)
    reference = grey_levels(rng, (25, 35, 3), 90, 250)
    result = color.histogram_match(np.float32(face) / 255, np.float32(reference) / 255)
    expected = exposure.match_histograms(face, reference, channel_axis=-1)
    assert np.abs(result * 255 - expected).max() <= 1


def test_histogram_match_uses_only_pixels_inside_the_masks(rng):
    face = grey_levels(rng, (40, 30, 3), 20, 120)
    reference = grey_levels(rng, (40, 30, 3), 90, 250)
    mask = np.zeros((40, 30, 1), np.float32)
    mask[:, 10:20] = 1
    result = color.histogram_match(*(np.float32(x) / 255 for x in (face, reference)), mask, mask)
    inside = (slice(None), slice(10, 20))
    expected = exposure.match_histograms(face[inside], reference[inside], channel_axis=-1)
    assert np.abs(result[inside] * 255 - expected).max() <= 1
    whole = exposure.match_histograms(face, reference, channel_axis=-1)
    assert np.abs(whole[inside] - expected).max() > 1  # so the mask did make a difference


def test_histogram_match_keeps_the_order_of_values(rng):
    face = np.sort(rng.random(300).astype(np.float32)).reshape(10, 10, 3)
    matched = color.histogram_match(face, muted(rng))
    for channel in range(3):
        values = face[..., channel].reshape(-1).argsort()
        assert (np.diff(matched[..., channel].reshape(-1)[values]) >= -1e-6).all()


def test_histogram_match_to_a_flat_reference_is_flat(rng):
    matched = color.histogram_match(muted(rng), np.full((4, 4, 3), 51 / 255, np.float32))
    np.testing.assert_allclose(matched, 51 / 255, atol=0.5 / 255)


def test_a_nearly_grey_picture_is_spread_four_times_at_most():
    rng = np.random.default_rng(9)
    lab = (rng.normal(0, 1, (60, 60, 3)) * (10, 0.6, 0.2) + (50, 0, 0)).astype(np.float32)
    wanted = color.LabStatistics(np.array([50.0, 5.0, 9.0]), np.array([12.0, 9.0, 8.0]))
    spread = color.match_lab(lab, color.lab_statistics(lab), wanted).reshape(-1, 3)
    own = lab.reshape(-1, 3).astype(float).std(axis=0)
    np.testing.assert_allclose(spread.mean(axis=0), wanted.mean, atol=1e-3)
    np.testing.assert_allclose(spread.std(axis=0), (12, 4 * own[1], 4 * own[2]), rtol=1e-3)


def test_a_top_below_one_leaves_the_references_highlights_out():
    rng = np.random.default_rng(9)
    face, reference = (rng.random((60, 60, 3)).astype(np.float32) * share for share in (0.5, 1))
    found = color.histogram_match(face, reference, top=0.8)
    shares = np.array([0.1, 0.5, 0.9])
    for channel in range(3):
        wanted = np.quantile(reference[..., channel], shares * 0.8)
        np.testing.assert_allclose(np.quantile(found[..., channel], shares), wanted, atol=0.006)


@pytest.mark.parametrize("shift", [0.2, 0.5, 0.9])
def test_histograms_follow_changes_of_less_than_a_grey_level(shift, rng):
    """Rounded to levels, light that changes slowly would change the match in jumps."""
    reference = np.rint(rng.normal(120, 20, (90, 90, 3))).astype(np.float32)
    face = (reference.mean() + rng.normal(0, 20, (90, 90, 3)).astype(np.float32)) / 255
    before, after = (color.histogram_match(face, np.float32((reference + step) / 255)) * 255
                     for step in (0, shift))
    assert (after - before).mean() == pytest.approx(shift, abs=0.03)
