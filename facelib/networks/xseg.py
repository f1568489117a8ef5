"""XSeg: a U-Net with two dense layers at its bottom, which masks the visible face."""

import tensorflow as tf

from leras.layers.activation import TLU
from leras.layers.blur_pool import BlurPool
from leras.layers.conv import Conv2D
from leras.layers.conv_transpose import Conv2DTranspose
from leras.layers.dense import Dense
from leras.layers.norm import FRNorm2D
from leras.module import Module
from leras.ops.tensor import flatten

DENSE = 512
"""Numbers that describe a face as a whole."""

LEVELS = 6
SMALLEST = 2**LEVELS
"""The resolution is a multiple of it."""

_WIDTHS = (1, 2, 4, 8, 8, 8)
"""Channels of each level, in multiples of the base width."""

_DEPTHS = (2, 2, 2, 3, 3, 3)
"""Convolutions of each level, on the way down and on the way up."""

_FILTERS = (4, 3, 2, 2, 2, 2)
"""Sides of the blurring kernels between the levels."""


class ConvBlock(Module):
    """A 3 x 3 convolution, filter response normalisation and its threshold."""

    def __init__(self, in_ch: int, out_ch: int):
        super().__init__()
        self.conv = Conv2D(in_ch, out_ch, 3)
        self.frn = FRNorm2D(out_ch)
        self.tlu = TLU(out_ch)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, in_ch) -> (N, H, W, out_ch)."""
        return self.tlu(self.frn(self.conv(x)))


class UpBlock(Module):
    """As `ConvBlock`, with a transposed convolution that doubles the sides."""

    def __init__(self, in_ch: int, out_ch: int):
        super().__init__()
        self.conv = Conv2DTranspose(in_ch, out_ch, 3, stride=2)
        self.frn = FRNorm2D(out_ch)
        self.tlu = TLU(out_ch)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, in_ch) -> (N, 2 H, 2 W, out_ch)."""
        return self.tlu(self.frn(self.conv(x)))


class XSeg(Module):
    """The network; names of layers, orders and sizes are those of XSeg_256 at base 32.

    Args:
        base: Channels of the first level.
        resolution: Side R of the faces, a multiple of 64.
        dense: Numbers at the bottom.
        compute_dtype: Of the convolutions; what comes out is float32.

    Raises:
        ValueError: The resolution is no multiple of 64.
    """

    def __init__(self, base: int = 32, resolution: int = 256, dense: int = DENSE,
                 compute_dtype: tf.DType = tf.float32):
        super().__init__()
        if resolution % SMALLEST:
            raise ValueError(f"the resolution must be a multiple of {SMALLEST}, not {resolution}")
        self.resolution = resolution
        self._compute_dtype = tf.as_dtype(compute_dtype)
        widths = [base * width for width in _WIDTHS]
        self._bottom = (resolution // SMALLEST, widths[-1])
        self._pools = [BlurPool(size) for size in _FILTERS]
        before = 3
        for level, (width, depth) in enumerate(zip(widths, _DEPTHS, strict=True)):
            for n in range(1, depth + 1):
                setattr(self, f"conv{level}{n}", ConvBlock(before, width))
                before = width
        n_bottom = self._bottom[0]**2 * self._bottom[1]
        self.dense1, self.dense2 = Dense(n_bottom, dense), Dense(dense, n_bottom)
        for level in reversed(range(LEVELS)):
            self._add_way_up(level, before, widths[level])
            before = widths[level]
        self.out_conv = Conv2D(base, 1, 3)

    def _add_way_up(self, level: int, in_ch: int, width: int) -> None:
        # Deep levels come up with half their width; above them, a level halves what it gets.
        up = width // 2 if _DEPTHS[level] == 3 else width
        setattr(self, f"up{level}", UpBlock(in_ch, up))
        before = up + width
        for n in reversed(range(1, _DEPTHS[level] + 1)):
            setattr(self, f"uconv{level}{n}", ConvBlock(before, width))
            before = width

    def __call__(self, faces: tf.Tensor, *, with_skips: bool = True) -> tf.Tensor:
        """Masks faces.

        Args:
            faces: (N, R, R, 3) BGR in [0, 1].
            with_skips: Whether the way up sees the maps of the way down; without them (zeros), all
                that is drawn must pass the bottom, as in pretraining.

        Returns:
            (N, R, R, 1) float32 logits.
        """
        x, skips = tf.cast(faces, self._compute_dtype), []
        for level, depth in enumerate(_DEPTHS):
            for n in range(1, depth + 1):
                x = getattr(self, f"conv{level}{n}")(x)
            skips.append(x if with_skips else tf.zeros_like(x))
            x = self._pools[level](x)
        x = self._through_bottom(x)
        for level in reversed(range(LEVELS)):
            x = tf.concat([getattr(self, f"up{level}")(x), skips[level]], -1)
            for n in reversed(range(1, _DEPTHS[level] + 1)):
                x = getattr(self, f"uconv{level}{n}")(x)
        return tf.cast(self.out_conv(x), tf.float32)

    def _through_bottom(self, x: tf.Tensor) -> tf.Tensor:
        """Two dense layers; they see the channels of the map one after the other."""
        side, channels = self._bottom
        code = self.dense2(self.dense1(flatten(tf.transpose(x, (0, 3, 1, 2)))))
        return tf.transpose(tf.reshape(code, (-1, channels, side, side)), (0, 2, 3, 1))
