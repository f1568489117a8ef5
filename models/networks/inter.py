"""The bottleneck between encoder and decoder."""

import tensorflow as tf

from leras.layers.dense import Dense
from leras.module import Module
from leras.ops.tensor import unflatten
from models.networks.blocks import Activation, Upscale, leaky_relu


class Inter(Module):
    """Flat code to the map that decoders read: two dense layers and, unless deep, an upscale.

    Args:
        in_ch: Length of the flat code.
        ae_ch: Width of the bottleneck.
        out_ch: Channels of the map.
        side: Side of the map before its upscale.
        upscale: Whether there is one (not with option letter `t`).
        activation: Of the upscale; the dense layers have none.
        compute_dtype: Of the upscale and the map; the dense layers are float32.

    Attributes:
        map_side: Side of the map that `__call__` returns.
    """

    def __init__(self, in_ch: int, ae_ch: int, out_ch: int, side: int, *, upscale: bool = True,
                 activation: Activation = leaky_relu, compute_dtype: tf.DType = tf.float32):
        super().__init__()
        self._side, self._out_ch, self._compute_dtype = side, out_ch, compute_dtype
        self.map_side = side * 2 if upscale else side
        self.dense1 = Dense(in_ch, ae_ch)
        self.dense2 = Dense(ae_ch, side * side * out_ch)
        self.upscale1 = Upscale(out_ch, out_ch, activation) if upscale else None

    def __call__(self, code: tf.Tensor) -> tf.Tensor:
        """(N, in_ch) float32 -> (N, map_side, map_side, out_ch) in the compute dtype."""
        x = unflatten(self.dense2(self.dense1(code)), self._side, self._out_ch)
        x = tf.cast(x, self._compute_dtype)
        return x if self.upscale1 is None else self.upscale1(x)
