import numpy as np
import pytest
import tensorflow as tf

from leras.initializers import zeros
from leras.layers.conv import Conv2D
from leras.layers.dense import Dense
from leras.module import Module


class Block(Module):
    def __init__(self):
        super().__init__()
        self.conv1 = Conv2D(2, 3)
        self._scratch = tf.Variable(0.0)  # an underscore keeps it out of the state


class Net(Module):
    def __init__(self):
        super().__init__()
        self.zebra = Dense(2, 2)  # created first, so it comes first
        self.blocks = [Block(), Block()]
        self.scale = self.parameter("scale", (4,), zeros)
        self.pair = (Dense(1, 1, use_bias=False), None)
        self.size = 3


PATHS = ["zebra/weight", "zebra/bias", "blocks_0/conv1/weight", "blocks_0/conv1/bias",
         "blocks_1/conv1/weight", "blocks_1/conv1/bias", "scale", "pair_0/weight"]


def test_paths_follow_the_order_of_creation_with_list_indices():
    assert [path for path, _ in Net().named_variables()] == PATHS


def test_the_count_of_parameters_is_the_sum_over_all_paths():
    assert Net().n_parameters() == 4 + 2 + 2 * (3 * 3 * 2 * 3 + 3) + 4 + 1


def test_state_is_a_copy():
    net = Net()
    state = net.state()
    state["scale"] += 1
    net.zebra.weight.assign(tf.zeros((2, 2)))
    assert not net.state()["scale"].any()
    assert state["zebra/weight"].any()


def test_state_goes_round():
    net, other = Net(), Net()
    state = {path: np.random.default_rng(0).standard_normal(value.shape)
             for path, value in net.state().items()}
    net.load_state(state)
    other.load_state(net.state())
    for path, value in other.state().items():
        assert value.dtype == np.float32
        np.testing.assert_array_equal(value, state[path].astype(np.float32))


def test_missing_and_unknown_paths_are_named_and_nothing_is_loaded():
    net = Net()
    before, state = net.state(), net.state()
    state["zebra/weight"] = state["zebra/weight"] + 1
    state["typo"] = state.pop("scale")
    with pytest.raises(KeyError, match=r"missing: \['scale'\], unknown: \['typo'\]"):
        net.load_state(state)
    np.testing.assert_array_equal(net.state()["zebra/weight"], before["zebra/weight"])


def test_a_wrong_shape_is_named_and_nothing_is_loaded():
    net = Net()
    before, state = net.state(), net.state()
    state["zebra/weight"] = state["zebra/weight"] + 1
    state["scale"] = np.zeros((1, 4), np.float32)
    with pytest.raises(ValueError, match=r"scale: shape \(1, 4\) given"):
        net.load_state(state)
    np.testing.assert_array_equal(net.state()["zebra/weight"], before["zebra/weight"])


def test_initialize_puts_every_parameter_back_to_its_start():
    net = Net()
    net.load_state({path: value + 1 for path, value in net.state().items()})
    net.initialize(np.random.default_rng(0))
    assert not net.state()["scale"].any() and not net.state()["zebra/bias"].any()
