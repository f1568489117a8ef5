"""FaceEnhancer: four times the pixels of a face, by a U-Net on patches of 192 pixels.

The network of DeepFaceLab's tool of that name. It makes the picture at one, two and four times its
size, each as a correction of the one before.
"""

import tensorflow as tf

from facelib.networks.s3fd import scaled
from leras.layers.conv import Conv2D
from leras.layers.dense import Dense
from leras.module import Module
from leras.ops.resize import resize_bilinear_legacy

PATCH = 192
FACTOR = 4
CONDITIONS = (0.2, 1.0)
"""What the two numbers beside the picture always are."""

_ENCODER = (64, 112, 192, 336, 512)
"""Channels of each level; each next one sees half the pixels."""

_DECODER = (96, 160, 288, 512, 512)
"""The same on the way back, where the encoder's maps come in beside."""

_LARGER = ((1, 96, 48), (2, 96, 48), (4, 72, 36))
"""Size, channels of its features, channels in front of its picture."""


class FaceEnhancer(Module):
    """The network, with the released names of its layers.

    Args:
        width: Share of the released channels; 1.0 is the released network.

    Parameters: `dense1/weight`, `dense2/weight` (1, 64), of all others `weight` and `bias`.
    """

    def __init__(self, *, width: float = 1.0):
        super().__init__()
        encoder = [scaled(channels, width) for channels in _ENCODER]
        decoder = [scaled(channels, width) for channels in _DECODER]

        def add(name: str, in_ch: int, out_ch: int) -> int:
            setattr(self, name, Conv2D(in_ch, out_ch))
            return out_ch

        def add_pair(name: str, in_ch: int, out_ch: int) -> int:
            return add(f"{name}_conv1", add(f"{name}_conv0", in_ch, out_ch), out_ch)

        x = add("conv1", 3, encoder[0])
        self.dense1 = Dense(1, x, use_bias=False)
        self.dense2 = Dense(1, x, use_bias=False)
        for level, channels in enumerate(encoder):
            x = add_pair(f"e{level}", x, channels)
        for n in range(4):
            x = add(f"center_conv{n}", x, x)
        for level in reversed(range(len(decoder))):
            x = add_pair(f"d{level}", x + encoder[level], decoder[level])
        for size, channels, narrow in _LARGER:
            if size > 1:
                x = add_pair(f"dec{size}x", x, scaled(channels, width))
            add(f"out{size}x_conv1", add(f"out{size}x_conv0", x, scaled(narrow, width)), 3)

    def __call__(self, patches: tf.Tensor, first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
        """Enlarges patches.

        Args:
            patches: (N, S, S, 3) float32, BGR, -1 to 1; S a multiple of 32, 192 as trained.
            first, second: (N, 1) float32, see CONDITIONS.

        Returns:
            (N, 4 S, 4 S, 3), about -1 to 1.
        """
        x = self.conv1(patches)
        for dense, number in ((self.dense1, first), (self.dense2, second)):
            x += dense(number)[:, tf.newaxis, tf.newaxis]
        x, seen = _leaky(x), []
        for level in range(len(_ENCODER)):
            x = self._pair(f"e{level}", x)
            seen.append(x)
            x = tf.nn.avg_pool2d(x, 2, 2, "VALID")
        for n in range(4):
            x = self._step(f"center_conv{n}", x)
        for level in reversed(range(len(_ENCODER))):
            x = self._pair(f"d{level}", tf.concat([_double(x), seen[level]], -1))
        return self._pictures(patches, x)

    def _pictures(self, picture: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        for size, _, _ in _LARGER:
            if size > 1:
                x, picture = _double(self._pair(f"dec{size}x", x)), _double(picture)
            change = getattr(self, f"out{size}x_conv1")(self._step(f"out{size}x_conv0", x))
            picture += tf.tanh(change)
        return picture

    def _pair(self, name: str, x: tf.Tensor) -> tf.Tensor:
        return self._step(f"{name}_conv1", self._step(f"{name}_conv0", x))

    def _step(self, name: str, x: tf.Tensor) -> tf.Tensor:
        return _leaky(getattr(self, name)(x))


def _leaky(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.leaky_relu(x, 0.1)


def _double(x: tf.Tensor) -> tf.Tensor:
    return resize_bilinear_legacy(x, 2 * x.shape[1], 2 * x.shape[2])
