"""Networks with weights from DeepFaceLab's files compute what the reference computes."""

import pickle

import numpy as np
import pytest
import tensorflow as tf

from core.errors import CheckpointError
from leras.optimizers.adabelief import AdaBelief
from leras.optimizers.base import Schedule
from leras.optimizers.rmsprop import RMSprop
from models.dense_maps import map_sides, to_channels_first, to_channels_last
from models.legacy.files import read_weights, write_weights
from models.legacy.weights import (
    load_network,
    load_optimizer,
    network_arrays,
    optimizer_arrays,
)
from models.networks.amp import AMPAutoencoder
from models.networks.architecture import build_autoencoder, parse_architecture
from tests.models.legacy_reference import (
    Network,
    Widths,
    amp_files,
    df_files,
    liae_files,
    optimizer_file,
)

FACES = np.random.default_rng(1).random((2, 64, 64, 3), np.float32)
WIDTHS = Widths()


def built(name):
    return build_autoencoder(parse_architecture(name), WIDTHS.resolution, ae_ch=WIDTHS.ae,
                             encoder_ch=WIDTHS.e, decoder_ch=WIDTHS.d, mask_ch=WIDTHS.dm)


def stored(arrays, path):
    """The arrays as they come back from a file that Python's own pickle wrote."""
    path.write_bytes(pickle.dumps(arrays, 4))
    return read_weights(path)


def load(network, files, name, tmp_path):
    sides = map_sides(name, WIDTHS.resolution)
    for stem, module in network.parts().items():
        load_network(module, stored(files[stem], tmp_path / stem), sides, stem)
    return sides


def assert_close(found, wanted):
    for ours, reference in zip(found, wanted, strict=True):
        assert reference.std() > 0.01
        np.testing.assert_allclose(ours, reference, atol=1e-4)


@pytest.mark.parametrize("letters", ["", "ud", "udt", "t", "dc"])
def test_df_predicts_as_the_reference(letters, tmp_path):
    name = f"df-{letters}" if letters else "df"
    files = df_files(np.random.default_rng(0), letters, WIDTHS)
    network = built(name)
    load(network, files, name, tmp_path)
    reference = Network(files, letters, WIDTHS.resolution)
    code = network.swap_code(tf.constant(FACES))
    assert_close(network.decoder_src(code), reference.df(FACES, "src"))
    assert_close(network.decoder_dst(code), reference.df(FACES, "dst"))


@pytest.mark.parametrize("letters", ["", "ud", "udt"])
def test_liae_predicts_as_the_reference(letters, tmp_path):
    name = f"liae-{letters}" if letters else "liae"
    files = liae_files(np.random.default_rng(0), letters, WIDTHS)
    network = built(name)
    load(network, files, name, tmp_path)
    reference = Network(files, letters, WIDTHS.resolution)
    src, dst = network.decode(*network.codes(tf.constant(FACES), tf.constant(FACES)))
    assert_close(src, reference.liae(FACES, "src"))
    assert_close(dst, reference.liae(FACES, "dst"))
    swap = network.decoder_src(network.swap_code(tf.constant(FACES)))
    assert_close(swap, reference.liae(FACES, "swap"))


@pytest.mark.parametrize("morph", [1.0, 0.3])
def test_amp_predicts_as_the_reference(morph, tmp_path):
    files = amp_files(np.random.default_rng(0), WIDTHS)
    network = AMPAutoencoder(WIDTHS.resolution, ae_ch=WIDTHS.ae, inter_ch=WIDTHS.inter,
                             encoder_ch=WIDTHS.e, decoder_ch=WIDTHS.d, mask_ch=WIDTHS.dm)
    load(network, files, "amp-udt", tmp_path)
    code = network.morph(network.encode(tf.constant(FACES)), morph)
    assert_close(network.decoder_src(code),
                 Network(files, "udt", WIDTHS.resolution).amp(FACES, morph))


@pytest.mark.parametrize("name", ["df-ud", "liae-udt"])
def test_what_is_written_is_what_was_read(name, tmp_path):
    make = df_files if name.startswith("df") else liae_files
    files = make(np.random.default_rng(0), name.partition("-")[2], WIDTHS)
    network = built(name)
    sides = load(network, files, name, tmp_path)
    for stem, module in network.parts().items():
        write_weights(tmp_path / "again.npy", network_arrays(module, sides))
        again = pickle.loads((tmp_path / "again.npy").read_bytes())
        assert again.keys() == files[stem].keys()
        for key, array in files[stem].items():
            np.testing.assert_array_equal(again[key], array)


