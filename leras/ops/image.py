"""Filters of images, as products with banded matrices.

A separable filter of an (H, W) image is L x R with one banded matrix for each axis. At the sizes of
faces two dense products are several times as fast as a depthwise convolution on CPUs, forward and
backward, and exact.
"""

import numpy as np
import tensorflow as tf


def gaussian_window(size: int, sigma: float) -> np.ndarray:
    """(size,) float64 Gaussian centred at (size - 1) / 2, sum 1; even sizes allowed."""
    offsets = np.arange(size) - (size - 1) / 2
    window = np.exp(-(offsets**2) / (2 * sigma**2))
    return window / window.sum()


def valid_filter_matrix(window: np.ndarray, n: int) -> np.ndarray:
    """(n - len(window) + 1, n) matrix whose product with a vector is the VALID correlation.

    Raises:
        ValueError: if the window is longer than the vector.
    """
    if len(window) > n:
        raise ValueError(f"a window of {len(window)} does not fit into {n} values")
    rows = n - len(window) + 1
    matrix = np.zeros((rows, n), np.float32)
    for row in range(rows):
        matrix[row, row:row + len(window)] = window
    return matrix


def same_filter_matrix(window: np.ndarray, n: int) -> np.ndarray:
    """(n, n) matrix of the correlation with zero padding; odd windows only.

    Raises:
        ValueError: for an even window.
    """
    if len(window) % 2 == 0:
        raise ValueError(f"a window of even size {len(window)} has no centre")
    half = len(window) // 2
    return np.ascontiguousarray(valid_filter_matrix(window, n + 2 * half)[:, half:half + n])


def separable_filter(x: tf.Tensor, rows: np.ndarray, columns: np.ndarray) -> tf.Tensor:
    """Applies one filter matrix to each axis of every channel.

    Args:
        x: (N, H, W, C).
        rows: (H', H) matrix for the vertical axis.
        columns: (W', W) matrix for the horizontal axis.

    Returns:
        (N, H', W', C), the dtype of x.
    """
    height, width, channels = x.shape[1:]
    x = tf.reshape(x, (-1, height, width * channels))
    rows, columns = (tf.cast(tf.constant(matrix), x.dtype) for matrix in (rows, columns))
    x = tf.linalg.matmul(rows[tf.newaxis], x)  # (N, H', W * C)
    x = tf.reshape(x, (-1, width, channels))  # (N * H', W, C)
    x = tf.linalg.matmul(columns[tf.newaxis], x)  # (N * H', W', C)
    return tf.reshape(x, (-1, rows.shape[0], columns.shape[0], channels))


def blur_window(sigma: float) -> np.ndarray:
    """The odd Gaussian window of `gaussian_blur`: about 4 sigma wide, at least 3."""
    size = max(3, int(4 * sigma))
    return gaussian_window(size + 1 - size % 2, sigma)


def gaussian_blur(x: tf.Tensor, sigma: float) -> tf.Tensor:
    """(N, H, W, C) -> the same shape, blurred; zeros outside, so borders darken."""
    window = blur_window(sigma)
    rows, columns = (same_filter_matrix(window, n) for n in x.shape[1:3])
    return separable_filter(x, rows, columns)
