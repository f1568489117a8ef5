import numpy as np
import pytest

from leras.graph import compile, image_spec
from models.networks.blocks import Downscale, DownscaleBlock, ResidualBlock, Upscale
from models.networks.df import DF, Decoder, Encoder, Inter
from tests.leras import reference as ref
from tests.models import network_reference as net

OPTIONS = ("", "u", "d", "ud")
TINY = dict(ae_ch=6, encoder_ch=3, decoder_ch=2, mask_ch=2)


def fill(module, seed=0):
    """Random weights and biases, scaled so that values keep their size from layer to layer."""
    rng = np.random.default_rng(seed)
    state = {}
    for path, value in module.state().items():
        fan_in = np.prod(value.shape[:-1]) if value.ndim > 1 else 10
        state[path] = np.float32(rng.standard_normal(value.shape) * np.sqrt(2 / fan_in))
    module.load_state(state)
    return module


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


# -- parts of DF --------------------------------------------------------------------------------

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


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("decoder", ["decoder_src", "decoder_dst"])
def test_the_whole_autoencoder_equals_the_reference(options, decoder):
    model, x = fill(DF(64, options=options, **TINY)), pictures(64)
    run = compile(lambda v: getattr(model, decoder)(model.code(v)), image_spec(64, 64, 3))
    for actual, expected in zip(run(x), net.reconstruct(x.astype(float), exact(model), decoder, 64,
                                                        options)):
        np.testing.assert_allclose(actual, expected, atol=1e-4)


def test_the_decoders_share_nothing_and_the_parts_are_the_whole():
    model = DF(32, **TINY)
    assert list(model.parts()) == ["encoder", "inter", "decoder_src", "decoder_dst"]
    variables = [id(v) for part in model.parts().values() for _, v in part.named_variables()]
    assert len(variables) == len(set(variables))
    assert sorted(variables) == sorted(id(v) for _, v in model.named_variables())


# -- the training specification's tables -----------------------------------------------------------

# Options, resolution, widths (ae, e, d, dm) -> encoder, inter, one decoder, whole (section 2.6).
COUNTS = {
    "df 128": ("", 128, (256, 64, 64, 22), (4_306_560, 14_959_872, 19_136_000, 57_538_432)),
    "df-ud 128": ("ud", 128, (256, 64, 64, 22), (4_306_560, 11_801_856, 19_181_291, 54_470_998)),
    "Quick96": ("ud", 96, (128, 64, 64, 16), (4_306_560, 3_098_368, 15_444_701, 38_294_330)),
}


@pytest.mark.parametrize("options, resolution, widths, counts", COUNTS.values(), ids=COUNTS.keys())
def test_the_counts_of_parameters_are_those_of_the_specification(options, resolution, widths,
                                                                 counts):
    names = ("ae_ch", "encoder_ch", "decoder_ch", "mask_ch")
    model = DF(resolution, options=options, **dict(zip(names, widths)))
    parts = model.parts()
    assert parts["encoder"].n_parameters() == counts[0]
    assert parts["inter"].n_parameters() == counts[1]
    assert parts["decoder_src"].n_parameters() == counts[2]
    assert parts["decoder_dst"].n_parameters() == counts[2]
    assert model.n_parameters() == counts[3]


def weight_names(options):
    """The names inside the files of one model, without the bias and weight endings (2.7)."""
    decoder = ["upscale0/conv1", "res0/conv1", "res0/conv2", "upscale1/conv1", "res1/conv1",
               "res1/conv2", "upscale2/conv1", "res2/conv1", "res2/conv2", "upscalem0/conv1",
               "upscalem1/conv1", "upscalem2/conv1", "out_conv", "out_convm"]
    if "d" in options:
        decoder += ["out_conv1", "out_conv2", "out_conv3", "upscalem3/conv1"]
    return {"encoder": [f"down1/downs_{stage}/conv1" for stage in range(4)],
            "inter": ["dense1", "dense2", "upscale1/conv1"],
            "decoder_src": decoder, "decoder_dst": decoder}


@pytest.mark.parametrize("options", OPTIONS)
def test_weights_have_the_names_of_the_specification(options):
    for part, module in DF(32, options=options, **TINY).parts().items():
        expected = {f"{name}/{end}" for name in weight_names(options)[part]
                    for end in ("weight", "bias")}
        assert set(module.state()) == expected


@pytest.mark.parametrize("resolution, options", [(40, ""), (48, "d"), (80, "ud")])
def test_a_resolution_that_the_options_cannot_have_is_refused(resolution, options):
    with pytest.raises(ValueError, match=f"resolution {resolution} is no multiple"):
        DF(resolution, options=options, **TINY)


def test_equal_seeds_build_equal_models():
    first, second = DF(32, **TINY), DF(32, **TINY)
    for model in (first, second):
        model.initialize(np.random.default_rng(3))
    for path, value in first.state().items():
        np.testing.assert_array_equal(value, second.state()[path])
