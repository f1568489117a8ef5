"""Compares our networks with the reference: outputs, and the gradient of every parameter."""

import numpy as np
import tensorflow as tf
import torch

from leras.graph import compile


def fill(module, seed=0, gain=2.0):
    """Random weights and biases; a gain of 2 keeps values as large from layer to layer.

    x * cos(x) takes ever finer differences apart where |x| is large, and needs a gain below 1.
    """
    rng = np.random.default_rng(seed)
    for _, variable in module.named_variables():
        shape = tuple(variable.shape)
        fan_in = np.prod(shape[:-1]) if len(shape) > 1 else 10
        variable.assign(np.float32(rng.standard_normal(shape) * np.sqrt(gain / fan_in)))
    return module


def faces(resolution, n=2, seed=1):
    return np.random.default_rng(seed).random((n, resolution, resolution, 3), np.float32)


def weighted(outputs, rng):
    """Fixed random factors for every number of the outputs."""
    return [rng.standard_normal(tuple(output.shape)) / np.sqrt(output[0].numpy().size)
            for output in outputs]


def of_ours(module, function, inputs, factors, jit=False):
    """Outputs and {path: gradient} of sum(factor * output), as one graph."""
    variables = dict(module.named_variables())

    def run(*tensors):
        with tf.GradientTape() as tape:
            outputs = function(*tensors)
            total = tf.add_n([tf.reduce_sum(output * tf.cast(factor, output.dtype))
                              for output, factor in zip(outputs, factors, strict=True)])
        return outputs, tape.gradient(total, variables)

    specs = [tf.TensorSpec(x.shape, x.dtype) for x in inputs]
    return compile(run, *specs, jit=jit)(*inputs)


def of_reference(module, function, inputs, rng):
    """Outputs, the factors drawn for them, and {path: gradient}, in float64."""
    weights = {path: torch.tensor(variable.numpy(), dtype=torch.float64, requires_grad=True)
               for path, variable in module.named_variables()}
    outputs = function(weights, *(torch.tensor(x, dtype=torch.float64) for x in inputs))
    factors = weighted([output.detach() for output in outputs], rng)
    total = sum((output * torch.tensor(factor)).sum()
                for output, factor in zip(outputs, factors))
    gradients = torch.autograd.grad(total, list(weights.values()))
    return ([output.detach().numpy() for output in outputs], factors,
            {path: gradient.numpy() for path, gradient in zip(weights, gradients)})


def assert_equal_to_reference(module, ours, reference, inputs, jit=False):
    """`ours(*inputs)` and `reference(weights, *inputs)` return lists of tensors."""
    expected, factors, expected_gradients = of_reference(module, reference, inputs,
                                                         np.random.default_rng(7))
    outputs, gradients = of_ours(module, ours, inputs, factors, jit)
    for output, value in zip(outputs, expected, strict=True):
        assert output.shape == value.shape
        assert np.ptp(value) > 0.05  # not one grey picture
        np.testing.assert_allclose(output, value, rtol=1e-4, atol=1e-4)
    largest = max(np.abs(value).max() for value in expected_gradients.values())
    assert gradients.keys() == expected_gradients.keys()
    for path, value in expected_gradients.items():
        assert np.abs(value).max() > 1e-6 * largest, f"{path} has no gradient"
        np.testing.assert_allclose(gradients[path], value, rtol=1e-3,
                                   atol=1e-4 * max(np.abs(value).max(), 1e-2 * largest),
                                   err_msg=path)
