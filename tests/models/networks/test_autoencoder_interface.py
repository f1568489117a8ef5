"""What models rely on in every autoencoder: shared work, number formats, parts, seeds."""

import numpy as np
import pytest
import tensorflow as tf

from models.networks.architecture import LETTERS, build_autoencoder, parse_architecture
from tests.models.networks.comparison import faces, fill

TINY = dict(ae_ch=4, encoder_ch=2, decoder_ch=2, mask_ch=2)
KINDS = tuple(LETTERS)


def build(name, resolution=32, **known):
    return fill(build_autoencoder(parse_architecture(name), resolution, **TINY, **known))


def assert_all_close(actual, expected, tolerance=1e-5):
    for a, b in zip(tf.nest.flatten(actual), tf.nest.flatten(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", KINDS)
def test_the_ways_to_the_same_picture_agree(kind):
    model, src, dst = build(kind), faces(32, seed=1), faces(32, seed=2)
    codes = model.all_codes(src, dst)
    assert_all_close(model.codes(src, dst), (codes.src, codes.dst))
    assert_all_close(model.swap_code(dst), codes.swap)
    assert_all_close(model.true_face_codes(src, dst), codes[3:])
    assert_all_close(model.codes_from(model.encode(src), model.encode(dst)), codes)
    src_again, dst_again, swap = model.decode_all(codes)
    assert_all_close(model.decode(codes.src, codes.dst), (src_again, dst_again))
    assert_all_close(model.decoder_src(codes.swap), swap)
    assert_all_close((model.decoder_dst.face(codes.dst), model.decoder_dst.mask(codes.dst)),
                     dst_again)
    for code in codes[3:]:
        assert code.shape == (2, *[model.code_resolution] * 2, model.code_channels)


@pytest.mark.parametrize("kind", ["liae", "liaehd"])
def test_one_map_stands_for_the_pair_of_equal_maps(kind):
    decoder = build(f"{kind}-d", 64).decoder
    map_ = np.random.default_rng(0).standard_normal((2, 4, 4, 8)).astype(np.float32)
    assert_all_close(decoder(map_), decoder(np.concatenate([map_, map_], -1)), 1e-4)


# Convolutions by hand for the letters ud: the encoder's 4; an upscale for each inter; for the face
# 3 upscales, 6 in residual blocks, one for four heads; 4 upscales of the mask and its head.
@pytest.mark.parametrize("name, n_convolutions", [
    ("df-ud", 4 + 1 + 2 * (3 + 6 + 1 + 4 + 1)),
    ("liae-ud", 4 + 2 + (3 + 6 + 1 + 4 + 1) + 2)])  # the two stems run for src and dst apart
def test_training_runs_every_shared_network_once(name, n_convolutions):
    model = build(name)
    spec = tf.TensorSpec((2, 32, 32, 3))
    graph = tf.function(lambda src, dst: model.decode(*model.codes(src, dst)),
                        input_signature=[spec, spec], autograph=False).get_concrete_function()
    kinds = [operation.type for operation in graph.graph.get_operations()]
    assert kinds.count("Conv2D") == n_convolutions


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", ["df-ud", "liae-udtc", "dfhd-u"])
def test_half_precision_gives_nearly_the_same_pictures_in_float32(name, dtype):
    plain, half = build(name), build(name, compute_dtype=dtype)
    src, dst = faces(32, seed=1), faces(32, seed=2)
    assert half.encode(src).dtype == tf.float32
    assert {code.dtype.name for code in half.all_codes(src, dst)} == {dtype}
    with tf.GradientTape() as tape:
        decoded = half.decode_all(half.all_codes(src, dst))
        total = tf.add_n([tf.reduce_mean(x) for x in tf.nest.flatten(decoded)])
    expected = plain.decode_all(plain.all_codes(src, dst))
    for actual, exact in zip(tf.nest.flatten(decoded), tf.nest.flatten(expected), strict=True):
        assert actual.dtype == tf.float32
        assert np.abs(actual - exact).mean() < 0.03
    gradients = tape.gradient(total, [v for _, v in half.named_variables()])
    assert all(gradient.dtype == tf.float32 for gradient in gradients)


def gradient_graph(model, resolution):
    """The compiled step that returns every gradient of the sum of all pictures."""
    variables = dict(model.named_variables())

    def run(src, dst):
        with tf.GradientTape() as tape:
            decoded = model.decode_all(model.all_codes(src, dst))
            total = tf.add_n([tf.reduce_mean(x) for x in tf.nest.flatten(decoded)])
        return tape.gradient(total, variables)

    spec = tf.TensorSpec((2, resolution, resolution, 3))
    return tf.function(run, input_signature=[spec, spec], autograph=False)


# Convolutions that are run again: the encoder's, and the decoders' between their first blocks and
# their heads. In liaehd two stages of 5, the last residual of 4, and 2 of the mask.
@pytest.mark.parametrize("name, n_again", [
    ("df-ud", 4 + 2 * (6 + 2 + 3)), ("liae-udt", 9 + (8 + 3 + 4)),
    ("liaehd", 16 + (2 * 5 + 4 + 2))])
def test_recomputing_gives_the_same_gradients_from_fewer_kept_activations(name, n_again):
    resolution = 64 if "t" in name else 32
    plain = gradient_graph(build(name, resolution), resolution)
    again = gradient_graph(build(name, resolution, recompute=True), resolution)
    inputs = faces(resolution, seed=1), faces(resolution, seed=2)
    gradients, expected = again(*inputs), plain(*inputs)
    for path, gradient in expected.items():
        np.testing.assert_allclose(gradients[path], gradient, rtol=1e-4,
                                   atol=1e-5 * np.abs(gradient).max() + 1e-9, err_msg=path)
    assert convolutions(again) == convolutions(plain) + n_again


def convolutions(traced):
    """How many convolutions a graph has, in the functions that it calls too."""
    definition = traced.get_concrete_function().graph.as_graph_def()
    nodes = [*definition.node, *(node for function in definition.library.function
                                 for node in function.node_def)]
    return sum(node.op == "Conv2D" for node in nodes)


def test_the_pixel_norm_of_half_precision_features_is_computed_in_float32():
    """Squares of features beyond 256 are more than float16 can hold."""
    encoder = build("df-u", compute_dtype="float16").encoder
    last = encoder.down1.downs[-1].conv1
    last.weight.assign(last.weight * 1000)
    code = encoder(faces(32))
    assert np.abs(encoder.features(tf.cast(faces(32), tf.float16))).max() > 256
    np.testing.assert_allclose(np.square(code).mean(-1), 1, rtol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_parts_are_the_whole_and_name_the_inters(kind):
    model = build(kind)
    variables = [id(v) for part in model.parts().values() for _, v in part.named_variables()]
    assert len(variables) == len(set(variables))
    assert sorted(variables) == sorted(id(v) for _, v in model.named_variables())
    assert model.inter_names == tuple(name for name in model.parts() if name.startswith("inter"))
    assert set(model.frozen_without_warp) == {"inter_AB"} & set(model.parts())


def test_equal_seeds_build_equal_models():
    first, second = build("df-ud"), build("df-ud")
    for model in (first, second):
        model.initialize(np.random.default_rng(3))
    for path, value in first.state().items():
        np.testing.assert_array_equal(value, second.state()[path])
