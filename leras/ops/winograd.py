"""3x3 convolutions by minimal filtering: fewer multiplications for the same result.

Winograd's algorithm F(m x m, 3x3) (Lavin & Gray, "Fast Algorithms for Convolutional Neural
Networks", 2016, section 4) cuts the image into overlapping tiles of m + 2 pixels a side.
Transformed to (m + 2)^2 coefficients, tiles and kernels are multiplied coefficient by
coefficient, which is one matrix product over the channels for each. A pixel then costs 4 (m = 2)
or 2.25 (m = 4) products per channel pair instead of 9, forward and in both gradients.

Each transform is one product with a small constant matrix, both axes of a tile at once: few
operations, so that compilers are done with them soon.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from leras.ops.traced import with_gradient
from leras.ops.windows import Windows


class Tiling(NamedTuple):
    """F(m x m, 3x3): m, and the transforms of a tile, of a kernel and to the output.

    `image` ((m+2)^2, (m+2)^2), `kernel` ((m+2)^2, 9), `output` (m^2, (m+2)^2): the Kronecker
    squares of the paper's B^T, G and A^T.
    """

    size: int
    image: np.ndarray
    kernel: np.ndarray
    output: np.ndarray


def _tiling(size: int, image: list, kernel: list, output: list) -> Tiling:
    return Tiling(size, *(np.kron(matrix, matrix).astype(np.float32)
                          for matrix in (image, kernel, output)))


TILINGS = {
    2: _tiling(2, [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]],
               [[1, 0, 0], [1/2, 1/2, 1/2], [1/2, -1/2, 1/2], [0, 0, 1]],
               [[1, 1, 1, 0], [0, 1, -1, -1]]),
    4: _tiling(4, [[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0],
                   [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1]],
               [[1/4, 0, 0], [-1/6, -1/6, -1/6], [-1/6, 1/6, -1/6],
                [1/24, 1/12, 1/6], [1/24, -1/12, 1/6], [0, 0, 1]],
               [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0],
                [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]),
}
"""By m. Rounding errors are those of a plain convolution for m = 2, some ten times that for 4."""


def winograd_conv2d(x: tf.Tensor, weight: tf.Tensor, tile: int) -> tf.Tensor:
    """Convolves with a 3x3 kernel, stride 1, one pixel of zeros around the image.

    Args:
        x: (N, H, W, C) float32 of static shape.
        weight: (3, 3, C, K) float32.
        tile: m, a key of TILINGS.

    Returns:
        (N, H, W, K).
    """
    inputs, outputs = _tiles(x.shape, tile)
    return with_gradient(_forward, _backward, tile, inputs, outputs)(x, weight)


def _forward(tile: int, inputs: Windows, outputs: Windows, x: tf.Tensor,
             weight: tf.Tensor) -> tf.Tensor:
    tiling = TILINGS[tile]
    products = tf.linalg.matmul(_transform(tiling.image, inputs.cut(x)),
                                _transform(tiling.kernel, _flat(weight)))
    return outputs.add_up(_transform(tiling.output, products))


def _backward(tile: int, inputs: Windows, outputs: Windows, dy: tf.Tensor, x: tf.Tensor,
              weight: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The transposes of the three transforms; both products read the same outputs.

    Tiles and kernels are transformed again: kept since the forward pass, they would take two to
    four times the memory of the maps and weights.
    """
    tiling = TILINGS[tile]
    products = _transform(tiling.output.T, outputs.cut(dy))
    d_tiles = tf.linalg.matmul(products, _transform(tiling.kernel, _flat(weight)),
                               transpose_b=True)
    d_kernels = tf.linalg.matmul(_transform(tiling.image, inputs.cut(x)), products,
                                 transpose_a=True)
    return (inputs.add_up(_transform(tiling.image.T, d_tiles)),
            tf.reshape(_transform(tiling.kernel.T, d_kernels), weight.shape))


def _flat(weight: tf.Tensor) -> tf.Tensor:
    """(3, 3, C, K) -> (9, C, K)."""
    return tf.reshape(weight, (9, *weight.shape[2:]))


def _tiles(shape: tf.TensorShape, m: int) -> tuple[Windows, Windows]:
    """The tiles that are read, of m + 2 pixels a side, and those that are written, of m."""
    images, count = tuple(shape[:3]), tuple(-(-side // m) for side in shape[1:3])
    return (Windows(images, m + 2, m, 1, count, taps_first=True),
            Windows(images, m, m, 0, count, taps_first=True))


def _transform(matrix: np.ndarray, x: tf.Tensor) -> tf.Tensor:
    """Multiplies along the first axis: (n, ...) -> (len(matrix), ...)."""
    flat = tf.reshape(x, (matrix.shape[1], -1))
    y = tf.linalg.matmul(tf.constant(np.ascontiguousarray(matrix)), flat)
    return tf.reshape(y, (len(matrix), *x.shape[1:]))
