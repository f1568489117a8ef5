"""Convolutions, NHWC."""

import tensorflow as tf

from leras.initializers import Initializer, glorot_uniform, zeros
from leras.layers.weights import equalized, in_use, kernel_gain
from leras.module import Module
from leras.ops.convolution import conv2d

Padding = str | int


def explicit_padding(padding: Padding, kernel_size: int, dilation: int) -> str | list[list[int]]:
    """Translates a layer's padding into what TensorFlow's convolutions take.

    "same" pads symmetrically by ((k - 1) * dilation + 1) // 2, whatever the stride: TensorFlow's
    own SAME pads a stride-2 kernel more at the bottom and right, which moves features by a pixel.
    "tf_same" is TensorFlow's SAME, "valid" pads nothing, a number pads by that much.

    Raises:
        ValueError: for any other word.
    """
    named = {"valid": "VALID", "tf_same": "SAME"}
    if padding in named:
        return named[padding]
    if padding == "same":
        padding = ((kernel_size - 1) * dilation + 1) // 2
    if not isinstance(padding, int):
        raise ValueError(f"padding must be 'same', 'valid', 'tf_same' or a number, not {padding!r}")
    return [[0, 0], [padding, padding], [padding, padding], [0, 0]]


def spread(kernel: tf.Tensor, dilation: int) -> tf.Tensor:
    """Puts dilation - 1 zeros between the taps of a kernel.

    TensorFlow's own dilation cannot be differentiated on CPUs outside of XLA.

    Args:
        kernel: (k, k, in_ch, out_ch).

    Returns:
        (k', k', in_ch, out_ch) with k' = (k - 1) * dilation + 1.
    """
    if dilation == 1:
        return kernel
    size, _, in_ch, out_ch = kernel.shape
    zeros_behind = [[0, 0], [0, dilation - 1], [0, 0], [0, dilation - 1], [0, 0], [0, 0]]
    taps = tf.pad(tf.reshape(kernel, (size, 1, size, 1, in_ch, out_ch)), zeros_behind)
    taps = tf.reshape(taps, (size * dilation, size * dilation, in_ch, out_ch))
    side = (size - 1) * dilation + 1
    return taps[:side, :side]


class Conv2D(Module):
    """Two-dimensional convolution.

    Args:
        in_ch, out_ch: Channels.
        kernel_size: Side of the square kernel.
        stride, dilation: The same for both axes.
        padding: See `explicit_padding`.
        use_bias: Adds a bias per output channel.
        use_wscale: See `leras.layers.weights.equalized`.
        initializer: Of the weight.

    Parameters: `weight` (k, k, in_ch, out_ch); `bias` (out_ch,), zeros.
    """

    def __init__(self, in_ch: int, out_ch: int, kernel_size: int = 3, *, stride: int = 1,
                 dilation: int = 1, padding: Padding = "same", use_bias: bool = True,
                 use_wscale: bool = False, initializer: Initializer = glorot_uniform,
                 name: str | None = None):
        super().__init__(name=name)
        self._stride, self._dilation = stride, dilation
        self._padding = explicit_padding(padding, kernel_size, dilation)
        start, self._factor = equalized(use_wscale, initializer, kernel_size**2 * in_ch,
                                        kernel_gain(kernel_size))
        shape = (kernel_size, kernel_size, in_ch, out_ch)
        self.weight = self.parameter("weight", shape, start)
        self.bias = self.parameter("bias", (out_ch,), zeros) if use_bias else None

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, in_ch) -> (N, H', W', out_ch), the dtype of x."""
        weight = spread(in_use(self.weight, self._factor, x.dtype), self._dilation)
        y = conv2d(x, weight, self._stride, self._padding)
        return y if self.bias is None else tf.nn.bias_add(y, tf.cast(self.bias, x.dtype))


class DepthwiseConv2D(Module):
    """Convolves each channel with kernels of its own.

    Args:
        channels: Input channels.
        multiplier: Output channels per input channel.
        Others as in `Conv2D`; stride and dilation cannot both exceed 1 (TensorFlow's limit).

    Parameters: `weight` (k, k, channels, multiplier); `bias`, zeros.
    """

    def __init__(self, channels: int, kernel_size: int = 3, *, multiplier: int = 1, stride: int = 1,
                 dilation: int = 1, padding: Padding = "same", use_bias: bool = True,
                 use_wscale: bool = False, initializer: Initializer = glorot_uniform,
                 name: str | None = None):
        super().__init__(name=name)
        self._strides = [1, stride, stride, 1]
        self._dilations = [dilation, dilation]
        self._padding = explicit_padding(padding, kernel_size, dilation)
        # TensorFlow 2.21 on CPUs ends the process when it fuses a depthwise convolution that pads
        # by itself with a bias ("Invalid index from the dimension"), so padding is an op before it.
        self._pad_before = None
        if not isinstance(self._padding, str):
            self._pad_before, self._padding = self._padding, "VALID"
        start, self._factor = equalized(use_wscale, initializer, kernel_size**2,
                                        kernel_gain(kernel_size))
        shape = (kernel_size, kernel_size, channels, multiplier)
        self.weight = self.parameter("weight", shape, start)
        self.bias = (self.parameter("bias", (channels * multiplier,), zeros) if use_bias else None)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, channels) -> (N, H', W', channels * multiplier), the dtype of x."""
        if self._pad_before is not None:
            x = tf.pad(x, self._pad_before)
        weight = in_use(self.weight, self._factor, x.dtype)
        y = tf.nn.depthwise_conv2d(x, weight, self._strides, self._padding,
                                   dilations=self._dilations)
        return y if self.bias is None else tf.nn.bias_add(y, tf.cast(self.bias, x.dtype))
