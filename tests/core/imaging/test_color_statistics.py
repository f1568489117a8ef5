"""Moments of colours and the affine maps between them, against SciPy in float64."""

import numpy as np
import pytest
from scipy.linalg import inv, sqrtm

from core.imaging.color_statistics import (
    ColorStatistics,
    apply_color_map,
    color_statistics,
    compose_color_maps,
    limit_gain,
    linear_map,
    map_statistics,
    monge_kantorovich_map,
)


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def coloured(rng, centre, height=40, width=30):
    """Colours that vary together, as those of a face do."""
    mixing = rng.normal(0.02, 0.02, (3, 3)) + 0.07 * np.eye(3)
    return (rng.normal(size=(height, width, 3)) @ mixing + centre).astype(np.float32)


def lct_by_scipy(face, reference):
    """x' = Qy Qx^-1 (x - mean x) + mean y with Q the symmetric root of covariance + 1e-5."""
    x, y = (image.reshape(-1, 3).astype(float) for image in (face, reference))
    roots = [np.real(sqrtm(np.cov(pixels.T, bias=True) + 1e-5 * np.eye(3))) for pixels in (x, y)]
    moved = (roots[1] @ inv(roots[0]) @ (x - x.mean(0)).T).T + y.mean(0)
    return np.clip(moved, 0, 1).reshape(face.shape)


def mkl_by_eigenvectors(face, reference):
    """t = Ua Da^-1 Uc Dc Uc^T Da^-1 Ua^T with C = Da Ua^T b Ua Da; x' = (x - mean x) t + mean y."""
    x, y = (image.reshape(-1, 3).astype(float) for image in (face, reference))
    a, b = np.cov(x.T), np.cov(y.T)
    squares, ua = np.linalg.eig(a)
    da = np.diag(np.sqrt(squares))
    squares, uc = np.linalg.eig(da @ ua.T @ b @ ua @ da)
    dc = np.diag(np.sqrt(squares))
    t = ua @ inv(da) @ uc @ dc @ uc.T @ inv(da) @ ua.T
    return np.clip((x - x.mean(0)) @ t + y.mean(0), 0, 1).reshape(face.shape)


def test_statistics_are_those_of_numpy(rng):
    image = coloured(rng, 0.5)
    found = color_statistics(image)
    pixels = image.reshape(-1, 3).astype(float)
    np.testing.assert_allclose(found.mean, pixels.mean(0), atol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(pixels.T, bias=True), atol=1e-12)


def test_bytes_and_floats_have_the_same_statistics(rng):
    levels = rng.integers(0, 256, (20, 10, 3)).astype(np.uint8)
    for ours, expected in zip(color_statistics(levels), color_statistics(levels / np.float32(255))):
        np.testing.assert_allclose(ours, expected, atol=1e-7)


def test_masks_weight_the_pixels(rng):
    image, mask = coloured(rng, 0.5), rng.random((40, 30, 1)).astype(np.float32)
    found = color_statistics(image, mask)
    pixels, weights = image.reshape(-1, 3).astype(float), mask.reshape(-1).astype(float)
    np.testing.assert_allclose(found.mean, np.average(pixels, axis=0, weights=weights), atol=1e-9)
    expected = np.cov(pixels.T, aweights=weights, bias=True)
    np.testing.assert_allclose(found.covariance, expected, atol=1e-9)


@pytest.mark.parametrize("make_map, by_hand", [
    (linear_map, lct_by_scipy), (monge_kantorovich_map, mkl_by_eigenvectors)])
def test_maps_agree_with_the_formulas(rng, make_map, by_hand):
    face, reference = coloured(rng, 0.4), coloured(rng, 0.6, 24, 50)
    color_map = make_map(color_statistics(face), color_statistics(reference))
    np.testing.assert_allclose(
        apply_color_map(face, color_map), by_hand(face, reference), atol=2e-5)


@pytest.mark.parametrize("make_map", [linear_map, monge_kantorovich_map])
def test_the_face_gets_the_moments_of_the_reference(rng, make_map):
    face, reference = (color_statistics(coloured(rng, centre)) for centre in (0.4, 0.6))
    color_map = make_map(face, reference)
    moved = color_map[:, :3] @ face.covariance @ color_map[:, :3].T
    np.testing.assert_allclose(moved, reference.covariance, atol=3e-5)
    np.testing.assert_allclose(color_map @ (*face.mean, 1), reference.mean, atol=1e-12)


