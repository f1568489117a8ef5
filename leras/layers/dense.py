"""Fully connected layers."""

import tensorflow as tf

from leras.initializers import glorot_uniform, zeros
from leras.module import Module


class Dense(Module):
    """x W + b.

    Parameters: `weight` (in_ch, out_ch), Glorot uniform; `bias` (out_ch,), zeros.
    """

    def __init__(self, in_ch: int, out_ch: int, *, use_bias: bool = True, name: str | None = None):
        super().__init__(name=name)
        self.weight = self.parameter("weight", (in_ch, out_ch), glorot_uniform)
        self.bias = self.parameter("bias", (out_ch,), zeros) if use_bias else None

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, in_ch) -> (N, out_ch)."""
        y = tf.linalg.matmul(x, self.weight)
        return y if self.bias is None else tf.nn.bias_add(y, self.bias)
