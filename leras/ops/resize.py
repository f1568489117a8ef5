"""Images of other sizes."""

import numpy as np
import tensorflow as tf

from leras.ops.image import separable_filter


def upsample(x: tf.Tensor, factor: int = 2) -> tf.Tensor:
    """Repeats every pixel: (N, H, W, C) -> (N, factor * H, factor * W, C)."""
    height, width, channels = x.shape[1:]
    pixels = tf.reshape(x, (-1, height, 1, width, 1, channels))
    return tf.reshape(tf.tile(pixels, (1, 1, factor, 1, factor, 1)),
                      (-1, factor * height, factor * width, channels))


def resize_nearest(x: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Pixel i of n comes from pixel floor(i * n_before / n); a whole fraction skips pixels.

    Args:
        x: (N, H, W, C).
        height, width: The new sides.

    Returns:
        (N, height, width, C).
    """
    for axis, side in ((1, height), (2, width)):
        x = tf.gather(x, np.arange(side) * x.shape[axis] // side, axis=axis)
    return x


def resize_bilinear_legacy(x: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Bilinear as TensorFlow 1 did it by default: corner pixels aligned at the top left only.

    Pixel i reads position i * n_before / n, so pictures move by up to half a pixel. For networks
    that were trained with it; new ones should not use it. Enlarges well, shrinks with aliasing.

    Args:
        x: (N, H, W, C).
        height, width: The new sides.

    Returns:
        (N, height, width, C), the dtype of x.
    """
    rows, columns = (_legacy_matrix(before, side)
                     for before, side in zip(x.shape[1:3], (height, width), strict=True))
    return separable_filter(x, rows, columns)


def _legacy_matrix(before: int, side: int) -> np.ndarray:
    """(side, before) float32: the weights of the two pixels around each position."""
    position = np.arange(side) * (before / side)
    low = np.floor(position).astype(int)
    high = np.minimum(low + 1, before - 1)
    matrix = np.zeros((side, before), np.float32)
    np.add.at(matrix, (np.arange(side), low), 1 - (position - low))
    np.add.at(matrix, (np.arange(side), high), position - low)
    return matrix
