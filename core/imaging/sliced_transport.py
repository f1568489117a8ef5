"""Giving colours the distribution of others by sorting them along random directions.

Source: Rabin, Peyre, Delon and Bernot, "Wasserstein barycenter and its application to texture
mixing", 2011; the move of each pixel is smoothed over the picture, so that texture stays.
"""

import cv2
import numpy as np

N_STEPS = 10
N_DIRECTIONS = 5

_COLOR_SIGMA = 5.0
"""Of the bilateral filter, in units of [0, 1]: moves that differ are hardly told apart."""

_LEAST_WEIGHT = 0.01
"""Where less than this share of the neighbours is inside the mask, they fade from the result."""


def random_directions(rng: np.random.Generator, n_steps: int = N_STEPS,
                      n_directions: int = N_DIRECTIONS) -> np.ndarray:
    """(n_steps, n_directions, 3) float64 unit vectors, even over the sphere."""
    directions = rng.normal(size=(n_steps, n_directions, 3))
    return directions / np.linalg.norm(directions, axis=-1, keepdims=True)


def sliced_transport(colors: np.ndarray, reference: np.ndarray,
                     directions: np.ndarray) -> np.ndarray:
    """Moves colours to the distribution of others.

    Each direction takes the colour of k-th rank along it to the place of the reference's colour of
    k-th rank, which is the optimal transport of one dimension; a step goes to the mean of its
    directions.

    Args:
        colors: (N, 3) float.
        reference: (M, 3) float; where M is not N, the places between two ranks are interpolated.
        directions: (steps, directions, 3) float, of `random_directions`.

    Returns:
        (N, 3) float32.
    """
    moved = np.array(colors, np.float32)
    for step in directions.astype(np.float32):
        places = step @ moved.T  # (directions, N)
        order = np.argsort(places, axis=1)
        moves = np.empty_like(places)
        wanted = _of_length(np.sort(step @ reference.astype(np.float32).T, axis=1), len(moved))
        np.put_along_axis(moves, order, wanted, axis=1)
        moves -= places
        moved += moves.T @ (step / len(step))
    return moved


def transport_shift(face: np.ndarray, reference: np.ndarray, directions: np.ndarray,
                    sigma: float) -> np.ndarray:
    """What to add to a face's pixels so that it has the reference's colours and its own texture.

    Args:
        face: (H, W, 3) float32 BGR in [0, 1].
        reference: (H', W', 3) float32 BGR in [0, 1].
        directions: As for `sliced_transport`.
        sigma: How far the moves are smoothed, in pixels.

    Returns:
        (H, W, 3) float32.
    """
    moved = sliced_transport(face.reshape(-1, 3), reference.reshape(-1, 3), directions)
    return cv2.bilateralFilter(moved.reshape(face.shape) - face, 0, _COLOR_SIGMA, sigma)


def masked_transport_shift(face: np.ndarray, reference: np.ndarray, directions: np.ndarray,
                           sigma: float, inside: np.ndarray) -> np.ndarray:
    """`transport_shift` of the pixels of a mask; those around them move as their neighbours do.

    Args:
        face: (H, W, 3) float32, any colour space.
        reference: (H, W, 3) float32, the same.
        directions: As for `sliced_transport`.
        sigma: How far the moves are smoothed, in pixels.
        inside: (H, W) bool, the pixels that count; at least one.

    Returns:
        (H, W, 3) float32; far from the mask the mean of all moves.
    """
    moves = sliced_transport(face[inside], reference[inside], directions) - face[inside]
    mean = moves.mean(axis=0)
    beside_mean = np.zeros(face.shape, np.float32)
    beside_mean[inside] = moves - mean
    weights = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), sigma)[..., np.newaxis]
    smooth = cv2.GaussianBlur(beside_mean, (0, 0), sigma)
    return mean + smooth / np.maximum(weights, _LEAST_WEIGHT)


def _of_length(rows: np.ndarray, length: int) -> np.ndarray:
    """Rows of sorted values as rows of another length with the same quantiles."""
    if rows.shape[1] == length:
        return rows
    share, wanted = ((np.arange(n) + 0.5) / n for n in (rows.shape[1], length))
    return np.stack([np.interp(wanted, share, row) for row in rows]).astype(rows.dtype)
