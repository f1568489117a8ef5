"""Windows of images as rows of a table: cut out by one gather, added up again by a few.

A window is a square of `taps` pixels a side; windows start every `stride` pixels. Which pixel goes
where is computed once with NumPy. Compilers get one simple loop over rows for each direction,
which they are done with in a fraction of the time that nests of pads, slices and sums take.
"""

import functools
import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from leras.ops.fence import fence

OUTSIDE = -1


class Windows(NamedTuple):
    """The windows of images of one shape.

    Args:
        shape: (N, H, W) of the images.
        taps: Side of a window.
        stride: Pixels from one window to the next.
        before: How far the first window reaches beyond the image at the top and left.
        count: Windows down and across; what they cover beyond the image is zero.
        taps_first: Whether the rows of the table are ordered by the position in the window, then
            by image and window, instead of the other way round.
    """

    shape: tuple[int, int, int]
    taps: int
    stride: int
    before: int
    count: tuple[int, int]
    taps_first: bool

    def cut(self, x: tf.Tensor) -> tf.Tensor:
        """(N, H, W, C) -> (taps^2, windows, C), or (windows, taps^2, C) without `taps_first`."""
        rows = fence(_take(tf.reshape(x, (-1, x.shape[-1])), _cut_tables(self)))
        first = self.taps**2 if self.taps_first else self.shape[0] * math.prod(self.count)
        return tf.reshape(rows, (first, -1, x.shape[-1]))

    def add_up(self, windows: tf.Tensor) -> tf.Tensor:
        """The transpose of `cut`: what it gives -> (N, H, W, C), summed where windows overlap."""
        rows = tf.reshape(windows, (-1, windows.shape[-1]))
        sums = [_take(rows, table) for table in _added_tables(self)]
        return tf.reshape(sums[0] if len(sums) == 1 else tf.add_n(sums),
                          (*self.shape, windows.shape[-1]))


@functools.cache
def cut_rows(windows: Windows) -> np.ndarray:
    """(rows of the table,) int32: the pixel that each row shows, or OUTSIDE."""
    n, height, width = windows.shape
    down = _positions(windows, 0)[:, :, np.newaxis, np.newaxis]  # (windows, taps, 1, 1)
    across = _positions(windows, 1)[np.newaxis, np.newaxis]
    inside = (down >= 0) & (down < height) & (across >= 0) & (across < width)
    pixel = np.arange(n)[:, np.newaxis, np.newaxis, np.newaxis, np.newaxis] * height * width
    pixel = np.where(inside, pixel + down * width + across, OUTSIDE)  # (N, down, tap, across, tap)
    order = (2, 4, 0, 1, 3) if windows.taps_first else (0, 1, 3, 2, 4)
    return np.ascontiguousarray(pixel.transpose(order)).ravel().astype(np.int32)


@functools.cache
def added_rows(windows: Windows) -> list[np.ndarray]:
    """The rows of the table that add up to each pixel: (pixels,) int32 each, or OUTSIDE."""
    n, height, width = windows.shape
    pixels = cut_rows(windows)
    rows = np.flatnonzero(pixels != OUTSIDE)
    rows = rows[np.argsort(pixels[rows], kind="stable")]
    counts = np.bincount(pixels[rows], minlength=n * height * width)
    starts = np.cumsum(counts) - counts
    found = []
    for number in range(counts.max()):
        index = np.minimum(starts + number, len(rows) - 1)
        found.append(np.where(number < counts, rows[index], OUTSIDE).astype(np.int32))
    return found


def _positions(windows: Windows, axis: int) -> np.ndarray:
    """(windows, taps): pixels along one axis, beyond the image too."""
    starts = np.arange(windows.count[axis]) * windows.stride - windows.before
    return starts[:, np.newaxis] + np.arange(windows.taps)


class _Table(NamedTuple):
    """Row numbers, and (rows, 1) bool where they count; elsewhere stand zeros. None: everywhere."""

    index: tf.Tensor
    inside: tf.Tensor | None


@functools.cache
def _cut_tables(windows: Windows) -> _Table:
    return _table(cut_rows(windows))


@functools.cache
def _added_tables(windows: Windows) -> list[_Table]:
    return [_table(rows) for rows in added_rows(windows)]


def _table(rows: np.ndarray) -> _Table:
    """Tables are tensors outside of any graph, which read them as inputs: as constants, each graph
    and each stage of its compilation would have a copy."""
    with tf.init_scope():
        index = tf.constant(np.maximum(rows, 0))
        inside = None if rows.min() >= 0 else tf.constant(rows[:, np.newaxis] >= 0)
    return _Table(index, inside)


def _take(rows: tf.Tensor, table: _Table) -> tf.Tensor:
    """(R, C) -> (rows of the table, C)."""
    taken = tf.gather(rows, table.index)
    if table.inside is None:
        return taken
    return tf.where(table.inside, taken, tf.zeros((), rows.dtype))
