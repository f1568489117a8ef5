"""AMP: its morph codes, previews and predictor, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from core.errors import OptionError
from models.amp.model import AMPModel
from models.amp.options import AMPOptions
from models.registry import MODELS
from models.side import Side

TINY = AMPOptions(resolution=64, ae_dims=8, inter_dims=20, e_dims=4, d_dims=4, d_mask_dims=4,
                  batch_size=2, gan_dims=4, seed=1, xla=False, learning_rate=1e-3,
                  optimizer="rmsprop")


@pytest.fixture(scope="module", autouse=True)
def eager():
    """Compiled steps are compared with a reference in test_whole_steps.py."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def model():
    return AMPModel(TINY)


def samples(seed=0, n=2):
    rng = np.random.default_rng(seed)
    channels = {"warped": 3, "target": 3, "mask": 1, "eyes_mouth": 1}
    return {side: {name: rng.integers(0, 256, (n, 64, 64, depth), np.uint8)
                   for name, depth in channels.items()} for side in Side}


def faces(n=2, seed=0):
    return samples(seed, n)[Side.DST]["target"] / np.float32(255)


@pytest.mark.parametrize("changes, said", [
    ({"resolution": 80}, "AMP cannot have a resolution of 80; use a multiple of 32, such as 64"),
    ({"batch_size": 3, "accumulate": 2}, "--batch-size 4"),
    ({"gan_power": 0.1, "gan_patch_size": 65}, "--gan-patch-size 3 to 64")])
def test_options_that_cannot_work_are_refused_before_anything_is_built(changes, said, monkeypatch):
    def build(*_, **__):
        raise AssertionError("a network was built")

    monkeypatch.setattr("leras.module.Module.parameter", build)
    with pytest.raises(OptionError, match=said):
        AMPModel(replace(TINY, **changes))


def test_the_model_is_registered_and_asks_for_eyes_and_mouth(model):
    assert MODELS.load("amp") is AMPModel
    assert model.recipe(Side.SRC).outputs == ("warped", "target", "mask", "eyes_mouth")
    assert list(model.parts()) == ["encoder", "inter_src", "inter_dst", "decoder"]


def test_one_iteration_trains_every_part_both_inters_among_them(model):
    before = model.state()
    result = model.train_step(1, samples())
    assert result.applied and list(result.losses)[:2] == ["src", "dst"]
    after = model.state()
    assert {part for part, arrays in after.items()
            if any(np.any(array != before[part][path]) for path, array in arrays.items())
            } == before.keys()


# -- channels -------------------------------------------------------------------------------------

def test_every_face_takes_its_own_share_of_channels_anew_each_iteration(model):
    first, again, other = (model.extra_arrays(iteration)[0] for iteration in (1, 1, 2))
    assert first.shape == (2, 20) and first.dtype == np.uint8
    assert first.sum(1).tolist() == [10, 10] and set(np.unique(first)) == {0, 1}
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other) and np.any(first[0] != first[1])
    fewer = AMPModel(replace(TINY, morph_factor=0.15)).extra_arrays(1)[0]
    assert fewer.sum(1).tolist() == [3, 3]
    another = AMPModel(replace(TINY, seed=2)).extra_arrays(1)[0]
    assert np.any(another != first)


def test_channels_are_taken_from_all_places(model):
    chosen = np.mean([model.extra_arrays(iteration)[0] for iteration in range(200)], (0, 1))
    np.testing.assert_allclose(chosen, 0.5, atol=0.1)


# -- swap -----------------------------------------------------------------------------------------

def test_the_swap_is_full_unless_another_morph_is_asked_for(model):
    predictor, network = model.predictor(), model.network
    batch = faces()
    for morphed, value in ((predictor, 1.0), (predictor.at(0.5), 0.5), (predictor.at(0.0), 0.0)):
        wanted = network.decoder.face(network.swap_code(tf.constant(batch), value))
        prediction = morphed(batch)
        np.testing.assert_allclose(prediction.face, wanted, atol=1e-5)
        own = network.decoder.mask(network.inter_dst(network.encode(tf.constant(batch))))
        np.testing.assert_allclose(prediction.dst_mask, own, atol=1e-5)
    full, none = (predictor.at(value)(batch) for value in (1.0, 0.0))
    assert np.abs(full.face - none.face).max() > 1e-3
    np.testing.assert_array_equal(none.face_mask, none.dst_mask)


