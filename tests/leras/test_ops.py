import numpy as np
import pytest
import skimage.metrics
import tensorflow as tf

from leras.graph import compile, image_spec
from leras.ops import image, similarity, tensor
from leras.ops.random import bernoulli_mask
from tests.leras import reference as ref


def images(shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


def run(function, *arrays, jit=False):
    return compile(function, *(image_spec(*a.shape[1:]) for a in arrays), jit=jit)(*arrays)


def check_gradient(function, reference, x, *, rtol=1e-3):
    """Compares d sum(function(x) * random) / dx with exact derivatives of the reference."""
    shape = np.shape(reference(x.astype(np.float64)))
    cotangent = np.random.default_rng(9).standard_normal(shape).astype(np.float32)

    def differentiate(value):
        with tf.GradientTape() as tape:
            tape.watch(value)
            loss = tf.reduce_sum(function(value) * cotangent)
        return tape.gradient(loss, value)

    positions = np.random.default_rng(8).permutation(x.size)[:150]
    expected = ref.gradient(lambda v: np.sum(reference(v) * cotangent), x, positions)
    actual = run(differentiate, x).flat[positions]
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol * np.abs(expected).max())


# -- tensor -------------------------------------------------------------------------------------

@pytest.mark.parametrize("size, channels", [(2, 12), (2, 4), (3, 18)])
def test_depth_to_space_places_channels_as_sub_pixels(size, channels):
    x = images((2, 3, 4, channels))
    actual = run(lambda v: tensor.depth_to_space(v, size), x)
    np.testing.assert_array_equal(actual, ref.depth_to_space(x, size))


def test_depth_to_space_by_hand():
    x = np.arange(8, dtype=np.float32).reshape(1, 1, 1, 8)  # two output channels, sub-pixels 00..11
    y = tensor.depth_to_space(x, 2).numpy()[0]
    np.testing.assert_array_equal(y[..., 0], [[0, 2], [4, 6]])
    np.testing.assert_array_equal(y[..., 1], [[1, 3], [5, 7]])


@pytest.mark.parametrize("axis", [-1, (1, 2, 3), 1])
def test_pixel_norm_equals_the_reference_and_so_does_its_gradient(axis):
    x = images((2, 3, 4, 5)) - 0.5
    actual = run(lambda v: tensor.pixel_norm(v, axis), x)
    np.testing.assert_allclose(actual, ref.pixel_norm(x.astype(float), axis), rtol=1e-5, atol=1e-6)
    check_gradient(lambda v: tensor.pixel_norm(v, axis), lambda v: ref.pixel_norm(v, axis), x)


def test_pixel_norm_of_zeros_is_zero():
    np.testing.assert_array_equal(tensor.pixel_norm(np.zeros((1, 4), np.float32)), np.zeros((1, 4)))


def test_flatten_reads_rows_then_columns_then_channels_and_unflatten_reverses_it():
    x = images((2, 3, 3, 4))
    flat = run(tensor.flatten, x)
    np.testing.assert_array_equal(flat, x.reshape(2, 36))
    np.testing.assert_array_equal(run(lambda v: tensor.unflatten(v, 3, 4), flat), x)


# -- image --------------------------------------------------------------------------------------

@pytest.mark.parametrize("size", [1, 2, 5, 8, 11])
def test_the_gaussian_window_equals_the_reference(size):
    window = image.gaussian_window(size, 1.5)
    np.testing.assert_allclose(window, ref.gaussian_window(size, 1.5), rtol=1e-12)
    assert window.sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("jit", [False, True])
def test_the_blur_equals_a_full_two_dimensional_correlation_with_zeros_outside(sigma, jit):
    x = images((2, 17, 20, 3))
    actual = run(lambda v: image.gaussian_blur(v, sigma), x, jit=jit)
    np.testing.assert_allclose(actual, ref.gaussian_blur(x, sigma), rtol=1e-5, atol=1e-6)


def test_the_gradient_of_the_blur_equals_the_reference():
    check_gradient(lambda v: image.gaussian_blur(v, 1.0), lambda v: ref.gaussian_blur(v, 1.0),
                   images((1, 9, 8, 2)))


# The kernel sides of the training specification, section 2.6a.
@pytest.mark.parametrize("sigma, side", [(0.5, 3), (0.75, 3), (1.0, 5), (1.5, 7), (1.75, 7),
                                         (2, 9), (3, 13), (4, 17), (8, 33), (20, 81)])
def test_the_blur_window_has_the_side_of_the_specification(sigma, side):
    assert len(image.blur_window(sigma)) == side


def test_filter_matrices_refuse_windows_that_cannot_be_placed():
    with pytest.raises(ValueError, match="9 does not fit into 8"):
        image.valid_filter_matrix(np.ones(9), 8)
    with pytest.raises(ValueError, match="even size 4"):
        image.same_filter_matrix(np.ones(4), 8)


def test_an_asymmetric_window_is_correlated_and_not_convolved():
    window = np.array([1.0, 2.0, 4.0])
    np.testing.assert_array_equal(image.valid_filter_matrix(window, 4) @ [1, 0, 0, 10], [1, 40])
    np.testing.assert_array_equal(image.same_filter_matrix(window, 3) @ [1, 10, 100],
                                  [42, 421, 210])


