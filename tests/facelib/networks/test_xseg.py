"""XSeg against PyTorch in float64, and its sizes as released."""

import numpy as np
import pytest
import tensorflow as tf
import torch

from facelib.networks.xseg import XSeg
from tests.facelib.networks import xseg_reference


@pytest.fixture(scope="module")
def network():
    """Base 4 for faces of 64 pixels; no parameter is at the value it starts with."""
    network, rng = XSeg(4, 64), np.random.default_rng(5)
    network.initialize(rng)
    network.load_state({path: array + rng.normal(0, 0.1, array.shape).astype(np.float32)
                        for path, array in network.state().items()})
    return network


@pytest.fixture(scope="module")
def faces():
    return np.random.default_rng(6).random((2, 64, 64, 3)).astype(np.float32)


def in_torch(network):
    return {path: torch.tensor(array, dtype=torch.float64, requires_grad=True)
            for path, array in network.state().items()}


@pytest.mark.parametrize("with_skips", [True, False])
def test_logits_are_those_of_the_reference(network, faces, with_skips):
    expected = xseg_reference.logits(in_torch(network), torch.tensor(faces).double(), with_skips)
    made = network(tf.constant(faces), with_skips=with_skips)
    assert made.shape == (2, 64, 64, 1) and made.dtype == tf.float32
    np.testing.assert_allclose(made, expected.detach().numpy(), atol=2e-4)


def test_gradients_of_the_loss_are_those_of_the_reference(network, faces):
    masks = (np.random.default_rng(7).random((2, 64, 64, 1)) > 0.5).astype(np.float32)
    parameters = in_torch(network)
    torch.nn.functional.binary_cross_entropy_with_logits(
        xseg_reference.logits(parameters, torch.tensor(faces).double()),
        torch.tensor(masks).double()).backward()
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(
            masks, network(tf.constant(faces))))
    variables = dict(network.named_variables())
    gradients = tape.gradient(loss, list(variables.values()))
    for path, gradient in zip(variables, gradients, strict=True):
        expected = parameters[path].grad.numpy()
        np.testing.assert_allclose(gradient, expected, atol=1e-6 + 2e-3 * np.abs(expected).max(),
                                   err_msg=path)


def test_the_released_width_has_the_released_arrays():
    network = XSeg(32)
    state = network.state()
    assert network.n_parameters() == 17_569_317 and len(state) == 222
    assert state["conv01/conv/weight"].shape == (3, 3, 3, 32)
    assert state["up5/conv/weight"].shape == (3, 3, 128, 256)
    assert state["uconv53/conv/weight"].shape == (3, 3, 384, 256)
    assert state["dense1/weight"].shape == (4096, 512)
    assert state["conv01/frn/eps"].shape == (1,) and state["conv01/tlu/tau"].shape == (32,)


def test_without_skips_all_passes_the_bottom(network, faces):
    """With the bottom cut off, the mask cannot depend on the face."""
    cut = XSeg(4, 64)
    state = network.state()
    cut.load_state(state | {"dense2/weight": np.zeros_like(state["dense2/weight"])})
    one, other = cut(tf.constant(faces), with_skips=False).numpy()
    np.testing.assert_allclose(one, other, atol=1e-5)
    seeing, seeing_other = cut(tf.constant(faces)).numpy()
    assert np.abs(seeing - seeing_other).max() > 0.1


def test_a_resolution_must_fit_the_levels():
    with pytest.raises(ValueError, match="multiple of 64"):
        XSeg(4, 96)
