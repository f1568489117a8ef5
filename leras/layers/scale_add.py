"""A shortcut with a learned weight."""

import tensorflow as tf

from leras.initializers import zeros
from leras.module import Module


class ScaleAdd(Module):
    """x0 + x1 * weight: starts as x0 alone, so that a branch can grow in.

    Parameters: `weight` (channels,), zeros.
    """

    def __init__(self, channels: int, *, name: str | None = None):
        super().__init__(name=name)
        self.weight = self.parameter("weight", (channels,), zeros)

    def __call__(self, x0: tf.Tensor, x1: tf.Tensor) -> tf.Tensor:
        """Two (N, H, W, channels) of one dtype -> the same shape and dtype."""
        return x0 + x1 * tf.cast(self.weight, x0.dtype)
