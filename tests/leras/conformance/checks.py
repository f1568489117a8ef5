"""What every row of the conformance tables goes through: one computation in three modes."""

import numpy as np
import tensorflow as tf

from tests.leras import reference as ref

MODES = ("eager", "graph", "xla")
TOLERANCE = 1e-4
# Up to 75 products of rounded numbers, each off by half a unit in its last place.
HALF_TOLERANCE = {tf.float16: 8 * 2.0**-10, tf.bfloat16: 8 * 2.0**-8}


def arrays_of(shapes, n=2, seed=1):
    """One float32 array (n, *shape) of normal numbers for each shape."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((n, *shape)).astype(np.float32) for shape in shapes]


def cotangent_of(shape):
    """The fixed random tensor whose product with the output is differentiated."""
    return np.random.default_rng(2).standard_normal(shape).astype(np.float32)


def value_and_gradients(function, arrays, variables, mode, dtype=tf.float32):
    """The output, then d sum(output * cotangent) for every input and variable, as computed."""
    variables = list(variables)

    def compute(*inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            y = function(*inputs)
            loss = tf.reduce_sum(tf.cast(y, tf.float32) * cotangent_of(y.shape))
        return y, *tape.gradient(loss, [*inputs, *variables])

    if mode != "eager":
        compute = tf.function(compute, jit_compile=mode == "xla", autograph=False)
    return compute(*(tf.constant(array, dtype) for array in arrays))


def exact_gradients(reference, arrays, parameters):
    """The same derivatives of the reference, by complex steps, inputs first."""
    values = [array.astype(np.float64) for array in arrays]
    named = {path: value.astype(np.float64) for path, value in parameters.items()}
    cotangent = cotangent_of(np.shape(reference(*values, **named)))

    def loss_of_input(k):
        return lambda x: np.sum(reference(*values[:k], x, *values[k + 1:], **named) * cotangent)

    def loss_of_parameter(path):
        return lambda x: np.sum(reference(*values, **{**named, path: x}) * cotangent)

    return [*(ref.gradient(loss_of_input(k), value) for k, value in enumerate(values)),
            *(ref.gradient(loss_of_parameter(path), value) for path, value in named.items())]


def assert_close(actual, expected, tolerance=TOLERANCE, message=""):
    """Within `tolerance` of the largest expected number, or of 1 if all are smaller."""
    actual = np.asarray(tf.cast(actual, tf.float64))
    limit = tolerance * max(1.0, float(np.abs(expected).max(initial=0.0)))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=limit, err_msg=message)
