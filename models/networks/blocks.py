"""The four building blocks of the autoencoders."""

import tensorflow as tf

from leras.layers.conv import Conv2D
from leras.module import Module
from leras.ops.tensor import depth_to_space


def leaky_relu(x: tf.Tensor, slope: float) -> tf.Tensor:
    """max(x, 0) + slope * min(x, 0), for slopes in [0, 1].

    Not `tf.nn.leaky_relu`: on CPUs TensorFlow 2.21 fuses that with a convolution, its bias and a
    sum into one operation, which forgets the slope and takes 0.2.
    """
    return tf.maximum(x, slope * x)


class Downscale(Module):
    """Halves the sides: a 5x5 convolution of stride 2 and an activation."""

    def __init__(self, in_ch: int, out_ch: int):
        super().__init__()
        self.conv1 = Conv2D(in_ch, out_ch, 5, stride=2)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, in_ch) -> (N, H/2, W/2, out_ch)."""
        return leaky_relu(self.conv1(x), 0.1)


class DownscaleBlock(Module):
    """`n_stages` downscales; stage j has ch * min(2^j, 8) channels."""

    def __init__(self, in_ch: int, ch: int, n_stages: int):
        super().__init__()
        widths = [in_ch] + [ch * min(2**stage, 8) for stage in range(n_stages)]
        self.downs = [Downscale(before, after) for before, after in zip(widths, widths[1:])]

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, in_ch) -> (N, H/2^n, W/2^n, ch * min(2^(n-1), 8))."""
        for down in self.downs:
            x = down(x)
        return x


class Upscale(Module):
    """Doubles the sides: a 3x3 convolution to four times the channels, then pixel shuffle."""

    def __init__(self, in_ch: int, out_ch: int):
        super().__init__()
        self.conv1 = Conv2D(in_ch, out_ch * 4, 3)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, in_ch) -> (N, 2H, 2W, out_ch)."""
        return depth_to_space(leaky_relu(self.conv1(x), 0.1), 2)


class ResidualBlock(Module):
    """Two 3x3 convolutions around a shortcut."""

    def __init__(self, ch: int):
        super().__init__()
        self.conv1 = Conv2D(ch, ch, 3)
        self.conv2 = Conv2D(ch, ch, 3)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, ch) -> the same shape."""
        y = leaky_relu(self.conv1(x), 0.2)
        return leaky_relu(x + self.conv2(y), 0.2)
