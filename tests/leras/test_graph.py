import numpy as np
import pytest
import tensorflow as tf

from leras.graph import compile, image_spec


def test_arrays_go_in_and_nests_of_arrays_come_out():
    run = compile(lambda x: {"twice": 2 * x, "parts": (x[0], [tf.shape(x)])}, image_spec(2))
    result = run(np.float32([[1, 2], [3, 4]]))
    assert isinstance(result["twice"], np.ndarray)
    np.testing.assert_array_equal(result["twice"], [[2, 4], [6, 8]])
    np.testing.assert_array_equal(result["parts"][0], [1, 2])
    np.testing.assert_array_equal(result["parts"][1][0], [2, 2])


def test_other_dtypes_are_converted_to_the_signature():
    assert compile(lambda x: x / 2, image_spec(1))(np.array([[3]], np.uint8))[0, 0] == 1.5


def test_the_function_runs_once_for_all_batch_sizes():
    calls = []

    def function(x):
        calls.append(1)
        return tf.reduce_sum(x)

    run = compile(function, image_spec(2))
    assert [run(np.ones((n, 2))) for n in (1, 5, 3)] == [2, 10, 6]
    assert len(calls) == 1


def test_a_wrong_shape_or_count_of_arguments_is_refused():
    run = compile(tf.identity, image_spec(2))
    with pytest.raises(ValueError):
        run()
    with pytest.raises((TypeError, ValueError)):
        run(np.ones((1, 3)))


def test_variables_change_inside_a_compiled_step():
    counter = tf.Variable(0.0)
    run = compile(counter.assign_add, tf.TensorSpec((), tf.float32))
    assert [run(1.0), run(2.0)] == [1, 3] and counter.numpy() == 3


@pytest.mark.parametrize("jit", [False, True])
def test_xla_gives_the_same_numbers(jit):
    x = np.linspace(-3, 3, 12, dtype=np.float32).reshape(3, 4)
    run = compile(lambda v: tf.math.tanh(v) @ tf.transpose(v), image_spec(4), jit=jit)
    np.testing.assert_allclose(run(x), np.tanh(x) @ x.T, rtol=1e-5)
