"""A value that XLA computes as a whole, in its own shape, before what reads it."""

import functools

import tensorflow as tf


def fence(x: tf.Tensor) -> tf.Tensor:
    """The same tensor, for a compiler that cannot look through.

    XLA for CPUs joins a loop with changes of shape behind it. What was rows of pixels looked up by
    number then becomes one long row, each element of which finds its pixel by divisions: three
    times the time. XLA's own barriers are gone before it joins loops, but it joins nothing across a
    choice between two tensors whose outcome it cannot know.

    Args:
        x: Of static shape.
    """
    return tf.cond(_always(), lambda: x, lambda: tf.zeros_like(x))


@functools.cache
def _always() -> tf.Tensor:
    """() bool outside of any graph, which read it as an input."""
    with tf.init_scope():
        return tf.constant(True)
