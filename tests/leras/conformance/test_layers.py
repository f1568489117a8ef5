"""Every layer against one table: shape, traces, state, gradients, and the NumPy reference."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import tensorflow as tf

import leras.layers
from leras.graph import compile, image_spec
from leras.layers.activation import PReLU
from leras.layers.conv import Conv2D, DepthwiseConv2D
from leras.layers.dense import Dense
from leras.module import Module
from tests.leras import reference as ref


@dataclass(frozen=True)
class Row:
    """One way to build a layer.

    Attributes:
        create: Builds the layer.
        input_shape: Without the batch axis.
        output_shape: Without the batch axis, worked out by hand.
        reference: (x, **parameters by path) -> y, float64 or complex.
    """

    create: Callable[[], Module]
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    reference: Callable


def conv(**known):
    return lambda x, weight, bias=None: ref.conv2d(x, weight, bias, **known)


def depthwise(**known):
    return lambda x, weight, bias=None: ref.depthwise_conv2d(x, weight, bias, **known)


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
    "Dense": Row(lambda: Dense(6, 4), (6,), (4,), ref.dense),
    "Dense without bias": Row(lambda: Dense(6, 4, use_bias=False), (6,), (4,), ref.dense),
    "PReLU": Row(lambda: PReLU(3), (4, 5, 3), (4, 5, 3), ref.prelu),
}
each_row = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())


def filled(row, seed=0):
    """The layer with every parameter away from its start, so that a forgotten bias shows."""
    layer = row.create()
    rng = np.random.default_rng(seed)
    layer.load_state({path: rng.standard_normal(value.shape).astype(np.float32)
                      for path, value in layer.state().items()})
    return layer


def batch(row, n, seed=1):
    return np.random.default_rng(seed).standard_normal((n, *row.input_shape)).astype(np.float32)


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
    assert filled(row)(batch(row, 2)).shape == (2, *row.output_shape)


@each_row
def test_the_output_equals_the_numpy_reference(row):
    layer, x = filled(row), batch(row, 2)
    expected = row.reference(x.astype(np.float64), **layer.state())
    actual = compile(layer, image_spec(*row.input_shape))(x)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", [
    "Conv2D 5x5 stride 2, as in the encoder", "Conv2D dilated", "DepthwiseConv2D 5x5 stride 2",
    "Dense", "PReLU"])
def test_xla_gives_the_same_as_the_reference(name):
    row = ROWS[name]
    layer, x = filled(row), batch(row, 2)
    expected = row.reference(x.astype(np.float64), **layer.state())
    actual = compile(layer, image_spec(*row.input_shape), jit=True)(x)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


@each_row
def test_one_trace_serves_every_batch_size(row):
    run = compile(filled(row), image_spec(*row.input_shape))
    shapes = [run(batch(row, n)).shape for n in (1, 3, 2)]
    assert shapes == [(n, *row.output_shape) for n in (1, 3, 2)]
    assert run.traced.experimental_get_tracing_count() == 1


@each_row
def test_the_state_goes_into_another_layer_unchanged(row):
    first, second = filled(row, 0), filled(row, 1)
    x = batch(row, 2)
    assert not np.array_equal(first(x), second(x))
    second.load_state(first.state())
    np.testing.assert_array_equal(first(x), second(x))


@each_row
def test_the_gradients_equal_exact_derivatives_of_the_reference(row):
    layer, x = filled(row), batch(row, 2)
    cotangent = batch(Row(None, row.output_shape, None, None), 2, seed=2)
    named = dict(layer.named_variables())

    def gradients(value):
        with tf.GradientTape() as tape:
            tape.watch(value)
            loss = tf.reduce_sum(layer(value) * cotangent)
        return tape.gradient(loss, [value, *named.values()])

    actual = dict(zip(["x", *named], compile(gradients, image_spec(*row.input_shape))(x)))
    exact = {"x": x.astype(np.float64),
             **{path: value.astype(np.float64) for path, value in layer.state().items()}}
    for name, value in exact.items():
        expected = ref.gradient(
            lambda moved: np.sum(row.reference(**{**exact, name: moved}) * cotangent), value)
        np.testing.assert_allclose(actual[name], expected, rtol=1e-4, atol=1e-4, err_msg=name)
        assert np.any(expected), f"no gradient reaches {name}"


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
