"""Batch norms while they are trained: against PyTorch, which computes in float64."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import torch

from leras.batch_statistics import (
    RunningAverage,
    batch_statistics,
    running_values,
    statistics_total,
)
from leras.layers.norm import BatchNorm2D
from leras.optimizers.base import Schedule
from leras.optimizers.rmsprop import RMSprop
from leras.train_step import Objectives, StepControl, TrainStep

CHANNELS, SHAPE = 3, (4, 5, 6, 3)
START = {"weight": (0.5, -1.5, 2.0), "bias": (0.1, 0.0, -0.3),
         "running_mean": (0.3, -0.2, 0.0), "running_var": (1.0, 0.5, 2.0)}


def images(seed, shape=SHAPE):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(shape) * (1, 3, 0.2) + (0, 2, -1)).astype(np.float32)


def our_norm():
    norm = BatchNorm2D(CHANNELS)
    norm.load_state({path: np.float32(values) for path, values in START.items()})
    return norm


def public_norm():
    norm = torch.nn.BatchNorm2d(CHANNELS).double()
    norm.load_state_dict({**{path: torch.tensor(values) for path, values in START.items()},
                          "num_batches_tracked": torch.tensor(0)})
    return norm.train()


def public_input(x):
    return torch.tensor(x.transpose(0, 3, 1, 2), dtype=torch.float64, requires_grad=True)


def training(norm, *, n=SHAPE[0], jit=True, accumulate=1):
    """A step that leaves weight and bias nearly alone and follows the batches."""
    def objectives(x):
        with batch_statistics() as moments:
            total = tf.reduce_mean(tf.square(norm(x)), (1, 2, 3))
        return Objectives({"norm": total, "running": statistics_total(moments)}, {})

    variables = dict(norm.named_variables())
    optimizers = {
        "norm": RMSprop(variables, Schedule(1e-9), frozen=list(running_values(norm))),
        "running": RunningAverage(running_values(norm))}
    return TrainStep(objectives, optimizers, [tf.TensorSpec((n, *SHAPE[1:]))], jit=jit,
                     accumulate=accumulate)


@pytest.mark.parametrize("jit", [True, False])
def test_a_batch_is_normalised_by_its_own_moments(jit):
    norm, public, x = our_norm(), public_norm(), images(1)
    slope = np.random.default_rng(2).standard_normal(SHAPE).astype(np.float32)

    @tf.function(autograph=False, jit_compile=jit)
    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            with batch_statistics():
                y = norm(x)
            total = tf.reduce_sum(y * slope)
        return y, tape.gradient(total, [x, norm.weight, norm.bias])

    y, (to_x, to_weight, to_bias) = run(tf.constant(x))
    image = public_input(x)
    expected = public(image)
    (expected * torch.tensor(slope.transpose(0, 3, 1, 2))).sum().backward()
    for ours, theirs in ((y, expected), (to_x, image.grad)):
        np.testing.assert_allclose(ours, theirs.detach().numpy().transpose(0, 2, 3, 1),
                                   rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(to_weight, public.weight.grad.numpy(), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(to_bias, public.bias.grad.numpy(), rtol=1e-4, atol=1e-4)


def test_outside_of_a_training_step_the_running_values_hold():
    norm, public, x = our_norm(), public_norm().eval(), images(1)
    with batch_statistics():
        norm(x)
    expected = public(public_input(x)).detach().numpy().transpose(0, 2, 3, 1)
    np.testing.assert_allclose(norm(x), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(norm.running_mean, np.float32(START["running_mean"]))


@pytest.mark.parametrize("jit", [True, False])
def test_running_values_follow_several_batches_as_in_pytorch(jit):
    norm, public = our_norm(), public_norm()
    step = training(norm, jit=jit)
    for seed in range(4):
        # The rate of learning, here a tenth, does not slow the averages down.
        assert step.step([images(seed)], StepControl(rate_scale=0.1)).applied
        public(public_input(images(seed)))
    np.testing.assert_allclose(norm.running_mean, public.running_mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(norm.running_var, public.running_var, rtol=1e-5, atol=1e-6)


def test_a_refused_step_moves_no_running_value():
    norm = our_norm()
    assert not training(norm).step([images(1)], StepControl(loss_limit=0.0)).applied
    for path in START:
        np.testing.assert_array_equal(norm.state()[path], np.float32(START[path]))


def test_parts_of_a_batch_are_averaged():
    """Two slices: the running mean goes a tenth of the way to the mean of both means."""
    norm = our_norm()
    x = images(3)
    training(norm, n=2, accumulate=2).step([x])
    means = [x[part].astype(np.float64).mean((0, 1, 2)) for part in (slice(2), slice(2, 4))]
    spreads = [x[part].astype(np.float64).var((0, 1, 2), ddof=1)
               for part in (slice(2), slice(2, 4))]
    for path, values in (("running_mean", means), ("running_var", spreads)):
        expected = 0.9 * np.array(START[path]) + 0.1 * np.mean(values, axis=0)
        np.testing.assert_allclose(norm.state()[path], expected, rtol=1e-5, atol=1e-6)


def test_devices_average_what_they_see():
    """The same as the slices, on two devices in a process of its own."""
    done = subprocess.run([sys.executable, "-m", "tests.leras.batch_statistics_script"],
                          cwd=Path(__file__).parents[2], capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    means = np.array([line.split() for line in done.stdout.splitlines()], np.float64)
    x = images(3).astype(np.float64)
    expected = 0.9 * np.array(START["running_mean"]) + 0.1 * x.mean((0, 1, 2))
    np.testing.assert_allclose(means, [expected, expected], rtol=1e-5, atol=1e-6)
