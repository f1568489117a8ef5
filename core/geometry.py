"""Affine maps and areas in the plane.

Convention: a point is (x, y) in pixels, origin top-left; an affine map is a (2, 3) float64 matrix
[A | t] named `a_to_b`, which takes points of space a to A p + t in space b.
"""

import math

import numpy as np


def umeyama(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Least-squares similarity (rotation, uniform scale, shift; never a mirror) between point sets.

    The minimum of sum |s R x + t - y|^2 (Umeyama 1991, eq. 40 to 42, with det R = 1). In the plane
    a rotation with scale is one complex factor, for which the normal equation has the closed form
    sum(conj(x) y) / sum|x|^2 on centred points; no SVD and no special case for collinear points.

    Args:
        source: (N, 2) float, N >= 2.
        target: (N, 2) float, the wanted place of each source point.

    Returns:
        (2, 3) float64, source_to_target.

    Raises:
        ValueError: The shapes differ, a value is not finite, or all source points coincide.
    """
    source = np.asarray(source, np.float64)
    target = np.asarray(target, np.float64)
    if source.shape != target.shape or source.ndim != 2 or source.shape[1] != 2:
        raise ValueError(f"two (N, 2) arrays wanted, got {source.shape} and {target.shape}")
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        raise ValueError("points must be finite")
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    source_complex = (source - source_mean) @ (1, 1j)  # (N,)
    target_complex = (target - target_mean) @ (1, 1j)  # (N,)
    spread = np.vdot(source_complex, source_complex).real
    if spread <= np.finfo(np.float64).eps * np.square(source).sum():
        raise ValueError("all source points coincide: no similarity is defined")
    factor = np.vdot(source_complex, target_complex) / spread
    linear = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([linear, target_mean - linear @ source_mean])


def affine_from_points(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The one affine map that takes three points to three points.

    Args:
        source: (3, 2) float, not on one line.
        target: (3, 2) float.

    Returns:
        (2, 3) float64, source_to_target.

    Raises:
        ValueError: The source points are on one line.
    """
    corners = np.column_stack([np.asarray(source, np.float64), np.ones(3)])
    try:
        return np.linalg.solve(corners, np.asarray(target, np.float64)).T
    except np.linalg.LinAlgError as error:
        raise ValueError("the three source points lie on one line") from error


def transform_points(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Maps points.

    Args:
        points: (..., 2) float.
        matrix: (2, 3) float, a_to_b.

    Returns:
        (..., 2), float32 if `points` is float32, else float64.
    """
    points = np.asarray(points)
    matrix = np.asarray(matrix, np.float64)
    mapped = points.astype(np.float64) @ matrix[:, :2].T + matrix[:, 2]
    return mapped.astype(np.float32) if points.dtype == np.float32 else mapped


def invert_affine(matrix: np.ndarray) -> np.ndarray:
    """The inverse map.

    Args:
        matrix: (2, 3) float, a_to_b.

    Returns:
        (2, 3) float64, b_to_a.

    Raises:
        ValueError: The matrix flattens the plane.
    """
    # Plain numbers: NumPy takes twenty times as long to get going for so few.
    (a, b, x), (c, d, y) = np.asarray(matrix, np.float64).tolist()
    area = a * d - b * c
    if area == 0:
        raise ValueError("the affine matrix has no inverse")
    return np.array([[d, -b, b * y - d * x], [-c, a, c * x - a * y]]) / area


def compose_affine(*matrices: np.ndarray) -> np.ndarray:
    """One map for several done one after the other, the first argument first.

    Args:
        *matrices: (2, 3) float each: a_to_b, b_to_c, ...

    Returns:
        (2, 3) float64: a_to_c for `compose_affine(a_to_b, b_to_c)`; the identity without arguments.
    """
    (a, b, x), (c, d, y) = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
    for matrix in matrices:
        (p, q, u), (r, s, v) = np.asarray(matrix, np.float64).tolist()
        a, b, x, c, d, y = (p * a + q * c, p * b + q * d, p * x + q * y + u,
                            r * a + s * c, r * b + s * d, r * x + s * y + v)
    return np.array([[a, b, x], [c, d, y]])


def affine_scale(matrix: np.ndarray) -> float:
    """How many times longer the map makes lengths on average: the root of its area factor.

    Args:
        matrix: (2, 3) float.

    Returns:
        At least 0.
    """
    (a, b, _), (c, d, _) = np.asarray(matrix, np.float64).tolist()
    return math.sqrt(abs(a * d - b * c))


def polygon_area(points: np.ndarray) -> float:
    """Area of a simple polygon (Gauss's shoelace formula), whichever way round it is given.

    Args:
        points: (N, 2) float corners in order, N >= 3.

    Returns:
        Square pixels, at least 0.
    """
    x, y = np.asarray(points, np.float64).T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)
