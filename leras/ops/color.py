"""Colour spaces."""

import numpy as np
import tensorflow as tf

RGB_TO_XYZ = np.float32([[0.412453, 0.357580, 0.180423],
                         [0.212671, 0.715160, 0.072169],
                         [0.019334, 0.119193, 0.950227]])
WHITE = np.float32([0.950456, 1.0, 1.088754])  # D65
LINEAR_BELOW = 0.04045  # of sRGB
CORNER = 6 / 29  # of CIE 1976 L*a*b*


def rgb_to_lab(rgb: tf.Tensor) -> tf.Tensor:
    """sRGB to CIE 1976 L*a*b*, white point D65.

    Args:
        rgb: (..., 3) in [0, 1], red first: turn the project's BGR images by `x[..., ::-1]`.

    Returns:
        (..., 3) float32: L in [0, 100], a and b about -110 to 110.
    """
    rgb = tf.cast(rgb, tf.float32)
    # The powers see only values of their own branch: at zero their derivatives are infinite, and
    # infinity times the zero of the branch not taken is no number.
    curved = tf.pow((tf.maximum(rgb, LINEAR_BELOW) + 0.055) / 1.055, 2.4)
    linear = tf.where(rgb > LINEAR_BELOW, curved, rgb / 12.92)
    xyz = tf.linalg.matvec(RGB_TO_XYZ, linear) / WHITE
    root = tf.pow(tf.maximum(xyz, CORNER**3), 1 / 3)
    x, y, z = tf.unstack(
        tf.where(xyz > CORNER**3, root, xyz / (3 * CORNER**2) + 4 / 29), axis=-1)
    return tf.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)
