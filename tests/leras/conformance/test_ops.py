"""Every op against one table: the NumPy reference and its exact derivatives, eagerly, as a graph
and compiled by XLA, and half the bits."""

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import skimage.color
import tensorflow as tf
import torch

import leras.ops
from leras.ops import (
    color,
    convolution,
    fence,
    image,
    patches,
    random,
    resize,
    sampling,
    similarity,
    statistics,
    tensor,
    winograd,
)
from tests.leras import reference as ref
from tests.leras import reference_ops
from tests.leras.conformance import checks


@dataclass(frozen=True)
class Row:
    """One way to call an op.

    Attributes:
        op: A function of `leras.ops`.
        shapes: Of its tensors, all axes.
        reference: The same tensors -> y, float64 or complex.
        arguments: What else the op takes.
        output_dtype: None: that of the first tensor.
        images: The tensors hold numbers in [0, 1] instead of normal ones.
        half: Takes float16 and bfloat16.
    """

    op: Callable
    shapes: tuple[tuple[int, ...], ...]
    reference: Callable
    arguments: Mapping[str, Any] = field(default_factory=dict)
    output_dtype: tf.DType | None = None
    images: bool = False
    half: bool = True

    def __call__(self, *inputs: tf.Tensor) -> tf.Tensor:
        y = self.op(*inputs, **self.arguments)
        return tf.stack(y) if isinstance(y, tuple) else y

    def tensors(self) -> list[np.ndarray]:
        rng = np.random.default_rng(1)
        draw = rng.random if self.images else rng.standard_normal
        return [draw(shape).astype(np.float32) for shape in self.shapes]


def fast_conv2d(x, weight, stride, padding):
    with convolution.fast_convolutions():
        return convolution.conv2d(x, weight, stride, padding)


fast_conv2d.__wrapped__ = convolution.conv2d  # the op that its rows are of


def around(n):
    return [[0, 0], [n, n], [n, n], [0, 0]]


