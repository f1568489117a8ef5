"""The judge of codes behind "true face" training."""

import tensorflow as tf

from leras.layers.conv import Conv2D
from models.networks.blocks import leaky_relu
from models.networks.discriminators.base import LogisticDiscriminator


class CodeDiscriminator(LogisticDiscriminator):
    """Tells dst's codes from src's, so that src's can be pulled to the distribution of dst's.

    In the losses dst's codes are the real ones.

    Args:
        in_ch: Channels of the codes (`Autoencoder.code_channels`).
        code_resolution: Side of the codes; the larger, the more layers.
        ch: Channels of the first layer; they double up to eight times that.
        compute_dtype: The convolutions' dtype.
    """

    def __init__(self, in_ch: int, code_resolution: int, ch: int = 256,
                 compute_dtype: tf.DType = tf.float32):
        super().__init__()
        self._compute_dtype = tf.as_dtype(compute_dtype)
        n_layers = 1 + code_resolution // 8
        widths = [in_ch] + [ch * min(2**layer, 8) for layer in range(n_layers)]
        # The first kernel has an even side and pads by 2: its map is one larger than half.
        self.convs = [Conv2D(before, after, 3 if layer else 4, stride=2)
                      for layer, (before, after) in enumerate(zip(widths, widths[1:]))]
        self.out_conv = Conv2D(widths[-1], 1, 1)

    def judge(self, codes: tf.Tensor) -> list[tf.Tensor]:
        """(N, S, S, in_ch) -> one tensor of logits (N, S', S', 1) float32."""
        x = tf.cast(codes, self._compute_dtype)
        for conv in self.convs:
            x = leaky_relu(conv(x), 0.1)
        return [tf.cast(self.out_conv(x), tf.float32)]
