"""What Leras and the models compute, written again in plain NumPy and SciPy, without TensorFlow.

Everything is float64 (or complex128: see `gradient`) and follows the published definitions step by
step, loops included; nothing here is fast. Images are (N, H, W, C). More ops: `reference_ops.py`.
"""

import math

import numpy as np
import scipy.ndimage
import scipy.signal

# -- derivatives --------------------------------------------------------------------------------


def gradient(function, point, positions=None):
    """Derivatives of a real function by the complex step method (Squire and Trapp, 1998).

    The imaginary part of f(x + i h) / h has no rounding error of a difference, so h can be 1e-30
    and the result is exact to float64.

    Args:
        function: Array -> number; made of operations that hold for complex numbers, see
            `leaky_relu` for how branches are taken.
        point: Where.
        positions: Flat indices of the derivatives wanted; all by default.

    Returns:
        The derivatives: shape of `point`, or (len(positions),).
    """
    point = np.asarray(point, np.float64)
    wanted = range(point.size) if positions is None else positions
    result = np.zeros(len(wanted))
    for k, position in enumerate(wanted):
        moved = point.astype(np.complex128)
        moved.flat[position] += 1e-30j
        result[k] = np.imag(function(moved)) / 1e-30
    return result.reshape(point.shape) if positions is None else result


# -- layers -------------------------------------------------------------------------------------


def symmetric_padding(kernel_size, dilation=1):
    """((before, after), (before, after)) of "same": equal on all sides, whatever the stride."""
    pad = ((kernel_size - 1) * dilation + 1) // 2
    return (pad, pad), (pad, pad)


