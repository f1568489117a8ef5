"""Counts and names of parameters, and the shapes between layers, as the specification has them.

The networks are built at their true sizes, but with one number for each parameter.
"""

import numpy as np
import pytest
import tensorflow as tf

from leras.module import Module
from models.networks.amp import AMPAutoencoder
from models.networks.architecture import build_autoencoder, parse_architecture
from models.networks.blocks import Downscale, Upscale
from models.networks.code_discriminator import CodeDiscriminator
from models.networks.discriminators.unet import UNetDiscriminator
from models.networks.hd import HDDecoder, HDEncoder


@pytest.fixture
def count(monkeypatch):
    """A function that counts a module's numbers from the shapes it asked for."""
    sizes = {}

    def parameter(module, name, shape, initializer):
        variable = tf.Variable(0.0)
        sizes[id(variable)] = variable, int(np.prod(shape))
        return variable

    monkeypatch.setattr(Module, "parameter", parameter)
    return lambda module: sum(sizes[id(v)][1] for _, v in module.named_variables())


# -- counts (section 2.6) --------------------------------------------------------------------------

STANDARD = (256, 64, 64, 22)  # ae, encoder, decoder, mask
# Name, resolution, widths -> encoder, one inter, one decoder, whole.
COUNTS = [
    ("df", 128, STANDARD, (4_306_560, 14_959_872, 19_136_000, 57_538_432)),
    ("df-u", 128, STANDARD, (4_306_560, 14_959_872, 19_136_000, 57_538_432)),
    ("df-d", 128, STANDARD, (4_306_560, 11_801_856, 19_181_291, 54_470_998)),
    ("df-ud", 128, STANDARD, (4_306_560, 11_801_856, 19_181_291, 54_470_998)),
    ("df-t", 128, STANDARD, (15_654_144, 6_308_096, 34_410_688, 90_783_616)),
    ("df-udt", 128, STANDARD, (15_654_144, 3_150_080, 34_455_979, 87_716_182)),
    ("liae", 128, STANDARD, (4_306_560, 26_249_472, 38_157_824, 94_963_328)),
    ("liae-uc", 128, STANDARD, (4_306_560, 26_249_472, 38_157_824, 94_963_328)),
    ("liae-ud", 128, STANDARD, (4_306_560, 19_933_440, 38_203_115, 82_376_555)),
    ("liae-ud", 256, STANDARD, (4_306_560, 51_415_296, 38_203_115, 145_340_267)),
    ("liae-udt", 256, STANDARD, (15_654_144, 16_810_240, 53_477_803, 102_752_427)),
    ("df-ud", 96, (128, 64, 64, 16), (4_306_560, 3_098_368, 15_444_701, 38_294_330)),  # Quick96
]


@pytest.mark.parametrize("name, resolution, widths, counts", COUNTS,
                         ids=[f"{name} {resolution}" for name, resolution, *_ in COUNTS])
def test_autoencoders_have_as_many_parameters_as_specified(count, name, resolution, widths, counts):
    names = ("ae_ch", "encoder_ch", "decoder_ch", "mask_ch")
    model = build_autoencoder(parse_architecture(name), resolution, **dict(zip(names, widths)))
    encoder, *inters, decoder = [count(part) for part in model.parts().values()]
    if name.startswith("df"):
        assert inters.pop() == decoder
    assert encoder == counts[0]
    assert set(inters) == {counts[1]}
    assert decoder == counts[2]
    assert count(model) == counts[3]


def test_amp_has_as_many_parameters_as_specified(count):
    model = AMPAutoencoder(224, ae_ch=256, inter_ch=1024, encoder_ch=64, decoder_ch=64, mask_ch=22)
    assert {name: count(part) for name, part in model.parts().items()} == {
        "encoder": 22_076_928, "inter_src": 12_895_232, "inter_dst": 12_895_232,
        "decoder": 53_477_803}
    assert count(model) == 101_345_195


@pytest.mark.parametrize("patch_size, n_parameters", [
    (12, 233_650), (16, 233_650), (20, 946_994), (32, 946_994), (28, 3_799_090), (40, 3_799_090)])
