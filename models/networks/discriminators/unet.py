"""A discriminator that judges every patch and every pixel."""

import tensorflow as tf

from leras.layers.conv import Conv2D
from leras.layers.conv_transpose import Conv2DTranspose
from models.networks.blocks import leaky_relu
from models.networks.discriminators.base import LogisticDiscriminator
from models.networks.discriminators.patch import PatchTrunk


class UNetDiscriminator(PatchTrunk, LogisticDiscriminator):
    """A U-Net with a judgement at its deepest map and one per pixel (Schonfeld et al., 2020).

    Faces of every side work: where a stride rounds a side up, the way back cuts it off again.

    Args: see `Discriminator`.
    """

    def __init__(self, patch_size: int, base_ch: int, compute_dtype: tf.DType = tf.float32):
        super().__init__(patch_size, base_ch, compute_dtype)
        deepest = len(self.strides) - 1
        self.upconvs = [
            Conv2DTranspose(self.widths[layer + 1] * (1 if layer == deepest else 2),
                            self.widths[layer], 3, stride=self.strides[layer])
            for layer in range(deepest, -1, -1)]
        self.out_conv = Conv2D(self.widths[0] * 2, 1, 1)
        self.center_out = Conv2D(self.widths[-1], 1, 1)
        self.center_conv = Conv2D(self.widths[-1], self.widths[-1], 1)

    def judge(self, faces: tf.Tensor) -> list[tf.Tensor]:
        """(N, R, R, 3) -> logits of the patches (N, R', R', 1) and of the pixels (N, R, R, 1)."""
        *skips, bottom = self.maps(faces)
        x = leaky_relu(self.center_conv(bottom), 0.2)
        for upconv, skip in zip(self.upconvs, reversed(skips), strict=True):
            x = leaky_relu(upconv(x), 0.2)[:, :skip.shape[1], :skip.shape[2]]
            x = tf.concat([skip, x], -1)
        return [tf.cast(logits, tf.float32)
                for logits in (self.center_out(bottom), self.out_conv(x))]
