"""Numbers that describe whole images."""

import tensorflow as tf


def channel_statistics(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and deviation of each channel: what style losses compare (Huang and Belongie, 2017).

    Args:
        x: (N, H, W, C).

    Returns:
        Mean and sqrt(variance + 1e-5), both (N, C) float32.
    """
    mean, variance = tf.nn.moments(tf.cast(x, tf.float32), (1, 2))
    return mean, tf.sqrt(variance + 1e-5)


def total_variation(x: tf.Tensor) -> tf.Tensor:
    """Sum of the squared differences of neighbours along height and width, over all channels.

    Args:
        x: (N, H, W, C).

    Returns:
        (N,) float32.
    """
    x = tf.cast(x, tf.float32)
    down, across = x[:, 1:] - x[:, :-1], x[:, :, 1:] - x[:, :, :-1]
    return (tf.reduce_sum(tf.square(down), (1, 2, 3))
            + tf.reduce_sum(tf.square(across), (1, 2, 3)))
