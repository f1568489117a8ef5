"""How the weights of a layer enter its products."""

import math

import tensorflow as tf

from leras.initializers import Initializer, standard_normal


def equalized(use_wscale: bool, initializer: Initializer, fan_in: int,
              gain: float) -> tuple[Initializer, float]:
    """The start of a kernel and the factor that it is multiplied by in use.

    With `use_wscale` the stored kernel starts as N(0, 1) and counts gain / sqrt(fan_in), so that
    all layers learn at one speed (Karras et al., 2018, "equalized learning rate").

    Returns:
        (`initializer`, 1.0) without `use_wscale`.
    """
    if not use_wscale:
        return initializer, 1.0
    return standard_normal, gain / math.sqrt(fan_in)


def kernel_gain(kernel_size: int) -> float:
    """The gain of an equalized convolution: He's sqrt(2), or 1 for 1x1 kernels."""
    return 1.0 if kernel_size == 1 else math.sqrt(2.0)


def in_use(weight: tf.Variable, factor: float, dtype: tf.DType) -> tf.Tensor:
    """The weight times its factor, in the dtype of the product."""
    return tf.cast(weight if factor == 1.0 else weight * factor, dtype)
