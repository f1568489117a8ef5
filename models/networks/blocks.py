"""The building blocks of the autoencoders and their two activations."""

from collections.abc import Callable

import tensorflow as tf

from leras.layers.conv import Conv2D
from leras.module import Module
from leras.ops.convolution import conv2d
from leras.ops.tensor import depth_to_space
from leras.recompute import recompute

Activation = Callable[[tf.Tensor, float], tf.Tensor]


def leaky_relu(x: tf.Tensor, slope: float) -> tf.Tensor:
    """max(x, 0) + slope * min(x, 0), for slopes in [0, 1].

    Not `tf.nn.leaky_relu`: on CPUs TensorFlow 2.21 fuses that with a convolution, its bias and a
    sum into one operation, which forgets the slope and takes 0.2.
    """
    return tf.maximum(x, slope * x)


def x_cos(x: tf.Tensor, slope: float) -> tf.Tensor:
    """x * cos(x), the activation of option letter `c`; `slope` is not used."""
    return x * tf.cos(x)


def around_stages(recompute_activations: bool) -> Callable[[Callable], Callable]:
    """What a network puts around each of its stages: gradient checkpointing, or nothing."""
    return recompute if recompute_activations else lambda stage: stage


class Downscale(Module):
    """Halves the sides: a 5x5 convolution of stride 2 and an activation."""

    def __init__(self, in_ch: int, out_ch: int, activation: Activation = leaky_relu):
        super().__init__()
        self._activation = activation
        self.conv1 = Conv2D(in_ch, out_ch, 5, stride=2)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, in_ch) -> (N, H/2, W/2, out_ch)."""
        return self._activation(self.conv1(x), 0.1)


class DownscaleBlock(Module):
    """`n_stages` downscales; stage j has ch * min(2^j, 8) channels."""

    def __init__(self, in_ch: int, ch: int, n_stages: int, activation: Activation = leaky_relu):
        super().__init__()
        widths = [in_ch] + [ch * min(2**stage, 8) for stage in range(n_stages)]
        self.downs = [Downscale(before, after, activation)
                      for before, after in zip(widths, widths[1:])]

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, in_ch) -> (N, H/2^n, W/2^n, ch * min(2^(n-1), 8))."""
        for down in self.downs:
            x = down(x)
        return x


class Upscale(Module):
    """Doubles the sides: a 3x3 convolution to four times the channels, then pixel shuffle."""

    def __init__(self, in_ch: int, out_ch: int, activation: Activation = leaky_relu):
        super().__init__()
        self._activation = activation
        self.conv1 = Conv2D(in_ch, out_ch * 4, 3)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, in_ch) -> (N, 2H, 2W, out_ch)."""
        return depth_to_space(self._activation(self.conv1(x), 0.1), 2)


class PairUpscale(Upscale):
    """An `Upscale` that reads two maps of `in_ch / 2` channels, one behind the other.

    A map of `in_ch / 2` channels stands for itself twice. It is then convolved once with the sum
    of the kernel's two halves, which is the same number at half the multiplications. Measured at
    1024 -> 512 channels, one CPU core: the swap's block takes 0.5 of the time; a training step's
    0.8 by plain convolutions, and 0.93 to 1.07 by minimal filtering.
    """

    def __init__(self, in_ch: int, out_ch: int, activation: Activation = leaky_relu):
        super().__init__(in_ch, out_ch, activation)
        self._half = in_ch // 2

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, in_ch or in_ch / 2) -> (N, 2H, 2W, out_ch)."""
        if x.shape[-1] != self._half:
            return super().__call__(x)
        first, second = tf.split(self.conv1.weight, 2, axis=2)
        y = convolve(x, first + second, self.conv1.bias)
        return depth_to_space(self._activation(y, 0.1), 2)


class ResidualBlock(Module):
    """Two 3x3 convolutions around a shortcut."""

    def __init__(self, ch: int, activation: Activation = leaky_relu):
        super().__init__()
        self._activation = activation
        self.conv1 = Conv2D(ch, ch, 3)
        self.conv2 = Conv2D(ch, ch, 3)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, ch) -> the same shape."""
        y = self._activation(self.conv1(x), 0.2)
        return self._activation(x + self.conv2(y), 0.2)


def convolve(x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """A 3x3 convolution with a kernel made from several layers' kernels, in the dtype of `x`.

    Args:
        x: (N, H, W, C).
        weight: (3, 3, C, K).
        bias: (K,).

    Returns:
        (N, H, W, K).
    """
    padding = [[0, 0], [1, 1], [1, 1], [0, 0]]
    y = conv2d(x, tf.cast(weight, x.dtype), 1, padding)
    return tf.nn.bias_add(y, tf.cast(bias, x.dtype))