X = (2, 4, 6, 4)
ROWS_OF_4 = np.float32([[1, 2, 0, -1], [0.5, 0, 0, 3], [0, 1, 1, 0]])
COLUMNS_OF_6 = np.float32([[1, 0, 0, 0, 0, 2], [0, 0, -1, 1, 0, 0]])
POINTS = np.random.default_rng(3).uniform(-1.5, 7, (3, 5, 2))  # some outside of the 4 x 6 pixels
TWICE = {"height": 8, "width": 9}
FEWER = {"height": 3, "width": 4}
ROWS = {
    "flatten": Row(tensor.flatten, (X,), lambda x: x.reshape(2, 96)),
    "unflatten": Row(tensor.unflatten, ((2, 36),), lambda x: x.reshape(2, 3, 3, 4),
                     {"side": 3, "channels": 4}),
    "depth_to_space 2": Row(tensor.depth_to_space, (X,), lambda x: ref.depth_to_space(x, 2),
                            {"size": 2}),
    "depth_to_space 3": Row(tensor.depth_to_space, ((2, 2, 3, 18),),
                            lambda x: ref.depth_to_space(x, 3), {"size": 3}),
    "space_to_depth 2": Row(tensor.space_to_depth, (X,),
                            lambda x: reference_ops.space_to_depth(x, 2), {"size": 2}),
    "space_to_depth 3": Row(tensor.space_to_depth, ((2, 3, 6, 2),),
                            lambda x: reference_ops.space_to_depth(x, 3), {"size": 3}),
    "max_pool": Row(tensor.max_pool, ((2, 5, 4, 2),), lambda x: reference_ops.max_pool(x, 2, 2)),
    "max_pool 3 stride 1": Row(tensor.max_pool, ((2, 5, 4, 2),),
                               lambda x: reference_ops.max_pool(x, 3, 1), {"size": 3, "stride": 1}),
    "fence": Row(fence.fence, (X,), lambda x: x),
    "gelu": Row(tensor.gelu, (X,), reference_ops.gelu),
    "pixel_norm": Row(tensor.pixel_norm, (X,), ref.pixel_norm),
    "pixel_norm over pictures": Row(tensor.pixel_norm, (X,), lambda x: ref.pixel_norm(x, (1, 2, 3)),
                                    {"axis": (1, 2, 3)}),
    "upsample": Row(resize.upsample, (X,), lambda x: reference_ops.upsample(x, 2)),
    "upsample 3": Row(resize.upsample, (X,), lambda x: reference_ops.upsample(x, 3),
                      {"factor": 3}),
    "resize_nearest, more": Row(resize.resize_nearest, (X,),
                                lambda x: reference_ops.resize_nearest(x, 8, 9), TWICE),
    "resize_nearest, fewer": Row(resize.resize_nearest, (X,),
                                 lambda x: reference_ops.resize_nearest(x, 3, 4), FEWER),
    "resize_bilinear_legacy, more": Row(
        resize.resize_bilinear_legacy, (X,),
        lambda x: reference_ops.resize_bilinear_legacy(x, 8, 9), TWICE),
    "resize_bilinear_legacy, fewer": Row(
        resize.resize_bilinear_legacy, (X,),
        lambda x: reference_ops.resize_bilinear_legacy(x, 3, 4), FEWER),
    "bilinear_sample": Row(sampling.bilinear_sample, (X,),
                           lambda x: reference_ops.bilinear_sample(x, POINTS), {"points": POINTS}),
    "bilinear_sample around": Row(
        sampling.bilinear_sample, (X,),
        lambda x: reference_ops.bilinear_sample(x, POINTS, wrap_rows=True),
        {"points": POINTS, "wrap_rows": True}),
    "separable_filter": Row(
        image.separable_filter, (X,),
        lambda x: reference_ops.separable_filter(x, ROWS_OF_4, COLUMNS_OF_6),
        {"rows": ROWS_OF_4, "columns": COLUMNS_OF_6}),
    "gaussian_blur": Row(image.gaussian_blur, ((1, 8, 7, 2),), lambda x: ref.gaussian_blur(x, 1.0),
                         {"sigma": 1.0}, images=True),
    "dssim": Row(similarity.dssim, ((1, 9, 8, 2),) * 2,
                 lambda a, b: ref.dssim(a, b, filter_size=5), {"filter_size": 5}, tf.float32,
                 images=True),
    "dssim, even window": Row(similarity.dssim, ((1, 6, 7, 2),) * 2,
                              lambda a, b: ref.dssim(a, b, filter_size=4), {"filter_size": 4},
                              tf.float32, images=True),
    "channel_statistics": Row(
        statistics.channel_statistics, (X,),
        lambda x: np.stack(reference_ops.channel_statistics(x)), output_dtype=tf.float32),
    "total_variation": Row(statistics.total_variation, (X,), reference_ops.total_variation,
                           output_dtype=tf.float32),
    "rgb_to_lab": Row(color.rgb_to_lab, ((2, 4, 6, 3),), reference_ops.rgb_to_lab,
                      output_dtype=tf.float32, images=True),
    "conv2d": Row(convolution.conv2d, ((2, 5, 6, 2), (3, 3, 2, 3)), ref.conv2d,
                  {"stride": 1, "padding": around(1)}),
    "conv2d 3x3, fast": Row(fast_conv2d, ((2, 5, 6, 2), (3, 3, 2, 3)), ref.conv2d,
                            {"stride": 1, "padding": around(1)}),
    "conv2d 5x5 stride 2, fast": Row(
        fast_conv2d, ((2, 4, 6, 2), (5, 5, 2, 3)), functools.partial(ref.conv2d, stride=2),
        {"stride": 2, "padding": around(2)}),
    "patch_conv2d": Row(patches.patch_conv2d, ((2, 5, 6, 2), (3, 3, 2, 3)), ref.conv2d,
                        {"stride": 1, "padding": 1}),
    "patch_conv2d 4x4 stride 2": Row(
        patches.patch_conv2d, ((2, 6, 4, 2), (4, 4, 2, 3)), functools.partial(ref.conv2d, stride=2),
        {"stride": 2, "padding": 2}),
    "conv2d_transpose": Row(
        convolution.conv2d_transpose, ((2, 3, 4, 2), (3, 3, 3, 2)), ref.conv2d_transpose,
        {"stride": 2, "padding": "SAME", "sides": (6, 8)}),
    "patch_conv2d_transpose": Row(
        patches.patch_conv2d_transpose, ((2, 3, 4, 2), (3, 3, 3, 2)), ref.conv2d_transpose,
        {"stride": 2, "before": 0, "sides": (6, 8)}),
    "halved_kernel": Row(convolution.halved_kernel, ((5, 5, 2, 3),), reference_ops.halved_kernel),
    **{f"winograd_conv2d by {tile}": Row(
        winograd.winograd_conv2d, ((2, 5, 6, 2), (3, 3, 2, 3)), ref.conv2d, {"tile": tile},
        half=False) for tile in winograd.TILINGS},
}
INTEGERS = {random.bernoulli_mask, random.mix}
"""Ops of integers, which have no derivatives; tests/leras/test_ops.py tests them bit by bit."""


