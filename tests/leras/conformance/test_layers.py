"""Every layer against one table: shape, traces, state, gradients, number formats, and the NumPy
reference, eagerly, as a graph and compiled by XLA."""

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf
import torch

import leras.layers
from leras.graph import compile, image_spec
from leras.initializers import he_normal
from leras.layers.activation import TLU, PReLU
from leras.layers.blur_pool import BlurPool
from leras.layers.conv import Conv2D, DepthwiseConv2D
from leras.layers.conv_transpose import Conv2DTranspose
from leras.layers.dense import Dense
from leras.layers.norm import AdaIN, BatchNorm2D, DenseNorm, FRNorm2D, InstanceNorm2D
from leras.layers.scale_add import ScaleAdd
from leras.layers.tanh_polar import TanhPolar
from leras.module import Module
from tests.leras import reference as ref
from tests.leras.conformance import checks


@dataclass(frozen=True)
class Row:
    """One way to build a layer.

    Attributes:
        create: Builds the layer.
        input_shape: Without the batch axis.
        output_shape: Without the batch axis, worked out by hand.
        reference: (x, *more inputs, **parameters by path) -> y, float64 or complex.
        more_inputs: Shapes of further inputs.
        untrained: Paths that no gradient reaches.
    """

    create: Callable[[], Module]
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    reference: Callable
    more_inputs: tuple[tuple[int, ...], ...] = ()
    untrained: tuple[str, ...] = ()

    @property
    def specs(self):
        return [image_spec(*shape) for shape in (self.input_shape, *self.more_inputs)]


def conv(**known):
    return lambda x, weight, bias=None: ref.conv2d(x, weight, bias, **known)


def depthwise(**known):
    return lambda x, weight, bias=None: ref.depthwise_conv2d(x, weight, bias, **known)


def transposed(**known):
    return lambda x, weight, bias=None: ref.conv2d_transpose(x, weight, bias, **known)


def equalized(reference, factor):
    """The reference with the weight times the factor worked out by hand."""
    return lambda x, weight, bias: reference(x, factor * weight, bias)


