"""Generations whose every array holds the generation's number, so that mixtures show."""

import numpy as np


def numbered_arrays(number, size=1000):
    """A model all of whose numbers are `number`, so that a mixture of two saves shows."""
    return {
        "weights": {"encoder/down.0/weight": np.full((5, 5, 3, size), number, np.float32),
                    "encoder/down.0/bias": np.full((size,), number, np.float32),
                    "decoder/bias": np.full((3,), number, np.float32)},
        "optimizer": {"step": np.array(number, np.int64),
                      "mean_square/encoder/bias": np.full((2, size), number, np.float32)},
    }


def numbers_in(generation):
    arrays = [a for named in generation.arrays.values() for a in named.values()]
    return {float(n) for a in arrays for n in np.unique(a)} | {float(generation.state["iteration"])}


def save_numbered(store, number, size=10):
    return store.save(numbered_arrays(number, size), {"iteration": number})


def flip_byte(path, position):
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
