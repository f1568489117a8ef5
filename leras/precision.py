"""Number formats of a training step, and the loss scale that float16 needs.

Weights, gradients and optimizer state are float32 in every format; only activations and the
products inside the networks use `compute` (Micikevicius et al., 2018, "Mixed Precision Training").
"""

from dataclasses import dataclass

import tensorflow as tf

from leras.module import Module
from leras.replicas import local_copy

START_SCALE = 2.0**15
GROWTH_INTERVAL = 2000
LARGEST_SCALE, SMALLEST_SCALE = 2.0**24, 1.0  # beyond 2^24 no float16 gradient gains anything


@dataclass(frozen=True)
class Precision:
    """A number format.

    Args:
        name: For logs.
        compute: The dtype of activations.
        scales_loss: Whether gradients would underflow in `compute` without a loss scale.
    """

    name: str
    compute: tf.DType
    scales_loss: bool


FLOAT32 = Precision("float32", tf.float32, scales_loss=False)
PRECISIONS = {
    "float32": FLOAT32,
    "float16": Precision("mixed_float16", tf.float16, scales_loss=True),
    "bfloat16": Precision("mixed_bfloat16", tf.bfloat16, scales_loss=False),
}


class LossScale(Module):
    """The factor that lifts a loss so that its float16 gradients do not vanish.

    Doubles after `GROWTH_INTERVAL` finite steps in a row, halves after a step whose gradients are
    not finite. It is always a power of two, so scaling and unscaling round nothing.

    Parameters: `scale` () float32; `finite_steps` () int64, since the last change.
    """

    def __init__(self, *, start: float = START_SCALE, name: str | None = None):
        super().__init__(name=name)
        self.scale = tf.Variable(start, dtype=tf.float32, name="scale")
        self.finite_steps = tf.Variable(0, dtype=tf.int64, name="finite_steps")

    def update(self, finite: tf.Tensor) -> None:
        """Follows one step; call it inside a compiled function.

        Args:
            finite: () bool, whether all gradients of the step were finite.
        """
        scale, counter = local_copy(self.scale), local_copy(self.finite_steps)
        steps = tf.where(finite, counter + 1, tf.zeros_like(counter))
        grows = steps >= GROWTH_INTERVAL
        factor = tf.where(finite, tf.where(grows, 2.0, 1.0), 0.5)
        scale.assign(tf.clip_by_value(scale * factor, SMALLEST_SCALE, LARGEST_SCALE))
        counter.assign(tf.where(grows, tf.zeros_like(steps), steps))
