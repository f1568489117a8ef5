"""FaceMesh: 468 points of a face surface from one crop (Kartynnik et al., 2019)."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from facelib.mesh_landmarks import N_VERTICES
from facelib.weights import load_arrays
from leras.layers.activation import PReLU
from leras.layers.conv import Conv2D, DepthwiseConv2D
from leras.module import Module

CROP_SIZE = 192


class Block(Module):
    """Depthwise and pointwise convolution beside a shortcut, then PReLU.

    (N, H, W, in_ch) -> (N, H / stride, W / stride, out_ch). With stride 2 the shortcut takes the
    largest of each 2 x 2; with more channels behind than in front it is filled up with zeros.
    """

    def __init__(self, in_ch: int, out_ch: int, *, stride: int = 1):
        super().__init__()
        self._stride, self._new_ch = stride, out_ch - in_ch
        self.depthwise = DepthwiseConv2D(in_ch, 3, stride=stride, padding="tf_same")
        self.pointwise = Conv2D(in_ch, out_ch, 1)
        self.activation = PReLU(out_ch)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        shortcut = tf.nn.max_pool2d(x, 2, 2, "VALID") if self._stride == 2 else x
        if self._new_ch:
            shortcut = tf.pad(shortcut, [(0, 0), (0, 0), (0, 0), (0, self._new_ch)])
        return self.activation(shortcut + self.pointwise(self.depthwise(x)))


class Branch(Module):
    """From the shared (N, 6, 6, 128) features to one output: (N, n_outputs)."""

    def __init__(self, n_outputs: int, *, n_blocks: int):
        super().__init__()
        self.down = Block(128, 128, stride=2)
        self.blocks = [Block(128, 128) for _ in range(n_blocks)]
        self.narrow = Conv2D(128, 32, 1)
        self.activation = PReLU(32)
        self.block = Block(32, 32)
        self.output = Conv2D(32, n_outputs, 3, padding="valid")
        self._n_outputs = n_outputs

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        x = self.down(x)  # (N, 3, 3, 128)
        for block in self.blocks:
            x = block(x)
        x = self.block(self.activation(self.narrow(x)))  # (N, 3, 3, 32)
        return tf.reshape(self.output(x), (-1, self._n_outputs))


_TRUNK = (
    *((16, 16, 1), (16, 16, 1)),  # 96 x 96 pixels
    *((16, 32, 2), (32, 32, 1), (32, 32, 1)),  # 48 x 48
    *((32, 64, 2), (64, 64, 1), (64, 64, 1)),  # 24 x 24
    *((64, 128, 2), (128, 128, 1), (128, 128, 1)),  # 12 x 12
    *((128, 128, 2), (128, 128, 1), (128, 128, 1)),  # 6 x 6
)
"""Channels in and out, stride of each block that both branches share."""

ROWS = 16
"""Faces that the last layers take at a time."""


class FaceMesh(Module):
    """The network; `facemesh_state` translates the released parameters."""

    def __init__(self):
        super().__init__()
        self.stem = Conv2D(3, 16, 3, stride=2, padding="tf_same")
        self.activation = PReLU(16)
        self.trunk = [Block(in_ch, out_ch, stride=stride) for in_ch, out_ch, stride in _TRUNK]
        self.mesh = Branch(3 * N_VERTICES, n_blocks=2)
        self.flag = Branch(1, n_blocks=0)

    def __call__(self, crops: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Mesh and face flag.

        Args:
            crops: (N, 192, 192, 3) float32, RGB (not BGR), 0 to 1.

        Returns:
            (N, 468, 3) x, y, z in pixels of the crop, and (N,) the logit of "this is a face".
        """
        x = self.activation(self.stem(crops))  # (N, 96, 96, 16)
        for block in self.trunk:
            x = block(x)
        n, x = tf.shape(x)[0], _in_whole_blocks(x)
        mesh, flag = self.mesh(x)[:n], self.flag(x)[:n]
        return tf.reshape(mesh, (-1, N_VERTICES, 3)), flag[:, 0]


