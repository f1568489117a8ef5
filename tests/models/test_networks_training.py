"""Whole training steps of a small Quick96 against NumPy: losses, gradients, three iterations."""

import functools

import numpy as np
import pytest

from models.quick96.model import Quick96Model
from models.quick96.options import Quick96Options
from models.side import Side
from tests.leras import reference as ref
from tests.models import network_reference as net

RESOLUTION, BATCH, SEED, RATE = 32, 2, 11, 0.001


@functools.cache
def built(optimizer, xla):
    """The model and its first state; building and tracing take seconds, so tests share it."""
    model = Quick96Model(Quick96Options(
        resolution=RESOLUTION, batch_size=BATCH, ae_dims=4, e_dims=2, d_dims=2, d_mask_dims=2,
        seed=SEED, learning_rate=RATE, lr_dropout=0.3, optimizer=optimizer, xla=xla))
    return model, model.state()


def fresh(optimizer="adabelief", xla=False):
    """A small model as it is before its first iteration."""
    model, state = built(optimizer, xla)
    model.load_state(state)
    return model


@functools.cache
def batches():
    rng = np.random.default_rng(5)
    result = {}
    for side in Side:
        shape = (BATCH, RESOLUTION, RESOLUTION)
        target = np.uint8(255 * ref.gaussian_blur(rng.random((*shape, 3)), 3))
        mask = np.zeros((*shape, 1), np.uint8)
        mask[:, 5:25, 7:26] = 255
        result[side] = {"target": target, "mask": mask,
                        "warped": np.roll(target, (1, 2), (1, 2))}
    return result


def reference_batches(source):
    return {side.value: tuple(batch[name] / 255 for name in (source, "target", "mask"))
            for side, batch in batches().items()}


def exact_weights(model):
    return {path: value.astype(np.float64) for path, value in model.network.state().items()}


def loss(weights, source):
    return net.total_loss(weights, reference_batches(source), RESOLUTION, "ud")


def samples(weights, per_variable=1, seed=0):
    """Some positions of every variable: {path: flat index}."""
    rng = np.random.default_rng(seed)
    return {path: rng.integers(value.size, size=per_variable) for path, value in weights.items()}


def exact_gradient(weights, source, path, positions):
    return ref.gradient(lambda moved: loss({**weights, path: moved}, source), weights[path],
                        positions)


def test_the_reported_losses_equal_the_reference():
    model = fresh()
    weights = exact_weights(model)
    reported = model.train_step(1, batches()).losses
    for side, (picture, face, mask) in reference_batches("warped").items():
        prediction = net.reconstruct(picture, weights, f"decoder_{side}", RESOLUTION, "ud")
        assert reported[side] == pytest.approx(net.side_loss(*prediction, face, mask).mean(),
                                               rel=1e-4)


def test_the_swap_equals_the_reference():
    model = fresh()
    dst = batches()[Side.DST]["target"] / 255
    swap = model.predictor()(dst)
    face, face_mask = net.reconstruct(dst, exact_weights(model), "decoder_src", RESOLUTION, "ud")
    _, dst_mask = net.reconstruct(dst, exact_weights(model), "decoder_dst", RESOLUTION, "ud")
    for actual, expected in ((swap.face, face), (swap.face_mask, face_mask),
                             (swap.dst_mask, dst_mask)):
        np.testing.assert_allclose(actual, expected, atol=1e-4)


def test_the_gradient_of_every_variable_equals_exact_derivatives():
    """AdaBelief's mean is 0.1 g after the first step, whatever the dropout."""
    model = fresh()
    weights = exact_weights(model)
    model.train_step(1, batches())
    state = model.state()["generator_optimizer"]
    checked = 0
    for path, positions in samples(weights, per_variable=2).items():
        gradient = 10 * state[f"mean/{path}"].astype(np.float64)
        expected = exact_gradient(weights, "warped", path, positions)
        np.testing.assert_allclose(gradient.flat[positions], expected, rtol=1e-3,
                                   atol=1e-4 * np.abs(gradient).max(), err_msg=path)
        checked += np.count_nonzero(np.abs(expected) > 1e-2 * np.abs(gradient).max())
    assert checked > len(weights)  # most of the derivatives compared are not tiny ones


@pytest.mark.parametrize("optimizer, slot, xla", [("adabelief", "mean", False),
                                                  ("rmsprop", "mean_square", True)])
def test_three_iterations_equal_the_reference(optimizer, slot, xla):
    """A weight of every variable must follow NumPy, with its masks and the unwarped third step."""
    model = fresh(optimizer, xla)
    weights = exact_weights(model)
    chosen = samples(weights, seed=3)
    values = {path: weights[path].flat[positions] for path, positions in chosen.items()}
    steps = {path: (ref.RMSprop([(1,)]) if optimizer == "rmsprop"
                    else ref.AdaBelief([(1,)], compat=False)) for path in weights}
    compared = 0
    for iteration, source in ((1, "warped"), (2, "warped"), (3, "target")):
        weights = exact_weights(model)
        model.train_step(iteration, batches())
        state, moved = model.state()["generator_optimizer"], exact_weights(model)
        for index, (path, positions) in enumerate(chosen.items()):
            gradient = exact_gradient(weights, source, path, positions)
            direction, = steps[path].steps([gradient])
            mask = ref.dropout_mask(weights[path].shape, 0.3, iteration, SEED, index)
            values[path] = values[path] - RATE * direction * mask.flat[positions]
            kept, slots = getattr(steps[path], slot)[0], state[f"{slot}/{path}"]
            largest = np.abs(slots).max()
            np.testing.assert_allclose(slots.flat[positions], kept, rtol=5e-3, atol=1e-3 * largest,
                                       err_msg=f"{slot}/{path}")
            # Where the gradient is all but zero, rounding alone decides which way the step goes.
            if np.all(np.abs(kept) > 0.01 * largest):
                np.testing.assert_allclose(moved[path].flat[positions], values[path], rtol=0,
                                           atol=0.02 * RATE, err_msg=f"{path} {iteration}")
                compared += 1
    assert state["step"] == 3
    assert compared > len(chosen)


def test_the_same_state_and_batch_train_alike():
    results = []
    for _ in range(2):
        model = fresh()
        model.train_step(1, batches())
        results.append(model.state())
    for stem, arrays in results[0].items():
        for path, value in arrays.items():
            np.testing.assert_array_equal(value, results[1][stem][path])


def test_the_seed_decides_the_first_weights():
    def first_weights(seed):
        options = Quick96Options(resolution=RESOLUTION, ae_dims=4, e_dims=2, d_dims=2,
                                 d_mask_dims=2, seed=seed)
        return Quick96Model(options).state()["inter"]["dense1/weight"]

    first, second, other = (first_weights(seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)
