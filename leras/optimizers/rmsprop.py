"""RMSprop."""

import tensorflow as tf

from leras.optimizers.base import EPSILON, Optimizer


class RMSprop(Optimizer):
    """a <- rho a + (1 - rho) g^2; step g / (sqrt(a) + eps), rho = 0.9 (Hinton, 2012)."""

    slot_names = ("mean_square",)
    rho = 0.9

    def direction(self, gradient: tf.Tensor, mean_square: tf.Variable) -> tf.Tensor:
        average = self.rho * mean_square + (1 - self.rho) * tf.square(gradient)
        mean_square.assign(average)
        return gradient / (tf.sqrt(average) + EPSILON)
