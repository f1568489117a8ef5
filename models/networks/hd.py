"""DFHD and LIAEHD: the paper's wider architectures.

The DeepFaceLab paper (Perov et al., 2020) draws them in its Figure 11; its program had them up to
June 2020. What is known: the encoder is four chains side by side, the decoder puts an up-down
residual before every upscale, and everything else is as in DF and LIAE. Left open, and chosen here:

* The subpixel downscale of the up-down residual has a 3x3 kernel.
* The up-down residuals take the place of the decoder's other residual blocks.
* The mask's branch is that of DF and LIAE: it has no fine texture to keep.
* Widths that do not divide by four are rounded up inside a chain, so every width works.
* Letter `d` means what it means for DF. There is no deep variant, so letter `t` is not known.
"""

import functools

import tensorflow as tf

from leras.layers.conv import Conv2D
from leras.module import Module
from models.networks.blocks import Activation, ResidualBlock, Upscale, leaky_relu
from models.networks.decoder import Decoder
from models.networks.df import DF
from models.networks.encoder import FlatEncoder
from models.networks.liae import LIAE

# Kernel size, dilation and width (in encoder channels) of the encoder's four chains.
CHAINS = ((3, 1, 2.0), (5, 1, 2.0), (5, 2, 0.5), (7, 2, 0.5))


class SubpixelDownscale(Module):
    """Halves the sides: a convolution to a quarter of the channels, then space to depth.

    Args:
        in_ch: Channels of the input.
        quarter: Channels of the convolution; the output has four times as many.
        kernel_size, dilation: Of the convolution; dilation is 1 or 2.
    """

    def __init__(self, in_ch: int, quarter: int, kernel_size: int, dilation: int = 1):
        super().__init__()
        self._dilation = dilation
        self.conv1 = Conv2D(in_ch, quarter, kernel_size)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, in_ch), even sides -> (N, H/2, W/2, 4 * quarter), no activation."""
        if self._dilation == 1:
            return tf.nn.space_to_depth(self.conv1(x), 2)
        return self._dilated(x)

    def _dilated(self, x: tf.Tensor) -> tf.Tensor:
        """A kernel of dilation 2 sees only pixels of its own position's parity.

        So the four parities are four small pictures with an undilated kernel, and their results
        are just what space to depth puts behind one another.
        """
        _, height, width, _ = x.shape
        parities = tf.space_to_batch(x, [2, 2], [[0, 0], [0, 0]])  # (4 * N, H/2, W/2, in_ch)
        y = self.conv1(parities)
        quarter = y.shape[-1]
        y = tf.reshape(y, (4, -1, height // 2, width // 2, quarter))
        y = tf.transpose(y, (1, 2, 3, 0, 4))
        return tf.reshape(y, (-1, height // 2, width // 2, 4 * quarter))


class SubpixelChain(Module):
    """Four subpixel downscales with an activation each; widths double from stage to stage."""

    def __init__(self, width: int, kernel_size: int, dilation: int, activation: Activation):
        super().__init__()
        self._activation = activation
        quarters = [-(-width // 4) * 2**stage for stage in range(4)]
        before = [3] + [quarter * 4 for quarter in quarters]
        self.downs = [SubpixelDownscale(in_ch, quarter, kernel_size, dilation)
                      for in_ch, quarter in zip(before, quarters)]
        self._out_ch = quarters[-1] * 4

    @property
    def out_ch(self) -> int:
        return self._out_ch

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, R, R, 3) -> (N, R/16, R/16, out_ch)."""
        for down in self.downs:
            x = self._activation(down(x), 0.1)
        return x


class HDEncoder(FlatEncoder):
    """Four chains of different reach side by side, to 1/16 of the side.

    Args: as `models.networks.encoder.Encoder`; the last map has 40 * ch channels.
    """

    factor = 16

    def __init__(self, ch: int, *, activation: Activation = leaky_relu, **known):
        super().__init__(**known)
        self.chains = [SubpixelChain(round(ch * width), kernel_size, dilation, activation)
                       for kernel_size, dilation, width in CHAINS]
        self.map_ch = sum(chain.out_ch for chain in self.chains)

    def features(self, x: tf.Tensor) -> tf.Tensor:
        return tf.concat([chain(x) for chain in self.chains], -1)


class UpDownResidual(Module):
    """A look at twice the resolution: up, residual block, down again, around a shortcut.

    Args:
        ch: Channels of the map.
        inner_ch: Channels at twice the resolution.
        activation: Of the block.
        first: The block that reads the map, as `Upscale`.
    """

    def __init__(self, ch: int, inner_ch: int, activation: Activation,
                 first: type[Upscale] = Upscale):
        super().__init__()
        self._ch, self._activation = ch, activation
        self.up = first(ch, inner_ch, activation)
        self.res = ResidualBlock(inner_ch, activation)
        self.down = SubpixelDownscale(inner_ch, -(-ch // 4), 3)

    def __call__(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """(N, H, W, ch) -> the same shape, and the inner map (N, 2H, 2W, inner_ch)."""
        inner = self.res(self.up(x))
        if x.shape[-1] != self._ch:  # half of a pair, see PairUpscale
            x = tf.concat([x, x], -1)
        return self._activation(x + self.down(inner)[..., :self._ch], 0.2), inner


class HDDecoder(Decoder):
    """A `Decoder` whose face branch has up-down residuals instead of residual blocks.

    Each hands its inner map on to be added to what the upscale behind it gives; a last one stands
    before the pixel heads.
    """

    def _add_face_branch(self, in_ch: int, widths: list[int], activation: Activation,
                         first: type[Upscale]) -> None:
        self._activation = activation
        before = in_ch
        for stage, after in enumerate(widths):
            known = {} if stage else {"first": first}
            setattr(self, f"updown{stage}", UpDownResidual(before, after, activation, **known))
            setattr(self, f"upscale{stage}", Upscale(before, after, activation))
            before = after
        self.updown_last = UpDownResidual(before, before // 2, activation)

    def face_stem(self, code: tf.Tensor) -> tf.Tensor:
        return self._stage(0, tf.cast(code, self._compute_dtype))

    def face_from(self, x: tf.Tensor) -> tf.Tensor:
        for stage in range(1, self._n_stages):
            x = self._around(functools.partial(self._stage, stage))(x)
        x, _ = self._around(self.updown_last)(x)
        return tf.sigmoid(self._pixels(x))

    def _stage(self, stage: int, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, C) -> (N, 2H, 2W, C')."""
        x, inner = getattr(self, f"updown{stage}")(x)
        return self._activation(getattr(self, f"upscale{stage}")(x) + inner, 0.2)


class HDParts:
    """Puts the wide encoder and decoder into an `Autoencoder`."""

    letters = "udc"
    encoder_types = (HDEncoder, HDEncoder)
    decoder_type = HDDecoder


class DFHD(HDParts, DF):
    """DF with the wide encoder and decoder; letters `u`, `d`, `c`."""


class LIAEHD(HDParts, LIAE):
    """LIAE with the wide encoder and decoder; letters `u`, `d`, `c`."""
