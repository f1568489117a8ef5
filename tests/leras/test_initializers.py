import numpy as np
import pytest

from leras import initializers
from leras.layers.conv import Conv2D, DepthwiseConv2D
from leras.layers.dense import Dense
from leras.module import Module


def test_zeros_and_constant_fill_with_float32():
    rng = np.random.default_rng(0)
    for array, value in ((initializers.zeros((2, 3), rng), 0),
                         (initializers.constant(0.25)((2, 3), rng), 0.25)):
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, np.full((2, 3), value))


class Net(Module):
    def __init__(self):
        super().__init__()
        self.stem = Conv2D(3, 64, 5, stride=2)
        self.convs = [Conv2D(64, 32), Conv2D(32, 256, 1)]
        self.each = DepthwiseConv2D(2000, 3)
        self.dense = Dense(300, 200)


# Fans by hand: kernel area times channels.
FANS = {
    "stem/weight": (5 * 5 * 3, 5 * 5 * 64),
    "convs_0/weight": (3 * 3 * 64, 3 * 3 * 32),
    "convs_1/weight": (32, 256),
    "each/weight": (3 * 3 * 2000, 3 * 3 * 1),
    "dense/weight": (300, 200),
}


@pytest.mark.parametrize("path", FANS)
def test_weights_start_glorot_uniform_within_bounds_and_with_its_variance(path):
    net = Net()
    net.initialize(np.random.default_rng(5))
    weight = net.state()[path]
    limit = np.sqrt(6 / sum(FANS[path]))
    assert weight.dtype == np.float32
    assert np.abs(weight).max() <= limit * (1 + 1e-6)
    assert np.abs(weight).max() > limit * (1 - 20 / weight.size)  # the range is used to its ends
    # Of n draws from U(-L, L): the mean has variance L^2 / 3n, the mean square 4 L^4 / 45n.
    n = weight.size
    assert abs(weight.mean()) < 4.5 * limit / np.sqrt(3 * n)
    assert abs((weight**2).mean() - limit**2 / 3) < 4.5 * limit**2 * np.sqrt(4 / (45 * n))


def test_biases_start_at_zero():
    state = Net().state()
    biases = [path for path in state if path.endswith("bias")]
    assert len(biases) == 5
    assert not any(state[path].any() for path in biases)


def test_equal_seeds_give_equal_weights_and_other_seeds_others():
    first, second, third = Net(), Net(), Net()
    for net, seed in ((first, 1), (second, 1), (third, 2)):
        net.initialize(np.random.default_rng(seed))
    for path, value in first.state().items():
        np.testing.assert_array_equal(value, second.state()[path])
    assert not np.array_equal(first.state()["stem/weight"], third.state()["stem/weight"])


def test_every_new_layer_starts_from_fresh_entropy():
    assert not np.array_equal(Dense(4, 4).state()["weight"], Dense(4, 4).state()["weight"])


def test_no_two_weights_of_a_net_share_their_draws():
    net = Net()
    net.initialize(np.random.default_rng(0))
    first = [net.state()[path].ravel()[:8] / net.state()[path].max() for path in FANS]
    assert len({tuple(np.round(row, 3)) for row in first}) == len(FANS)


# -- He and convolution-aware ---------------------------------------------------------------------

@pytest.mark.parametrize("shape, fan_in", [((3, 3, 64, 128), 576), ((300, 400), 300),
                                           ((5, 5, 2, 900), 50)])
def test_he_is_normal_with_the_variance_of_two_over_its_fan_in(shape, fan_in):
    draw = initializers.he_normal(shape, np.random.default_rng(3))
    assert draw.dtype == np.float32 and draw.shape == shape
    unit = draw.astype(np.float64).ravel() / np.sqrt(2 / fan_in)
    n = unit.size  # of n draws from N(0, 1): variances of mean, mean square and fourth moment
    for moment, expected, variance in ((1, 0, 1), (2, 1, 2), (4, 3, 96)):
        assert abs(np.mean(unit**moment) - expected) < 4.5 * np.sqrt(variance / n)


