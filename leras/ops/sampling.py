"""Reading images between their pixels."""

import itertools

import numpy as np
import tensorflow as tf


def bilinear_sample(x: tf.Tensor, points: np.ndarray, *, wrap_rows: bool = False) -> tf.Tensor:
    """The values of an image at fixed points, bilinear between pixels, zeros outside.

    Convention: pixel centres, (x, y), origin at the centre of the top left pixel.

    Args:
        x: (N, H, W, C).
        points: (H', W', 2) pixels.
        wrap_rows: The first row follows the last one, as in an image over angles.

    Returns:
        (N, H', W', C), the dtype of x.
    """
    height, width, channels = x.shape[1:]
    pixels = tf.reshape(x, (-1, height * width, channels))
    low = np.floor(points).astype(int)
    share = points - low
    parts = []
    for across, down in itertools.product((0, 1), (0, 1)):
        column, row = low[..., 0] + across, low[..., 1] + down
        weight = np.abs(1 - across - share[..., 0]) * np.abs(1 - down - share[..., 1])
        row = row % height if wrap_rows else row
        weight *= (column >= 0) & (column < width) & (row >= 0) & (row < height)
        index = np.clip(row, 0, height - 1) * width + np.clip(column, 0, width - 1)
        weight = tf.cast(tf.constant(weight[..., np.newaxis], tf.float32), x.dtype)
        parts.append(tf.gather(pixels, index, axis=1) * weight)  # (N, H', W', C)
    return tf.add_n(parts)
