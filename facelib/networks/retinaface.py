"""RetinaFace with a small MobileNet in front (Deng et al., 2020; Howard et al., 2017).

The features of three levels look at each other and at their surroundings; each cell has two square
anchors, and for each a box and five points. 423 thousand parameters: the batch norms of the
released network are part of its convolutions here.
"""

import tensorflow as tf

from leras.layers.conv import Conv2D, DepthwiseConv2D
from leras.module import Module

STRIDES = (8, 16, 32)
ANCHORS = ((16, 32), (64, 128), (256, 512))
"""Sides of the anchors of each level, pixels."""

MEAN = (104.0, 117.0, 123.0)
"""Subtracted from blue, green and red."""

HEAD = (2, 4, 10)
"""Outputs of an anchor: logits of background and face, box, points."""

_BLOCKS = (
    *((8, 16, 1), (16, 32, 2), (32, 32, 1), (32, 64, 2), (64, 64, 1)),  # stride 8
    *((64, 128, 2), *[(128, 128, 1)] * 5),  # stride 16
    *((128, 256, 2), (256, 256, 1)),  # stride 32
)
"""Channels in and out, stride."""

_TAPS = (4, 10, 12)
"""Blocks whose outputs are the three levels."""

_CHANNELS = 64


class Block(Module):
    """Depthwise 3 x 3, then pointwise: (N, H, W, in_ch) -> (N, H / stride, W / stride, out_ch)."""

    def __init__(self, in_ch: int, out_ch: int, stride: int):
        super().__init__()
        self.depthwise = DepthwiseConv2D(in_ch, 3, stride=stride)
        self.pointwise = Conv2D(in_ch, out_ch, 1)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return _leaky(self.pointwise(_leaky(self.depthwise(x))))


class Context(Module):
    """Looks at 3, 5 and 7 pixels around: (N, H, W, 64) -> the same shape (Najibi et al., 2017)."""

    def __init__(self):
        super().__init__()
        self.conv3 = Conv2D(_CHANNELS, _CHANNELS // 2)
        self.conv5_1 = Conv2D(_CHANNELS, _CHANNELS // 4)
        self.conv5_2 = Conv2D(_CHANNELS // 4, _CHANNELS // 4)
        self.conv7_2 = Conv2D(_CHANNELS // 4, _CHANNELS // 4)
        self.conv7_3 = Conv2D(_CHANNELS // 4, _CHANNELS // 4)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        wider = _leaky(self.conv5_1(x))
        widest = self.conv7_3(_leaky(self.conv7_2(wider)))
        return tf.nn.relu(tf.concat([self.conv3(x), self.conv5_2(wider), widest], -1))


class RetinaFace(Module):
    """The network; `facelib.checkpoints.layouts` translates the released parameters."""

    def __init__(self):
        super().__init__()
        self.stem = Conv2D(3, 8, stride=2)
        self.blocks = [Block(*block) for block in _BLOCKS]
        self.lateral = [Conv2D(_BLOCKS[tap][1], _CHANNELS, 1) for tap in _TAPS]
        self.merge = [Conv2D(_CHANNELS, _CHANNELS) for _ in _TAPS[:-1]]
        self.context = [Context() for _ in _TAPS]
        n_anchors = len(ANCHORS[0])
        self.head = [Conv2D(_CHANNELS, n_anchors * sum(HEAD), 1) for _ in _TAPS]

    def __call__(self, images: tf.Tensor) -> list[tf.Tensor]:
        """Raw outputs of every cell.

        Args:
            images: (N, H, W, 3) float32, BGR, 0 to 255, of any size.

        Returns:
            For each stride a (N, ceil(H / stride), ceil(W / stride), 32) map: of both anchors the
            logits (2 x 2), then the boxes (2 x 4), then the points (2 x 10).
        """
        x = _leaky(self.stem(images - tf.constant(MEAN)))
        levels = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in _TAPS:
                levels.append(x)
        levels = [_leaky(lateral(level)) for lateral, level in zip(self.lateral, levels)]
        for n in (1, 0):  # the coarse levels tell the finer ones
            levels[n] = _leaky(self.merge[n](levels[n] + _grown(levels[n + 1], levels[n])))
        return [head(context(level))
                for head, context, level in zip(self.head, self.context, levels)]


def _leaky(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.leaky_relu(x, 0.1)


def _grown(x: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """A map with the nearest pixels of x, as large as the map `like`."""
    return tf.raw_ops.ResizeNearestNeighbor(images=x, size=tf.shape(like)[1:3])
