"""Convolution, and its transpose, as one matrix product over the patches of an image."""

import tensorflow as tf

from leras.ops.traced import with_gradient
from leras.ops.windows import Windows


def patch_conv2d(x: tf.Tensor, weight: tf.Tensor, stride: int, padding: int) -> tf.Tensor:
    """Convolves as the plain convolution does, by one product forward and one for each gradient.

    XLA's own convolution is no faster on CPUs for a few hundred pixels, and takes twice the time
    to compile.

    Args:
        x: (N, H, W, C) float32 of static shape.
        weight: (k, k, C, K) float32.
        stride: Of both axes.
        padding: Pixels of zeros around the image.

    Returns:
        (N, H', W', K).
    """
    taps = weight.shape[0]
    count = tuple((side + 2 * padding - taps) // stride + 1 for side in x.shape[1:3])
    windows = Windows(tuple(x.shape[:3]), taps, stride, padding, count, taps_first=False)
    return with_gradient(_forward, _backward, windows)(x, weight)


def _forward(windows: Windows, x: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    y = tf.linalg.matmul(_patches(windows, x), _rows(weight))
    return tf.reshape(y, (x.shape[0], *windows.count, weight.shape[-1]))


def _backward(windows: Windows, dy: tf.Tensor, x: tf.Tensor,
              weight: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    dy = _rows(dy)
    d_patches = tf.linalg.matmul(dy, _rows(weight), transpose_b=True)
    d_kernel = tf.linalg.matmul(_patches(windows, x), dy, transpose_a=True)
    return (windows.add_up(tf.reshape(d_patches, (-1, windows.taps**2, x.shape[-1]))),
            tf.reshape(d_kernel, weight.shape))


def patch_conv2d_transpose(x: tf.Tensor, weight: tf.Tensor, stride: int, before: int,
                           sides: tuple[int, int]) -> tf.Tensor:
    """The transpose of a strided convolution: each pixel paints a patch.

    XLA's own convolves the image with zeros between its pixels, which are three quarters of the
    products at a stride of 2.

    Args:
        x: (N, H, W, C) float32 of static shape.
        weight: (k, k, K, C) float32.
        stride: Pixels from one patch to the next.
        before: Pixels that are cut off the painting at the top and left.
        sides: (H', W') of what is left of it.

    Returns:
        (N, H', W', K).
    """
    windows = Windows((x.shape[0], *sides), weight.shape[0], stride, before, tuple(x.shape[1:3]),
                      taps_first=False)
    return with_gradient(_paint, _paint_backward, windows)(x, weight)


def _paint(windows: Windows, x: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    patches = tf.linalg.matmul(_rows(x), _rows(weight), transpose_b=True)
    return windows.add_up(tf.reshape(patches, (-1, windows.taps**2, weight.shape[2])))


def _paint_backward(windows: Windows, dy: tf.Tensor, x: tf.Tensor,
                    weight: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    patches = _patches(windows, dy)
    return (tf.reshape(tf.linalg.matmul(patches, _rows(weight)), x.shape),
            tf.reshape(tf.linalg.matmul(patches, _rows(x), transpose_a=True), weight.shape))


def _patches(windows: Windows, x: tf.Tensor) -> tf.Tensor:
    """(N, H, W, C) -> (windows, taps^2 * C)."""
    return tf.reshape(windows.cut(x), (-1, windows.taps**2 * x.shape[-1]))


def _rows(x: tf.Tensor) -> tf.Tensor:
    """(..., C) -> (all others, C)."""
    return tf.reshape(x, (-1, x.shape[-1]))