def kernels_by_the_specification(shape, noise, rng):
    """(out, in, k_rows, k_columns): the training specification, section 1.5, step by step.

    Singular vectors have no sign of their own, so neither have the kernels before the noise.
    """
    rows, columns, in_ch, out_ch = shape
    size = np.fft.rfft2(np.zeros((rows, columns))).size
    count = in_ch // size + 1
    draws = rng.standard_normal((out_ch, count, size, size))
    spectra = np.zeros((out_ch, count * size, size))
    for out, matrix in np.ndindex(out_ch, count):
        turned = draws[out, matrix].T.copy()
        np.fill_diagonal(turned, 0)
        left, _, _ = np.linalg.svd(draws[out, matrix] + turned)
        spectra[out, matrix * size:(matrix + 1) * size] = left.T
    spectra = spectra[:, :in_ch].reshape(out_ch, in_ch, rows, columns // 2 + 1)
    kernels = np.fft.irfft2(spectra, (rows, columns))
    return kernels, rng.normal(0, noise, kernels.shape)


def match_signs(kernels, expected):
    """Turns each expected (k, k) kernel the way the actual one points."""
    return expected * np.sign((kernels * expected).sum((2, 3), keepdims=True))


@pytest.mark.parametrize("shape", [(3, 3, 20, 4), (5, 5, 7, 3), (4, 4, 13, 2), (2, 3, 9, 2)])
def test_convolution_aware_kernels_equal_the_specification(shape, monkeypatch):
    expected, noise = kernels_by_the_specification(shape, 0.05, np.random.default_rng(11))
    monkeypatch.setattr(initializers, "NOISE", 0.0)
    pure = initializers.convolution_aware(shape, np.random.default_rng(11)).transpose(3, 2, 0, 1)
    expected = match_signs(pure, expected)
    np.testing.assert_allclose(pure / pure.std(), expected / expected.std(), atol=1e-5)
    monkeypatch.undo()
    draw = initializers.convolution_aware(shape, np.random.default_rng(11))
    noisy = expected + noise
    scale = np.sqrt(2 / np.prod(shape[:3]) / noisy.var())
    np.testing.assert_allclose(draw.transpose(3, 2, 0, 1), noisy * scale, atol=1e-5)


@pytest.mark.parametrize("columns, in_ch", [(5, 7), (7, 4), (3, 2)])
def test_spectra_of_one_output_are_orthogonal_within_each_matrix(columns, in_ch, monkeypatch):
    """One row of odd length, whose real spectrum passes the inverse transform unchanged."""
    monkeypatch.setattr(initializers, "NOISE", 0.0)
    draw = initializers.convolution_aware((1, columns, in_ch, 6), np.random.default_rng(0))
    spectra = np.fft.rfft(draw[0].astype(np.float64), axis=0)  # (size, in, out)
    np.testing.assert_allclose(spectra.imag, 0, atol=1e-6)
    size = columns // 2 + 1
    for out in range(6):
        for first in range(0, in_ch, size):
            rows = spectra[:, first:first + size, out].real.T
            product = rows @ rows.T
            np.testing.assert_allclose(product, product[0, 0] * np.eye(len(rows)), atol=1e-5)


@pytest.mark.parametrize("shape", [(3, 3, 32, 24), (5, 5, 3, 64), (1, 1, 64, 64), (1, 1, 2, 3)])
def test_convolution_aware_kernels_have_the_variance_of_two_over_their_fan_in(shape):
    draw = initializers.convolution_aware(shape, np.random.default_rng(0))
    assert draw.shape == shape and draw.dtype == np.float32
    assert draw.astype(np.float64).var() == pytest.approx(2 / np.prod(shape[:3]), rel=1e-5)


def test_a_convolution_aware_kernel_of_one_number_is_finite():
    draw = initializers.convolution_aware((1, 1, 1, 1), np.random.default_rng(0))
    assert abs(draw.item()) == pytest.approx(np.sqrt(2))


def test_only_kernels_of_convolutions_can_be_convolution_aware():
    with pytest.raises(ValueError, match="4 axes"):
        initializers.convolution_aware((3, 4), np.random.default_rng(0))


def test_transposed_kernels_count_their_inputs_in_the_last_axis():
    rng = np.random.default_rng(0)
    draw = initializers.transposed(initializers.he_normal)((3, 3, 200, 8), rng)
    assert draw.shape == (3, 3, 200, 8)
    assert np.mean(draw**2) == pytest.approx(2 / 72, rel=0.05)