NONE = ((0, 0), (0, 0))
ROWS = {
    # Sides by hand: (n + 2 p - (k - 1) d - 1) // s + 1.
    "Conv2D 3x3": Row(lambda: Conv2D(3, 4), (5, 7, 3), (5, 7, 4), conv()),
    "Conv2D 1x1": Row(lambda: Conv2D(3, 2, 1), (4, 3, 3), (4, 3, 2), conv()),
    "Conv2D 5x5 stride 2, as in the encoder": Row(
        lambda: Conv2D(2, 3, 5, stride=2), (8, 6, 2), (4, 3, 3), conv(stride=2)),
    "Conv2D 5x5 stride 2, odd sides": Row(
        lambda: Conv2D(2, 3, 5, stride=2), (7, 9, 2), (4, 5, 3), conv(stride=2)),
    "Conv2D 4x4 grows the map": Row(lambda: Conv2D(2, 2, 4), (5, 6, 2), (6, 7, 2), conv()),
    "Conv2D 2x2 grows the map": Row(lambda: Conv2D(2, 2, 2), (3, 4, 2), (4, 5, 2), conv()),
    "Conv2D 4x4 stride 2": Row(
        lambda: Conv2D(2, 2, 4, stride=2), (8, 8, 2), (5, 5, 2), conv(stride=2)),
    "Conv2D dilated": Row(
        lambda: Conv2D(2, 3, 3, dilation=2), (6, 7, 2), (6, 7, 3), conv(dilation=2)),
    "Conv2D valid": Row(
        lambda: Conv2D(2, 3, 3, padding="valid"), (5, 6, 2), (3, 4, 3), conv(padding=NONE)),
    "Conv2D padding 3": Row(
        lambda: Conv2D(2, 3, 3, padding=3), (4, 5, 2), (8, 9, 3), conv(padding=((3, 3), (3, 3)))),
    "Conv2D tf_same, stride 2, even side": Row(  # pads (0, 1) for k 3 on an even side
        lambda: Conv2D(2, 3, 3, stride=2, padding="tf_same"), (6, 7, 2), (3, 4, 3),
        conv(stride=2, padding=((0, 1), (1, 1)))),
    "Conv2D without bias": Row(
        lambda: Conv2D(3, 4, use_bias=False), (5, 4, 3), (5, 4, 4), conv()),
    "DepthwiseConv2D 3x3": Row(lambda: DepthwiseConv2D(4), (5, 6, 4), (5, 6, 4), depthwise()),
    "DepthwiseConv2D two per channel": Row(
        lambda: DepthwiseConv2D(3, 3, multiplier=2), (5, 6, 3), (5, 6, 6), depthwise()),
    "DepthwiseConv2D 5x5 stride 2": Row(
        lambda: DepthwiseConv2D(3, 5, stride=2), (8, 7, 3), (4, 4, 3), depthwise(stride=2)),
    "DepthwiseConv2D tf_same, stride 2": Row(
        lambda: DepthwiseConv2D(3, 3, stride=2, padding="tf_same"), (8, 6, 3), (4, 3, 3),
        depthwise(stride=2, padding=((0, 1), (0, 1)))),
    "DepthwiseConv2D dilated": Row(
        lambda: DepthwiseConv2D(3, 3, dilation=2), (7, 6, 3), (7, 6, 3), depthwise(dilation=2)),
    "DepthwiseConv2D valid, without bias": Row(
        lambda: DepthwiseConv2D(3, 3, padding="valid", use_bias=False), (5, 6, 3), (3, 4, 3),
        depthwise(padding=NONE)),
    # Sides by hand: same n s; valid n s + max(k - s, 0); full n s - (s + k - 2).
    "Conv2DTranspose 3x3": Row(
        lambda: Conv2DTranspose(3, 2), (4, 3, 3), (8, 6, 2), transposed()),
    "Conv2DTranspose 4x4": Row(
        lambda: Conv2DTranspose(2, 3, 4), (3, 4, 2), (6, 8, 3), transposed()),
    "Conv2DTranspose stride 1": Row(
        lambda: Conv2DTranspose(2, 3, 5, stride=1), (4, 3, 2), (4, 3, 3), transposed(stride=1)),
    "Conv2DTranspose 2x2 stride 3": Row(
        lambda: Conv2DTranspose(2, 2, 2, stride=3), (3, 2, 2), (9, 6, 2), transposed(stride=3)),
    "Conv2DTranspose valid": Row(
        lambda: Conv2DTranspose(2, 3, 3, padding="valid"), (3, 4, 2), (7, 9, 3),
        transposed(padding="valid")),
    "Conv2DTranspose valid, 1x1 stride 2": Row(
        lambda: Conv2DTranspose(2, 3, 1, padding="valid"), (3, 4, 2), (6, 8, 3),
        transposed(padding="valid")),
    "Conv2DTranspose full, without bias": Row(
        lambda: Conv2DTranspose(2, 3, 3, padding="full", use_bias=False), (4, 5, 2), (5, 7, 3),
        transposed(padding="full")),
    # Equalized: sqrt(2 / (k k in)), of 1x1 and dense sqrt(1 / in).
    "Conv2D equalized": Row(
        lambda: Conv2D(2, 3, use_wscale=True), (4, 3, 2), (4, 3, 3), equalized(conv(), 1 / 3)),
    "Conv2D 1x1 equalized": Row(
        lambda: Conv2D(4, 3, 1, use_wscale=True), (4, 3, 4), (4, 3, 3), equalized(conv(), 1 / 2)),
    "DepthwiseConv2D equalized": Row(
        lambda: DepthwiseConv2D(3, use_wscale=True), (4, 5, 3), (4, 5, 3),
        equalized(depthwise(), 2**0.5 / 3)),
    "Conv2DTranspose equalized": Row(
        lambda: Conv2DTranspose(2, 3, use_wscale=True), (3, 2, 2), (6, 4, 3),
        equalized(transposed(), 1 / 3)),
    "Dense equalized": Row(
        lambda: Dense(16, 3, use_wscale=True), (16,), (3,), equalized(ref.dense, 1 / 4)),
    "Dense maxout": Row(lambda: Dense(6, 4, maxout=3), (6,), (4,),
                        lambda x, weight, bias: ref.maxout(x, weight, bias, 3)),
    "DenseNorm": Row(DenseNorm, (7,), (7,), ref.pixel_norm),
    "FRNorm2D": Row(lambda: FRNorm2D(3), (4, 5, 3), (4, 5, 3), ref.filter_response_norm),
    "BatchNorm2D": Row(lambda: BatchNorm2D(3), (4, 5, 3), (4, 5, 3), ref.batch_norm,
                       untrained=("running_mean", "running_var")),
    "InstanceNorm2D": Row(lambda: InstanceNorm2D(3), (4, 5, 3), (4, 5, 3), ref.instance_norm),
    "AdaIN": Row(lambda: AdaIN(3, 4), (4, 5, 3), (4, 5, 3), ref.adaptive_instance_norm, ((4,),)),
    "TLU": Row(lambda: TLU(3), (4, 5, 3), (4, 5, 3), lambda x, tau: np.where(
        np.real(x) > np.real(tau), x, tau)),
    "ScaleAdd": Row(lambda: ScaleAdd(3), (4, 5, 3), (4, 5, 3),
                    lambda x0, x1, weight: x0 + x1 * weight, ((4, 5, 3),)),
    **{f"BlurPool {size}": Row(
        lambda size=size: BlurPool(size), (6, 5, 2), (3, 3, 2),
        lambda x, size=size: ref.blur_pool(x, size, 2)) for size in (1, 2, 3, 4, 7)},
    "BlurPool stride 3": Row(lambda: BlurPool(5, stride=3), (7, 9, 2), (3, 3, 2),
                             lambda x: ref.blur_pool(x, 5, 3)),
    "TanhPolar": Row(lambda: TanhPolar(6, 5), (6, 5, 2), (6, 5, 2),
                     lambda x: ref.tanh_polar(x, 270)),
    "Dense": Row(lambda: Dense(6, 4), (6,), (4,), ref.dense),
    "Dense without bias": Row(lambda: Dense(6, 4, use_bias=False), (6,), (4,), ref.dense),
    "PReLU": Row(lambda: PReLU(3), (4, 5, 3), (4, 5, 3), ref.prelu),
}
each_row = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())


