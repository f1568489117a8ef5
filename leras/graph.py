"""Graph mode: every step that runs a network is traced once and called with NumPy arrays."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf


def compile(function: Callable, *signature: tf.TensorSpec, jit: bool = False) -> Callable:
    """Turns a function of tensors into one graph.

    Args:
        function: Takes one tensor for each spec; returns a tensor or a nest of tensors.
        signature: Fixed shapes and dtypes; an axis of `None` (the batch) needs no new trace.
        jit: Compile with XLA. XLA does specialise for each new size of a `None` axis.

    Returns:
        A callable that takes arrays (or tensors) and returns the nest with NumPy arrays. Its
        `traced` attribute is the `tf.function`.
    """
    traced = tf.function(function, input_signature=signature, jit_compile=jit, autograph=False)

    def run(*arrays):
        inputs = [tf.convert_to_tensor(array, spec.dtype)
                  for array, spec in zip(arrays, signature, strict=True)]
        return tf.nest.map_structure(_to_numpy, traced(*inputs))

    run.traced = traced
    return run


def image_spec(*shape: int | None) -> tf.TensorSpec:
    """The float32 spec (N, *shape) with a free batch axis."""
    return tf.TensorSpec((None, *shape), tf.float32)


def _to_numpy(tensor) -> np.ndarray:
    return tensor.numpy() if isinstance(tensor, tf.Tensor) else tensor