def public_ops():
    """The public functions of `leras.ops` that give tensors."""
    for info in pkgutil.iter_modules(leras.ops.__path__, "leras.ops."):
        module = importlib.import_module(info.name)
        for name, thing in vars(module).items():
            if (inspect.isfunction(thing) and thing.__module__ == info.name
                    and not name.startswith("_")
                    and "Tensor" in str(inspect.signature(thing).return_annotation)):
                yield thing


def test_every_public_op_has_a_row():
    found, tested = set(public_ops()), {inspect.unwrap(row.op) for row in ROWS.values()}
    missing = found - tested - INTEGERS
    assert not missing, f"add rows for {sorted(op.__name__ for op in missing)} to the table above"
    assert tested | INTEGERS == found


@functools.cache
def expected_of(name):
    """The reference's output, and its gradients by the tensors' order."""
    row = ROWS[name]
    values = [array.astype(np.float64) for array in row.tensors()]
    return row.reference(*values), checks.exact_gradients(row.reference, row.tensors(), {})


@pytest.mark.parametrize("mode", checks.MODES)
@pytest.mark.parametrize("name", ROWS)
def test_the_output_and_its_gradients_equal_the_reference(name, mode):
    row, (output, gradients) = ROWS[name], expected_of(name)
    actual, *slopes = checks.value_and_gradients(row, row.tensors(), [], mode)
    assert actual.dtype == tf.float32
    checks.assert_close(actual, output)
    for slope, expected in zip(slopes, gradients, strict=True):
        assert np.any(expected)
        checks.assert_close(slope, expected)


@pytest.mark.parametrize("dtype", checks.HALF_TOLERANCE, ids=lambda dtype: dtype.name)
@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.half])
def test_half_the_bits_go_in_and_come_out_where_no_more_are_promised(name, dtype):
    row, (output, gradients) = ROWS[name], expected_of(name)
    actual, *slopes = checks.value_and_gradients(row, row.tensors(), [], "graph", dtype)
    assert actual.dtype == (row.output_dtype or dtype)
    checks.assert_close(actual, output, checks.HALF_TOLERANCE[dtype])
    for slope, expected in zip(slopes, gradients, strict=True):
        assert slope.dtype == dtype
        checks.assert_close(slope, expected, 3 * checks.HALF_TOLERANCE[dtype])


# -- single ops against other libraries -----------------------------------------------------------

@pytest.mark.parametrize("height, width", [(8, 12), (3, 4), (7, 5), (4, 6), (1, 1)])
def test_resizing_equals_the_kernels_that_old_networks_were_trained_with(height, width):
    x, = checks.arrays_of([(4, 6, 3)])
    old = {"align_corners": False, "half_pixel_centers": False}
    np.testing.assert_allclose(resize.resize_bilinear_legacy(x, height, width),
                               tf.raw_ops.ResizeBilinear(images=x, size=(height, width), **old),
                               rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(
        resize.resize_nearest(x, height, width),
        tf.raw_ops.ResizeNearestNeighbor(images=x, size=(height, width), **old))


def test_upsampling_pooling_and_gelu_equal_pytorch():
    x, = checks.arrays_of([(4, 6, 3)])
    theirs = torch.from_numpy(x).permute(0, 3, 1, 2)
    functional = torch.nn.functional
    for ours, other in ((resize.upsample(x, 3), functional.interpolate(theirs, scale_factor=3)),
                        (tensor.max_pool(x), functional.max_pool2d(theirs, 2)),
                        (tensor.gelu(x), functional.gelu(theirs, approximate="tanh"))):
        np.testing.assert_allclose(ours, other.permute(0, 2, 3, 1), rtol=1e-4, atol=1e-5)


def test_lab_equals_scikit_image_and_has_gradients_at_black():
    rgb = np.random.default_rng(0).random((1, 8, 8, 3), np.float32)
    # Its white point has other digits behind the fourth.
    np.testing.assert_allclose(color.rgb_to_lab(rgb), skimage.color.rgb2lab(rgb), atol=0.01)
    black = tf.zeros((1, 1, 1, 3))
    with tf.GradientTape() as tape:
        tape.watch(black)
        y = color.rgb_to_lab(black)
    np.testing.assert_allclose(y, np.zeros((1, 1, 1, 3)), atol=1e-5)
    assert np.isfinite(tape.gradient(y, black)).all()


def test_depth_and_space_undo_each_other():
    x, = checks.arrays_of([(6, 4, 3)])
    np.testing.assert_array_equal(tensor.depth_to_space(tensor.space_to_depth(x, 2), 2), x)


def test_total_variation_by_hand():
    x = np.float32([[0, 1, 3], [0, 5, 3]]).reshape(1, 2, 3, 1)
    assert statistics.total_variation(x).numpy().tolist() == [16 + 1 + 4 + 25 + 4]