def test_a_map_is_reordered_as_written_by_hand():
    # Two channels on a map of 2 x 2: (C, H, W) numbers 0 to 7.
    arrays = {"inter/dense1/weight": np.arange(8.0)[:, None], "dense2/bias": np.arange(8.0),
              "dense2/weight": np.arange(8.0)[None], "conv1/weight": np.arange(8.0)}
    sides = map_sides("df", 32)
    assert sides == (2, 2)
    found = to_channels_last(arrays, sides)
    assert found["inter/dense1/weight"][:, 0].tolist() == [0, 4, 1, 5, 2, 6, 3, 7]
    assert found["dense2/weight"][0].tolist() == [0, 4, 1, 5, 2, 6, 3, 7]
    assert found["dense2/bias"].tolist() == [0, 4, 1, 5, 2, 6, 3, 7]
    assert found["conv1/weight"].tolist() == list(range(8))
    for path, array in to_channels_first(found, sides).items():
        np.testing.assert_array_equal(array, arrays[path])


@pytest.mark.parametrize("name, sides", [
    ("df", (8, 8)), ("df-d", (8, 4)), ("liae-t", (4, 8)), ("liae-udt", (4, 4)),
    ("dfhd-u", (8, 8))])
def test_sides_of_maps_follow_the_letters(name, sides):
    assert map_sides(name, 128) == sides


OPTIMIZERS = {"adabelief": (AdaBelief, ("ms", "vs")), "rmsprop": (RMSprop, ("acc",))}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_state_comes_and_goes(name, tmp_path):
    create, slots = OPTIMIZERS[name]
    rng = np.random.default_rng(0)
    files = df_files(rng, "ud", WIDTHS)
    network = built("df-ud")
    variables = {f"{stem}/{path}": variable for stem, module in network.parts().items()
                 for path, variable in module.named_variables()}
    optimizer = create(variables, Schedule(1e-3))
    networks, sides = tuple(network.parts()), map_sides("df-ud", WIDTHS.resolution)
    arrays = optimizer_file(rng, files, {stem: stem for stem in networks}, slots, 1234)
    taken, n = load_optimizer(optimizer, stored(arrays, tmp_path / "opt.npy"), networks, {}, sides)
    assert taken == n == len(slots) * len(variables)
    assert optimizer.state()["step"] == 1234
    ours = {"acc": "mean_square", "ms": "mean", "vs": "variance"}[slots[0]]
    # dense2's bias of DF at 64 px with `d`: a map of 2 x 2.
    file_order = arrays[f"{slots[0]}_inter/dense2/bias_0:0"].reshape(-1, 2, 2)
    np.testing.assert_array_equal(optimizer.state()[f"{ours}/inter/dense2/bias"].reshape(2, 2, -1),
                                  file_order.transpose(1, 2, 0))
    write_weights(tmp_path / "again.npy", optimizer_arrays(optimizer, networks, {}, sides))
    again = pickle.loads((tmp_path / "again.npy").read_bytes())
    assert again.keys() == arrays.keys()
    for key, array in arrays.items():
        np.testing.assert_array_equal(again[key], array)


def test_state_of_another_optimizer_is_not_taken_but_the_step_is():
    network = built("df-ud").encoder
    optimizer = AdaBelief(dict(network.named_variables()), Schedule(1e-3))
    arrays = {"iters": np.int64(7), "acc_D_src/down1/downs_0/conv1/weight_0": np.zeros(3)}
    taken, n = load_optimizer(optimizer, arrays, ("GAN",), {"GAN": "D_src"}, map_sides("df", 64))
    assert (taken, n) == (0, 16) and optimizer.state()["step"] == 7


def test_an_optimizer_of_one_network_is_named_as_the_files_name_it():
    network = built("df-ud").encoder
    optimizer = RMSprop(dict(network.named_variables()), Schedule(1e-3))
    arrays = optimizer_arrays(optimizer, ("GAN",), {"GAN": "D_src"}, map_sides("df", 64))
    assert {"iters", "acc_D_src/down1/downs_3/conv1/bias_0"} <= arrays.keys()


def test_files_of_another_architecture_are_refused_before_anything_is_changed(tmp_path):
    network = built("df-udt")
    before = network.encoder.state()
    files = df_files(np.random.default_rng(0), "ud", WIDTHS)
    sides = map_sides("df-udt", WIDTHS.resolution)
    with pytest.raises(CheckpointError, match="lacks .* another architecture"):
        load_network(network.encoder, stored(files["encoder"], tmp_path / "a"), sides, "a.npy")
    files = df_files(np.random.default_rng(0), "udt", Widths(resolution=96))
    with pytest.raises(CheckpointError, match="inter.npy: dense1/weight has shape"):
        load_network(network.inter, stored(files["inter"], tmp_path / "b"), sides, "inter.npy")
    after = network.encoder.state()
    assert all((after[path] == array).all() for path, array in before.items())


@pytest.mark.parametrize("value", [[1, 2], {"a": "text"}, {1: np.zeros(2)}, {"a": [1.0]}])
def test_a_file_that_holds_no_named_arrays_is_refused(value, tmp_path):
    with pytest.raises(CheckpointError, match="take another copy"):
        stored(value, tmp_path / "x.npy")
