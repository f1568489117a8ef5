"""Convolutions traced once for all layers of one shape, which keep nothing but their input."""

import functools
from collections.abc import Callable, Hashable

import tensorflow as tf


@functools.lru_cache(maxsize=1024)
def with_gradient(forward: Callable, backward: Callable, *arguments: Hashable) -> Callable:
    """A function of (x, weight) with a gradient of its own.

    Networks have many layers of one shape. Each direction is a function inside of the graph, traced
    for the first of them and called by all.

    Args:
        forward: (*arguments, x, weight) -> y.
        backward: (*arguments, dy, x, weight) -> (dx, dweight).
        arguments: What both take first.

    Returns:
        (x, weight) -> y.
    """
    run_forward, run_backward = (
        tf.function(functools.partial(function, *arguments), autograph=False)
        for function in (forward, backward))

    @tf.custom_gradient
    def convolve(x: tf.Tensor, weight: tf.Tensor):
        # A tape that saw the inner function would make it keep all that automatic gradients need.
        y = run_forward(tf.stop_gradient(x), tf.stop_gradient(weight))
        return y, lambda dy: run_backward(dy, *_later(dy, x, weight))

    return convolve


def _later(dy: tf.Tensor, *tensors: tf.Tensor) -> list[tf.Tensor]:
    """The same tensors, for a compiler that cannot know it: they seem to need `dy`.

    What is computed from them is computed again in the backward pass, instead of being merged with
    the forward pass's and kept in memory until then.
    """
    first = tf.reshape(dy, (-1,))[0]
    # Only NaN differs from itself. (`tf.math.is_nan` takes ten times as long to compile.)
    zero = tf.where(tf.not_equal(first, first), first, tf.zeros_like(first))
    return [tensor + zero for tensor in tensors]
