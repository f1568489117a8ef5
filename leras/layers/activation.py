"""Activations with parameters."""

import tensorflow as tf

from leras.initializers import constant
from leras.module import Module


class PReLU(Module):
    """max(x, 0) + slope * min(x, 0), a learned slope per channel (He et al., 2015).

    Parameters: `slope` (channels,), 0.25.
    """

    def __init__(self, channels: int, *, name: str | None = None):
        super().__init__(name=name)
        self.slope = self.parameter("slope", (channels,), constant(0.25))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, channels) -> the same shape."""
        return tf.maximum(x, 0.0) + self.slope * tf.minimum(x, 0.0)
