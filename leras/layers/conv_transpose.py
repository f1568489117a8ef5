"""Transposed convolution, NHWC."""

import tensorflow as tf

from leras.initializers import Initializer, glorot_uniform, transposed, zeros
from leras.layers.weights import equalized, in_use, kernel_gain
from leras.module import Module
from leras.ops.convolution import conv2d_transpose


class Conv2DTranspose(Module):
    """The transpose of a strided convolution: each input pixel paints a kernel.

    Args:
        in_ch, out_ch: Channels.
        kernel_size: Side k of the square kernel.
        stride: The same for both axes.
        padding: What is kept of the painting of an input of side n. "same": n * stride, cut as
            TensorFlow's SAME cuts; "valid": everything, n * stride + max(k - stride, 0);
            "full": what a fully padded convolution would have read, n * stride - (stride + k - 2).
        use_bias: Adds a bias per output channel.
        use_wscale: See `leras.layers.weights.equalized`.
        initializer: Of the weight, as for a kernel (k, k, in_ch, out_ch).

    Parameters: `weight` (k, k, out_ch, in_ch); `bias` (out_ch,), zeros.

    Raises:
        ValueError: for any other padding.
    """

    def __init__(self, in_ch: int, out_ch: int, kernel_size: int = 3, *, stride: int = 2,
                 padding: str = "same", use_bias: bool = True, use_wscale: bool = False,
                 initializer: Initializer = glorot_uniform, name: str | None = None):
        super().__init__(name=name)
        if padding not in ("same", "valid", "full"):
            raise ValueError(f"padding must be 'same', 'valid' or 'full', not {padding!r}")
        self._kernel_size, self._stride, self._padding = kernel_size, stride, padding
        start, self._factor = equalized(use_wscale, transposed(initializer),
                                        kernel_size**2 * in_ch, kernel_gain(kernel_size))
        shape = (kernel_size, kernel_size, out_ch, in_ch)
        self.weight = self.parameter("weight", shape, start)
        self.bias = self.parameter("bias", (out_ch,), zeros) if use_bias else None

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, in_ch) -> (N, H', W', out_ch), the dtype of x."""
        weight = in_use(self.weight, self._factor, x.dtype)
        sides = tuple(self._side(n) for n in x.shape[1:3])
        y = conv2d_transpose(x, weight, self._stride, self._tensorflow_padding(), sides)
        return y if self.bias is None else tf.nn.bias_add(y, tf.cast(self.bias, x.dtype))

    def _side(self, n: int) -> int:
        k, stride = self._kernel_size, self._stride
        sides = {"same": n * stride, "valid": n * stride + max(k - stride, 0),
                 "full": n * stride - (stride + k - 2)}
        return sides[self._padding]

    def _tensorflow_padding(self) -> str | list[list[int]]:
        if self._padding != "full":
            return self._padding.upper()
        cut = [self._kernel_size - 1] * 2
        return [[0, 0], cut, cut, [0, 0]]
