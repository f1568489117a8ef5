"""Norms. All compute in float32 and give back the dtype of their input."""

import tensorflow as tf

from leras.batch_statistics import note_moments, uses_batch_statistics
from leras.initializers import constant, he_normal, zeros
from leras.module import Module
from leras.ops.tensor import pixel_norm

FLAT = 1e-20
"""A variance that counts as zero: at zero itself the root has no derivative."""


class DenseNorm(Module):
    """x / sqrt(mean(x^2) + 1e-6) over the last axis (Karras et al., 2018); no parameters."""

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, ..., channels) -> the same shape and dtype."""
        return tf.cast(pixel_norm(tf.cast(x, tf.float32)), x.dtype)


class FRNorm2D(Module):
    """x / sqrt(mean_hw(x^2) + |eps|) * weight + bias (Singh and Krishnan, 2020).

    Follow it with `TLU`: the norm does not centre its output.

    Parameters: `weight` (channels,), ones; `bias` (channels,), zeros; `eps` (1,), 1e-6, learned.
    """

    def __init__(self, channels: int, *, name: str | None = None):
        super().__init__(name=name)
        self.weight = self.parameter("weight", (channels,), constant(1.0))
        self.bias = self.parameter("bias", (channels,), zeros)
        self.eps = self.parameter("eps", (1,), constant(1e-6))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, channels) -> the same shape and dtype."""
        y = tf.cast(x, tf.float32)
        mean_square = tf.reduce_mean(tf.square(y), (1, 2), keepdims=True)
        scale = self.weight * tf.math.rsqrt(mean_square + tf.abs(self.eps))
        return tf.cast(y * scale + self.bias, x.dtype)


class BatchNorm2D(Module):
    """(x - mean) / sqrt(variance + 1e-5) * weight + bias (Ioffe and Szegedy, 2015).

    Mean and variance are the running ones, which no gradient reaches. Inside of
    `leras.batch_statistics.batch_statistics` they are those of the batch, and what the running ones
    should learn of them is noted; see there.

    Parameters: `weight`, ones; `bias`, zeros; `running_mean`, zeros; `running_var`, ones; each
        (channels,).
    """

    def __init__(self, channels: int, *, name: str | None = None):
        super().__init__(name=name)
        self.weight = self.parameter("weight", (channels,), constant(1.0))
        self.bias = self.parameter("bias", (channels,), zeros)
        self.running_mean = self.parameter("running_mean", (channels,), zeros)
        self.running_var = self.parameter("running_var", (channels,), constant(1.0))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, channels) -> the same shape and dtype."""
        y = tf.cast(x, tf.float32)
        if uses_batch_statistics():
            mean, variance = _moments(y)
            n = tf.cast(tf.size(y) / tf.shape(y)[-1], tf.float32)
            # Of a sample, the variance is (n - 1) / n of that of what it is drawn from.
            note_moments((self.running_mean, mean),
                         (self.running_var, variance * (n / tf.maximum(n - 1, 1))))
        else:
            mean, variance = map(tf.stop_gradient, (self.running_mean, self.running_var))
        scale = self.weight * tf.math.rsqrt(variance + 1e-5)
        return tf.cast(y * scale + (self.bias - mean * scale), x.dtype)


def _moments(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """(channels,) mean and variance over all but the last axis."""
    mean = tf.reduce_mean(x, (0, 1, 2))
    return mean, tf.reduce_mean(tf.square(x - mean), (0, 1, 2))


class InstanceNorm2D(Module):
    """(x - mean_hw) / (std_hw + 1e-5) * weight + bias (Ulyanov et al., 2016).

    Parameters: `weight` (channels,), ones; `bias` (channels,), zeros.
    """

    def __init__(self, channels: int, *, name: str | None = None):
        super().__init__(name=name)
        self.weight = self.parameter("weight", (channels,), constant(1.0))
        self.bias = self.parameter("bias", (channels,), zeros)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, channels) -> the same shape and dtype."""
        y = standardized(tf.cast(x, tf.float32))
        return tf.cast(y * self.weight + self.bias, x.dtype)


class AdaIN(Module):
    """Instance norm, scaled and shifted by two dense maps of a code (Huang and Belongie, 2017).

    Args:
        channels: Of the map.
        code_ch: Of the code.

    Parameters: `weight1` and `weight2` (code_ch, channels), He normal, of the scale and of the
        shift; `bias1` and `bias2` (channels,), zeros.
    """

    def __init__(self, channels: int, code_ch: int, *, name: str | None = None):
        super().__init__(name=name)
        self.weight1 = self.parameter("weight1", (code_ch, channels), he_normal)
        self.bias1 = self.parameter("bias1", (channels,), zeros)
        self.weight2 = self.parameter("weight2", (code_ch, channels), he_normal)
        self.bias2 = self.parameter("bias2", (channels,), zeros)

    def __call__(self, x: tf.Tensor, code: tf.Tensor) -> tf.Tensor:
        """(N, H, W, channels) and (N, code_ch) -> the shape and dtype of x."""
        code = tf.cast(code, tf.float32)
        scale = tf.linalg.matmul(code, self.weight1) + self.bias1  # (N, channels)
        shift = tf.linalg.matmul(code, self.weight2) + self.bias2
        y = standardized(tf.cast(x, tf.float32))
        return tf.cast(y * scale[:, tf.newaxis, tf.newaxis] + shift[:, tf.newaxis, tf.newaxis],
                       x.dtype)


def standardized(x: tf.Tensor) -> tf.Tensor:
    """(x - mean) / (std + 1e-5) over the positions of each channel of each sample.

    (N, H, W, C) float32 -> the same shape; zeros, with gradients of zero, where a channel is flat.
    """
    mean, variance = tf.nn.moments(x, (1, 2), keepdims=True)
    return (x - mean) / (tf.sqrt(tf.maximum(variance, FLAT)) + 1e-5)