def test_unet_discriminators_have_as_many_parameters_as_specified(count, patch_size, n_parameters):
    assert count(UNetDiscriminator(patch_size, 16)) == n_parameters


def conv(k, in_ch, out_ch):
    return k * k * in_ch * out_ch + out_ch


def test_a_code_discriminator_has_the_specified_layers(count):
    assert count(CodeDiscriminator(256, 16)) == (
        conv(4, 256, 256) + conv(3, 256, 512) + conv(3, 512, 1024) + conv(1, 1024, 1))


def test_the_wide_encoder_has_the_specified_layers(count):
    """Per stage a convolution to a quarter: chain widths 128, 128, 32 and 32 for 64 channels."""
    expected = sum(conv(k, 3, width // 4) + conv(k, width, width // 2)
                   + conv(k, 2 * width, width) + conv(k, 4 * width, 2 * width)
                   for k, width in ((3, 128), (5, 128), (5, 32), (7, 32)))
    encoder = HDEncoder(64, normalize=True)
    assert count(encoder) == expected
    assert encoder.map_ch == 40 * 64
    assert encoder.code_length(128) == 8 * 8 * 40 * 64


def test_the_wide_decoder_has_the_specified_layers(count):
    def up_down(ch, inner):
        return conv(3, ch, 4 * inner) + 2 * conv(3, inner, inner) + conv(3, inner, ch // 4)

    stages = ((256, 512), (512, 256), (256, 128))
    face = sum(up_down(*stage) + conv(3, stage[0], 4 * stage[1]) for stage in stages)
    face += up_down(128, 64) + conv(1, 128, 3)
    mask = conv(3, 256, 4 * 176) + conv(3, 176, 4 * 88) + conv(3, 88, 4 * 44) + conv(1, 44, 1)
    assert count(HDDecoder(256, 64, 22, double=False)) == face + mask


# -- names in files (section 2.7) ------------------------------------------------------------------

def encoder_names(letters):
    if "t" not in letters:
        return [f"down1/downs_{stage}/conv1" for stage in range(4)]
    return ([f"down{stage}/conv1" for stage in range(1, 6)]
            + [f"res{stage}/conv{i}" for stage in (1, 5) for i in (1, 2)])


def decoder_names(letters):
    n_stages = 3 + ("t" in letters)
    names = [f"upscale{stage}/conv1" for stage in range(n_stages)]
    names += [f"res{stage}/conv{i}" for stage in range(n_stages) for i in (1, 2)]
    names += [f"upscalem{stage}/conv1" for stage in range(n_stages + ("d" in letters))]
    heads = ["out_conv1", "out_conv2", "out_conv3"] if "d" in letters else []
    return names + heads + ["out_conv", "out_convm"]


def keys(names):
    return {f"{name}/{end}" for name in names for end in ("weight", "bias")}


def paths(module):
    return {path for path, _ in module.named_variables()}


TINY = dict(ae_ch=4, encoder_ch=2, decoder_ch=2, mask_ch=2)


@pytest.mark.parametrize("name", ["df", "df-ud", "df-t", "liae-ud", "liae-udtc"])
def test_parts_and_weights_have_the_names_of_weight_files(count, name):
    kind, _, letters = name.partition("-")
    parts = build_autoencoder(parse_architecture(name), 64, **TINY).parts()
    assert list(parts) == {"df": ["encoder", "inter", "decoder_src", "decoder_dst"],
                           "liae": ["encoder", "inter_AB", "inter_B", "decoder"]}[kind]
    inter = ["dense1", "dense2"] + ([] if "t" in letters else ["upscale1/conv1"])
    for part, module in parts.items():
        names = {"e": encoder_names, "d": decoder_names, "i": lambda _: inter}[part[0]](letters)
        assert paths(module) == keys(names)


def test_amp_has_the_names_of_weight_files(count):
    parts = AMPAutoencoder(64, inter_ch=4, **TINY).parts()
    assert paths(parts["encoder"]) == keys(encoder_names("t") + ["dense1"])
    assert paths(parts["inter_src"]) == paths(parts["inter_dst"]) == keys(["dense2"])
    assert paths(parts["decoder"]) == keys(decoder_names("dt"))


def test_the_unet_discriminator_has_the_names_of_weight_files(count):
    assert paths(UNetDiscriminator(16, 4)) == keys(
        ["in_conv", "convs_0", "convs_1", "convs_2", "upconvs_0", "upconvs_1", "upconvs_2",
         "out_conv", "center_out", "center_conv"])


# -- shapes (section 2.6a) -------------------------------------------------------------------------

R, E, D, DM, AE = 128, 2, 3, 5, 4
# Channels and the divisor of the side, block by block.
ENCODER = {"": [(E, 2), (2 * E, 4), (4 * E, 8), (8 * E, 16)]}
ENCODER["t"] = ENCODER[""] + [(8 * E, 32)]
CODE = {"": 8, "d": 16, "t": 16, "dt": 32}
FACE = {"": [(8 * D, 4), (4 * D, 2), (2 * D, 1)], "d": [(8 * D, 8), (4 * D, 4), (2 * D, 2)],
        "t": [(8 * D, 8), (8 * D, 4), (4 * D, 2), (2 * D, 1)],
        "dt": [(8 * D, 16), (8 * D, 8), (4 * D, 4), (2 * D, 2)]}
MASK = {"": [(8 * DM, 4), (4 * DM, 2), (2 * DM, 1)],
        "d": [(8 * DM, 8), (4 * DM, 4), (2 * DM, 2), (DM, 1)],
        "t": [(8 * DM, 8), (8 * DM, 4), (4 * DM, 2), (2 * DM, 1)],
        "dt": [(8 * DM, 16), (8 * DM, 8), (4 * DM, 4), (2 * DM, 2), (DM, 1)]}


@pytest.fixture
def blocks_seen(monkeypatch):
    """(channels, divisor of the side) of what every down- and upscale gives, in order."""
    seen = []
    for block in (Downscale, Upscale):
        def call(self, x, plain=block.__call__):
            y = plain(self, x)
            seen.append((y.shape[-1], R // y.shape[1]))
            assert y.shape[1] == y.shape[2]
            return y
        monkeypatch.setattr(block, "__call__", call)
    return seen


def traced_shape(function, *shape):
    """The static shape of the result; nothing is computed."""
    graph = tf.function(function, input_signature=[tf.TensorSpec(shape)], autograph=False)
    return tuple(graph.get_concrete_function().structured_outputs.shape)


@pytest.mark.parametrize("letters", CODE)
@pytest.mark.parametrize("kind, map_ch, decoder_in_ch", [("df", AE, AE), ("liae", 2 * AE, 4 * AE)])
def test_the_shapes_between_layers_are_those_specified(blocks_seen, kind, letters, map_ch,
                                                       decoder_in_ch):
    name = f"{kind}-{letters}" if letters else kind
    model = build_autoencoder(parse_architecture(name), R, ae_ch=AE, encoder_ch=E, decoder_ch=D,
                              mask_ch=DM)
    inter = next(part for part_name, part in model.parts().items() if "inter" in part_name)
    n_flat = 8 * E * (R // (32 if "t" in letters else 16))**2
    side = R // CODE[letters]

    def blocks_of(function, *shape):
        blocks_seen.clear()
        return traced_shape(function, *shape), list(blocks_seen)

    assert blocks_of(model.encode, 1, R, R, 3) == (
        (1, n_flat), ENCODER["t" if "t" in letters else ""])
    assert blocks_of(inter, 1, n_flat) == (
        (1, side, side, map_ch), [] if "t" in letters else [(map_ch, CODE[letters])])
    assert blocks_of(model.decoder_src.face, 1, side, side, decoder_in_ch) == (
        (1, R, R, 3), FACE[letters])
    assert blocks_of(model.decoder_src.mask, 1, side, side, decoder_in_ch) == (
        (1, R, R, 1), MASK[letters])
    assert (model.code_resolution, model.code_channels) == (side, map_ch)
