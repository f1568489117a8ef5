"""What S3FD's answers cost (Zhang et al., 2017; Liu et al., 2016)."""

from collections.abc import Sequence

import tensorflow as tf

from models.s3fd.matching import BACKGROUND, FACE
from models.single_network import Loss

NEGATIVES = 3
"""Anchors of the background that count, for each of a face."""

LEAST_NEGATIVES = 12
"""So many count in a picture with few faces or none."""


def detection_loss(levels: Sequence[tf.Tensor], classes: tf.Tensor, offsets: tf.Tensor) -> Loss:
    """Cross-entropy of the anchors of faces and of the hardest others, smooth L1 of the offsets.

    Args:
        levels: What the network gave: (N, H, W, 6) for each stride.
        classes: (N, A) int8, see `models.s3fd.matching`.
        offsets: (N, A, 4) float32.

    Returns:
        Totals whose mean over the batch is the sum of all costs for each anchor of a face; terms
        "class" and "place".
    """
    n = tf.shape(classes)[0]
    cells = tf.concat([tf.reshape(level, (n, -1, 6)) for level in levels], 1)  # (N, A, 6)
    margin = cells[..., 1] - cells[..., 0]
    is_face = tf.cast(classes == FACE, tf.float32)
    n_faces = tf.reduce_sum(is_face, 1)
    misses = tf.reduce_sum(is_face * tf.math.softplus(-margin), 1)
    alarms = tf.where(classes == BACKGROUND, tf.math.softplus(margin), 0.0)
    hard = _largest(alarms, tf.maximum(NEGATIVES * n_faces, LEAST_NEGATIVES))
    false_alarms = tf.reduce_sum(alarms * hard, 1)
    place = tf.reduce_sum(is_face * _smooth_l1(cells[..., 2:] - offsets), 1)
    scale = tf.cast(n, tf.float32) / tf.maximum(tf.reduce_sum(n_faces), 1)
    terms = {"class": (misses + false_alarms) * scale, "place": place * scale}
    return Loss(terms["class"] + terms["place"], terms)


def _largest(costs: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """1 at the `count` largest costs of each row, 0 elsewhere; equal ones count together.

    (N, A), (N,) -> (N, A).
    """
    ordered = tf.sort(tf.stop_gradient(costs), axis=1, direction="DESCENDING")
    last = tf.minimum(tf.cast(count, tf.int32), tf.shape(costs)[1]) - 1
    least = tf.gather(ordered, last, axis=1, batch_dims=1)[:, tf.newaxis]
    return tf.cast((costs >= least) & (costs > 0), tf.float32)


def _smooth_l1(difference: tf.Tensor) -> tf.Tensor:
    """(..., 4) -> (...), the sum of x^2 / 2 up to 1 and |x| - 1/2 beyond (Girshick, 2015)."""
    size = tf.abs(difference)
    return tf.reduce_sum(tf.where(size < 1, tf.square(difference) / 2, size - 0.5), -1)
