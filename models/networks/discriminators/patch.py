"""The contracting convolutions that all discriminators of faces share."""

import tensorflow as tf

from leras.layers.conv import Conv2D
from leras.module import Module
from models.networks.blocks import leaky_relu
from models.networks.discriminators.receptive_field import strides_for


class PatchTrunk(Module):
    """3x3 convolutions whose last map sees patches of about `patch_size` pixels.

    Args:
        patch_size: Receptive field of the last map.
        base_ch: Channels of the first map; they double with each layer, up to 512.
        compute_dtype: The convolutions' dtype.

    Attributes:
        strides: Of each layer.
        widths: Channels of the first map and of each layer's.
    """

    def __init__(self, patch_size: int, base_ch: int, compute_dtype: tf.DType = tf.float32):
        super().__init__()
        self._compute_dtype = tf.as_dtype(compute_dtype)
        self.strides = strides_for(patch_size)
        self.widths = (base_ch, *(min(base_ch * 2**(layer + 1), 512)
                                  for layer in range(len(self.strides))))
        self.in_conv = Conv2D(3, base_ch, 1)
        self.convs = [Conv2D(before, after, 3, stride=stride) for before, after, stride
                      in zip(self.widths, self.widths[1:], self.strides)]

    def maps(self, faces: tf.Tensor) -> list[tf.Tensor]:
        """(N, R, R, 3) -> the first map (N, R, R, base_ch) and that of each layer."""
        maps = [leaky_relu(self.in_conv(tf.cast(faces, self._compute_dtype)), 0.2)]
        for conv in self.convs:
            maps.append(leaky_relu(conv(maps[-1]), 0.2))
        return maps


class PatchCritic(PatchTrunk):
    """A judgement for every patch (Isola et al., 2017, section 3.2.2).

    Args:
        out_ch: Numbers per patch.
        Others as in `PatchTrunk`.
    """

    def __init__(self, patch_size: int, base_ch: int, out_ch: int,
                 compute_dtype: tf.DType = tf.float32):
        super().__init__(patch_size, base_ch, compute_dtype)
        self.out_conv = Conv2D(self.widths[-1], out_ch, 1)

    def __call__(self, faces: tf.Tensor) -> tf.Tensor:
        """(N, R, R, 3) -> (N, R', R', out_ch) float32; R' is R over the strides, rounded up."""
        return tf.cast(self.out_conv(self.maps(faces)[-1]), tf.float32)
