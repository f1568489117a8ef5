"""The decoder: map to face and mask, in two branches that share nothing."""

import functools

import tensorflow as tf

from leras.layers.conv import Conv2D
from leras.module import Module
from leras.ops.tensor import depth_to_space
from models.networks.blocks import (
    Activation,
    ResidualBlock,
    Upscale,
    around_stages,
    convolve,
    leaky_relu,
)


class PixelHead(Module):
    """Base of modules that end in `out_conv` and, with `double`, in out_conv1 to out_conv3."""

    _double: bool

    def _add_heads(self, in_ch: int) -> None:
        self.out_conv = Conv2D(in_ch, 3, 1)
        if self._double:
            self.out_conv1 = Conv2D(in_ch, 3, 3)
            self.out_conv2 = Conv2D(in_ch, 3, 3)
            self.out_conv3 = Conv2D(in_ch, 3, 3)

    def _pixels(self, x: tf.Tensor) -> tf.Tensor:
        """(N, R, R, in_ch), with `double` (N, R/2, R/2, in_ch) -> (N, R, R, 3) float32 logits."""
        if not self._double:
            return tf.cast(self.out_conv(x), tf.float32)
        return depth_to_space(tf.cast(self._four_heads(x), tf.float32), 2)

    def _four_heads(self, x: tf.Tensor) -> tf.Tensor:
        """(N, R/2, R/2, in_ch) -> (N, R/2, R/2, 12): the four heads as one convolution.

        The first head's 1x1 kernel is the middle of a 3x3 one. One convolution to twelve channels
        is much cheaper than four to three: it saves 5 to 7 % of the whole training step.
        """
        heads = (self.out_conv, self.out_conv1, self.out_conv2, self.out_conv3)
        first = tf.pad(self.out_conv.weight, [[1, 1], [1, 1], [0, 0], [0, 0]])
        weight = tf.concat([first, *(head.weight for head in heads[1:])], -1)
        return convolve(x, weight, tf.concat([head.bias for head in heads], 0))


class Decoder(PixelHead):
    """Map to face and mask.

    Args:
        in_ch: Channels of the map.
        ch, mask_ch: Widths of the two branches; each starts with eight times that.
        double: Option letter `d`: four heads fill the sub-pixels of the last doubling.
        deep: Option letter `t`: one more stage of eight times the width.
        activation: Of every convolution but the last.
        first: The block that reads the map, as `Upscale`.
        compute_dtype: The convolutions' dtype; face and mask are float32.
        recompute: Whether the backward pass computes each stage again instead of keeping it.
    """

    def __init__(self, in_ch: int, ch: int, mask_ch: int, *, double: bool, deep: bool = False,
                 activation: Activation = leaky_relu, first: type[Upscale] = Upscale,
                 compute_dtype: tf.DType = tf.float32, recompute: bool = False):
        super().__init__()
        self._double, self._compute_dtype = double, compute_dtype
        self._around = around_stages(recompute)
        factors = (8, 8, 4, 2) if deep else (8, 4, 2)
        mask_factors = factors + (1,) if double else factors
        self._n_stages, self._n_mask_stages = len(factors), len(mask_factors)
        self._add_face_branch(in_ch, [ch * factor for factor in factors], activation, first)
        self._add_heads(ch * factors[-1])
        # Numbered attributes, not lists: their paths are the keys of the field's weight files.
        before = in_ch
        for stage, after in enumerate(mask_ch * factor for factor in mask_factors):
            block = Upscale if stage else first
            setattr(self, f"upscalem{stage}", block(before, after, activation))
            before = after
        self.out_convm = Conv2D(before, 1, 1)

    def _add_face_branch(self, in_ch: int, widths: list[int], activation: Activation,
                         first: type[Upscale]) -> None:
        before = in_ch
        for stage, after in enumerate(widths):
            block = Upscale if stage else first
            setattr(self, f"upscale{stage}", block(before, after, activation))
            setattr(self, f"res{stage}", ResidualBlock(after, activation))
            before = after

    def face(self, code: tf.Tensor) -> tf.Tensor:
        """(N, S, S, in_ch) -> (N, R, R, 3) float32 in (0, 1)."""
        return self.face_from(self.face_stem(code))

    def mask(self, code: tf.Tensor) -> tf.Tensor:
        """(N, S, S, in_ch) -> (N, R, R, 1) float32 in (0, 1)."""
        return self.mask_from(self.mask_stem(code))

    def __call__(self, code: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns (face, mask)."""
        return self.face(code), self.mask(code)

    def face_stem(self, code: tf.Tensor) -> tf.Tensor:
        """(N, S, S, in_ch) -> (N, 2S, 2S, 8 * ch): the first block alone.

        Stems of several codes can be joined along the batch before `face_from`.
        """
        return self.upscale0(tf.cast(code, self._compute_dtype))

    def face_from(self, x: tf.Tensor) -> tf.Tensor:
        """The result of `face_stem` -> (N, R, R, 3) float32 in (0, 1)."""
        x = self._around(self.res0)(x)
        for stage in range(1, self._n_stages):
            x = self._around(functools.partial(self._stage, stage))(x)
        return tf.sigmoid(self._pixels(x))

    def _stage(self, stage: int, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, C) -> (N, 2H, 2W, C')."""
        return getattr(self, f"res{stage}")(getattr(self, f"upscale{stage}")(x))

    def mask_stem(self, code: tf.Tensor) -> tf.Tensor:
        """(N, S, S, in_ch) -> (N, 2S, 2S, 8 * mask_ch); as `face_stem`."""
        return self.upscalem0(tf.cast(code, self._compute_dtype))

    def mask_from(self, x: tf.Tensor) -> tf.Tensor:
        """The result of `mask_stem` -> (N, R, R, 1) float32 in (0, 1)."""
        for stage in range(1, self._n_mask_stages):
            x = self._around(getattr(self, f"upscalem{stage}"))(x)
        return tf.sigmoid(tf.cast(self.out_convm(x), tf.float32))
