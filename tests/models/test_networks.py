import numpy as np
import pytest

from leras.graph import compile, image_spec
from models.networks.blocks import Downscale, DownscaleBlock, ResidualBlock, Upscale
from models.networks.decoder import Decoder
from models.networks.encoder import Encoder
from models.networks.inter import Inter
from tests.leras import reference as ref
from tests.models import network_reference as net
from tests.models.networks.comparison import fill


def exact(module):
    return {path: value.astype(np.float64) for path, value in module.state().items()}


def pictures(side, n=2, channels=3, seed=1):
    return np.random.default_rng(seed).random((n, side, side, channels), np.float32)


def check(module, expected, x):
    """In graph mode with and without XLA, and eagerly: the three rewrite operations differently.

    TensorFlow 2.21 on CPUs fuses convolution + bias + sum + leaky ReLU in graphs and takes the
    slope for 0.2 then, whatever was asked for.
    """
    spec = image_spec(*x.shape[1:])
    for run in (module, compile(module, spec), compile(module, spec, jit=True)):
        np.testing.assert_allclose(run(x), expected, rtol=1e-4, atol=1e-4)


# -- blocks -------------------------------------------------------------------------------------

def test_downscale_equals_the_reference():
    block, x = fill(Downscale(3, 4)), pictures(10)
    expected = ref.leaky_relu(net.conv(x.astype(float), exact(block), "conv1", stride=2), 0.1)
    assert expected.shape == (2, 5, 5, 4)
    check(block, expected, x)


def test_a_downscale_block_widens_up_to_eight_times():
    block = DownscaleBlock(3, 2, 5)
    widths = [value.shape[-1] for path, value in block.state().items() if path.endswith("weight")]
    assert widths == [2, 4, 8, 16, 16]


def test_upscale_equals_the_reference():
    block, x = fill(Upscale(3, 5)), pictures(6)
    assert block(x).shape == (2, 12, 12, 5)
    check(block, net.upscale(x.astype(float), {f"b/{p}": w for p, w in exact(block).items()}, "b"),
          x)


def test_a_residual_block_equals_the_reference():
    block, x = fill(ResidualBlock(3)), pictures(6) - 0.5
    check(block, net.residual(x.astype(float), {f"b/{p}": w for p, w in exact(block).items()}, "b"),
          x)


# -- parts ------------------------------------------------------------------------------------

@pytest.mark.parametrize("options", ["", "u"])
def test_the_encoder_equals_the_reference(options):
    encoder, x = fill(Encoder(3, normalize="u" in options)), pictures(48)
    expected = net.encoder(x.astype(float), exact(encoder), options)
    assert expected.shape == (2, 3 * 3 * 24)
    check(encoder, expected, x)


@pytest.mark.parametrize("side", [1, 3])
def test_the_inter_equals_the_reference(side):
    inter = fill(Inter(20, 6, 5, side))
    code = np.random.default_rng(0).standard_normal((2, 20)).astype(np.float32)
    expected = net.inter(code.astype(float), exact(inter), side)
    assert expected.shape == (2, 2 * side, 2 * side, 5)
    check(inter, expected, code)


@pytest.mark.parametrize("options", ["", "d"])
def test_the_decoder_equals_the_reference(options):
    decoder = fill(Decoder(5, 3, 2, double="d" in options))
    code = np.random.default_rng(0).standard_normal((2, 4, 4, 5)).astype(np.float32)
    resolution = 64 if "d" in options else 32
    face, mask = compile(decoder, image_spec(4, 4, 5))(code)
    assert face.shape == (2, resolution, resolution, 3)
    assert mask.shape == (2, resolution, resolution, 1)
    expected_face = net.decoder_face(code.astype(float), exact(decoder), options)
    expected_mask = net.decoder_mask(code.astype(float), exact(decoder), options)
    np.testing.assert_allclose(face, expected_face, atol=1e-4)
    np.testing.assert_allclose(mask, expected_mask, atol=1e-4)
    assert np.ptp(face) > 0.3 and np.ptp(mask) > 0.3  # not all one grey
