"""Encoders: face to flat code."""

from abc import abstractmethod

import tensorflow as tf

from leras.module import Module
from leras.ops.tensor import flatten, pixel_norm
from models.networks.blocks import (
    Activation,
    Downscale,
    DownscaleBlock,
    ResidualBlock,
    around_stages,
    leaky_relu,
)


class FlatEncoder(Module):
    """What all encoders do around their convolutions.

    Args:
        normalize: Option letter `u`: pixel norm over the whole code.
        compute_dtype: The convolutions' dtype; the code is float32.
        recompute: Whether the backward pass computes the features again instead of keeping them.

    Attributes:
        factor: How many pixels of the face one position of the last map stands for, per axis.
        map_ch: Channels of the last map.
    """

    factor: int
    map_ch: int

    def __init__(self, *, normalize: bool, compute_dtype: tf.DType = tf.float32,
                 recompute: bool = False):
        super().__init__()
        self._normalize, self._compute_dtype = normalize, compute_dtype
        self._around = around_stages(recompute)

    @abstractmethod
    def features(self, x: tf.Tensor) -> tf.Tensor:
        """(N, R, R, 3) -> (N, R / factor, R / factor, map_ch), both in the compute dtype."""

    def code_length(self, resolution: int) -> int:
        """Length of the code of a face of that side."""
        return (resolution // self.factor)**2 * self.map_ch

    def __call__(self, face: tf.Tensor) -> tf.Tensor:
        """(N, R, R, 3) in [0, 1] -> (N, code_length(R)) float32, channels fastest."""
        code = flatten(self._around(self.features)(tf.cast(face, self._compute_dtype)))
        code = tf.cast(code, tf.float32)
        return pixel_norm(code) if self._normalize else code


class Encoder(FlatEncoder):
    """Four downscales, to 1/16 of the side.

    Args:
        ch: Channels of the first stage; the last has 8 * ch.
        activation: Of every convolution.
        Others as in `FlatEncoder`.
    """

    factor = 16

    def __init__(self, ch: int, *, activation: Activation = leaky_relu, **known):
        super().__init__(**known)
        self.map_ch = ch * 8
        self.down1 = DownscaleBlock(3, ch, 4, activation)

    def features(self, x: tf.Tensor) -> tf.Tensor:
        return self.down1(x)


class DeepEncoder(FlatEncoder):
    """Option letter `t`: five downscales, to 1/32, and a residual block after first and last.

    Args: as `Encoder`.
    """

    factor = 32

    def __init__(self, ch: int, *, activation: Activation = leaky_relu, **known):
        super().__init__(**known)
        self.map_ch = ch * 8
        self.down1 = Downscale(3, ch, activation)
        self.res1 = ResidualBlock(ch, activation)
        self.down2 = Downscale(ch, ch * 2, activation)
        self.down3 = Downscale(ch * 2, ch * 4, activation)
        self.down4 = Downscale(ch * 4, ch * 8, activation)
        self.down5 = Downscale(ch * 8, ch * 8, activation)
        self.res5 = ResidualBlock(ch * 8, activation)

    def features(self, x: tf.Tensor) -> tf.Tensor:
        x = self.res1(self.down1(x))
        x = self.down5(self.down4(self.down3(self.down2(x))))
        return self.res5(x)
