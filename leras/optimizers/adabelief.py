"""AdaBelief."""

import tensorflow as tf

from leras.optimizers.base import EPSILON, Optimizer, root


class AdaBelief(Optimizer):
    """Steps by the belief in the gradient (Zhuang et al., 2020), b1 = 0.9, b2 = 0.999.

    m <- b1 m + (1 - b1) g;  s <- b2 s + (1 - b2) (g - m)^2 + eps;  with both moments corrected for
    their start at zero, the step is m / (sqrt(s) + eps).

    Args:
        compat: Leave out the correction and the eps inside s, as models trained elsewhere in this
            field expect: the first step is then 3.5 times the rate, and steps grow under a steady
            gradient.
        Others as in `Optimizer`.
    """

    slot_names = ("mean", "variance")
    beta1, beta2 = 0.9, 0.999

    def __init__(self, variables, schedule, *, compat: bool = False, **others):
        super().__init__(variables, schedule, **others)
        self._compat = compat

    def direction(self, count: tf.Tensor, gradient: tf.Tensor, mean: tf.Tensor,
                  variance: tf.Tensor) -> tuple[tf.Tensor, ...]:
        inner_epsilon = 0.0 if self._compat else 1e-16
        mean = self.beta1 * mean + (1 - self.beta1) * gradient
        surprise = tf.square(gradient - mean)
        variance = self.beta2 * variance + (1 - self.beta2) * surprise + inner_epsilon
        if self._compat:
            return mean / (root(variance) + EPSILON), mean, variance
        corrected = variance / (1 - tf.pow(self.beta2, count))
        step = mean / (1 - tf.pow(self.beta1, count)) / (root(corrected) + EPSILON)
        return step, mean, variance
