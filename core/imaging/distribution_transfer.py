"""Giving colours the whole distribution of others, one axis of many rotated ones at a time.

Source: Pitie, Kokaram and Dahyot, "N-dimensional probability density function transfer and its
application to colour transfer", 2005; with small steps (relaxation) against grain.

Convention: colours are (N, 3) float, BGR in [0, 1].
"""

from typing import NamedTuple

import numpy as np

N_ROTATIONS = 20
N_BINS = 256
RELAXATION = 1 / 20
"""Share of the way that each rotation goes."""

_EDGES = np.arange(N_BINS + 1.0)
_LEAST_RANGE = 1e-6


class Rearrangement(NamedTuple):
    """A rising map for each of some coordinates, linear between the edges of even bins.

    Attributes:
        low: (A, 1) float64, first edge of each coordinate.
        width: (A, 1) float64, of its bins.
        targets: (A, N_BINS + 1) float64, where the edges go.
    """

    low: np.ndarray
    width: np.ndarray
    targets: np.ndarray

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Moves (A, K) values; those beyond the edges keep their distance to the last one."""
        place = (values - self.low) / self.width
        inside = np.clip(place, 0, N_BINS)
        bins = np.minimum(inside.astype(np.intp), N_BINS - 1)
        before = bins + np.arange(len(values))[:, None] * (N_BINS + 1)
        start, end = self.targets.take(before), self.targets.take(before + 1)
        return start + (inside - bins) * (end - start) + (place - inside) * self.width


def random_rotations(rng: np.random.Generator, n: int = N_ROTATIONS) -> np.ndarray:
    """(n, 3, 3) float64 rotations, even over all directions."""
    rotations, upper = np.linalg.qr(rng.normal(size=(n, 3, 3)))
    # The signs that QR chooses would favour some directions.
    rotations *= np.sign(np.diagonal(upper, axis1=1, axis2=2))[:, None, :]
    rotations[np.linalg.det(rotations) < 0, :, 0] *= -1
    return rotations


def rearrange(values: np.ndarray, wanted: np.ndarray) -> Rearrangement:
    """The rising maps that give coordinates the distribution of others, by histograms.

    Args:
        values: (A, N) float.
        wanted: (A, M) float.
    """
    low = np.minimum(values.min(axis=1), wanted.min(axis=1))[:, None]
    high = np.maximum(values.max(axis=1), wanted.max(axis=1))[:, None]
    width = np.maximum(high - low, _LEAST_RANGE) / N_BINS
    bins = np.empty((len(values), N_BINS + 1))
    for row, shares, wanted_shares in zip(
            bins, _shares((values - low) / width), _shares((wanted - low) / width), strict=True):
        # Behind the greatest wanted value nothing is wanted.
        end = np.argmax(wanted_shares >= 1) + 1
        row[:] = np.interp(shares, wanted_shares[:end], _EDGES[:end])
    return Rearrangement(low, width, low + bins * width)


def transfer_distribution(colors: np.ndarray, reference: np.ndarray, rotations: np.ndarray,
                          followers: np.ndarray | None = None) -> np.ndarray:
    """Moves colours towards the distribution of others.

    Args:
        colors: (N, 3).
        reference: (M, 3).
        rotations: (n, 3, 3), of `random_rotations`.
        followers: (K, 3) colours that have no influence and are moved like those beside them.

    Returns:
        (K, 3) float64, the moved followers; without any, the (N, 3) moved colours.
    """
    n_followers = 0 if followers is None else len(followers)
    moved = np.array(colors if followers is None else np.concatenate([followers, colors]), float)
    for rotation in rotations:
        turned = rotation @ moved.T
        wanted = rotation @ reference.T
        steps = rearrange(turned[:, n_followers:], wanted)(turned) - turned
        moved += RELAXATION * (steps.T @ rotation)
    return moved[:n_followers] if n_followers else moved


def _shares(places: np.ndarray) -> np.ndarray:
    """(A, N) places in bins -> (A, N_BINS + 1) share of each row below every edge; from 0 to 1."""
    n_rows, n_values = places.shape
    bins = np.minimum(places.astype(np.intp), N_BINS - 1)
    bins += np.arange(n_rows)[:, None] * N_BINS
    counts = np.bincount(bins.reshape(-1), minlength=n_rows * N_BINS).reshape(n_rows, N_BINS)
    shares = np.zeros((n_rows, N_BINS + 1))
    np.cumsum(counts, axis=1, out=shares[:, 1:])
    return shares / n_values
