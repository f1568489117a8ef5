"""The convolutions of XLA steps on CPUs against the plain one in float64, and which is chosen."""

import numpy as np
import pytest
import tensorflow as tf

from leras.graph import compile
from leras.ops.convolution import (
    best_convolution,
    conv2d,
    conv2d_transpose,
    fast_convolutions,
    halved_kernel,
)
from leras.ops.patches import patch_conv2d
from leras.ops.windows import OUTSIDE, Windows, added_rows, cut_rows
from leras.ops.winograd import TILINGS, winograd_conv2d

SAME3 = [[0, 0], [1, 1], [1, 1], [0, 0]]
SAME5 = [[0, 0], [2, 2], [2, 2], [0, 0]]


def _plain(x, weight, stride, padding):
    """Output and gradients of sum(sin(y)), float64."""
    x, weight = tf.constant(x, tf.float64), tf.constant(weight, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch([x, weight])
        y = tf.nn.conv2d(x, weight, stride, padding)
        total = tf.reduce_sum(tf.sin(y))
    return [y.numpy(), *(gradient.numpy() for gradient in tape.gradient(total, [x, weight]))]


def _fast(function, x, weight, jit=False):
    def run(x, weight):
        with tf.GradientTape() as tape:
            tape.watch([x, weight])
            y = function(x, weight)
            total = tf.reduce_sum(tf.sin(y))
        return [y, *tape.gradient(total, [x, weight])]

    return compile(run, tf.TensorSpec(x.shape), tf.TensorSpec(weight.shape), jit=jit)(x, weight)


def _random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("tile", TILINGS)
@pytest.mark.parametrize("shape", [(2, 8, 8, 5), (1, 6, 10, 3), (2, 7, 5, 4), (3, 1, 2, 2)])
def test_it_equals_the_plain_convolution_forward_and_in_both_gradients(tile, shape):
    x, weight = _random(*shape), _random(3, 3, shape[-1], 6, seed=1)
    expected = _plain(x, weight, 1, SAME3)
    found = _fast(lambda x, weight: winograd_conv2d(x, weight, tile), x, weight)
    for mine, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, other, atol=3e-5 * np.abs(other).max())


@pytest.mark.parametrize("taps, stride, padding", [(3, 1, 1), (5, 2, 2), (4, 2, 2), (3, 2, 1),
                                                   (1, 1, 0), (3, 1, 0), (2, 3, 1)])
@pytest.mark.parametrize("shape", [(2, 8, 8, 3), (1, 7, 10, 2)])
def test_the_product_of_patches_equals_the_plain_convolution(taps, stride, padding, shape):
    x, weight = _random(*shape), _random(taps, taps, shape[-1], 6, seed=1)
    around = [[0, 0], [padding] * 2, [padding] * 2, [0, 0]]
    found = _fast(lambda x, weight: patch_conv2d(x, weight, stride, padding), x, weight)
    for mine, other in zip(found, _plain(x, weight, stride, around), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5 * np.abs(other).max())


@pytest.mark.parametrize("shape, side, stride, padding", [
    ((2, 24, 16, 6), 3, 1, SAME3), ((2, 40, 40, 6), 5, 2, SAME5), ((2, 4, 4, 6), 5, 2, SAME5),
    ((2, 4, 4, 6), 1, 1, "VALID")])
def test_the_fast_scope_changes_nothing_but_rounding_under_xla(shape, side, stride, padding):
    x, weight = _random(*shape), _random(side, side, 6, 10, seed=1)

    def fast(x, weight):
        with fast_convolutions():
            return conv2d(x, weight, stride, padding)

    for mine, other in zip(_fast(fast, x, weight, jit=True),
                           _plain(x, weight, stride, padding), strict=True):
        np.testing.assert_allclose(mine, other, atol=3e-5 * np.abs(other).max())


@pytest.mark.parametrize("taps, stride, padding, sides", [
    (3, 2, "SAME", (10, 14)), (4, 2, "SAME", (10, 14)), (5, 2, "SAME", (10, 14)),
    (3, 2, "VALID", (11, 15)), (3, 1, "SAME", (5, 7)), (2, 3, "SAME", (15, 21)),
    (1, 2, "VALID", (10, 14)), (3, 2, [[0, 0], [2, 2], [2, 2], [0, 0]], (7, 11))])
def test_what_is_painted_equals_the_plain_transposed_convolution(taps, stride, padding, sides):
    x, weight = _random(2, 5, 7, 3), _random(taps, taps, 6, 3, seed=1)

    def plain(x, weight):
        return tf.nn.conv2d_transpose(x, weight, (2, *sides, 6), stride, padding)

    def fast(x, weight):
        with fast_convolutions():
            return conv2d_transpose(x, weight, stride, padding, sides)

    wide = [tf.constant(array, tf.float64) for array in (x, weight)]
    with tf.GradientTape() as tape:
        tape.watch(wide)
        y = plain(*wide)
        total = tf.reduce_sum(tf.sin(y))
    expected = [y, *tape.gradient(total, wide)]
    for mine, other in zip(_fast(fast, x, weight, jit=True), expected, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5 * np.abs(other).max())
    graph = tf.function(fast, autograph=False).get_concrete_function(
        *map(tf.constant, (x, weight))).graph
    assert not {"Conv2DBackpropInput"} & {item.type for item in graph.get_operations()}