def tensorflow_padding(shape, kernel_size, stride, dilation=1):
    """The paddings of TensorFlow's SAME for an (N, H, W, C) input: the odd one goes behind."""
    paddings = []
    for n in shape[1:3]:
        outputs = math.ceil(n / stride)
        total = max((outputs - 1) * stride + (kernel_size - 1) * dilation + 1 - n, 0)
        paddings.append((total // 2, total - total // 2))
    return tuple(paddings)


def conv2d(x, weight, bias=None, *, stride=1, dilation=1, padding=None):
    """Cross-correlation; weight (k, k, in, out)."""
    taps = _taps(x, weight.shape[:2], stride, dilation, padding)
    y = sum(part @ weight[i, j] for i, j, part in taps)  # (N, H', W', in) @ (in, out)
    return y if bias is None else y + bias


def depthwise_conv2d(x, weight, bias=None, *, stride=1, dilation=1, padding=None):
    """Weight (k, k, channels, multiplier); output channel c * multiplier + m."""
    taps = _taps(x, weight.shape[:2], stride, dilation, padding)
    y = sum(np.einsum("nhwc,cm->nhwcm", part, weight[i, j]) for i, j, part in taps)
    y = y.reshape(*y.shape[:3], -1)
    return y if bias is None else y + bias


def _taps(x, kernel_shape, stride, dilation, padding):
    """Every kernel position with the input values that meet it: (i, j, (N, H', W', C))."""
    rows, columns = kernel_shape
    x = np.pad(x, ((0, 0), *(padding or symmetric_padding(rows, dilation)), (0, 0)))
    height = (x.shape[1] - (rows - 1) * dilation - 1) // stride + 1
    width = (x.shape[2] - (columns - 1) * dilation - 1) // stride + 1
    for i in range(rows):
        for j in range(columns):
            top, left = i * dilation, j * dilation
            yield i, j, x[:, top:top + (height - 1) * stride + 1:stride,
                          left:left + (width - 1) * stride + 1:stride]


def conv2d_transpose(x, weight, bias=None, *, stride=2, padding="same"):
    """Every pixel paints its kernel; weight (k, k, out, in). `transposed_cut` does the borders."""
    n, height, width, _ = x.shape
    k, _, out_ch, _ = weight.shape
    painted = np.zeros((n, (height - 1) * stride + k, (width - 1) * stride + k, out_ch),
                       np.result_type(x, weight))
    for row in range(height):
        for column in range(width):
            painted[:, row * stride:row * stride + k, column * stride:column * stride + k] += \
                np.einsum("nc,ijoc->nijo", x[:, row, column], weight)
    for axis, side in ((1, height), (2, width)):
        painted = transposed_cut(painted, axis, side, k, stride, padding)
    return painted if bias is None else painted + bias


def transposed_cut(painted, axis, side, k, stride, padding):
    """Keeps what a convolution over the result, padded so, would have read; zeros where it skipped.

    same: TensorFlow's SAME of the larger map; full: k - 1 on both sides.
    """
    before, wanted = {"valid": (0, side * stride + max(k - stride, 0)),
                      "same": (max(k - stride, 0) // 2, side * stride),
                      "full": (k - 1, side * stride - (stride + k - 2))}[padding]
    missing = max(before + wanted - painted.shape[axis], 0)
    behind = [(0, missing if a == axis else 0) for a in range(4)]
    return np.take(np.pad(painted, behind), np.arange(before, before + wanted), axis)


def dense(x, weight, bias=None):
    """x W + b."""
    y = x @ weight
    return y if bias is None else y + bias


def maxout(x, weight, bias, pieces):
    """The largest of `pieces` neighbouring products, by their real parts, then the bias."""
    products = x @ weight
    outputs = []
    for first in range(0, products.shape[1], pieces):
        group = products[:, first:first + pieces]
        outputs.append(group[np.arange(len(x)), np.argmax(np.real(group), 1)])
    return np.stack(outputs, 1) + bias


def filter_response_norm(x, weight, bias, eps):
    """The absolute value by its branches, so that complex steps pass through."""
    positive = np.where(np.real(eps) >= 0, eps, -eps)
    return x / np.sqrt((x * x).mean((1, 2), keepdims=True) + positive) * weight + bias


def batch_norm(x, weight, bias, running_mean, running_var):
    return (x - running_mean) / np.sqrt(running_var + 1e-5) * weight + bias


def standardize(x):
    centred = x - x.mean((1, 2), keepdims=True)
    return centred / (np.sqrt((centred * centred).mean((1, 2), keepdims=True)) + 1e-5)


def instance_norm(x, weight, bias):
    return standardize(x) * weight + bias


def adaptive_instance_norm(x, code, weight1, bias1, weight2, bias2):
    scale, shift = code @ weight1 + bias1, code @ weight2 + bias2
    return np.stack([standardize(x)[n:n + 1] * scale[n] + shift[n] for n in range(len(x))])[:, 0]


BINOMIALS = {1: [1], 2: [1, 1], 3: [1, 2, 1], 4: [1, 3, 3, 1], 5: [1, 4, 6, 4, 1],
             6: [1, 5, 10, 10, 5, 1], 7: [1, 6, 15, 20, 15, 6, 1]}


def blur_pool(x, size, stride):
    kernel = np.outer(BINOMIALS[size], BINOMIALS[size])
    around = (math.floor((size - 1) / 2), math.ceil((size - 1) / 2))
    padded = np.pad(x, ((0, 0), around, around, (0, 0)))
    return correlate(padded, kernel / kernel.sum(), "valid")[:, ::stride, ::stride]


def tanh_polar(x, offset):
    """Row: angle; column: tanh of the distance. SciPy reads between the pixels."""
    n, height, width, channels = x.shape
    y = np.zeros(x.shape, x.dtype)
    for i in range(height):
        angle = math.radians(360 * i / height + offset)
        for j in range(width):
            distance = math.atanh(j / width) / math.sqrt(math.pi)
            row = (height - 1) / 2 + height * distance * math.sin(angle)
            column = (width - 1) / 2 + width * distance * math.cos(angle)
            for sample in range(n):
                for c in range(channels):
                    y[sample, i, j, c] = interpolate(x[sample, :, :, c], row, column)
    return y


def interpolate(plane, row, column):
    """The value of an (H, W) picture between its pixels, zeros around it."""
    return scipy.ndimage.map_coordinates(plane, [[row], [column]], order=1, mode="grid-constant")[0]


def leaky_relu(x, slope):
    """The branch is chosen by the real part, so that complex steps pass through."""
    return np.where(np.real(x) > 0, x, slope * x)


prelu = leaky_relu  # the slope is then an array (C,)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


# -- ops ----------------------------------------------------------------------------------------


def depth_to_space(x, size):
    """Channel (dy * size + dx) * C + c becomes channel c at sub-pixel (dy, dx)."""
    n, height, width, channels = x.shape
    out_ch = channels // size**2
    y = np.zeros((n, height * size, width * size, out_ch), x.dtype)
    for dy in range(size):
        for dx in range(size):
            first = (dy * size + dx) * out_ch
            y[:, dy::size, dx::size] = x[..., first:first + out_ch]
    return y


def pixel_norm(x, axis=-1):
    return x / np.sqrt(np.mean(x * x, axis, keepdims=True) + 1e-6)


def gaussian_window(size, sigma):
    window = np.array([math.exp(-((i - (size - 1) / 2)**2) / (2 * sigma**2)) for i in range(size)])
    return window / window.sum()


def correlate(x, kernel, mode):
    """The same two-dimensional kernel over every channel of every image; zeros outside."""
    planes = [[scipy.signal.correlate2d(image[..., c], kernel, mode) for c in range(x.shape[-1])]
              for image in x]
    return np.moveaxis(np.array(planes), 1, -1)


def gaussian_blur(x, sigma):
    """Kernel side max(3, int(4 sigma)), made odd; a full two-dimensional kernel."""
    side = max(3, int(4 * sigma))
    side += side % 2 == 0
    at = np.arange(side) - side // 2
    kernel = np.exp(-(at[:, None]**2 + at[None, :]**2) / (2 * sigma**2))
    return correlate(x, kernel / kernel.sum(), "same")


def dssim(a, b, *, max_value=1.0, filter_size=11, sigma=1.5, k1=0.01, k2=0.03):
    """(1 - SSIM) / 2 per image and channel; variances as E((a - mu)^2) in their expanded form."""
    window = gaussian_window(filter_size, sigma)
    kernel = np.outer(window, window)

    def mean(x):
        return correlate(x, kernel, "valid")

    mu_a, mu_b = mean(a), mean(b)
    variance_a, variance_b = mean(a * a) - mu_a * mu_a, mean(b * b) - mu_b * mu_b
    covariance = mean(a * b) - mu_a * mu_b
    c1, c2 = (k1 * max_value)**2, (k2 * max_value)**2
    ssim = ((2 * mu_a * mu_b + c1) * (2 * covariance + c2)
            / ((mu_a * mu_a + mu_b * mu_b + c1) * (variance_a + variance_b + c2)))
    return (1 - ssim.mean((1, 2))) / 2


# -- optimizers ---------------------------------------------------------------------------------


def clip_by_global_norm(gradients, limit):
    norm = math.sqrt(sum(float((g.astype(np.float64)**2).sum()) for g in gradients))
    return [g * (limit / norm) if limit > 0 and norm >= limit else g for g in gradients]


def cosine_rate(rate, period, steps_before):
    """Full cycles from the rate to zero and back; 0 steps before gives the whole rate."""
    return rate * (math.cos(2 * math.pi * steps_before / period) + 1) / 2 if period else rate


class RMSprop:
    """rho 0.9, eps 1e-6 outside the root."""

    def __init__(self, shapes):
        self.mean_square = [np.zeros(shape) for shape in shapes]

    def steps(self, gradients):
        """The step of every weight for a rate of 1."""
        result = []
        for k, g in enumerate(gradients):
            self.mean_square[k] = 0.9 * self.mean_square[k] + 0.1 * g**2
            result.append(g / (np.sqrt(self.mean_square[k]) + 1e-6))
        return result


class Adam:
    """Kingma and Ba (2015), algorithm 1, with the paper's b1 = 0.5; eps 1e-6 outside the root."""

    def __init__(self, shapes, beta1=0.5, beta2=0.999):
        self.betas, self.step = (beta1, beta2), 0
        self.moments = [(np.zeros(shape), np.zeros(shape)) for shape in shapes]

    def steps(self, gradients):
        """The step of every weight for a rate of 1."""
        self.step += 1
        result = []
        for k, g in enumerate(gradients):
            self.moments[k] = tuple(b * moment + (1 - b) * g**power for b, moment, power
                                    in zip(self.betas, self.moments[k], (1, 2)))
            mean, square = (moment / (1 - b**self.step)
                            for b, moment in zip(self.betas, self.moments[k]))
            result.append(mean / (np.sqrt(square) + 1e-6))
        return result


class AdaBelief:
    """Zhuang et al. (2020), algorithm 2; `compat` without bias correction and inner eps."""

    def __init__(self, shapes, compat):
        self.compat, self.step = compat, 0
        self.mean = [np.zeros(shape) for shape in shapes]
        self.variance = [np.zeros(shape) for shape in shapes]

    def steps(self, gradients):
        """The step of every weight for a rate of 1."""
        self.step += 1
        result = []
        for k, g in enumerate(gradients):
            self.mean[k] = 0.9 * self.mean[k] + 0.1 * g
            self.variance[k] = 0.999 * self.variance[k] + 0.001 * (g - self.mean[k])**2
            mean, variance = self.mean[k], self.variance[k]
            if not self.compat:
                self.variance[k] = variance = variance + 1e-16
                mean = mean / (1 - 0.9**self.step)
                variance = variance / (1 - 0.999**self.step)
            result.append(mean / (np.sqrt(variance) + 1e-6))
        return result


def murmur_finalizer(value):
    """The 32-bit finaliser of MurmurHash3 (Appleby), on Python's integers."""
    value ^= value >> 16
    value = value * 0x85EBCA6B % 2**32
    value ^= value >> 13
    value = value * 0xC2B2AE35 % 2**32
    return value ^ (value >> 16)


def bernoulli_mask(shape, probability, key):
    """Element i is one where the 24 upper bits of its hash lie below the probability."""
    start = murmur_finalizer(key)
    hashes = [murmur_finalizer((i * 0x9E3779B9 + start) % 2**32) for i in range(math.prod(shape))]
    return np.array([h // 2**8 < int(probability * 2**24) for h in hashes], float).reshape(shape)


def dropout_mask(shape, probability, step, seed, index):
    """The mask of the optimizer's variable `index` at `step`, counted from 1."""
    key = murmur_finalizer(step ^ murmur_finalizer(seed % 2**32)) + index
    return bernoulli_mask(shape, probability, key % 2**32)
