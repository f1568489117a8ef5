"""Structural similarity."""

import tensorflow as tf

from leras.ops.image import gaussian_window, separable_filter, valid_filter_matrix


def dssim(a: tf.Tensor, b: tf.Tensor, *, max_value: float = 1.0, filter_size: int = 11,
          sigma: float = 1.5, k1: float = 0.01, k2: float = 0.03) -> tf.Tensor:
    """Structural dissimilarity (1 - SSIM) / 2 (Wang et al., 2004, Eq. 13).

    The local statistics come from a Gaussian window of `filter_size` (even sizes allowed), without
    padding.

    Args:
        a, b: (N, H, W, C) float32 images in [0, max_value].

    Returns:
        (N, C), mean over the positions of the window.
    """
    window = gaussian_window(filter_size, sigma)
    rows, columns = (valid_filter_matrix(window, n) for n in a.shape[1:3])
    channels = a.shape[-1]
    quantities = tf.concat([a, b, a * b, a * a + b * b], -1)
    mean_a, mean_b, mean_ab, mean_squares = tf.split(
        separable_filter(quantities, rows, columns), [channels] * 4, -1)
    c1, c2 = (k1 * max_value)**2, (k2 * max_value)**2
    product, squares = mean_a * mean_b, mean_a**2 + mean_b**2
    luminance = (2 * product + c1) / (squares + c1)
    contrast_structure = (2 * (mean_ab - product) + c2) / (mean_squares - squares + c2)
    return (1 - tf.reduce_mean(luminance * contrast_structure, (1, 2))) / 2
