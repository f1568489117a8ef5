"""More ops again in plain NumPy; see `tests/leras/reference.py`."""

import math

import numpy as np

from tests.leras import reference as ref


def space_to_depth(x, size):
    """Sub-pixel (dy, dx) of channel c becomes channel (dy * size + dx) * C + c."""
    parts = [x[:, dy::size, dx::size] for dy in range(size) for dx in range(size)]
    return np.concatenate(parts, -1)


def max_pool(x, size, stride):
    """TensorFlow's SAME: windows over the border are cut."""
    (top, _), (left, _) = ref.tensorflow_padding(x.shape, size, stride)
    n, height, width, channels = x.shape
    y = np.zeros((n, -(-height // stride), -(-width // stride), channels), x.dtype)
    for i in range(y.shape[1]):
        for j in range(y.shape[2]):
            rows = slice(max(i * stride - top, 0), i * stride - top + size)
            columns = slice(max(j * stride - left, 0), j * stride - left + size)
            window = x[:, rows, columns].reshape(n, -1, channels)
            largest = np.argmax(np.real(window), 1)[:, np.newaxis]
            y[:, i, j] = np.take_along_axis(window, largest, 1)[:, 0]
    return y


def gelu(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def upsample(x, factor):
    return np.kron(x, np.ones((1, factor, factor, 1)))


def resize_nearest(x, height, width):
    rows = [math.floor(i * x.shape[1] / height) for i in range(height)]
    columns = [math.floor(j * x.shape[2] / width) for j in range(width)]
    return x[:, rows][:, :, columns]


def resize_bilinear_legacy(x, height, width):
    """Pixel i of n reads position i * n_before / n; beyond the last pixel its value stays."""
    y = np.zeros((x.shape[0], height, width, x.shape[3]), x.dtype)
    for i in range(height):
        for j in range(width):
            row, column = i * x.shape[1] / height, j * x.shape[2] / width
            for di in (0, 1):
                for dj in (0, 1):
                    at = min(int(row) + di, x.shape[1] - 1), min(int(column) + dj, x.shape[2] - 1)
                    weight = abs(1 - di - row % 1) * abs(1 - dj - column % 1)
                    y[:, i, j] += weight * x[:, at[0], at[1]]
    return y


def channel_statistics(x):
    mean = x.mean((1, 2), keepdims=True)
    variance = ((x - mean)**2).mean((1, 2))
    return mean[:, 0, 0], np.sqrt(variance + 1e-5)


def total_variation(x):
    return (np.diff(x, axis=1)**2).sum((1, 2, 3)) + (np.diff(x, axis=2)**2).sum((1, 2, 3))


def rgb_to_lab(rgb):
    """IEC 61966-2-1 and CIE 1976, the constants of the training specification, section 1.7."""
    linear = np.where(np.real(rgb) > 0.04045, ((rgb + 0.055) / 1.055)**2.4, rgb / 12.92)
    r, g, b = np.moveaxis(linear, -1, 0)
    x = (0.412453 * r + 0.357580 * g + 0.180423 * b) / 0.950456
    y = 0.212671 * r + 0.715160 * g + 0.072169 * b
    z = (0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.088754
    d = 6 / 29
    x, y, z = (np.where(np.real(t) > d**3, t**(1 / 3), t / (3 * d**2) + 4 / 29) for t in (x, y, z))
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def separable_filter(x, rows, columns):
    """Every output pixel is a weighted sum over the whole picture."""
    return np.einsum("nhwc,ih,jw->nijc", x, rows, columns)


def bilinear_sample(x, points, wrap_rows=False):
    """SciPy reads between the pixels; rows that wrap are the picture with its first row behind."""
    y = np.zeros((x.shape[0], *points.shape[:2], x.shape[3]), x.dtype)
    around = np.concatenate([x, x[:, :1]], 1) if wrap_rows else x
    for (i, j), column in np.ndenumerate(points[..., 0]):
        row = points[i, j, 1] % x.shape[1] if wrap_rows else points[i, j, 1]
        for n, c in np.ndindex(x.shape[0], x.shape[3]):
            y[n, i, j, c] = ref.interpolate(around[n, :, :, c], row, column)
    return y


def halved_kernel(weight):
    """Tap (2 i + dy, 2 j + dx) goes to tap (i, j) of input channel (dy * 2 + dx) * C + c."""
    channels = weight.shape[2]
    y = np.zeros((3, 3, 4 * channels, weight.shape[3]), weight.dtype)
    for i, j in np.ndindex(5, 5):
        first = (i % 2 * 2 + j % 2) * channels
        y[i // 2, j // 2, first:first + channels] = weight[i, j]
    return y
