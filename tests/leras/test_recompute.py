import numpy as np
import pytest
import tensorflow as tf
from tensorflow.compiler.xla.service import hlo_pb2

from leras.layers.conv import Conv2D
from leras.module import Module
from leras.recompute import recompute

N_BLOCKS, N_CONVOLUTIONS = 4, 3
SHAPE = (8, 96, 96, 16)
ACTIVATION = 4 * np.prod(SHAPE) / 2**20  # MiB: 4.5


class Block(Module):
    def __init__(self):
        super().__init__()
        self.convs = [Conv2D(SHAPE[-1], SHAPE[-1]) for _ in range(N_CONVOLUTIONS)]

    def __call__(self, x):
        for conv in self.convs:
            x = tf.sin(conv(x))  # its gradient needs the convolution's output
        return x


class Network(Module):
    def __init__(self, wrap):
        super().__init__()
        self._wrap = wrap
        self.blocks = [Block() for _ in range(N_BLOCKS)]
        self.initialize(np.random.default_rng(0))

    def __call__(self, x):
        for block in self.blocks:
            x = self._wrap(block)(x)
        return x


def gradients_of(wrap, jit, shape=SHAPE):
    network = Network(wrap)
    variables = [variable for _, variable in network.named_variables()]

    def gradients(x):
        with tf.GradientTape(persistent=True) as tape:
            loss = tf.reduce_mean(tf.square(network(x)))
        return [loss, *tape.gradient(loss, variables)]

    return tf.function(gradients, jit_compile=jit, autograph=False,
                       input_signature=[tf.TensorSpec(shape)])


def pictures(shape=SHAPE):
    return tf.constant(np.random.default_rng(1).random(shape, np.float32))


def compiled(wrap):
    """MiB that XLA's program needs beside its inputs, and the number of its convolutions."""
    ir = gradients_of(wrap, True).experimental_get_compiler_ir(pictures())
    program = hlo_pb2.HloProto.FromString(ir(stage="optimized_hlo_proto_serialized"))
    allocations = program.buffer_assignment.buffer_allocations
    size = sum(allocation.size for allocation in allocations
               if not allocation.is_entry_computation_parameter)
    return size / 2**20, ir(stage="optimized_hlo").count(" convolution(")


@pytest.mark.parametrize("jit", [True, False])
def test_values_and_gradients_stay_what_they_were(jit):
    small = (2, 8, 8, SHAPE[-1])
    plain = gradients_of(lambda block: block, jit, small)(pictures(small))
    again = gradients_of(recompute, jit, small)(pictures(small))
    for value, expected in zip(again, plain, strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-8)


def test_xla_does_not_undo_it_and_the_memory_falls():
    """Of 12 convolutions' outputs and their sines, those of one block are held, and 4 borders."""
    (plain, n_plain), (less, n_more) = compiled(lambda block: block), compiled(recompute)
    print(f"{plain:.0f} MiB, with recompute {less:.0f} MiB")
    assert n_more - n_plain == N_BLOCKS * N_CONVOLUTIONS
    assert plain > 22 * ACTIVATION
    assert less < 11 * ACTIVATION


def test_several_inputs_and_outputs_pass_through():
    scale = tf.Variable(2.0)
    function = recompute(lambda x, y: (scale * x * y, x + y))
    x, y = tf.constant(3.0), tf.constant(5.0)
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        product, total = function(x, y)
        result = product + total
    assert float(result) == 38
    assert [float(g) for g in tape.gradient(result, [x, y, scale])] == [11, 7, 15]
