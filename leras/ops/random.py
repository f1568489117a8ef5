"""Random masks that cost next to nothing inside a compiled step."""

import math

import numpy as np
import tensorflow as tf


def bernoulli_mask(shape: tuple[int, ...], probability: float, key: tf.Tensor) -> tf.Tensor:
    """Zeros and ones, one with the given probability, as a pure function of position and key.

    Each element hashes its index and the key (two multiply-xorshift rounds, the finaliser of
    MurmurHash3), so the compiler can fuse it into the consuming loop: no state, no memory.

    Args:
        shape: Static shape.
        probability: In [0, 1], resolved to 2^-24.
        key: () uint32; use another for each variable and step.

    Returns:
        float32 tensor.
    """
    n = math.prod(shape)
    columns = math.gcd(n, 2**12)
    # Split, so that no graph holds the numbers of all elements as one large constant.
    rows = _hashed_range(n // columns, columns)[:, np.newaxis]
    bits = mix(mix(key) + rows + _hashed_range(columns, 1))
    fraction = tf.bitcast(_shift(bits, 8), tf.int32)  # 24 bits: exact in float32 too
    return tf.reshape(tf.cast(fraction < int(probability * 2**24), tf.float32), shape)


def _hashed_range(n: int, step: int) -> np.ndarray:
    """(n,) uint32: 0, step, 2 step, ... times the golden ratio of 2^32, without the overflow."""
    return (np.arange(n, dtype=np.uint64) * step * 0x9E3779B9).astype(np.uint32)


def mix(bits: tf.Tensor) -> tf.Tensor:
    """Scrambles uint32 values; a bijection."""
    bits = (bits ^ _shift(bits, 16)) * np.uint32(0x85EBCA6B)
    bits = (bits ^ _shift(bits, 13)) * np.uint32(0xC2B2AE35)
    return bits ^ _shift(bits, 16)


def _shift(bits: tf.Tensor, n: int) -> tf.Tensor:
    return tf.bitwise.right_shift(bits, np.uint32(n))
