"""Affine maps: against scikit-image, a plain SVD solution and sums done by hand."""

import numpy as np
import pytest
from skimage.transform import SimilarityTransform

from core.geometry import (
    affine_from_points,
    affine_scale,
    compose_affine,
    invert_affine,
    polygon_area,
    transform_points,
    umeyama,
)


def umeyama_by_svd(source, target):
    """Umeyama 1991 as printed, with the singular value decomposition."""
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    covariance = (target - target_mean).T @ (source - source_mean) / len(source)
    left, values, right = np.linalg.svd(covariance)
    signs = np.array([1, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    rotation = left @ np.diag(signs) @ right
    scale = (values @ signs) / source.var(axis=0).sum()
    return np.column_stack([scale * rotation, target_mean - scale * rotation @ source_mean])


@pytest.mark.parametrize("seed", range(5))
def test_umeyama_agrees_with_the_svd_solution_and_scikit_image(seed):
    rng = np.random.default_rng(seed)
    source, target = rng.normal(size=(2, 33, 2)) * 50 + 200
    matrix = umeyama(source, target)
    np.testing.assert_allclose(matrix, umeyama_by_svd(source, target), rtol=1e-9, atol=1e-9)
    reference = SimilarityTransform.from_estimate(source, target)
    np.testing.assert_allclose(matrix, reference.params[:2], rtol=1e-9, atol=1e-9)


def test_umeyama_never_mirrors_even_when_the_target_is_mirrored():
    source = np.array([(0, 0), (4, 0), (0, 3), (5, 7)], float)
    matrix = umeyama(source, source * (-1, 1))
    assert np.linalg.det(matrix[:, :2]) > 0


def test_umeyama_recovers_a_known_similarity_from_two_points():
    # Turn by 90 degrees (x -> y), double, move by (1, 2).
    matrix = umeyama([(0, 0), (1, 0)], [(1, 2), (1, 4)])
    np.testing.assert_allclose(matrix, [(0, -2, 1), (2, 0, 2)], atol=1e-12)


@pytest.mark.parametrize(
    "source", [np.full((5, 2), 7.3), np.array([(0, 0), (np.nan, 1)]), np.zeros((4, 3))]
)
def test_umeyama_refuses_points_without_a_similarity(source):
    with pytest.raises(ValueError):
        umeyama(source, np.arange(len(source) * 2, dtype=float).reshape(-1, 2))


def test_points_keep_their_float_type():
    matrix = np.array([(2, 0, 1), (0, 3, -1)], np.float32)
    for dtype in (np.float32, np.float64):
        mapped = transform_points(np.array([(1, 1), (2, 5)], dtype), matrix)
        assert mapped.dtype == dtype
        np.testing.assert_array_equal(mapped, [(3, 2), (5, 14)])


def test_inverse_undoes_the_map():
    matrix = np.array([(1.5, -0.4, 20), (0.7, 0.9, -3)])
    points = np.random.default_rng(0).normal(size=(4, 3, 2))
    back = transform_points(transform_points(points, matrix), invert_affine(matrix))
    np.testing.assert_allclose(back, points, atol=1e-12)


def test_flat_matrix_has_no_inverse():
    with pytest.raises(ValueError, match="no inverse"):
        invert_affine(np.array([(1, 2, 0), (2, 4, 0)]))


def test_composition_does_the_first_argument_first():
    double = np.array([(2, 0, 0), (0, 2, 0)])
    shift = np.array([(1, 0, 10), (0, 1, 0)])
    np.testing.assert_array_equal(compose_affine(double, shift), [(2, 0, 10), (0, 2, 0)])
    np.testing.assert_array_equal(compose_affine(shift, double), [(2, 0, 20), (0, 2, 0)])


def test_affine_through_three_points():
    matrix = affine_from_points([(0, 0), (1, 0), (0, 1)], [(5, 6), (7, 6), (5, 9)])
    np.testing.assert_allclose(matrix, [(2, 0, 5), (0, 3, 6)], atol=1e-12)
    with pytest.raises(ValueError, match="one line"):
        affine_from_points([(0, 0), (1, 1), (2, 2)], [(0, 0), (1, 0), (0, 1)])


def test_scale_of_an_affine_map_is_the_root_of_its_area_factor():
    assert affine_scale([(2, 0, 9), (0, 8, 9)]) == pytest.approx(4)


def test_area_does_not_depend_on_the_direction_round_the_polygon():
    triangle = [(0, 0), (4, 0), (0, 3)]
    assert polygon_area(triangle) == polygon_area(triangle[::-1]) == 6
