"""S3FD: a face detector that looks for faces of every size (Zhang et al., 2017).

A VGG-16 trunk with six heads, at strides 4 to 128; each cell of a head has one square anchor of
four times its stride. The released weights have 22.5 million parameters.
"""

import tensorflow as tf

from leras.initializers import Initializer, constant, glorot_uniform
from leras.layers.conv import Conv2D
from leras.module import Module

MEAN = (104.0, 117.0, 123.0)
"""Subtracted from blue, green and red."""

_TRUNK = (
    (("conv1_1", 3, 64), ("conv1_2", 64, 64)),
    (("conv2_1", 64, 128), ("conv2_2", 128, 128)),
    (("conv3_1", 128, 256), ("conv3_2", 256, 256), ("conv3_3", 256, 256)),
    (("conv4_1", 256, 512), ("conv4_2", 512, 512), ("conv4_3", 512, 512)),
    (("conv5_1", 512, 512), ("conv5_2", 512, 512), ("conv5_3", 512, 512)),
)
"""Stages of 3 x 3 convolutions: name, channels in and out. Each stage ends by halving the map."""

_LEVELS = {
    "conv3_3_norm": (256, 10.0),
    "conv4_3_norm": (512, 8.0),
    "conv5_3_norm": (512, 5.0),
    "fc7": (1024, None),
    "conv6_2": (512, None),
    "conv7_2": (256, None),
}
"""What the heads look at, by stride: channels, and the first scale where the map is normalised."""

_FIRST = next(iter(_LEVELS))
BACKGROUND_CLASSES = 3
"""Logits of the finest head for "no face", of which the largest counts: most of its cells see none.

A few large anchors stand against thousands of small ones (the paper's "max-out background label").
"""


class L2Norm(Module):
    """x / (|x| + 1e-10) * weight, |x| over the channels of each pixel (Liu et al., 2016).

    Parameters: `weight` (channels,), `scale`.
    """

    def __init__(self, channels: int, scale: float, *, name: str | None = None):
        super().__init__(name=name)
        self.weight = self.parameter("weight", (channels,), constant(scale))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, channels) -> the same shape."""
        square = tf.reduce_sum(tf.square(x), -1, keepdims=True)
        # The root has no derivative at zero, where a map of ReLUs often is.
        norm = tf.sqrt(tf.maximum(square, 1e-30)) + 1e-10
        return x / norm * self.weight


class Head(Module):
    """Logits and box offsets of the cells of one level, by two convolutions done as one.

    Parameters: `conf/weight`, `conf/bias`, `loc/weight`, `loc/bias` as of `Conv2D`.
    """

    def __init__(self, channels: int, n_background: int, initializer: Initializer):
        super().__init__()
        self._n_background = n_background
        self.conf = Conv2D(channels, n_background + 1, initializer=initializer)
        self.loc = Conv2D(channels, 4, initializer=initializer)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, channels) -> (N, H, W, 6): logits of background and face, four offsets."""
        weight = tf.concat([self.conf.weight, self.loc.weight], -1)
        bias = tf.concat([self.conf.bias, self.loc.bias], 0)
        padding = [[0, 0], [1, 1], [1, 1], [0, 0]]
        y = tf.nn.bias_add(tf.nn.conv2d(x, weight, 1, padding), bias)
        if self._n_background == 1:
            return y
        background = tf.reduce_max(y[..., : self._n_background], -1, keepdims=True)
        return tf.concat([background, y[..., self._n_background :]], -1)


class S3FD(Module):
    """The network, with the released names of its layers.

    Args:
        width: Share of the released channels; 1.0 is the released network.

    Parameters: of every convolution `<name>/weight` and `<name>/bias`, of the norms
        `<name>/weight`, of the heads `<level>_mbox/conf/...` and `<level>_mbox/loc/...`.
    """

    def __init__(self, *, width: float = 1.0, initializer: Initializer = glorot_uniform):
        super().__init__()

        def add(name: str, in_ch: int, out_ch: int, kernel: int = 3, **options) -> None:
            channels = scaled(in_ch, width) if in_ch > 3 else in_ch, scaled(out_ch, width)
            start = initializer if in_ch > 3 else _for_bytes(initializer)
            layer = Conv2D(*channels, kernel, initializer=start, **options)
            setattr(self, name, layer)

        for stage in _TRUNK:
            for name, in_ch, out_ch in stage:
                add(name, in_ch, out_ch)
        add("fc6", 512, 1024, padding=3)
        add("fc7", 1024, 1024, 1)
        add("conv6_1", 1024, 256, 1)
        add("conv6_2", 256, 512, stride=2)
        add("conv7_1", 512, 128, 1)
        add("conv7_2", 128, 256, stride=2)
        for level, (channels, scale) in _LEVELS.items():
            if scale is not None:
                setattr(self, level, L2Norm(scaled(channels, width), scale))
            n_background = BACKGROUND_CLASSES if level == _FIRST else 1
            setattr(self, f"{level}_mbox",
                    Head(scaled(channels, width), n_background, initializer))

    def __call__(self, images: tf.Tensor) -> list[tf.Tensor]:
        """Raw outputs of every cell.

        Args:
            images: (N, H, W, 3) float32, BGR, 0 to 255; sides of at least 32 pixels.

        Returns:
            For each stride a (N, H', W', 6) map: logits of background and face, then the offsets
            of the anchor's centre and the logarithms of the changes of its size.
        """
        x = images - tf.constant(MEAN)
        levels = {}
        for number, stage in enumerate(_TRUNK, 1):
            for name, _, _ in stage:
                x = self._step(name, x)
            levels[f"conv{number}_3_norm"] = x
            x = tf.nn.max_pool2d(x, 2, 2, "VALID")
        for name in ("fc6", "fc7", "conv6_1", "conv6_2", "conv7_1", "conv7_2"):
            x = levels[name] = self._step(name, x)
        return [self._look(level, levels[level]) for level in _LEVELS]

    def _step(self, name: str, x: tf.Tensor) -> tf.Tensor:
        return tf.nn.relu(getattr(self, name)(x))

    def _look(self, level: str, x: tf.Tensor) -> tf.Tensor:
        if _LEVELS[level][1] is not None:
            x = getattr(self, level)(x)
        return getattr(self, f"{level}_mbox")(x)


def scaled(channels: int, width: float) -> int:
    """A share of a layer's channels, in whole vectors of 8 where it is not the whole."""
    return channels if width == 1.0 else max(8, round(channels * width / 8) * 8)


def _for_bytes(initializer: Initializer) -> Initializer:
    """Weights that bring pixels of 0 to 255, less their mean, to a spread of about 1."""
    return lambda shape, rng: initializer(shape, rng) / 64