def test_monge_kantorovich_is_the_gradient_of_a_convex_function(rng):
    """The optimal map between Gaussians is the only one that is symmetric and positive."""
    face, reference = (color_statistics(coloured(rng, centre)) for centre in (0.4, 0.6))
    linear = monge_kantorovich_map(face, reference)[:, :3]
    np.testing.assert_allclose(linear, linear.T, atol=1e-12)
    assert np.linalg.eigvalsh(linear).min() > 0


@pytest.mark.parametrize("make_map", [linear_map, monge_kantorovich_map])
def test_a_flat_face_goes_to_the_mean_without_stretching_noise(rng, make_map):
    face = (0.5 + rng.normal(0, 0.02 / 255, (16, 16, 3))).astype(np.float32)
    reference = coloured(rng, 0.6)
    moved = apply_color_map(face, make_map(*map(color_statistics, (face, reference))))
    assert np.abs(moved - reference.mean(axis=(0, 1))).max() < 0.02


def test_bytes_are_rounded_and_clipped(rng):
    image = rng.integers(0, 256, (20, 10, 3)).astype(np.uint8)
    color_map = np.column_stack([rng.normal(0, 0.6, (3, 3)) + np.eye(3), rng.normal(0, 0.2, 3)])
    mapped = apply_color_map(image, color_map)
    expected = image.reshape(-1, 3) @ color_map[:, :3].T + 255 * color_map[:, 3]
    expected = np.clip(expected, 0, 255).reshape(image.shape)
    assert mapped.dtype == np.uint8 and np.abs(mapped - expected).max() < 0.501
    assert mapped.min() == 0 and mapped.max() == 255


def wide_and_narrow(rng):
    """Statistics of colours, and of the same spread 7 times along one slanting axis."""
    covariance = np.cov(coloured(rng, 0.5).reshape(-1, 3).T, bias=True)
    axis = np.array([0.6, 0.0, 0.8])
    stretch = np.eye(3) + 6 * np.outer(axis, axis)
    mean = np.array([0.4, 0.5, 0.6])
    return (ColorStatistics(mean - 0.1, covariance),
            ColorStatistics(mean, stretch @ covariance @ stretch))


def test_spreading_beyond_the_limit_is_taken_back_to_it(rng):
    face, moved = wide_and_narrow(rng)
    limited = map_statistics(limit_gain(face, moved, most=4), moved)
    np.testing.assert_allclose(limited.mean, moved.mean, atol=1e-12)
    # The least move from the face is now the old one with its factor of 7 cut to 4.
    axis = np.array([0.6, 0.0, 0.8])
    stretch = np.eye(3) + 3 * np.outer(axis, axis)
    np.testing.assert_allclose(
        limited.covariance, stretch @ face.covariance @ stretch, rtol=1e-6, atol=1e-9)


def test_what_is_within_the_limit_stays(rng):
    face, moved = wide_and_narrow(rng)
    identity = np.eye(3, 4)
    np.testing.assert_allclose(limit_gain(face, moved, most=7.1), identity, atol=1e-8)
    np.testing.assert_allclose(limit_gain(moved, face, most=1.1), identity, atol=1e-8)


def test_noise_out_of_a_flat_face_is_taken_back_wholly(rng):
    flat = ColorStatistics(np.full(3, 0.5), np.zeros((3, 3)))
    moved = color_statistics(coloured(rng, 0.5))
    limited = map_statistics(limit_gain(flat, moved), moved)
    assert np.sqrt(np.diag(limited.covariance)).max() < 1e-5


def test_statistics_and_maps_are_carried_through_maps(rng):
    image = coloured(rng, 0.5).astype(np.float64)
    first, second = (np.column_stack([rng.normal(0, 0.2, (3, 3)) + 0.5 * np.eye(3),
                                      rng.normal(0.1, 0.02, 3)]) for _ in range(2))
    pixels = image.reshape(-1, 3) @ first[:, :3].T + first[:, 3]
    found = map_statistics(first, color_statistics(image))
    np.testing.assert_allclose(found.mean, pixels.mean(0), atol=1e-9)
    np.testing.assert_allclose(found.covariance, np.cov(pixels.T, bias=True), atol=1e-9)
    twice = pixels @ second[:, :3].T + second[:, 3]
    both = compose_color_maps(first, second)
    np.testing.assert_allclose(image.reshape(-1, 3) @ both[:, :3].T + both[:, 3], twice, atol=1e-12)
