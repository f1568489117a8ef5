import numpy as np
import pytest

from leras import initializers
from leras.layers.conv import Conv2D, DepthwiseConv2D
from leras.layers.dense import Dense
from leras.module import Module


def test_zeros_and_constant_fill_with_float32():
    rng = np.random.default_rng(0)
    for array, value in ((initializers.zeros((2, 3), rng), 0),
                         (initializers.constant(0.25)((2, 3), rng), 0.25)):
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, np.full((2, 3), value))


class Net(Module):
    def __init__(self):
        super().__init__()
        self.stem = Conv2D(3, 64, 5, stride=2)
        self.convs = [Conv2D(64, 32), Conv2D(32, 256, 1)]
        self.each = DepthwiseConv2D(2000, 3)
        self.dense = Dense(300, 200)


# Fans by hand: kernel area times channels.
FANS = {
    "stem/weight": (5 * 5 * 3, 5 * 5 * 64),
    "convs_0/weight": (3 * 3 * 64, 3 * 3 * 32),
    "convs_1/weight": (32, 256),
    "each/weight": (3 * 3 * 2000, 3 * 3 * 1),
    "dense/weight": (300, 200),
}


@pytest.mark.parametrize("path", FANS)
def test_weights_start_glorot_uniform_within_bounds_and_with_its_variance(path):
    net = Net()
    net.initialize(np.random.default_rng(5))
    weight = net.state()[path]
    limit = np.sqrt(6 / sum(FANS[path]))
    assert weight.dtype == np.float32
    assert np.abs(weight).max() <= limit * (1 + 1e-6)
    assert np.abs(weight).max() > limit * (1 - 20 / weight.size)  # the range is used to its ends
    # Of n draws from U(-L, L): the mean has variance L^2 / 3n, the mean square 4 L^4 / 45n.
    n = weight.size
    assert abs(weight.mean()) < 4.5 * limit / np.sqrt(3 * n)
    assert abs((weight**2).mean() - limit**2 / 3) < 4.5 * limit**2 * np.sqrt(4 / (45 * n))


def test_biases_start_at_zero():
    state = Net().state()
    biases = [path for path in state if path.endswith("bias")]
    assert len(biases) == 5
    assert not any(state[path].any() for path in biases)


def test_equal_seeds_give_equal_weights_and_other_seeds_others():
    first, second, third = Net(), Net(), Net()
    for net, seed in ((first, 1), (second, 1), (third, 2)):
        net.initialize(np.random.default_rng(seed))
    for path, value in first.state().items():
        np.testing.assert_array_equal(value, second.state()[path])
    assert not np.array_equal(first.state()["stem/weight"], third.state()["stem/weight"])


def test_every_new_layer_starts_from_fresh_entropy():
    assert not np.array_equal(Dense(4, 4).state()["weight"], Dense(4, 4).state()["weight"])


def test_no_two_weights_of_a_net_share_their_draws():
    net = Net()
    net.initialize(np.random.default_rng(0))
    first = [net.state()[path].ravel()[:8] / net.state()[path].max() for path in FANS]
    assert len({tuple(np.round(row, 3)) for row in first}) == len(FANS)
