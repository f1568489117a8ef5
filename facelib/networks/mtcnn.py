"""MTCNN: three small networks, each surer than the one before (Zhang et al., 2016).

PNet proposes squares of 12 pixels all over a picture, RNet refines them from 24, ONet from 48
pixels. Together 496 thousand parameters.
"""

import tensorflow as tf

from leras.layers.activation import PReLU
from leras.layers.conv import Conv2D
from leras.layers.dense import Dense
from leras.module import Module


class PNet(Module):
    """Proposes boxes: every 2 pixels one of 12 x 12."""

    def __init__(self):
        super().__init__()
        self.conv1 = _valid(3, 10, 3)
        self.prelu1 = PReLU(10)
        self.conv2 = _valid(10, 16, 3)
        self.prelu2 = PReLU(16)
        self.conv3 = _valid(16, 32, 3)
        self.prelu3 = PReLU(32)
        self.conv4_1 = _valid(32, 2, 1)
        self.conv4_2 = _valid(32, 4, 1)

    def __call__(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Of every cell, whose square starts at twice its place.

        Args:
            images: (N, H, W, 3) float32, RGB, about -1 to 1; sides of at least 12.

        Returns:
            (N, H', W') probability of a face; (N, H', W', 4) offsets of x1, y1, x2, y2 in sides.
        """
        x = tf.nn.max_pool2d(self.prelu1(self.conv1(images)), 2, 2, "SAME")
        x = self.prelu2(self.conv2(x))
        x = self.prelu3(self.conv3(x))
        return tf.nn.softmax(self.conv4_1(x))[..., 1], self.conv4_2(x)


class RNet(Module):
    """Judges boxes of 24 x 24 pixels."""

    def __init__(self):
        super().__init__()
        self.conv1 = _valid(3, 28, 3)
        self.prelu1 = PReLU(28)
        self.conv2 = _valid(28, 48, 3)
        self.prelu2 = PReLU(48)
        self.conv3 = _valid(48, 64, 2)
        self.prelu3 = PReLU(64)
        self.dense4 = Dense(3 * 3 * 64, 128)
        self.prelu4 = PReLU(128)
        self.dense5_1 = Dense(128, 2)
        self.dense5_2 = Dense(128, 4)

    def __call__(self, crops: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """(N, 24, 24, 3) RGB, about -1 to 1 -> (N,) probability, (N, 4) offsets in sides."""
        x = _pool(self.prelu1(self.conv1(crops)), 3)
        x = _pool(self.prelu2(self.conv2(x)), 3)
        x = self.prelu3(self.conv3(x))
        x = self.prelu4(self.dense4(tf.reshape(x, (-1, 3 * 3 * 64))))
        return tf.nn.softmax(self.dense5_1(x))[:, 1], self.dense5_2(x)


class ONet(Module):
    """Judges boxes of 48 x 48 pixels and finds five points."""

    def __init__(self):
        super().__init__()
        self.conv1 = _valid(3, 32, 3)
        self.prelu1 = PReLU(32)
        self.conv2 = _valid(32, 64, 3)
        self.prelu2 = PReLU(64)
        self.conv3 = _valid(64, 64, 3)
        self.prelu3 = PReLU(64)
        self.conv4 = _valid(64, 128, 2)
        self.prelu4 = PReLU(128)
        self.dense5 = Dense(3 * 3 * 128, 256)
        self.prelu5 = PReLU(256)
        self.dense6_1 = Dense(256, 2)
        self.dense6_2 = Dense(256, 4)
        self.dense6_3 = Dense(256, 10)

    def __call__(self, crops: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """As `RNet` from (N, 48, 48, 3), and (N, 10): the five x, then the five y, in sides."""
        x = _pool(self.prelu1(self.conv1(crops)), 3)
        x = _pool(self.prelu2(self.conv2(x)), 3)
        x = _pool(self.prelu3(self.conv3(x)), 2)
        x = self.prelu4(self.conv4(x))
        x = self.prelu5(self.dense5(tf.reshape(x, (-1, 3 * 3 * 128))))
        return tf.nn.softmax(self.dense6_1(x))[:, 1], self.dense6_2(x), self.dense6_3(x)


def _valid(in_ch: int, out_ch: int, kernel_size: int) -> Conv2D:
    return Conv2D(in_ch, out_ch, kernel_size, padding="valid")


def _pool(x: tf.Tensor, size: int) -> tf.Tensor:
    """The largest of windows every 2 pixels; the last ones may reach over the right and bottom.

    TensorFlow's SAME would begin half a window before the map.
    """
    beyond = [(size - side) % 2 if side >= size else size - side for side in x.shape[1:3]]
    padding = [[0, 0], [0, beyond[0]], [0, beyond[1]], [0, 0]]
    return tf.nn.max_pool2d(tf.pad(x, padding, constant_values=x.dtype.min), size, 2, "VALID")