def _in_whole_blocks(x: tf.Tensor) -> tf.Tensor:
    """Fills the batch up with zeros to a multiple of ROWS: (N, H, W, C) -> (N', H, W, C).

    The branches end in matrix products with one row for each face, which some processors sum in
    another order when there are fewer rows. A face must not change with those beside it.
    """
    missing = tf.math.floormod(-tf.shape(x)[0], ROWS)
    return tf.pad(x, [[0, missing], [0, 0], [0, 0], [0, 0]])


# Where the released arrays belong. A block has (depthwise weight, bias, pointwise weight, bias,
# slope), a convolution (weight, bias); the numbers are tensors of the released graph.
_BLOCKS = {
    "trunk_0": (245, 257, 283, 297, 234),
    "trunk_1": (271, 285, 315, 215, 263),
    "trunk_2": (302, 316, 241, 266, 231),
    "trunk_3": (253, 276, 306, 324, 259),
    "trunk_4": (281, 307, 223, 236, 286),
    "trunk_5": (312, 225, 265, 272, 251),
    "trunk_6": (273, 289, 219, 232, 277),
    "trunk_7": (305, 320, 247, 258, 309),
    "trunk_8": (221, 233, 287, 299, 261),
    "trunk_9": (300, 313, 228, 252, 290),
    "trunk_10": (217, 229, 254, 279, 321),
    "trunk_11": (243, 255, 292, 310, 260),
    "trunk_12": (282, 295, 222, 238, 288),
    "trunk_13": (314, 214, 250, 262, 319),
    "mesh/down": (230, 240, 274, 291, 244),
    "mesh/blocks_0": (268, 293, 323, 220, 270),
    "mesh/blocks_1": (235, 248, 216, 239, 227),
    "mesh/block": (246, 256, 224, 237, 226),
    "flag/down": (296, 326, 284, 301, 317),
    "flag/block": (308, 325, 280, 311, 298),
}
_CONVOLUTIONS = {
    "stem": (269, 294),
    "mesh/narrow": (304, 218),
    "mesh/output": (303, 318),
    "flag/narrow": (267, 275),
    "flag/output": (249, 264),
}
_SLOPES = {"activation": 322, "mesh/activation": 278, "flag/activation": 242}


def facemesh_state(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Parameters of the released file under the paths and in the layout of `FaceMesh`.

    Args:
        arrays: Name -> array as released: kernels (out, k, k, in), depthwise (1, k, k, channels),
            slopes (1, 1, channels).
    """
    state = {}

    def put(path: str, number: int, axes: tuple[int, ...]) -> None:
        state[path] = arrays[f"t{number}"].transpose(axes)

    def put_conv(path: str, weight: int, bias: int) -> None:
        put(f"{path}/weight", weight, (1, 2, 3, 0))  # OHWI -> HWIO
        put(f"{path}/bias", bias, (0,))

    for path, (depthwise, depthwise_bias, weight, bias, slope) in _BLOCKS.items():
        put(f"{path}/depthwise/weight", depthwise, (1, 2, 3, 0))  # 1HWC -> HWC1
        put(f"{path}/depthwise/bias", depthwise_bias, (0,))
        put_conv(f"{path}/pointwise", weight, bias)
        state[f"{path}/activation/slope"] = arrays[f"t{slope}"].reshape(-1)
    for path, (weight, bias) in _CONVOLUTIONS.items():
        put_conv(path, weight, bias)
    for path, slope in _SLOPES.items():
        state[f"{path}/slope"] = arrays[f"t{slope}"].reshape(-1)
    return state


def load_facemesh() -> FaceMesh:
    """The network with its released parameters.

    Raises:
        WeightsMissing: The weight file is absent or damaged.
    """
    network = FaceMesh()
    network.load_state(facemesh_state(load_arrays("facemesh")))
    return network
