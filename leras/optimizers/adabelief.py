"""AdaBelief."""

import tensorflow as tf

from leras.optimizers.base import EPSILON, Optimizer


class AdaBelief(Optimizer):
    """Steps by the belief in the gradient (Zhuang et al., 2020), b1 = 0.9, b2 = 0.999.

    m <- b1 m + (1 - b1) g;  s <- b2 s + (1 - b2) (g - m)^2 + eps;  with both moments corrected for
    their start at zero, the step is m / (sqrt(s) + eps).

    Args:
        compat: Leave out the correction and the eps inside s, as models trained elsewhere in this
            field expect: the first step is then 3.5 times the rate, and steps grow under a steady
            gradient.
    """

    slot_names = ("mean", "variance")
    beta1, beta2 = 0.9, 0.999

    def __init__(self, variables, schedule, *, seed: int = 0, compat: bool = False,
                 name: str | None = None):
        super().__init__(variables, schedule, seed=seed, name=name)
        self._compat = compat

    def direction(self, gradient: tf.Tensor, mean: tf.Variable, variance: tf.Variable) -> tf.Tensor:
        inner_epsilon = 0.0 if self._compat else 1e-16
        new_mean = self.beta1 * mean + (1 - self.beta1) * gradient
        surprise = tf.square(gradient - new_mean)
        new_variance = self.beta2 * variance + (1 - self.beta2) * surprise + inner_epsilon
        mean.assign(new_mean)
        variance.assign(new_variance)
        if not self._compat:
            step = tf.cast(self.step, tf.float32)
            new_mean = new_mean / (1 - tf.pow(self.beta1, step))
            new_variance = new_variance / (1 - tf.pow(self.beta2, step))
        return new_mean / (tf.sqrt(new_variance) + EPSILON)
