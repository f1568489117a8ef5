"""What FAN's heat maps cost: against NumPy in float64 and PyTorch."""

import numpy as np
import pytest
import tensorflow as tf
import torch

from facelib.networks.fan_landmarks import _decode, _peaks
from models.fan.loss import FOREGROUND, heat_map_loss, heat_maps

POINTS = np.float32([[(3.0, 10.0), (31.4, 0.2)], [(63.0, 40.7), (70.0, -4.0)]])


def expected_maps():
    rows, columns = np.mgrid[:64, :64].astype(np.float64)
    maps = np.zeros((2, 64, 64, 2))
    for face, points in enumerate(POINTS.astype(np.float64)):
        for number, (x, y) in enumerate(points):
            maps[face, ..., number] = np.exp(-((columns - x)**2 + (rows - y)**2) / 2)
    return maps


def test_each_landmark_has_a_blot_around_it():
    maps = heat_maps(tf.constant(POINTS))
    np.testing.assert_allclose(maps, expected_maps(), atol=1e-6)
    assert maps[0, 10, 3, 0] == 1


@pytest.mark.parametrize("jit", [True, False])
def test_cost_and_gradients_are_pytorchs(jit):
    rng = np.random.default_rng(0)
    stacks = [rng.normal(0, 0.5, (2, 64, 64, 2)).astype(np.float32) for _ in range(2)]

    @tf.function(autograph=False, jit_compile=jit)
    def run(*stacks):
        with tf.GradientTape() as tape:
            tape.watch(stacks)
            loss = heat_map_loss(stacks, tf.constant(POINTS))
            mean = tf.reduce_mean(loss.total)
        return mean, loss.terms["stack 2"], tape.gradient(mean, stacks)

    mean, second, gradients = run(*map(tf.constant, stacks))
    wanted = torch.tensor(expected_maps())
    public = [torch.tensor(maps, dtype=torch.float64, requires_grad=True) for maps in stacks]
    weight = (1 + FOREGROUND * wanted) / (2 * 2)  # a mean over 2 faces and 2 landmarks
    costs = [(torch.nn.functional.mse_loss(maps, wanted, reduction="none") * weight).sum()
             for maps in public]
    sum(costs).backward()
    assert float(mean) == pytest.approx(sum(costs).item(), rel=1e-5)
    assert float(tf.reduce_mean(second)) == pytest.approx(costs[1].item(), rel=1e-5)
    for ours, theirs in zip(gradients, public):
        np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=1e-4, atol=1e-7)


def test_perfect_maps_cost_nothing_and_lead_back_to_the_landmarks():
    rng = np.random.default_rng(1)
    points = rng.uniform(2, 61, (1, 68, 2)).astype(np.float32)
    maps = heat_maps(tf.constant(points))
    assert float(heat_map_loss([maps], tf.constant(points)).total[0]) == pytest.approx(0, abs=1e-9)
    cells, values = _peaks(maps)
    places = _decode(cells.numpy(), values.numpy(), fit=True)
    np.testing.assert_allclose(places * 64 - 0.5, points, atol=1e-2)
