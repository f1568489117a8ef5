"""Adam."""

import tensorflow as tf

from leras.optimizers.base import EPSILON, Optimizer, root


class Adam(Optimizer):
    """Adaptive moments (Kingma and Ba, 2015, algorithm 1).

    m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2;  with both moments corrected for their start
    at zero, the step is m / (sqrt(v) + eps). The DeepFaceLab paper trains with a rate of 5e-5,
    b1 = 0.5 and b2 = 0.999.

    Args:
        beta1, beta2: Decay of the two moments.
        Others as in `Optimizer`.
    """

    slot_names = ("mean", "mean_square")

    def __init__(self, variables, schedule, *, beta1: float = 0.5, beta2: float = 0.999, **others):
        super().__init__(variables, schedule, **others)
        self._beta1, self._beta2 = beta1, beta2

    def direction(self, count: tf.Tensor, gradient: tf.Tensor, mean: tf.Tensor,
                  mean_square: tf.Tensor) -> tuple[tf.Tensor, ...]:
        mean = self._beta1 * mean + (1 - self._beta1) * gradient
        mean_square = self._beta2 * mean_square + (1 - self._beta2) * tf.square(gradient)
        corrected = mean_square / (1 - tf.pow(self._beta2, count))
        step = mean / (1 - tf.pow(self._beta1, count)) / (root(corrected) + EPSILON)
        return step, mean, mean_square
