"""YuNet: a small face detector with five points per face (Wu, Peng and Yu, 2023).

53 thousand parameters; a backbone of pointwise and depthwise convolutions, three levels of
features at strides 8, 16 and 32, and for each cell of a level one box.
"""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from facelib.weights import load_arrays
from leras.layers.conv import Conv2D, DepthwiseConv2D
from leras.module import Module

STRIDES = (8, 16, 32)
HEADS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
"""Outputs of a cell in order -> channels: face class, objectness, box, five points."""


class Unit(Module):
    """Pointwise then depthwise 3 x 3 convolution: (N, H, W, in_ch) -> (N, H, W, out_ch)."""

    def __init__(self, in_ch: int, out_ch: int):
        super().__init__()
        self.pointwise = Conv2D(in_ch, out_ch, 1)
        # For 3 x 3 at stride 1 the same as "same", without an operation for the padding.
        self.depthwise = DepthwiseConv2D(out_ch, 3, padding="tf_same")

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return self.depthwise(self.pointwise(x))


class Stage(Module):
    """Two units with ReLU: (N, H, W, in_ch) -> (N, H, W, out_ch)."""

    def __init__(self, in_ch: int, out_ch: int):
        super().__init__()
        self.unit1 = Unit(in_ch, in_ch)
        self.unit2 = Unit(in_ch, out_ch)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return tf.nn.relu(self.unit2(tf.nn.relu(self.unit1(x))))


class YuNet(Module):
    """The network.

    Parameters keep the names of their place here; `yunet_state` translates the released file.
    """

    def __init__(self):
        super().__init__()
        self.stem = Conv2D(3, 16, 3, stride=2)
        self.stem_unit = Unit(16, 16)
        self.stage1 = Stage(16, 32)
        self.stage2 = Stage(32, 64)
        self.stage3 = Stage(64, 64)
        self.stage4 = Stage(64, 64)
        self.stage5 = Stage(64, 64)
        self.lateral = [Unit(64, 64) for _ in STRIDES]
        self.head = [Unit(64, sum(HEADS.values())) for _ in STRIDES]

    def __call__(self, images: tf.Tensor) -> list[tf.Tensor]:
        """Raw outputs of every cell.

        Args:
            images: (N, H, W, 3) float32, BGR, 0 to 255; H and W multiples of 32.

        Returns:
            For each stride s a (N, H / s, W / s, 16) map: class and objectness in [0, 1], then
            box and points in the network's own coding.
        """
        x = tf.nn.relu(self.stem(images))
        x = _halve(tf.nn.relu(self.stem_unit(x)))
        x = _halve(self.stage2(self.stage1(x)))
        level8 = self.stage3(x)
        level16 = self.stage4(_halve(level8))
        level32 = self.stage5(_halve(level16))

        level32 = tf.nn.relu(self.lateral[2](level32))
        level16 = tf.nn.relu(self.lateral[1](level16 + _double(level32)))
        level8 = tf.nn.relu(self.lateral[0](level8 + _double(level16)))
        maps = [head(level) for head, level in zip(self.head, (level8, level16, level32))]
        return [tf.concat([tf.sigmoid(y[..., :2]), y[..., 2:]], axis=-1) for y in maps]


def _halve(x: tf.Tensor) -> tf.Tensor:
    """(N, H, W, C) -> (N, H / 2, W / 2, C), the largest of each 2 x 2."""
    return tf.nn.max_pool2d(x, 2, 2, "VALID")


def _double(x: tf.Tensor) -> tf.Tensor:
    """(N, H, W, C) -> (N, 2 H, 2 W, C), each pixel four times."""
    return tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2)


# Our unit -> (name of its pointwise weights in the released file, number of its depthwise ones).
_UNITS = {
    "stem_unit": ("backbone.model0.conv2.conv1", 423),
    "stage1/unit1": ("backbone.model1.conv1.conv1", 426),
    "stage1/unit2": ("backbone.model1.conv2.conv1", 429),
    "stage2/unit1": ("backbone.model2.conv1.conv1", 432),
    "stage2/unit2": ("backbone.model2.conv2.conv1", 435),
    "stage3/unit1": ("backbone.model3.conv1.conv1", 438),
    "stage3/unit2": ("backbone.model3.conv2.conv1", 441),
    "stage4/unit1": ("backbone.model4.conv1.conv1", 444),
    "stage4/unit2": ("backbone.model4.conv2.conv1", 447),
    "stage5/unit1": ("backbone.model5.conv1.conv1", 450),
    "stage5/unit2": ("backbone.model5.conv2.conv1", 453),
    "lateral_2": ("neck.lateral_convs.2.conv1", 456),
    "lateral_1": ("neck.lateral_convs.1.conv1", 459),
    "lateral_0": ("neck.lateral_convs.0.conv1", 462),
}


def yunet_state(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Parameters of the released file under the paths and in the layout of `YuNet`.

    The four heads of a level become one: their pointwise and depthwise kernels stand side by side.

    Args:
        arrays: Name -> array as released: kernels (out, in / groups, k, k).
    """
    state = {"stem/weight": _conv(_find(arrays, "420")), "stem/bias": _find(arrays, "421")}
    for path, (pointwise, depthwise) in _UNITS.items():
        state[f"{path}/pointwise/weight"] = _conv(_find(arrays, f"{pointwise}.weight"))
        state[f"{path}/pointwise/bias"] = _find(arrays, f"{pointwise}.bias")
        state[f"{path}/depthwise/weight"] = _depthwise(_find(arrays, f"{depthwise}"))
        state[f"{path}/depthwise/bias"] = _find(arrays, f"{depthwise + 1}")
    layouts = {"pointwise": ("conv1", _conv), "depthwise": ("conv2", _depthwise)}
    for level in range(len(STRIDES)):
        names = [f"bbox_head.multi_level_{head}.{level}" for head in HEADS]
        for layer, (released, layout) in layouts.items():
            weights = [_find(arrays, f"{name}.{released}.weight") for name in names]
            biases = [_find(arrays, f"{name}.{released}.bias") for name in names]
            state[f"head_{level}/{layer}/weight"] = layout(np.concatenate(weights))
            state[f"head_{level}/{layer}/bias"] = np.concatenate(biases)
    return state


def _find(arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """The array of that name; the file adds a suffix to some names."""
    return next(arrays[name + s] for s in ("", "_reshaped", "_dequantized") if name + s in arrays)


def _conv(weight: np.ndarray) -> np.ndarray:
    return weight.transpose(2, 3, 1, 0)  # OIHW -> HWIO


def _depthwise(weight: np.ndarray) -> np.ndarray:
    return weight.transpose(2, 3, 0, 1)  # C1HW -> HWC1


def load_yunet() -> YuNet:
    """The network with its released parameters.

    Raises:
        WeightsMissing: The weight file is absent or damaged.
    """
    network = YuNet()
    network.load_state(yunet_state(load_arrays("yunet")))
    return network
