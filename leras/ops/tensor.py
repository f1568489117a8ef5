"""Shape changes, norms, activations and pooling without parameters."""

import tensorflow as tf


def flatten(x: tf.Tensor) -> tf.Tensor:
    """(N, H, W, C) -> (N, H * W * C), channels fastest."""
    return tf.reshape(x, (-1, x.shape[1] * x.shape[2] * x.shape[3]))


def unflatten(x: tf.Tensor, side: int, channels: int) -> tf.Tensor:
    """(N, side * side * channels) -> (N, side, side, channels)."""
    return tf.reshape(x, (-1, side, side, channels))


def depth_to_space(x: tf.Tensor, size: int) -> tf.Tensor:
    """(N, H, W, size^2 * C) -> (N, size * H, size * W, C).

    Input channel (dy * size + dx) * C + c becomes channel c of sub-pixel (dy, dx) (DCR order).
    """
    return tf.nn.depth_to_space(x, size)


def space_to_depth(x: tf.Tensor, size: int) -> tf.Tensor:
    """(N, size * H, size * W, C) -> (N, H, W, size^2 * C); the inverse of `depth_to_space`."""
    return tf.nn.space_to_depth(x, size)


def max_pool(x: tf.Tensor, size: int = 2, stride: int = 2) -> tf.Tensor:
    """Largest value of each size x size window: (N, H, W, C) -> (N, ceil(H / stride), ..., C).

    Windows that reach over the border are cut, as TensorFlow's SAME places them.
    """
    return tf.nn.max_pool2d(x, size, stride, "SAME")


def gelu(x: tf.Tensor) -> tf.Tensor:
    """x * Phi(x), by its approximation with tanh (Hendrycks and Gimpel, 2016)."""
    return tf.nn.gelu(x, approximate=True)


def pixel_norm(x: tf.Tensor, axis: int | tuple[int, ...] = -1) -> tf.Tensor:
    """x / sqrt(mean(x^2) + 1e-6) over `axis` (Karras et al., 2018)."""
    return x * tf.math.rsqrt(tf.reduce_mean(tf.square(x), axis, keepdims=True) + 1e-6)