def test_windows_that_are_cut_out_and_added_up_count_each_pixel_as_often_as_it_is_covered():
    windows = Windows((2, 4, 3), 3, 2, 1, (2, 2), taps_first=True)
    image = np.arange(1.0, 2 * 4 * 3 * 5 + 1, dtype=np.float32).reshape(2, 4, 3, 5)
    cut = windows.cut(tf.constant(image)).numpy()
    assert cut.shape == (9, 8, 5)
    np.testing.assert_array_equal(cut[4, 0], image[0, 0, 0])  # the middle of the first window
    np.testing.assert_array_equal(cut[0, :3], 0)  # the corner of three lies outside of the image
    covered = np.outer([1, 2, 1, 1], [1, 2, 1])  # windows start at -1 and 1 down and across
    np.testing.assert_array_equal(windows.add_up(tf.constant(cut)),
                                  image * covered[:, :, np.newaxis])


def test_pixels_that_no_window_covers_get_zero():
    windows = Windows((1, 5, 5), 2, 3, 0, (1, 1), taps_first=False)
    assert cut_rows(windows).tolist() == [0, 1, 5, 6]
    assert [row for row in added_rows(windows)[0] if row != OUTSIDE] == [0, 1, 2, 3]
    assert float(tf.reduce_sum(windows.add_up(tf.ones((1, 4, 1))))) == 4


def test_the_fast_scope_has_no_convolution_left_where_it_applies_and_keeps_all_others():
    def operations(x_shape, weight_shape, stride, padding, dtype=tf.float32):
        def run(x, weight):
            with fast_convolutions():
                return conv2d(x, weight, stride, padding)

        graph = tf.function(run, autograph=False).get_concrete_function(
            tf.TensorSpec(x_shape, dtype), tf.TensorSpec(weight_shape, dtype)).graph
        return {operation.type for operation in graph.get_operations()}

    for fast in (((2, 8, 8, 4), (3, 3, 4, 4), 1, SAME3), ((2, 8, 8, 4), (5, 5, 4, 4), 2, SAME5),
                 ((2, 8, 8, 4), (1, 1, 4, 4), 1, "VALID"), ((2, 7, 8, 4), (5, 5, 4, 4), 2, SAME5)):
        assert "Conv2D" not in operations(*fast)
    for plain in (((None, 8, 8, 4), (3, 3, 4, 4), 1, SAME3),
                  ((2, 8, 8, 4), (3, 3, 4, 4), 1, "SAME"),
                  ((2, 8, 8, 4), (3, 3, 4, 4), 1, SAME3, tf.float16)):
        assert "Conv2D" in operations(*plain)


def test_outside_of_the_scope_the_plain_convolution_runs():
    graph = tf.function(lambda x: conv2d(x, tf.ones((3, 3, 4, 4)), 1, SAME3)
                        ).get_concrete_function(tf.TensorSpec((2, 8, 8, 4))).graph
    assert "Conv2D" in {operation.type for operation in graph.get_operations()}


def test_large_tiles_serve_large_images_small_ones_small_images_and_products_few_pixels():
    def choice(image, kernel, stride=1, padding=1):
        chosen = best_convolution(image, kernel, stride, padding)
        return chosen.func.__name__, chosen.keywords.get("tile")

    assert choice((4, 48, 48, 128), (3, 3, 128, 128)) == ("winograd_conv2d", 4)
    assert choice((4, 12, 12, 512), (3, 3, 512, 1024)) == ("winograd_conv2d", 2)
    assert choice((4, 3, 3, 128), (3, 3, 128, 512)) == ("patch_conv2d", None)
    assert choice((8, 48, 48, 64), (5, 5, 64, 128), 2, 2) == ("_halved", 4)
    assert choice((8, 48, 48, 64), (4, 4, 64, 128), 2, 2) == ("patch_conv2d", None)


def test_large_thin_maps_are_convolved_as_they_are():
    def is_plain(image, kernel, padding=1):
        x, weight = tf.TensorSpec(image), tf.TensorSpec(kernel)
        graph = tf.function(best_convolution(image, kernel, 1, padding), autograph=False
                            ).get_concrete_function(x, weight).graph
        return "Conv2D" in {item.type for item in graph.get_operations()}

    assert is_plain((8, 128, 128, 16), (3, 3, 16, 16))
    assert is_plain((16, 64, 64, 32), (3, 3, 32, 1))
    for image, kernel, padding in (((8, 128, 128, 32), (3, 3, 32, 32), 1),
                                   ((4, 64, 64, 16), (3, 3, 16, 16), 1),
                                   ((8, 128, 128, 3), (3, 3, 3, 16), 1),
                                   ((8, 128, 128, 16), (1, 1, 16, 16), 0)):
        assert not is_plain(image, kernel, padding)


def test_a_kernel_of_five_becomes_one_of_three_over_half_the_image():
    x, weight = _random(1, 6, 8, 2), _random(5, 5, 2, 3, seed=1)
    halved = tf.nn.conv2d(tf.nn.space_to_depth(x, 2), halved_kernel(tf.constant(weight)), 1, SAME3)
    np.testing.assert_allclose(halved, tf.nn.conv2d(x, weight, 2, SAME5), atol=1e-5)
