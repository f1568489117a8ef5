"""RMSprop."""

import tensorflow as tf

from leras.optimizers.base import EPSILON, Optimizer, root


class RMSprop(Optimizer):
    """a <- rho a + (1 - rho) g^2; step g / (sqrt(a) + eps), rho = 0.9 (Hinton, 2012)."""

    slot_names = ("mean_square",)
    rho = 0.9

    def direction(self, count: tf.Tensor, gradient: tf.Tensor,
                  mean_square: tf.Tensor) -> tuple[tf.Tensor, ...]:
        average = self.rho * mean_square + (1 - self.rho) * tf.square(gradient)
        return gradient / (root(average) + EPSILON), average
