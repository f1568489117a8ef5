"""In which order a training run goes through its faces, and where a sample's chance comes from."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np


class Stream(IntEnum):
    """Keeps the uses of one seed apart."""

    FACES = 0
    GEOMETRY = 1
    HSV = 2
    TRANSFER = 3
    REFERENCES = 4
    BINS = 5
    BIN_FACES = 6
    BACKGROUNDS = 7


class FaceOrder(Protocol):
    """Which face is due at each position of the endless stream of samples."""

    def candidates(self, position: int) -> Iterator[int]:
        """Yields the face of a position, then those that replace it if it cannot be read.

        Any position can be asked for at once. Every face is yielded once.
        """


@dataclass(frozen=True)
class Shuffled:
    """Every epoch shows each face once, in a new order; a bad face is replaced by the next one."""

    seed: int
    n_faces: int
    stream: Stream = Stream.FACES

    def candidates(self, position: int) -> Iterator[int]:
        epoch, place = divmod(position, self.n_faces)
        order = _shuffled(self.seed, self.stream, epoch, self.n_faces)
        for skip in range(self.n_faces):
            yield int(order[(place + skip) % self.n_faces])


class Balanced:
    """Shows the faces of all bins equally often.

    Every round visits each bin once, in a new order, and every visit takes the bin's next face;
    when a bin is through, its faces are shuffled again.

    Args:
        seed: Of the order.
        bins: Arrays of face numbers, none of them empty.
    """

    def __init__(self, seed: int, bins: Sequence[np.ndarray]):
        self._seed = seed
        self._bins = tuple(bins)
        # Two epochs of each bin may be in use at a time; more would be kept for nothing.
        self._bin_order = functools.lru_cache(maxsize=2 * len(self._bins))(self._shuffle_bin)

    def candidates(self, position: int) -> Iterator[int]:
        turn, place = divmod(position, len(self._bins))
        order = _shuffled(self._seed, Stream.BINS, turn, len(self._bins))
        for skip in range(len(order)):
            number = int(order[(place + skip) % len(order)])
            size = len(self._bins[number])
            epoch, at = divmod(turn, size)
            faces = self._bin_order(number, epoch)
            for further in range(size):
                yield int(faces[(at + further) % size])

    def _shuffle_bin(self, number: int, epoch: int) -> np.ndarray:
        rng = np.random.default_rng((self._seed, Stream.BIN_FACES, number, epoch))
        return rng.permutation(self._bins[number])


def sample_rng(seed: int, position: int, stream: Stream = Stream.GEOMETRY) -> np.random.Generator:
    """Gives a source of chance of one sample; it depends on nothing but its arguments."""
    return np.random.default_rng((seed, stream, position))


@functools.lru_cache(maxsize=8)
def _shuffled(seed: int, stream: Stream, epoch: int, n: int) -> np.ndarray:
    """(n,) permutation of one epoch."""
    return np.random.default_rng((seed, stream, epoch)).permutation(n).astype(np.int32)
