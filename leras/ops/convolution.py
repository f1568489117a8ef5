"""2-D convolution and its transpose by the algorithm that is fastest where it runs."""

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator

import tensorflow as tf

from leras.ops.patches import patch_conv2d, patch_conv2d_transpose
from leras.ops.winograd import TILINGS, winograd_conv2d

Padding = str | list[list[int]]
Convolution = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]

_FAST = contextvars.ContextVar("fast_convolutions", default=False)
TILE_OVERHEAD = 64
"""What transforming a kernel costs, in tiles; fitted to times of 64 to 2048 channels."""

_THIN, _FEW_WEIGHTS, _MANY_PIXELS = range(8, 33), 512, 2**16
"""Channels, weights of one tap, pixels of a batch: with so few channels, the tiles and patches of
so many pixels take longer to make than to multiply. Of fewer pixels they stay in the cache."""


@contextlib.contextmanager
def fast_convolutions() -> Iterator[None]:
    """Inside, `conv2d` and `conv2d_transpose` may use other algorithms; for XLA on CPUs.

    Not for GPUs, whose library chooses by itself, nor outside of XLA, where each of the many small
    operations would read and write memory.
    """
    token = _FAST.set(True)
    try:
        yield
    finally:
        _FAST.reset(token)


def conv2d(x: tf.Tensor, weight: tf.Tensor, stride: int, padding: Padding) -> tf.Tensor:
    """Two-dimensional convolution without bias.

    Args:
        x: (N, H, W, C).
        weight: (k, k, C, K) of the same dtype.
        stride: Of both axes.
        padding: As `tf.nn.conv2d` takes it.

    Returns:
        (N, H', W', K).
    """
    around = _pixels_around(padding)
    if around is not None and _may_be_fast(x):
        return best_convolution(tuple(x.shape), tuple(weight.shape), stride, around)(x, weight)
    return tf.nn.conv2d(x, weight, stride, padding)


def conv2d_transpose(x: tf.Tensor, weight: tf.Tensor, stride: int, padding: Padding,
                     sides: tuple[int, int]) -> tf.Tensor:
    """Transpose of a strided two-dimensional convolution, without bias.

    Args:
        x: (N, H, W, C).
        weight: (k, k, K, C) of the same dtype.
        stride: Of both axes.
        padding: As `tf.nn.conv2d_transpose` takes it.
        sides: (H', W') of the result.

    Returns:
        (N, H', W', K).
    """
    if _may_be_fast(x):
        before = _pixels_cut(padding, weight.shape[0], stride)
        return patch_conv2d_transpose(x, weight, stride, before, sides)
    shape = tf.stack([tf.shape(x)[0], *sides, weight.shape[2]])
    y = tf.nn.conv2d_transpose(x, weight, shape, stride, padding)
    return tf.ensure_shape(y, (x.shape[0], *sides, weight.shape[2]))


@functools.cache
def best_convolution(image: tuple[int, ...], kernel: tuple[int, ...], stride: int,
                     padding: int) -> Convolution:
    """The algorithm that takes the fewest products, or the plain one for large thin maps.

    Args:
        image: (N, H, W, C).
        kernel: (k, k, C, K).
        stride: Of both axes.
        padding: Pixels of zeros around the image.

    Returns:
        A function of image and kernel.
    """
    n, height, width, channels = image
    taps = kernel[0]
    down, across = ((side + 2 * padding - taps) // stride + 1 for side in (height, width))
    is_thin = channels in _THIN and channels * kernel[3] <= _FEW_WEIGHTS
    if (taps, stride, padding) == (3, 1, 1) and is_thin and n * down * across >= _MANY_PIXELS:
        return _plain
    choices = {functools.partial(patch_conv2d, stride=stride, padding=padding):
               n * down * across * taps**2 * channels}
    for m in TILINGS:
        tiles = n * -(-down // m) * -(-across // m)
        products = (m + 2)**2 * (tiles + TILE_OVERHEAD) * channels
        if (taps, stride, padding) == (3, 1, 1):
            choices[functools.partial(winograd_conv2d, tile=m)] = products
        if (taps, stride, padding) == (5, 2, 2) and height % 2 == width % 2 == 0:
            choices[functools.partial(_halved, tile=m)] = 4 * products
    return min(choices, key=choices.__getitem__)


def _plain(x: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    return tf.nn.conv2d(x, weight, 1, [[0, 0], [1, 1], [1, 1], [0, 0]])


def _halved(x: tf.Tensor, weight: tf.Tensor, tile: int) -> tf.Tensor:
    return winograd_conv2d(tf.nn.space_to_depth(x, 2), halved_kernel(weight), tile)


def halved_kernel(weight: tf.Tensor) -> tf.Tensor:
    """Turns a 5x5 kernel of stride 2 into a 3x3 kernel of stride 1 over `space_to_depth(x, 2)`.

    Tap 2i + d of the padded 5x5 kernel reads sub-pixel d of pixel i; a sixth tap is zero.

    Args:
        weight: (5, 5, C, K).

    Returns:
        (3, 3, 4 * C, K), for one pixel of zeros around the halved image instead of two.
    """
    channels, outputs = weight.shape[2:]
    weight = tf.reshape(tf.pad(weight, [[0, 1], [0, 1], [0, 0], [0, 0]]),
                        (3, 2, 3, 2, channels, outputs))
    return tf.reshape(tf.transpose(weight, (0, 2, 1, 3, 4, 5)), (3, 3, 4 * channels, outputs))


def _may_be_fast(x: tf.Tensor) -> bool:
    return _FAST.get() and x.dtype == tf.float32 and x.shape.is_fully_defined()


def _pixels_cut(padding: Padding, taps: int, stride: int) -> int:
    """How much of what a transposed convolution paints lies above the result, and left of it."""
    if isinstance(padding, str):
        return max(taps - stride, 0) // 2 if padding == "SAME" else 0
    return padding[1][0]


def _pixels_around(padding: Padding) -> int | None:
    """How many pixels of zeros stand on all four sides; None for TensorFlow's SAME."""
    if padding == "VALID":
        return 0
    sides = {side for axis in padding[1:3] for side in axis} if padding != "SAME" else ()
    return sides.pop() if len(sides) == 1 else None
