"""Faces by where their heads look, so that all directions can be shown equally often."""

import numpy as np

N_BINS = 128
LIMIT = 1.2
"""Radians; faces that look further aside share the last bins."""


def yaw_bins(yaws: np.ndarray) -> tuple[np.ndarray, ...]:
    """Sorts faces into bins of equal width, from one profile to the other.

    Args:
        yaws: (n,) float, radians.

    Returns:
        The numbers of the faces in each bin that holds any.
    """
    edges = np.linspace(-LIMIT, LIMIT, N_BINS)
    bins = np.clip(np.searchsorted(edges, -yaws, side="right") - 1, 0, N_BINS - 1)
    return tuple(np.flatnonzero(bins == number).astype(np.int32) for number in np.unique(bins))
