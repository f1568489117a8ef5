"""Maps of colours as tables."""

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from core.imaging.color_cube import ColorGrid, apply_color_table


@pytest.fixture
def rng():
    return np.random.default_rng(2)


def test_nodes_span_the_box_red_fastest():
    grid = ColorGrid(np.array([0, 0.2, 0.4]), np.array([0.1, 0.4, 1.0]), 3)
    nodes = grid.nodes()
    assert nodes.shape == (27, 3)
    np.testing.assert_allclose(nodes[[0, 1, 3, 26]], [
        (0, 0.2, 0.4), (0, 0.2, 0.7), (0, 0.3, 0.4), (0.1, 0.4, 1.0)])


@pytest.mark.parametrize("n_nodes", [2, 5, 9])
def test_between_the_nodes_it_is_trilinear(rng, n_nodes):
    image = rng.integers(40, 200, (30, 40, 3)).astype(np.uint8)
    grid = ColorGrid.around(image.reshape(-1, 3) / 255, n_nodes)
    table = rng.random((n_nodes**3, 3))
    axes = np.linspace(grid.low, grid.high, n_nodes).T
    exact = RegularGridInterpolator(tuple(axes), table.reshape(n_nodes, n_nodes, n_nodes, 3))
    places = np.clip(image / 255, grid.low, grid.high)
    # OpenCV knows places between nodes to 1/32; the table jumps from node to node as none would.
    assert np.abs(apply_color_table(image, grid, table) - 255 * exact(places)).max() < 6


def test_a_table_of_the_nodes_themselves_changes_nothing(rng):
    image = rng.integers(0, 256, (30, 40, 3)).astype(np.uint8)
    grid = ColorGrid.around(image.reshape(-1, 3) / 255, 9)
    assert np.abs(apply_color_table(image, grid, grid.nodes()).astype(int) - image).max() <= 1


def test_a_linear_map_is_reproduced(rng):
    image = rng.integers(60, 180, (30, 40, 3)).astype(np.uint8)
    matrix = np.eye(3) + rng.normal(0, 0.1, (3, 3))
    grid = ColorGrid.around(image.reshape(-1, 3) / 255, 5)
    mapped = apply_color_table(image, grid, grid.nodes() @ matrix.T)
    assert np.abs(mapped - np.clip(image @ matrix.T, 0, 255)).max() < 1.5


def test_colours_beyond_the_box_count_as_on_its_border():
    grid = ColorGrid(np.full(3, 0.2), np.full(3, 0.6), 3)
    image = np.uint8([[[0, 102, 255], [51, 102, 153]]])
    mapped = apply_color_table(image, grid, grid.nodes())
    assert np.array_equal(mapped[0, 0], mapped[0, 1])


def test_a_picture_of_one_colour(rng):
    image = np.full((4, 4, 3), 77, np.uint8)
    grid = ColorGrid.around(image.reshape(-1, 3) / 255, 9)
    assert (apply_color_table(image, grid, grid.nodes() + 10 / 255) == 87).all()


def test_floats_are_mapped_as_bytes_are_but_not_rounded():
    rng = np.random.default_rng(8)
    levels = rng.integers(0, 256, (20, 30, 3)).astype(np.uint8)
    grid = ColorGrid(np.zeros(3), np.ones(3), 5)
    table = np.clip(grid.nodes() * 0.8 + rng.normal(0, 0.1, (125, 3)), -0.1, 1.1)
    mapped = apply_color_table(levels / np.float32(255), grid, table)
    assert mapped.dtype == np.float32 and mapped.min() >= 0 and mapped.max() <= 1
    assert np.abs(mapped * 255 - apply_color_table(levels, grid, table)).max() < 0.51