def test_a_separable_filter_takes_rows_for_height_and_columns_for_width():
    x = images((2, 4, 6, 3))
    rows, columns = np.float32([[1, 1, 0, 0]]), np.float32([[0, 0, 1, 0, 0, 0], [1, 0, 0, 0, 0, 1]])
    actual = run(lambda v: image.separable_filter(v, rows, columns), x)
    assert actual.shape == (2, 1, 2, 3)
    np.testing.assert_allclose(actual[:, 0, 0], x[:, 0, 2] + x[:, 1, 2], rtol=1e-6)
    np.testing.assert_allclose(
        actual[:, 0, 1], x[:, :2, 0].sum(1) + x[:, :2, 5].sum(1), rtol=1e-6)


# -- similarity ---------------------------------------------------------------------------------

@pytest.mark.parametrize("filter_size", [2, 4, 5, 8, 11])
@pytest.mark.parametrize("jit", [False, True])
def test_dssim_equals_the_reference_for_odd_and_even_windows(filter_size, jit):
    a, b = images((2, 16, 19, 3), 0), images((2, 16, 19, 3), 1)
    actual = run(lambda u, v: similarity.dssim(u, v, filter_size=filter_size), a, b, jit=jit)
    expected = ref.dssim(a.astype(float), b.astype(float), filter_size=filter_size)
    assert actual.shape == (2, 3)
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


def test_dssim_of_smooth_bright_pictures_keeps_its_precision():
    """Variances near zero come from differences of numbers near one."""
    a = 0.9 + 0.01 * images((1, 32, 32, 3))
    b = (a + 0.002 * images((1, 32, 32, 3), 1)).astype(np.float32)
    actual = run(lambda u, v: similarity.dssim(u, v), a, b)
    np.testing.assert_allclose(actual, ref.dssim(a.astype(float), b.astype(float)), atol=2e-5)


def test_dssim_equals_scikit_image():
    a, b = images((1, 40, 33, 3), 2)[0], images((1, 40, 33, 3), 3)[0]
    b = 0.7 * a + 0.3 * b
    actual = run(lambda u, v: similarity.dssim(u, v), a[np.newaxis], b[np.newaxis])
    for channel in range(3):
        expected = skimage.metrics.structural_similarity(
            a[..., channel].astype(float), b[..., channel].astype(float), gaussian_weights=True,
            sigma=1.5, use_sample_covariance=False, data_range=1.0)
        assert actual[0, channel] == pytest.approx((1 - expected) / 2, abs=1e-5)


def test_dssim_takes_another_range_and_other_constants():
    a, b = 255 * images((1, 12, 12, 1), 0), 255 * images((1, 12, 12, 1), 1)
    options = dict(max_value=255.0, filter_size=7, sigma=2.0, k1=0.02, k2=0.05)
    actual = run(lambda u, v: similarity.dssim(u, v, **options), a, b)
    np.testing.assert_allclose(
        actual, ref.dssim(a.astype(float), b.astype(float), **options), rtol=1e-4)


def test_dssim_is_zero_for_equal_pictures_and_symmetric():
    a, b = images((1, 16, 16, 3), 0), images((1, 16, 16, 3), 1)
    np.testing.assert_allclose(run(similarity.dssim, a, a), 0, atol=1e-6)
    np.testing.assert_allclose(run(similarity.dssim, a, b), run(similarity.dssim, b, a), rtol=1e-6)


def test_the_gradient_of_dssim_equals_the_reference():
    a, b = images((1, 12, 11, 2), 0), images((1, 12, 11, 2), 1)
    check_gradient(lambda v: similarity.dssim(v, tf.constant(b), filter_size=5),
                   lambda v: ref.dssim(v, b.astype(float), filter_size=5), a)


# -- random masks -------------------------------------------------------------------------------

def mask(shape, probability, key, jit=False):
    function = compile(lambda k: bernoulli_mask(shape, probability, k),
                       tf.TensorSpec((), tf.uint32), jit=jit)
    return function(np.uint32(key))


@pytest.mark.parametrize("shape", [(), (7,), (5, 3), (2, 3, 4, 5)])
@pytest.mark.parametrize("key", [0, 1, 2**31, 2**32 - 1])
def test_the_mask_equals_the_hash_computed_with_python_integers(shape, key):
    np.testing.assert_array_equal(mask(shape, 0.3, key), ref.bernoulli_mask(shape, 0.3, key))


def test_the_mask_is_the_same_under_xla():
    np.testing.assert_array_equal(mask((64, 33), 0.3, 5, jit=True), mask((64, 33), 0.3, 5))


@pytest.mark.parametrize("probability", [0.0, 0.1, 0.3, 0.9, 1.0])
def test_the_share_of_ones_is_the_probability(probability):
    n = 200_000
    ones = mask((n,), probability, 123).sum()
    deviation = np.sqrt(n * probability * (1 - probability))
    assert abs(ones - n * probability) <= 4 * deviation


def test_masks_of_neighbouring_keys_and_elements_are_independent():
    n, p = 100_000, 0.3
    masks = np.array([mask((n,), p, key) for key in range(4)]) - p
    first = masks[0]
    pairs = [first * other for other in masks[1:]]
    pairs += [first[:-lag] * first[lag:] for lag in (1, 2, 16, 256, 1024)]
    for product in pairs:  # mean 0, standard deviation p (1 - p)
        assert abs(product.mean()) < 4.5 * p * (1 - p) / np.sqrt(len(product))