def filled(row, seed=0):
    """The layer with every parameter away from its start, so that a forgotten bias shows.

    What starts as one positive number everywhere (a scale, a variance) stays positive; a kernel
    starts with random numbers, whose signs must not decide.
    """
    layer = row.create()
    rng = np.random.default_rng(seed)
    draws = {path: rng.standard_normal(value.shape) for path, value in layer.state().items()}
    layer.load_state({path: np.float32(np.abs(draws[path]) if _positive(value) else draws[path])
                      for path, value in layer.state().items()})
    return layer


def _positive(start):
    return start.flat[0] > 0 and np.all(start == start.flat[0])


def batch(row, n, seed=1):
    """One array for each input."""
    return checks.arrays_of((row.input_shape, *row.more_inputs), n, seed)


def public_layers():
    for info in pkgutil.iter_modules(leras.layers.__path__, "leras.layers."):
        module = importlib.import_module(info.name)
        for name, thing in vars(module).items():
            if (inspect.isclass(thing) and issubclass(thing, Module) and thing is not Module
                    and thing.__module__ == info.name and not name.startswith("_")):
                yield thing


def test_every_public_layer_has_a_row():
    tested = {type(row.create()) for row in ROWS.values()}
    missing = {layer.__qualname__ for layer in public_layers()} - {t.__qualname__ for t in tested}
    assert not missing, f"add rows for {sorted(missing)} to the table above"
    assert len(tested) >= 4


@each_row
def test_the_output_has_the_shape_worked_out_by_hand(row):
    assert filled(row)(*batch(row, 2)).shape == (2, *row.output_shape)


@functools.cache
def expected_of(row):
    """The reference's output and its gradients by name: 0, 1 for inputs, paths for parameters."""
    parameters, arrays = filled(row).state(), batch(row, 2)
    output = row.reference(*(array.astype(np.float64) for array in arrays), **parameters)
    gradients = checks.exact_gradients(row.reference, arrays, parameters)
    return output, dict(zip([*range(len(arrays)), *parameters], gradients, strict=True))


