"""Activations with parameters."""

import tensorflow as tf

from leras.initializers import constant, zeros
from leras.module import Module


class PReLU(Module):
    """max(x, 0) + slope * min(x, 0), a learned slope per channel (He et al., 2015).

    Parameters: `slope` (channels,), 0.25.
    """

    def __init__(self, channels: int, *, name: str | None = None):
        super().__init__(name=name)
        self.slope = self.parameter("slope", (channels,), constant(0.25))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, channels) -> the same shape and dtype."""
        zero = tf.zeros((), x.dtype)
        return tf.maximum(x, zero) + tf.cast(self.slope, x.dtype) * tf.minimum(x, zero)


class TLU(Module):
    """max(x, tau), a learned threshold per channel; follows `FRNorm2D` (Singh and Krishnan, 2020).

    Parameters: `tau` (channels,), zeros.
    """

    def __init__(self, channels: int, *, name: str | None = None):
        super().__init__(name=name)
        self.tau = self.parameter("tau", (channels,), zeros)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, channels) -> the same shape and dtype."""
        return tf.maximum(x, tf.cast(self.tau, x.dtype))
