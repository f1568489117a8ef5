"""How parameters start. Every initializer is a function of (shape, rng)."""

import numpy as np


def zeros(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """float32 zeros; `rng` is not used."""
    return np.zeros(shape, np.float32)


def constant(value: float):
    """Returns an initializer that fills with `value`."""
    return lambda shape, rng: np.full(shape, value, np.float32)


def glorot_uniform(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """U(-L, L) with L = sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010).

    Args:
        shape: (..., in, out); the leading axes are the kernel's area and count in both fans.

    Returns:
        float32 array.
    """
    area = int(np.prod(shape[:-2]))
    limit = np.sqrt(6.0 / (area * (shape[-2] + shape[-1])))
    draw = rng.random(shape, np.float32)
    return ((2.0 * draw - 1.0) * np.float32(limit)).astype(np.float32)
