"""Structural similarity."""

import tensorflow as tf

from leras.ops.image import gaussian_window, separable_filter, valid_filter_matrix


def dssim(a: tf.Tensor, b: tf.Tensor, *, max_value: float = 1.0, filter_size: int = 11,
          sigma: float = 1.5, k1: float = 0.01, k2: float = 0.03) -> tf.Tensor:
    """Structural dissimilarity (1 - SSIM) / 2 (Wang et al., 2004, Eq. 13).

    The local statistics come from a Gaussian window of `filter_size` (even sizes allowed), without
    padding. Everything is made of the pictures' difference, whose moments float32 holds exactly
    enough: 1 - SSIM of nearly equal pictures would else be lost in rounding, and its gradient too.

    Args:
        a, b: (N, H, W, C) images in [0, max_value]; computed in float32.

    Returns:
        (N, C) float32, mean over the positions of the window.
    """
    a, b = tf.cast(a, tf.float32), tf.cast(b, tf.float32)
    window = gaussian_window(filter_size, sigma)
    rows, columns = (valid_filter_matrix(window, n) for n in a.shape[1:3])
    channels = a.shape[-1]
    quantities = tf.concat([a, b, tf.square(a - b), a * a + b * b], -1)
    mean_a, mean_b, mean_change, mean_squares = tf.split(
        separable_filter(quantities, rows, columns), [channels] * 4, -1)
    c1, c2 = (k1 * max_value)**2, (k2 * max_value)**2
    change, squares = tf.square(mean_a - mean_b), mean_a**2 + mean_b**2
    no_luminance = change / (squares + c1)  # 1 - l and 1 - cs of the paper
    no_structure = (mean_change - change) / (mean_squares - squares + c2)
    # 1 - l * cs, by what is small
    return tf.reduce_mean(no_luminance + no_structure * (1 - no_luminance), (1, 2)) / 2
