"""Downsampling without aliasing."""

import numpy as np
import tensorflow as tf

from leras.module import Module
from leras.ops.image import separable_filter, valid_filter_matrix


class BlurPool(Module):
    """Blurs by a binomial kernel and keeps every `stride`-th pixel (Zhang, 2019); no parameters.

    Zeros outside: (f - 1) // 2 before, the rest of f - 1 behind.

    Args:
        filter_size: Side f of the kernel, 1 to 7: [1], [1, 1], [1, 2, 1], [1, 3, 3, 1], ...
        stride: The same for both axes.

    Raises:
        ValueError: for another filter size.
    """

    def __init__(self, filter_size: int = 3, *, stride: int = 2, name: str | None = None):
        super().__init__(name=name)
        if not 1 <= filter_size <= 7:
            raise ValueError(f"the filter size must be 1 to 7, not {filter_size}")
        self._window = binomial_window(filter_size)
        self._stride = stride

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, C) -> (N, ceil(H / stride), ceil(W / stride), C), the dtype of x."""
        return separable_filter(x, *(self._matrix(n) for n in x.shape[1:3]))

    def _matrix(self, n: int) -> np.ndarray:
        size = len(self._window)
        before = (size - 1) // 2
        matrix = valid_filter_matrix(self._window, n + size - 1)  # over the padded pixels
        return np.ascontiguousarray(matrix[::self._stride, before:before + n])


def binomial_window(size: int) -> np.ndarray:
    """(size,) float64 row of Pascal's triangle, sum 1."""
    window = np.ones(1)
    for _ in range(size - 1):
        window = np.convolve(window, [0.5, 0.5])
    return window
