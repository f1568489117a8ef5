"""Random masks that cost next to nothing inside a compiled step."""

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
    n = 1
    for size in shape:
        n *= size
    bits = tf.range(n, dtype=tf.int32)
    bits = tf.bitcast(bits, tf.uint32) * tf.constant(0x9E3779B9, tf.uint32) + mix(key)
    return tf.reshape(tf.cast(mix(bits) >> 8 < int(probability * 2**24), tf.float32), shape)


def mix(bits: tf.Tensor) -> tf.Tensor:
    """Scrambles uint32 values; a bijection."""
    bits = (bits ^ (bits >> 16)) * tf.constant(0x85EBCA6B, tf.uint32)
    bits = (bits ^ (bits >> 13)) * tf.constant(0xC2B2AE35, tf.uint32)
    return bits ^ (bits >> 16)
