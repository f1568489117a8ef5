"""Iterative distribution transfer against the method written anew, and against what it promises."""

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from core.imaging.distribution_transfer import (
    random_rotations,
    rearrange,
    transfer_distribution,
)
from tests.core.imaging.idt_by_hand import idt_by_hand


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def skewed(rng, n, centre):
    """(n, 3) colours whose distribution is no Gaussian."""
    return np.clip(rng.beta(2, 5, (n, 3)) * 0.5 + np.multiply(centre, 0.5), 0, 1)


def test_it_agrees_with_the_method_written_anew(rng):
    colors, reference = skewed(rng, 500, (0.2, 0.3, 0.4)), skewed(rng, 700, (0.7, 0.5, 0.4))
    rotations = random_rotations(rng)
    np.testing.assert_allclose(transfer_distribution(colors, reference, rotations),
                               idt_by_hand(colors, reference, rotations), atol=1e-9)


def test_one_coordinate_is_moved_by_the_optimal_rearrangement(rng):
    """In one dimension that is: the k-th smallest goes to the k-th smallest."""
    values, wanted = rng.normal(0.3, 0.05, (1, 4000)), rng.beta(2, 5, (1, 4000))
    moved = rearrange(values, wanted)(values)
    bin_width = (max(values.max(), wanted.max()) - min(values.min(), wanted.min())) / 256
    assert np.array_equal(np.argsort(moved[0]), np.argsort(values[0]))
    # A bin holds many values; those of the thin ends are evenly spread over theirs.
    assert np.quantile(np.abs(np.sort(moved) - np.sort(wanted)), 0.97) <= bin_width
    assert wasserstein_distance(moved[0], wanted[0]) < bin_width / 4


def test_ends_go_to_ends_also_where_the_ranges_do_not_meet(rng):
    values, wanted = rng.uniform(0.7, 0.9, (1, 300)), rng.uniform(0.1, 0.2, (1, 300))
    moved = rearrange(values, wanted)(np.array([[values.min(), values.max()]]))
    np.testing.assert_allclose(moved[0], [wanted.min(), wanted.max()], atol=0.8 / 256)


def test_values_beyond_the_distribution_keep_their_distance(rng):
    values, wanted = rng.uniform(0.4, 0.6, (1, 300)), rng.uniform(0.5, 0.6, (1, 300))
    move = rearrange(values, wanted)
    ends = np.array([[min(values.min(), wanted.min()), max(values.max(), wanted.max())]])
    np.testing.assert_allclose(move(ends + [[-0.2, 0.3]]), move(ends) + [[-0.2, 0.3]])


def test_means_go_the_share_of_the_way_that_the_relaxation_allows(rng):
    colors, reference = skewed(rng, 2000, (0.2, 0.3, 0.4)), skewed(rng, 2000, (0.8, 0.6, 0.4))
    moved = transfer_distribution(colors, reference, random_rotations(rng, 20))
    share = 1 - (19 / 20) ** 20
    expected = colors.mean(0) + share * (reference.mean(0) - colors.mean(0))
    np.testing.assert_allclose(moved.mean(0), expected, atol=2e-3)


def test_many_rotations_reach_the_reference(rng):
    colors, reference = skewed(rng, 600, (0.2, 0.3, 0.4)), skewed(rng, 600, (0.7, 0.5, 0.4))
    moved = transfer_distribution(colors, reference, random_rotations(rng, 150))
    for axis in range(3):
        before, after = (wasserstein_distance(x[:, axis], reference[:, axis])
                         for x in (colors, moved))
        assert after < 0.01 and (axis == 2 or before > 0.09)


def test_a_distribution_that_is_its_own_reference_stays(rng):
    colors = skewed(rng, 500, (0.2, 0.3, 0.4))
    moved = transfer_distribution(colors, colors[::-1], random_rotations(rng))
    assert np.abs(moved - colors).max() < 2 / 256


def test_followers_move_like_the_colours_they_equal(rng):
    colors, reference = skewed(rng, 300, (0.2, 0.3, 0.4)), skewed(rng, 300, (0.7, 0.5, 0.4))
    rotations = random_rotations(rng)
    moved = transfer_distribution(colors, reference, rotations)
    followers = transfer_distribution(colors, reference, rotations, followers=colors[40:60])
    np.testing.assert_allclose(followers, moved[40:60], atol=1e-12)


def test_one_colour_to_one_colour():
    moved = transfer_distribution(np.full((5, 3), 0.2), np.full((4, 3), 0.6),
                                  random_rotations(np.random.default_rng(0)))
    np.testing.assert_allclose(moved, 0.2 + 0.4 * (1 - 0.95**20), atol=1e-3)


def test_rotations_are_proper_and_even(rng):
    rotations = random_rotations(rng, 4000)
    np.testing.assert_allclose(rotations @ rotations.transpose(0, 2, 1),
                               np.broadcast_to(np.eye(3), (4000, 3, 3)), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(rotations), 1)
    # Evenly drawn: every entry has mean 0 and, as a coordinate of a unit vector, variance 1/3.
    assert np.abs(rotations.mean(0)).max() < 0.05
    assert np.abs((rotations**2).mean(0) - 1 / 3).max() < 0.03
