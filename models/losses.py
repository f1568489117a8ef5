"""Terms of the reconstruction loss. A term knows no weight and returns (N,)."""

from typing import NamedTuple

import tensorflow as tf

from leras.ops.image import gaussian_blur
from leras.ops.similarity import dssim


class Target(NamedTuple):
    """What one side's prediction should be: face (N, R, R, 3), mask (N, R, R, 1), and the soft mask
    (N, R, R, 1) inside of which the face counts."""

    face: tf.Tensor
    mask: tf.Tensor
    soft_mask: tf.Tensor


def soft_target(face: tf.Tensor, mask: tf.Tensor) -> Target:
    """Softens the mask's edge by a Gaussian of R / 32, so that the border trains a little less."""
    return Target(face, mask, gaussian_blur(mask, max(1.0, face.shape[1] // 32)))


def masked_dssim(prediction: tf.Tensor, target: Target) -> tf.Tensor:
    """Structural dissimilarity inside the soft mask, window R / 11.6; (N,)."""
    size = int(prediction.shape[1] / 11.6)
    values = dssim(target.face * target.soft_mask, prediction * target.soft_mask, filter_size=size)
    return tf.reduce_mean(values, -1)


def masked_mse(prediction: tf.Tensor, target: Target) -> tf.Tensor:
    """Mean squared error inside the soft mask; (N,)."""
    return tf.reduce_mean(tf.square((target.face - prediction) * target.soft_mask), (1, 2, 3))


def mask_mse(mask: tf.Tensor, target: Target) -> tf.Tensor:
    """Mean squared error of the predicted mask; (N,)."""
    return tf.reduce_mean(tf.square(target.mask - mask), (1, 2, 3))


def reconstruction_terms(face: tf.Tensor, mask: tf.Tensor, target: Target) -> dict[str, tf.Tensor]:
    """The weighted terms of one side by name, each (N,); their sum is the side's loss."""
    return {"dssim": 10.0 * masked_dssim(face, target),
            "mse": 10.0 * masked_mse(face, target),
            "mask": 10.0 * mask_mse(mask, target)}
