"""How parameters start. Every initializer is a function of (shape, rng).

Kernels have the shape (..., in, out); the leading axes are the kernel's area.
"""

import math
from collections.abc import Callable

import numpy as np

Initializer = Callable[[tuple[int, ...], np.random.Generator], np.ndarray]

NOISE = 0.05  # standard deviation that breaks the symmetry of convolution-aware kernels


def zeros(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """float32 zeros; `rng` is not used."""
    return np.zeros(shape, np.float32)


def constant(value: float) -> Initializer:
    """Returns an initializer that fills with `value`."""
    return lambda shape, rng: np.full(shape, value, np.float32)


def standard_normal(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """float32 N(0, 1)."""
    return rng.standard_normal(shape, np.float32)


def glorot_uniform(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """U(-L, L) with L = sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010).

    Args:
        shape: (..., in, out); the leading axes count in both fans.

    Returns:
        float32 array.
    """
    area = int(np.prod(shape[:-2]))
    limit = np.sqrt(6.0 / (area * (shape[-2] + shape[-1])))
    draw = rng.random(shape, np.float32)
    return ((2.0 * draw - 1.0) * np.float32(limit)).astype(np.float32)


def he_normal(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """N(0, 2 / fan_in), which keeps the variance through ReLUs (He et al., 2015, Eq. 10).

    Args:
        shape: (..., in, out).

    Returns:
        float32 array.
    """
    return standard_normal(shape, rng) * np.float32(math.sqrt(2.0 / fan_in(shape)))


def convolution_aware(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Kernels that are orthogonal in the frequency domain (Aghajanyan, 2017).

    The spectra of one output channel's kernels are rows of random orthogonal matrices: no two
    inputs (of one matrix) look at the same frequencies. A little noise and He's variance follow.

    Args:
        shape: (k_rows, k_columns, in, out).

    Returns:
        float32 array with mean square deviation 2 / fan_in.

    Raises:
        ValueError: for a shape that is no convolution kernel's.
    """
    if len(shape) != 4:
        raise ValueError(f"a convolution-aware kernel has 4 axes, not the shape {shape}")
    rows, columns, in_ch, out_ch = shape
    if rows * columns == 1:
        kernels = rng.normal(0.0, NOISE, (out_ch, in_ch, 1, 1))
    else:
        spectra = _orthogonal_rows(in_ch, out_ch, rows * (columns // 2 + 1), rng)
        spectra = spectra.reshape(out_ch, in_ch, rows, columns // 2 + 1)
        kernels = np.fft.irfft2(spectra, (rows, columns))
        kernels = kernels + rng.normal(0.0, NOISE, kernels.shape)
    # One number has no deviation; the mean square is what stays of it.
    spread = kernels.var() if kernels.size > 1 else np.mean(kernels**2)
    kernels = kernels * math.sqrt(2.0 / fan_in(shape) / spread)
    return np.ascontiguousarray(kernels.transpose(2, 3, 1, 0), np.float32)


def transposed(initializer: Initializer) -> Initializer:
    """Makes an initializer serve kernels of the shape (..., out, in)."""
    def draw(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        kernel = initializer((*shape[:-2], shape[-1], shape[-2]), rng)
        return np.ascontiguousarray(np.swapaxes(kernel, -1, -2))

    return draw


def fan_in(shape: tuple[int, ...]) -> int:
    """How many inputs feed one output of a kernel (..., in, out)."""
    return int(np.prod(shape[:-1]))


def _orthogonal_rows(in_ch: int, out_ch: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """(out_ch, in_ch, size): for each output, rows of as many orthogonal matrices as it takes.

    The matrices are the left singular vectors of symmetric Gaussian ones.
    """
    count = in_ch // size + 1
    draw = rng.standard_normal((out_ch, count, size, size))
    symmetric = draw + np.swapaxes(draw, -1, -2) * (1 - np.eye(size))
    # The eigenvectors of a symmetric matrix are its singular vectors, and cost a third of them;
    # they come in the order of the values, singular vectors in that of the absolute values.
    values, vectors = np.linalg.eigh(symmetric)
    order = np.argsort(-np.abs(values), -1)[..., np.newaxis]
    rows = np.take_along_axis(np.swapaxes(vectors, -1, -2), order, -2)
    return rows.reshape(out_ch, count * size, size)[:, :in_ch]
