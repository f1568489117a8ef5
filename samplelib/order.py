"""In which order a training run goes through its faces."""

import functools

import numpy as np

_ORDER_STREAM, _SAMPLE_STREAM = 0, 1  # keeps the two uses of a seed apart


def face_index(seed: int, position: int, n_faces: int, skip: int = 0) -> int:
    """Gives the face of a position in the endless stream of samples.

    Every epoch shows each face once, in a new order. Any position can be asked for at once.

    Args:
        seed: Of the stream.
        position: From 0.
        n_faces: In the faceset.
        skip: How many places further in the same epoch (from its end on to its start); a
            replacement for a face that cannot be read.
    """
    epoch, place = divmod(position, n_faces)
    return int(_epoch_order(seed, epoch, n_faces)[(place + skip) % n_faces])


def sample_rng(seed: int, position: int) -> np.random.Generator:
    """Gives the source of chance of one sample; it depends on nothing but its arguments."""
    return np.random.default_rng((seed, _SAMPLE_STREAM, position))


@functools.lru_cache(maxsize=8)
def _epoch_order(seed: int, epoch: int, n_faces: int) -> np.ndarray:
    """(n_faces,) permutation of one epoch."""
    return np.random.default_rng((seed, _ORDER_STREAM, epoch)).permutation(n_faces)
