"""TernausNet: a U-Net whose way down is VGG11 (Iglovikov and Shvets, 2018).

What VGG11 has learned of a million photographs is a good start; `models import vgg11.pth` takes it
from the public checkpoint, and `train --model TernausNet` trains the way up.
"""

import numpy as np
import tensorflow as tf

from leras.layers.conv import Conv2D
from leras.layers.conv_transpose import Conv2DTranspose
from leras.module import Module
from leras.ops.tensor import max_pool

SMALLEST = 32
"""The resolution is a multiple of it."""

ENCODER = "encoder"
"""The part that VGG11 has too."""

_STAGES = ((64,), (128,), (256, 256), (512, 512), (512, 512))
"""Channels of the convolutions between two poolings."""

_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
"""Of red, green and blue in the photographs that VGG11 was trained on."""


class VGG11(Module):
    """The convolutions of VGG11 (Simonyan and Zisserman, 2015), configuration A."""

    def __init__(self):
        super().__init__()
        before, self.convs = 3, []
        for channels in (width for stage in _STAGES for width in stage):
            self.convs.append(Conv2D(before, channels, 3))
            before = channels

    def __call__(self, x: tf.Tensor) -> list[tf.Tensor]:
        """(N, R, R, 3) normalised RGB -> the map of each stage before its pooling."""
        maps, convs = [], iter(self.convs)
        for number, stage in enumerate(_STAGES):
            if number:
                x = max_pool(x)
            for _ in stage:
                x = tf.nn.relu(next(convs)(x))
            maps.append(x)
        return maps


class DecoderBlock(Module):
    """A convolution and a transposed one that doubles the sides."""

    def __init__(self, in_ch: int, middle_ch: int, out_ch: int):
        super().__init__()
        self.conv = Conv2D(in_ch, middle_ch, 3)
        self.up = Conv2DTranspose(middle_ch, out_ch, 3, stride=2)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, in_ch) -> (N, 2 H, 2 W, out_ch)."""
        return tf.nn.relu(self.up(tf.nn.relu(self.conv(x))))


class TernausNet(Module):
    """Masks faces.

    Args:
        base: Channels of the last map; those of the way up are multiples of it.
        compute_dtype: Of the convolutions; what comes out is float32.

    Parameters: `encoder/convs_0/weight`, ..., `center/conv/weight`, `decoders_0/up/weight`, ...
    """

    def __init__(self, base: int = 32, compute_dtype: tf.DType = tf.float32):
        super().__init__()
        self._compute_dtype = tf.as_dtype(compute_dtype)
        self.encoder = VGG11()
        self.center = DecoderBlock(512, 16 * base, 8 * base)
        before, self.decoders = 8 * base, []
        for skip, middle, out_ch in ((512, 16, 8), (512, 16, 4), (256, 8, 2), (128, 4, 1)):
            self.decoders.append(DecoderBlock(before + skip, middle * base, out_ch * base))
            before = out_ch * base
        self.last_conv = Conv2D(before + 64, base, 3)
        self.out_conv = Conv2D(base, 1, 1)

    def __call__(self, faces: tf.Tensor, *, with_skips: bool = True) -> tf.Tensor:
        """Masks faces.

        Args:
            faces: (N, R, R, 3) BGR in [0, 1].
            with_skips: Whether the way up sees the maps of the way down; else zeros.

        Returns:
            (N, R, R, 1) float32 logits.
        """
        normalised = (faces[..., ::-1] - _MEAN) / _DEVIATION
        maps = self.encoder(tf.cast(normalised, self._compute_dtype))
        x = self.center(max_pool(maps[-1]))
        for decoder, known in zip(self.decoders, reversed(maps[1:]), strict=True):
            x = decoder(tf.concat([x, known if with_skips else tf.zeros_like(known)], -1))
        first = maps[0] if with_skips else tf.zeros_like(maps[0])
        x = tf.nn.relu(self.last_conv(tf.concat([x, first], -1)))
        return tf.cast(self.out_conv(x), tf.float32)
