"""FaceEnhancer: against the specification in PyTorch, and how its patches are joined."""

import numpy as np
import pytest
import tensorflow as tf
import torch
import torch.nn.functional as F

from facelib.checkpoints.layouts import LAYOUTS
from facelib.networks.enhancer import PATCH, PatchEnhancer
from facelib.networks.face_enhancer import CONDITIONS, FaceEnhancer
from tests.facelib.checkpoints.random_weights import random_picture


@pytest.fixture(scope="module", name="network")
def fixture_network():
    network = FaceEnhancer()
    rng = np.random.default_rng(0)
    for path, variable in network.named_variables():
        if path.endswith("bias"):
            variable.assign(rng.normal(0, 0.05, variable.shape))
    return network


def test_size_and_names_are_those_of_the_released_network(network):
    assert network.n_parameters() == 33_111_401
    (layout,) = (layout for layout in LAYOUTS if layout.network == "face_enhancer")
    assert set(layout.rules) == set(network.state())
    assert len(layout.rules) == 72


def doubled(x):
    """out[2i] = in[i], out[2i + 1] = (in[i] + in[i + 1]) / 2, the last one repeated."""
    for axis in (2, 3):
        behind = torch.cat([x.narrow(axis, 1, x.shape[axis] - 1),
                            x.narrow(axis, x.shape[axis] - 1, 1)], axis)
        x = torch.stack([x, (x + behind) / 2], axis + 1).flatten(axis, axis + 1)
    return x


def by_specification(state, picture):
    """The tables of the specification, (N, 3, H, W) in double precision."""
    def conv(name, x):
        weight = torch.from_numpy(state[f"{name}/weight"].transpose(3, 2, 0, 1)).double()
        return F.conv2d(x, weight, torch.from_numpy(state[f"{name}/bias"]).double(), padding=1)

    def lrelu(x):
        return F.leaky_relu(x, 0.1)

    def pair(name, x):
        return lrelu(conv(f"{name}_conv1", lrelu(conv(f"{name}_conv0", x))))

    added = sum(number * state[f"dense{n}/weight"][0] for n, number in ((1, 0.2), (2, 1.0)))
    x = lrelu(conv("conv1", picture) + torch.from_numpy(added).double()[:, None, None])
    skips = []
    for level in range(5):
        x = pair(f"e{level}", x)
        skips.append(x)
        x = F.avg_pool2d(x, 2)
    for n in range(4):
        x = lrelu(conv(f"center_conv{n}", x))
    for level in (4, 3, 2, 1, 0):
        x = pair(f"d{level}", torch.cat([doubled(x), skips[level]], 1))
    out = picture + torch.tanh(conv("out1x_conv1", lrelu(conv("out1x_conv0", x))))
    for size in ("2x", "4x"):
        x = doubled(pair(f"dec{size}", x))
        out = doubled(out) + torch.tanh(
            conv(f"out{size}_conv1", lrelu(conv(f"out{size}_conv0", x))))
    return out


def test_outputs_are_those_of_the_specification(network):
    picture = random_picture(64, 64)[np.newaxis] / np.float32(127.5) - 1
    conditions = [np.full((1, 1), number, np.float32) for number in CONDITIONS]
    ours = network(tf.constant(picture), *conditions).numpy()
    theirs = by_specification(network.state(),
                              torch.from_numpy(picture.transpose(0, 3, 1, 2)).double())
    assert ours.shape == (1, 256, 256, 3)
    np.testing.assert_allclose(ours, theirs.numpy().transpose(0, 2, 3, 1), atol=1e-4)


@pytest.fixture(scope="module", name="idle")
def fixture_idle():
    """A network whose corrections are all zero: it only enlarges."""
    idle = FaceEnhancer(width=1 / 16)
    idle.load_state({path: np.zeros_like(array) if path.startswith("out") else array
                     for path, array in idle.state().items()})
    return PatchEnhancer(idle)


def test_joined_patches_leave_no_seam_and_no_frame(idle):
    rows, columns = np.mgrid[:200, :300].astype(np.float32)
    face = np.stack([rows / 200, columns / 300, (rows + columns) / 500], -1)
    large = idle.enlarge(face)
    assert large.shape == (800, 1200, 3)
    # Enlarged bilinearly, pixel 4 i is pixel i; a linear ramp stays one between them.
    np.testing.assert_allclose(large[::4, ::4], face, atol=1e-4)
    np.testing.assert_allclose(np.diff(large[:780, 0, 0]), 1 / 800, atol=1e-4)


def test_small_and_large_faces_keep_their_shape_and_range(idle):
    for side in (PATCH - 42, PATCH):
        faces = np.stack([random_picture(side, side, n) for n in (0, 1)]) / np.float32(255)
        sharper = idle.enhance(faces)
        assert (sharper.shape, sharper.dtype) == (faces.shape, np.float32)
        assert 0 <= sharper.min() and sharper.max() <= 1
        assert np.abs(sharper - faces).mean() < 0.1


def test_gradients_reach_every_parameter(network):
    picture = tf.constant(random_picture(32, 32)[np.newaxis], tf.float32) / 127.5 - 1
    variables = dict(network.named_variables())
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(network(picture, *(tf.fill((1, 1), n) for n in CONDITIONS)))
    for path, gradient in zip(variables, tape.gradient(loss, list(variables.values()))):
        assert gradient is not None and np.abs(gradient).max() > 0, path