@pytest.mark.parametrize("mode", checks.MODES)
@each_row
def test_the_output_and_its_gradients_equal_the_reference(row, mode):
    layer = filled(row)
    named = dict(layer.named_variables())
    output, gradients = expected_of(row)
    actual, *slopes = checks.value_and_gradients(layer, batch(row, 2), named.values(), mode)
    checks.assert_close(actual, output)
    for (name, expected), slope in zip(gradients.items(), slopes, strict=True):
        assert np.any(expected), f"{name} changes nothing"
        if name in row.untrained:
            assert slope is None
        else:
            checks.assert_close(slope, expected, message=name)


@pytest.mark.parametrize("dtype", checks.HALF_TOLERANCE, ids=lambda dtype: dtype.name)
@each_row
def test_half_the_bits_go_in_and_come_out_and_weights_keep_theirs(row, dtype):
    layer = filled(row)
    named = dict(layer.named_variables())
    output, gradients = expected_of(row)
    actual, *slopes = checks.value_and_gradients(
        layer, batch(row, 2), named.values(), "graph", dtype)
    assert actual.dtype == dtype
    tolerance = checks.HALF_TOLERANCE[dtype]
    checks.assert_close(actual, output, tolerance)
    for (name, expected), slope in zip(gradients.items(), slopes, strict=True):
        if name not in row.untrained:
            assert slope.dtype == (tf.float32 if name in named else dtype)
            checks.assert_close(slope, expected, 3 * tolerance, message=name)


@each_row
def test_one_trace_serves_every_batch_size(row):
    run = compile(filled(row), *row.specs)
    shapes = [run(*batch(row, n)).shape for n in (1, 3, 2)]
    assert shapes == [(n, *row.output_shape) for n in (1, 3, 2)]
    assert run.traced.experimental_get_tracing_count() == 1


@each_row
def test_the_state_goes_into_another_layer_unchanged(row):
    first, second = filled(row, 0), filled(row, 1)
    inputs = batch(row, 2)
    if first.state():
        assert not np.array_equal(first(*inputs), second(*inputs))
    second.load_state(first.state())
    np.testing.assert_array_equal(first(*inputs), second(*inputs))


def test_the_two_same_paddings_differ_for_stride_2():
    """TensorFlow's SAME shifts features by a pixel against the symmetric padding."""
    ours = Conv2D(1, 1, 3, stride=2, use_bias=False)
    theirs = Conv2D(1, 1, 3, stride=2, padding="tf_same", use_bias=False)
    centre = np.zeros((3, 3, 1, 1), np.float32)
    centre[1, 1] = 1
    x = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    for layer in (ours, theirs):
        layer.load_state({"weight": centre})
    np.testing.assert_array_equal(ours(x)[0, :, :, 0], [[0, 2], [8, 10]])
    np.testing.assert_array_equal(theirs(x)[0, :, :, 0], [[5, 7], [13, 15]])


def test_tensorflow_padding_of_the_reference_is_what_tensorflow_pads():
    for shape, kernel, stride in (((1, 6, 7, 2), 3, 2), ((1, 9, 8, 2), 5, 2), ((1, 5, 6, 2), 4, 1)):
        layer = Conv2D(2, 1, kernel, stride=stride, padding="tf_same")
        x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
        padding = ref.tensorflow_padding(shape, kernel, stride)
        expected = ref.conv2d(x, stride=stride, padding=padding, **layer.state())
        np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-5)


def test_an_unknown_padding_is_refused():
    with pytest.raises(ValueError, match="'full'"):
        Conv2D(1, 1, padding="full")


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kernel, stride", [(3, 1), (3, 2), (4, 2), (5, 3)])
def test_the_transposed_convolution_equals_pytorch(padding, kernel, stride):
    layer = Conv2DTranspose(2, 3, kernel, stride=stride, padding=padding)
    x, = checks.arrays_of([(4, 5, 2)])
    state = {path: torch.from_numpy(value.astype(np.float64))
             for path, value in layer.state().items()}
    painted = torch.nn.functional.conv_transpose2d(
        torch.from_numpy(x.astype(np.float64)).permute(0, 3, 1, 2),
        state["weight"].permute(3, 2, 0, 1), state["bias"], stride).permute(0, 2, 3, 1).numpy()
    before = (kernel - stride) // 2 if padding == "same" else 0
    y = layer(x)
    painted = painted[:, before:before + y.shape[1], before:before + y.shape[2]]
    np.testing.assert_allclose(y, painted, rtol=1e-5, atol=1e-5)


