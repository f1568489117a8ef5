"""The geometry of samples: numbers against independent formulas."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from scipy.stats import truncnorm

from samplelib.geometry import (
    UNCHANGED,
    Geometry,
    draw_geometry,
    draw_warp,
    picture_to_sample,
    sampling_map,
)
from samplelib.recipe import SampleOptions

IDENTITY = np.eye(2, 3)


def grid(side: int) -> np.ndarray:
    """(side, side, 2): every pixel's own (x, y)."""
    y, x = np.mgrid[:side, :side]
    return np.dstack([x, y]).astype(float)


@pytest.mark.parametrize("side", [64, 96, 130, 256])
@pytest.mark.parametrize("n_nodes", [3, 5, 9])
def test_without_noise_the_warp_is_the_identity(side, n_nodes):
    places = sampling_map(np.zeros((n_nodes, n_nodes, 2)), side, IDENTITY, IDENTITY)
    assert places.shape == (side, side, 2) and places.dtype == np.float32
    assert np.abs(places - grid(side)).max() < 1e-3


def test_warp_reaches_full_noise_at_nodes_and_none_at_the_edge():
    warp = np.zeros((3, 3, 2))
    warp[1, 1] = 0.05, -0.1  # the middle node, in sides
    moved = sampling_map(warp, 97, IDENTITY, IDENTITY) - grid(97)
    assert np.allclose(moved[48, 48], [0.05 * 97, -0.1 * 97], atol=1e-3)
    # The edge pixels' centres lie half a pixel inside: 0.5 / 48.5 of the middle's displacement.
    assert np.allclose(moved[48, 0], np.array([0.05, -0.1]) * 97 * 0.5 / 48.5, atol=1e-3)
    assert np.abs(moved[0, 0]).max() < 1e-2


def test_warp_is_bilinear_between_nodes():
    warp = draw_warp(np.random.default_rng(4))
    side, n_cells = 80, len(warp) - 1
    moved = sampling_map(warp, side, IDENTITY, IDENTITY) - grid(side)
    node = (grid(side) + 0.5) * n_cells / side
    for axis in range(2):
        expected = map_coordinates(warp[..., axis] * side, [node[..., 1], node[..., 0]], order=1)
        assert np.abs(moved[..., axis] - expected).max() < 2e-3


def test_warp_follows_the_transform():
    """The warp belongs to the picture: a turned sample reads turned displacements."""
    geometry = draw_geometry(SampleOptions(rotation=25, scale=0.2, shift=0.1, random_flip=True),
                             np.random.default_rng(11))
    side = 64
    forward = np.vstack([picture_to_sample(geometry, side), (0, 0, 1)])
    picture_to_source = np.array([[1.4, 0.2, 5], [-0.3, 1.6, -2]])
    places = sampling_map(geometry.warp, side, np.linalg.inv(forward)[:2], picture_to_source)
    n_cells = len(geometry.warp) - 1
    for x, y in [(20, 31), (40, 17), (33, 50)]:
        picture = np.linalg.solve(forward, (x, y, 1))[:2]
        node = (picture + 0.5) * n_cells / side
        warped = picture + side * np.array([
            map_coordinates(geometry.warp[..., axis], node[::-1, None], order=1)[0]
            for axis in range(2)])
        assert np.allclose(places[y, x], picture_to_source @ (*warped, 1), atol=5e-3)


def drawn_noise(n_draws: int) -> dict[int, np.ndarray]:
    """Nodes per side -> (draws, inner nodes, 2) noise in cells."""
    rng = np.random.default_rng(7)
    noise: dict[int, list] = {}
    for _ in range(n_draws):
        warp = draw_warp(rng)
        noise.setdefault(len(warp), []).append(
            (warp[1:-1, 1:-1] * (len(warp) - 1)).reshape(-1, 2))
    return {n: np.stack(rows) for n, rows in noise.items()}


def test_noise_has_the_intended_spread_for_every_cell_size():
    noise = drawn_noise(6000)
    assert sorted(noise) == [3, 5, 9]
    expected = 0.24 * truncnorm(-2.5, 2.5).std() / 2.5
    assert expected == pytest.approx(0.24 * 0.381, rel=0.01)
    for rows in noise.values():
        assert abs(len(rows) / 6000 - 1 / 3) < 0.03
        for axis in range(2):
            assert rows[..., axis].std() == pytest.approx(expected, rel=0.03)
            assert abs(rows[..., axis].mean()) < 0.01
        assert np.abs(rows).max() <= 0.24


def test_x_and_y_noise_are_independent():
    nodes = drawn_noise(3000)[5]  # (draws, 9, 2), a 3 x 3 grid
    x, y = nodes[..., 0].reshape(-1, 3, 3), nodes[..., 1].reshape(-1, 3, 3)
    same_place = np.corrcoef(x.ravel(), y.ravel())[0, 1]
    transposed = np.corrcoef(x.ravel(), y.transpose(0, 2, 1).ravel())[0, 1]
    neighbours = np.corrcoef(x[:, :, :2].ravel(), x[:, :, 1:].ravel())[0, 1]
    assert max(abs(same_place), abs(transposed), abs(neighbours)) < 0.05


def test_transform_turns_counter_clockwise_about_the_centre():
    matrix = picture_to_sample(Geometry(rotation=90), 101)
    assert np.allclose(matrix @ (50, 50, 1), (50, 50))
    assert np.allclose(matrix @ (100, 50, 1), (50, 0))  # from the right to the top


def test_transform_scales_shifts_and_flips_in_this_order():
    matrix = picture_to_sample(Geometry(scale=2, shift=(0.1, -0.2), is_flipped=True), 101)
    # (60, 40) is (10, -10) from the centre: doubled, shifted by (10.1, -20.2), then mirrored.
    assert np.allclose(matrix @ (60, 40, 1), (100 - (50 + 20 + 10.1), 50 - 20 - 20.2))


def test_no_change_is_the_identity():
    assert np.allclose(picture_to_sample(UNCHANGED, 96), IDENTITY, atol=1e-12)


def test_draws_fill_their_ranges():
    rng = np.random.default_rng(3)
    options = SampleOptions(rotation=10, scale=0.15, shift=0.05, random_flip=True)
    drawn = [draw_geometry(options, rng) for _ in range(4000)]
    rotations = [geometry.rotation for geometry in drawn]
    scales = [geometry.scale for geometry in drawn]
    shifts = np.array([geometry.shift for geometry in drawn])
    assert -10 <= min(rotations) < -9.9 and 9.9 < max(rotations) <= 10
    assert 1 / 1.15 <= min(scales) < 0.872 and 1.147 < max(scales) <= 1.15
    assert np.abs(shifts).max() <= 0.05 and np.allclose(shifts.std(axis=0), 0.1 / 12**0.5, rtol=.05)
    assert abs(np.corrcoef(shifts.T)[0, 1]) < 0.05
    assert abs(np.mean([geometry.is_flipped for geometry in drawn]) - 0.4) < 0.03


def test_switching_warp_or_flip_off_leaves_the_rest():
    both = draw_geometry(SampleOptions(random_flip=True), np.random.default_rng(5))
    none = draw_geometry(SampleOptions(random_warp=False), np.random.default_rng(5))
    assert none.warp is None and not none.is_flipped
    assert (both.rotation, both.scale, both.shift) == (none.rotation, none.scale, none.shift)
