"""Transport of colours against POT, the library of optimal transport."""

import importlib

import numpy as np
import pytest

from core.imaging.color_statistics import color_statistics, monge_kantorovich_map
from core.imaging.sliced_transport import random_directions, sliced_transport


@pytest.fixture(scope="module")
def ot():
    """The library, without the slow frameworks that it can work on as well."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("PYTORCH", "JAX", "CUPY", "TENSORFLOW"):
            patch.setenv(f"POT_BACKEND_DISABLE_{name}", "1")
        return importlib.import_module("ot")


@pytest.fixture(scope="module")
def colors():
    """Two clouds of colours, (180, 3) and (180, 3) float64, of different shape."""
    rng = np.random.default_rng(6)
    own = rng.normal((0.3, 0.4, 0.5), (0.05, 0.08, 0.1), (180, 3))
    wanted = rng.beta(2, 5, (180, 3)) @ np.array([(0.5, 0.1, 0), (0.2, 0.6, 0.1), (0, 0.2, 0.8)])
    return own, wanted


def test_one_direction_is_the_plan_of_one_dimension(ot, colors):
    own, wanted = colors
    direction = random_directions(np.random.default_rng(1), 1, 1)
    moved = sliced_transport(own, wanted, direction)
    before, goal = own @ direction[0, 0], wanted @ direction[0, 0]
    plan = ot.emd_1d(before, goal)
    np.testing.assert_allclose(moved @ direction[0, 0], plan @ goal * len(own), atol=1e-5)
    across = moved - own - np.outer((moved - own) @ direction[0, 0], direction[0, 0])
    assert np.abs(across).max() < 1e-6
    cost = ot.emd2_1d(before, goal)
    assert np.square(moved - own).sum(1).mean() == pytest.approx(cost, rel=1e-4)


def test_many_steps_come_as_near_as_two_draws_of_one_distribution(ot, colors):
    own, wanted = colors
    directions = random_directions(np.random.default_rng(2), 10, 30)
    moved = sliced_transport(own, wanted, directions)
    others = random_directions(np.random.default_rng(3), 1, 200)[0].T  # none of those used
    before, after = (ot.sliced_wasserstein_distance(x, wanted, projections=others)
                     for x in (own, moved.astype(float)))
    assert after < 0.06 * before
    # No plan moves less than the exact one; sorting along directions comes close to it.
    least = ot.emd2([], [], ot.dist(own, wanted))
    moves = np.square(moved - own).sum(1).mean()
    assert 0.9 * least < moves < 1.15 * least


def test_the_least_move_between_moments_is_the_map_of_bures_and_wasserstein(ot, colors):
    own, wanted = colors
    found = monge_kantorovich_map(*(color_statistics(np.float32(x)[:, np.newaxis])
                                    for x in colors))
    linear, shift = ot.gaussian.bures_wasserstein_mapping(
        own.mean(0), wanted.mean(0), np.cov(own.T, bias=True), np.cov(wanted.T, bias=True))
    np.testing.assert_allclose(found[:, :3], linear, atol=1e-4)
    np.testing.assert_allclose(found[:, 3], shift.ravel(), atol=1e-4)