def test_the_transposed_convolution_is_the_gradient_of_the_convolution_with_its_kernel():
    """Of a TensorFlow-SAME convolution with stride 2 over the larger map."""
    forward = Conv2D(3, 2, 5, stride=2, padding="tf_same", use_bias=False)
    backward = Conv2DTranspose(2, 3, 5, use_bias=False)
    backward.load_state(forward.state())  # (k, k, in, out) of one is (k, k, out, in) of the other
    small, large = checks.arrays_of([(3, 4, 2), (6, 8, 3)])
    np.testing.assert_allclose(np.sum(forward(large) * small), np.sum(large * backward(small)),
                               rtol=1e-4)


def test_an_unknown_padding_of_a_transposed_convolution_is_refused():
    with pytest.raises(ValueError, match="'tf_same'"):
        Conv2DTranspose(1, 1, padding="tf_same")


def test_the_filter_response_norm_takes_the_absolute_value_of_its_learned_eps():
    layer = FRNorm2D(1)
    layer.load_state({**layer.state(), "eps": np.float32([-3])})
    x = np.ones((1, 2, 2, 1), np.float32)
    np.testing.assert_allclose(layer(x), 0.5 * x)  # 1 / sqrt(1 + 3)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x))
    assert float(tape.gradient(loss, layer.eps)[0]) == pytest.approx(4 * 0.5 * 4**-1.5)


@pytest.mark.parametrize("create", [lambda: InstanceNorm2D(2), lambda: FRNorm2D(2), DenseNorm])
def test_norms_of_flat_pictures_and_their_gradients_are_finite(create):
    layer, x = create(), tf.zeros((1, 3, 3, 2))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
        loss = tf.reduce_sum(y)
    np.testing.assert_array_equal(y, np.zeros(x.shape))
    assert np.isfinite(tape.gradient(loss, x)).all()


@pytest.mark.parametrize("size", [0, 8])
def test_blur_pool_refuses_other_filter_sizes(size):
    with pytest.raises(ValueError, match=str(size)):
        BlurPool(size)


def test_blur_pool_keeps_flat_pictures_away_from_their_borders():
    y = BlurPool(5)(np.full((1, 12, 12, 1), 0.25, np.float32))
    np.testing.assert_allclose(y[0, 1:-1, 1:-1, 0], 0.25)


def test_the_tanh_polar_picture_starts_at_the_top_and_turns_clockwise():
    """A bright upper half fills the first and the last quarter of the rows."""
    x = np.zeros((1, 16, 16, 1), np.float32)
    x[:, :8] = 1
    polar = TanhPolar(16, 16)(x)[0, :, 8, 0].numpy()
    np.testing.assert_allclose(polar[[0, 1, 2, 3, 13, 14, 15]], 1)
    np.testing.assert_allclose(polar[5:12], 0)


def test_a_smooth_picture_comes_back_from_tanh_polar():
    layer = TanhPolar(48, 40)
    rows, columns = np.mgrid[0:48, 0:40]
    x = np.float32(0.5 + 0.3 * np.sin(rows / 9) + 0.2 * np.cos(columns / 8))[None, ..., None]
    error = np.abs(layer.restore(layer(x)) - x)[0, 6:-6, 6:-6]
    assert error.max() < 0.03


def test_layers_draw_by_the_initializer_that_they_are_given():
    """A transposed kernel counts its inputs in the last axis."""
    rng = np.random.default_rng(0)
    for layer, fan_in in ((Conv2D(64, 8, initializer=he_normal), 9 * 64),
                          (Conv2DTranspose(64, 8, initializer=he_normal), 9 * 64),
                          (Dense(256, 16, initializer=he_normal), 256)):
        layer.initialize(rng)
        assert np.mean(layer.state()["weight"]**2) == pytest.approx(2 / fan_in, rel=0.1)


@pytest.mark.parametrize("create", [
    lambda: Conv2D(16, 32, use_wscale=True), lambda: Conv2DTranspose(16, 32, use_wscale=True),
    lambda: DepthwiseConv2D(512, use_wscale=True), lambda: Dense(32, 128, use_wscale=True)])
def test_equalized_weights_are_stored_with_a_variance_of_one(create):
    layer = create()
    layer.initialize(np.random.default_rng(0))
    assert layer.state()["weight"].var() == pytest.approx(1, rel=0.1)