def test_a_morph_is_made_of_the_first_channels_of_src_and_the_others_of_dst(model):
    network, batch = model.network, tf.constant(faces())
    encoded = network.encode(batch)
    src, dst = network.inter_src(encoded).numpy(), network.inter_dst(encoded).numpy()
    for value, count in ((0.25, 5), (0.29, 5), (0.3, 6), (1.0, 20)):
        codes = network.swap_codes(batch, value)
        np.testing.assert_allclose(codes.swap[..., :count], src[..., :count], atol=1e-6)
        np.testing.assert_allclose(codes.swap[..., count:], dst[..., count:], atol=1e-6)
        np.testing.assert_allclose(codes.dst, dst, atol=1e-6)


def test_the_previews_show_the_swap_and_the_way_to_it(model):
    batch = samples(3)
    previews = model.preview(batch)
    assert list(previews) == ["AMP morph 1.0", "AMP morph list", "AMP morph list masked"]
    full, steps, masked = previews.values()
    assert list(full[0]) == ["src", "src again", "dst", "dst again", "dst again, masked", "swap"]
    assert list(steps[0]) == list(masked[0]) == [
        "morph 0", "morph 0.25", "morph 0.5", "morph 0.65", "morph 0.75", "morph 1"]
    assert len(full) == len(steps) == len(masked) == 2
    dst = batch[Side.DST]["target"] / np.float32(255)
    predictor = model.predictor()
    for k in range(2):
        for value in (0, 0.25, 0.5, 0.65, 0.75, 1):
            swap = predictor.at(value)(dst)
            np.testing.assert_allclose(steps[k][f"morph {value:g}"], swap.face[k], atol=1e-5)
            np.testing.assert_allclose(masked[k][f"morph {value:g}"],
                                       (swap.face * swap.face_mask * swap.dst_mask)[k], atol=1e-5)
        np.testing.assert_array_equal(full[k]["swap"], steps[k]["morph 1"])
        np.testing.assert_array_equal(full[k]["dst again"], steps[k]["morph 0"])
        np.testing.assert_allclose(full[k]["dst"], dst[k], atol=1e-6)


# -- the rest -------------------------------------------------------------------------------------

def test_a_discriminator_judges_both_sides():
    model = AMPModel(replace(TINY, gan_power=1.0))
    state, results = model.state(), []
    for side in (None, Side.SRC, Side.DST):
        batch = samples()
        if side is not None:
            batch[side]["target"] = 255 - batch[side]["target"]
        model.load_state(state)
        results.append(model.train_step(1, batch).losses["gan discriminator"])
    assert len(set(results)) == 3
    assert results[0] == pytest.approx(np.log(2), abs=0.2), "a mean of cross entropies"


def test_pretraining_trains_all_parts_without_a_discriminator():
    model = AMPModel(replace(TINY, pretrain=True, gan_power=1.0))
    assert model.adversaries == {}
    assert model.recipe(Side.SRC).outputs == ("target", "mask", "eyes_mouth")
    batch = {side: {name: array for name, array in outputs.items() if name != "warped"}
             for side, outputs in samples().items()}
    before = model.state()
    assert model.train_step(1, batch).applied
    after = model.state()
    assert all(np.any(after[part]["dense2/weight"] != before[part]["dense2/weight"])
               for part in ("inter_src", "inter_dst"))
    model.after_pretraining(np.random.default_rng(0))
    anew = model.state()
    for part in model.parts():
        changed = any(np.any(array != after[part][path]) for path, array in anew[part].items())
        assert changed == part.startswith("inter")


def test_a_saved_model_comes_back(model):
    state = model.state()
    again = AMPModel(replace(TINY, seed=9))
    assert again.load_state(state) == []
    np.testing.assert_array_equal(again.predictor()(faces()).face, model.predictor()(faces()).face)


def test_each_process_takes_the_channels_of_its_own_faces(model, monkeypatch):
    """The second of two processes with two devices each, in a batch of eight."""
    for name, count in (("n_replicas", 4), ("replicas_here", 2), ("first_replica", 2)):
        monkeypatch.setattr(f"models.amp.model.{name}", lambda strategy, count=count: count)
    monkeypatch.setattr("models.training_parts.n_replicas", lambda strategy: 4)
    second = AMPModel(replace(TINY, batch_size=8)).extra_arrays(1)[0]
    monkeypatch.undo()
    whole = AMPModel(replace(TINY, batch_size=8)).extra_arrays(1)[0]
    assert whole.shape == (8, 20)
    np.testing.assert_array_equal(second, whole[4:])
