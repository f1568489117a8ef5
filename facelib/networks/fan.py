"""FAN: heat maps of 68 landmarks from one crop (Bulat and Tzimiropoulos, 2017).

Four stacked hourglasses. 2DFAN and 3DFAN are the same network: the one was trained for what is
seen of the face's outline, the other for where the points of the head in space fall.
"""

import tensorflow as tf

from facelib.fan_sizes import N_STACKS
from facelib.landmarks import N_LANDMARKS
from facelib.networks.s3fd import scaled
from leras.initializers import Initializer, he_normal
from leras.layers.conv import Conv2D
from leras.layers.norm import BatchNorm2D
from leras.module import Module

DEPTH = 4
"""Times that an hourglass halves its map."""


class ConvBlock(Module):
    """Three convolutions one behind the other, their results side by side, plus a shortcut.

    (N, H, W, in_ch) -> (N, H, W, out_ch). Norm and ReLU stand before each convolution.

    Parameters: `bn1` to `bn3`, `conv1` to `conv3`; `down_bn1` and `down_conv1` of the shortcut
        where the channels differ.
    """

    def __init__(self, in_ch: int, out_ch: int, initializer: Initializer):
        super().__init__()
        half, quarter = out_ch // 2, out_ch // 4
        self.bn1 = BatchNorm2D(in_ch)
        self.conv1 = _conv(in_ch, half, 3, initializer)
        self.bn2 = BatchNorm2D(half)
        self.conv2 = _conv(half, quarter, 3, initializer)
        self.bn3 = BatchNorm2D(quarter)
        self.conv3 = _conv(quarter, quarter, 3, initializer)
        self._shortcut = in_ch != out_ch
        if self._shortcut:
            self.down_bn1 = BatchNorm2D(in_ch)
            self.down_conv1 = _conv(in_ch, out_ch, 1, initializer)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        first = self.conv1(tf.nn.relu(self.bn1(x)))
        second = self.conv2(tf.nn.relu(self.bn2(first)))
        third = self.conv3(tf.nn.relu(self.bn3(second)))
        if self._shortcut:
            x = self.down_conv1(tf.nn.relu(self.down_bn1(x)))
        return tf.concat([first, second, third], -1) + x


class HourGlass(Module):
    """Looks at the map at full size and, from half the size, at all smaller ones.

    (N, H, W, channels) -> the same shape; H and W multiples of 2^depth.

    Parameters: blocks `b1` (full size), `b2`, `b2_plus` (the next hourglass, or a block) and `b3`.
    """

    def __init__(self, channels: int, depth: int, initializer: Initializer):
        super().__init__()
        self.b1 = ConvBlock(channels, channels, initializer)
        self.b2 = ConvBlock(channels, channels, initializer)
        self.b2_plus = (HourGlass(channels, depth - 1, initializer) if depth > 1
                        else ConvBlock(channels, channels, initializer))
        self.b3 = ConvBlock(channels, channels, initializer)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        low = self.b3(self.b2_plus(self.b2(_halve(x))))
        return self.b1(x) + tf.repeat(tf.repeat(low, 2, axis=1), 2, axis=2)


class FAN(Module):
    """The network, with the released names of its layers.

    Args:
        width: Share of the released channels; 1.0 is the released network.
        n_stacks: Hourglasses, each of which corrects the maps of the one before.

    Parameters: see `ConvBlock` and `HourGlass`; all others are convolutions and norms.
    """

    def __init__(self, *, width: float = 1.0, n_stacks: int = N_STACKS,
                 initializer: Initializer = he_normal):
        super().__init__()
        stem, middle, features = (scaled(channels, width) for channels in (64, 128, 256))
        self.conv1 = Conv2D(3, stem, 7, stride=2, initializer=initializer)
        self.bn1 = BatchNorm2D(stem)
        self.conv2 = ConvBlock(stem, middle, initializer)
        self.conv3 = ConvBlock(middle, middle, initializer)
        self.conv4 = ConvBlock(middle, features, initializer)

        def pointwise(in_ch: int, out_ch: int, n: int) -> list[Conv2D]:
            return [Conv2D(in_ch, out_ch, 1, initializer=initializer) for _ in range(n)]

        self.m = [HourGlass(features, DEPTH, initializer) for _ in range(n_stacks)]
        self.top_m = [ConvBlock(features, features, initializer) for _ in range(n_stacks)]
        self.conv_last = pointwise(features, features, n_stacks)
        self.bn_end = [BatchNorm2D(features) for _ in range(n_stacks)]
        self.l = [Conv2D(features, N_LANDMARKS, 1, initializer=_faint(initializer))  # noqa: E741
                  for _ in range(n_stacks)]
        self.bl = pointwise(features, features, n_stacks - 1)
        self.al = pointwise(N_LANDMARKS, features, n_stacks - 1)

    def __call__(self, crops: tf.Tensor) -> list[tf.Tensor]:
        """Heat maps of every stack; the last one's are the result.

        Args:
            crops: (N, 256, 256, 3) float32, RGB (not BGR), 0 to 1.

        Returns:
            (N, 64, 64, 68) for each stack; about 1 where the landmark is, 0 elsewhere.
        """
        x = tf.nn.relu(self.bn1(self.conv1(crops)))  # (N, 128, 128, stem)
        x = self.conv4(self.conv3(_halve(self.conv2(x))))
        maps = []
        for stack, (hourglass, top) in enumerate(zip(self.m, self.top_m)):
            last = self.conv_last[stack](top(hourglass(x)))
            last = tf.nn.relu(self.bn_end[stack](last))
            maps.append(self.l[stack](last))
            if stack < len(self.bl):
                x = x + self.bl[stack](last) + self.al[stack](maps[-1])
        return maps


def _conv(in_ch: int, out_ch: int, kernel_size: int, initializer: Initializer) -> Conv2D:
    return Conv2D(in_ch, out_ch, kernel_size, use_bias=False, initializer=initializer)


def _faint(initializer: Initializer) -> Initializer:
    """Weights of maps that start out empty, as nearly all of every map has to be."""
    return lambda shape, rng: initializer(shape, rng) / 100


def _halve(x: tf.Tensor) -> tf.Tensor:
    """(N, H, W, C) -> (N, H / 2, W / 2, C), the mean of each 2 x 2."""
    return tf.nn.avg_pool2d(x, 2, 2, "VALID")
