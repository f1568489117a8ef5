"""Sliced optimal transport against the method written anew, and against what it promises."""

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from core.imaging.sliced_transport import (
    masked_transport_shift,
    random_directions,
    sliced_transport,
    transport_shift,
)


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def colours(rng, n, centre):
    return np.clip(rng.beta(2, 4, (n, 3)) * 0.5 + np.multiply(centre, 0.5), 0, 1)


def sot_by_hand(colors, reference, directions):
    """Step by step and direction by direction in float64."""
    x = colors.astype(float)
    for step in directions:
        total = np.zeros_like(x)
        for direction in step:
            places, wanted = x @ direction, np.sort(reference @ direction)
            for rank, index in enumerate(np.argsort(places)):
                total[index] += (wanted[rank] - places[index]) * direction
        x += total / len(step)
    return x


def test_it_agrees_with_the_method_written_anew(rng):
    colors, reference = colours(rng, 150, (0.2, 0.3, 0.4)), colours(rng, 150, (0.7, 0.5, 0.3))
    directions = random_directions(rng)
    found = sliced_transport(colors, reference, directions)
    difference = np.abs(found - sot_by_hand(colors, reference, directions))
    # float32 may order two nearly equal places the other way round.
    assert np.quantile(difference, 0.98) < 1e-4 and difference.max() < 0.02


@pytest.mark.parametrize("n_reference", [400, 250, 900])
def test_one_direction_is_the_optimal_transport_of_one_dimension(rng, n_reference):
    colors, reference = colours(rng, 400, (0.2, 0.3, 0.4)), colours(rng, n_reference, (0.7, 0.2, 1))
    moved = sliced_transport(colors, reference, np.array([[[0.0, 1.0, 0.0]]]))
    assert np.array_equal(np.argsort(moved[:, 1]), np.argsort(colors[:, 1].astype(np.float32)))
    quantiles = (np.arange(400) + 0.5) / 400
    expected = np.interp(quantiles, (np.arange(n_reference) + 0.5) / n_reference,
                         np.sort(reference[:, 1]))
    np.testing.assert_allclose(np.sort(moved[:, 1]), expected, atol=1e-6)
    np.testing.assert_array_equal(moved[:, [0, 2]], np.float32(colors[:, [0, 2]]))


def test_the_default_steps_reach_the_reference(rng):
    colors, reference = colours(rng, 500, (0.2, 0.3, 0.4)), colours(rng, 500, (0.7, 0.5, 0.3))
    moved = sliced_transport(colors, reference, random_directions(rng))
    for direction in random_directions(rng, 1, 8)[0]:  # none of those used
        before, after = (wasserstein_distance(x @ direction, reference @ direction)
                         for x in (colors, moved))
        assert after < 0.01 + 0.1 * before


def test_moves_are_smoothed_over_a_disc_of_three_halves_sigma(rng):
    """The filter is a bilateral one whose colour term hardly differs from 1."""
    face = rng.uniform(0.3, 0.5, (24, 24, 3)).astype(np.float32)
    reference = rng.uniform(0.4, 0.7, (24, 24, 3)).astype(np.float32)
    directions = random_directions(rng)
    shift = transport_shift(face, reference, directions, sigma=4)
    moves = sliced_transport(face.reshape(-1, 3), reference.reshape(-1, 3), directions)
    moves = np.pad(moves.reshape(face.shape) - face, ((6, 6), (6, 6), (0, 0)), mode="reflect")
    y, x = np.mgrid[-6:7, -6:7]
    weights = np.where(x * x + y * y <= 36, np.exp(-(x * x + y * y) / 32), 0)
    for row, column in [(0, 0), (12, 12), (23, 5)]:
        window = moves[row:row + 13, column:column + 13]
        expected = np.tensordot(weights / weights.sum(), window, axes=2)
        np.testing.assert_allclose(shift[row, column], expected, atol=3e-3)


def test_texture_stays_and_colours_move(rng):
    face = np.full((24, 24, 3), 0.3, np.float32)
    face += 0.05 * ((np.indices((24, 24)).sum(0) % 2)[..., None] - 0.5)
    reference = np.full((24, 24, 3), (0.6, 0.3, 0.2), np.float32)
    moved = face + transport_shift(face, reference, random_directions(rng), sigma=4)
    np.testing.assert_allclose(moved.mean(axis=(0, 1)), (0.6, 0.3, 0.2), atol=0.03)
    np.testing.assert_allclose((moved[::2, ::2] - moved[::2, 1::2]).mean(), -0.05, atol=0.01)


def test_directions_are_unit_vectors_all_over_the_sphere(rng):
    directions = random_directions(rng, 500, 4).reshape(-1, 3)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1)
    assert np.abs(directions.mean(0)).max() < 0.05
    np.testing.assert_allclose(np.cov(directions.T), np.eye(3) / 3, atol=0.03)


def test_pixels_outside_of_the_mask_have_no_influence_and_follow(rng):
    face, reference = (rng.uniform(low, low + 0.2, (24, 24, 3)).astype(np.float32)
                       for low in (0.3, 0.5))
    inside = np.zeros((24, 24), bool)
    inside[4:14, 5:15] = True
    directions = random_directions(rng)
    shift = masked_transport_shift(face, reference, directions, 2.0, inside)
    for picture in (face, reference):
        picture[~inside] = 9.0
    np.testing.assert_allclose(
        masked_transport_shift(face, reference, directions, 2.0, inside), shift, atol=1e-6)
    moves = sot_by_hand(face[inside], reference[inside], directions) - face[inside]
    places = np.argwhere(inside)
    for place in [(4, 5), (9, 9), (13, 14), (9, 17)]:  # the last one lies outside
        weights = np.exp(-((places - place) ** 2).sum(1) / 8)
        np.testing.assert_allclose(
            shift[place], weights @ moves / weights.sum(), atol=4e-3)
    np.testing.assert_allclose(shift[23, 23], moves.mean(0), atol=2e-3)
