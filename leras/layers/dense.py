"""Fully connected layers."""

import tensorflow as tf

from leras.initializers import Initializer, glorot_uniform, zeros
from leras.layers.weights import equalized, in_use
from leras.module import Module


class Dense(Module):
    """x W + b, or with maxout (Goodfellow et al., 2013) max_j(x W_j) + b.

    Args:
        in_ch, out_ch: Channels.
        use_bias: Adds a bias per output channel.
        maxout: Products per output channel, of which the largest counts; 1 is a plain layer.
        use_wscale: See `leras.layers.weights.equalized`; gain 1.
        initializer: Of the weight.

    Parameters: `weight` (in_ch, out_ch * maxout), the products of one output side by side;
        `bias` (out_ch,), zeros.
    """

    def __init__(self, in_ch: int, out_ch: int, *, use_bias: bool = True, maxout: int = 1,
                 use_wscale: bool = False, initializer: Initializer = glorot_uniform,
                 name: str | None = None):
        super().__init__(name=name)
        self._shape = (out_ch, maxout)
        start, self._factor = equalized(use_wscale, initializer, in_ch, gain=1.0)
        self.weight = self.parameter("weight", (in_ch, out_ch * maxout), start)
        self.bias = self.parameter("bias", (out_ch,), zeros) if use_bias else None

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, in_ch) -> (N, out_ch), the dtype of x; computed in float32."""
        weight = in_use(self.weight, self._factor, tf.float32)
        y = tf.linalg.matmul(tf.cast(x, tf.float32), weight)
        if self._shape[1] > 1:
            y = tf.reduce_max(tf.reshape(y, (-1, *self._shape)), -1)  # (N, out_ch)
        y = y if self.bias is None else tf.nn.bias_add(y, self.bias)
        return tf.cast(y, x.dtype)
