"""SAEHD: what its options change, and what is refused before anything is built."""

from dataclasses import fields, replace

import numpy as np
import pytest
import tensorflow as tf

from core.errors import OptionError
from core.options import resolve
from facelib.face_type import FaceType
from models.losses import Window
from models.networks.discriminators.multi_scale import MultiScaleDiscriminator
from models.networks.discriminators.realness import RealnessDiscriminator
from models.networks.discriminators.unet import UNetDiscriminator
from models.options import effective
from models.registry import MODEL_OPTIONS, MODELS
from models.saehd.model import SAEHDModel
from models.saehd.options import SAEHDOptions
from models.side import Side

TINY = SAEHDOptions(resolution=64, archi="df-ud", ae_dims=8, e_dims=4, d_dims=4, d_mask_dims=4,
                    batch_size=2, gan_dims=4, seed=1, xla=False, learning_rate=1e-3)


@pytest.fixture(scope="module", autouse=True)
def eager():
    """Most tests here make one step of a model of their own, and tracing takes ten times as long.
    Compiled steps are compared with a reference in test_whole_steps.py."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def tiny(**changes):
    return replace(TINY, **changes)


def samples(model, seed=0):
    """Side -> the outputs that the model asks for, bytes of noise."""
    rng = np.random.default_rng(seed)
    recipe = model.recipe(Side.SRC)
    side, n = recipe.resolution, model.options.batch_size
    channels = {"warped": 3, "target": 3, "mask": 1, "eyes_mouth": 1}
    return {key: {name: rng.integers(0, 256, (n, side, side, channels[name]), np.uint8)
                  for name in recipe.outputs} for key in Side}


def moved(before, after):
    """Names of the parts that changed."""
    return {part for part, arrays in after.items()
            if any(np.any(array != before[part][path]) for path, array in arrays.items())}


# -- options --------------------------------------------------------------------------------------

@pytest.mark.parametrize("changes, said", [
    ({"archi": "liae-udx"}, "letters u, d, t, c"),
    ({"archi": "liea-ud"}, "did you mean"),
    ({"archi": "dfhd-t"}, "letters u, d, c"),
    ({"archi": "df-d", "resolution": 80}, "multiple of 32, such as 64"),
    ({"archi": "liae-t", "resolution": 144}, "multiple of 32, such as 128"),
    ({"batch_size": 3, "accumulate": 2}, "--batch-size 4"),
    ({"batch_size": 2, "accumulate": 4}, "--batch-size 4"),
    ({"gan_power": 0.1, "gan_patch_size": 65}, "--gan-patch-size 3 to 64"),
    ({"gan_power": 0.1, "gan_patch_size": 2}, "--gan-patch-size 3 to 64, or 0 for 8"),
])
def test_options_that_cannot_work_are_refused_before_anything_is_built(changes, said, monkeypatch):
    def build(*_, **__):
        raise AssertionError("a network was built")

    monkeypatch.setattr("leras.module.Module.parameter", build)
    with pytest.raises(OptionError, match=said) as caught:
        SAEHDModel(tiny(**changes))
    assert "\n" not in str(caught.value)


def test_a_patch_that_is_not_used_is_not_looked_at():
    assert SAEHDModel(tiny(gan_patch_size=999)).adversaries == {}


def test_the_model_is_registered_with_its_options():
    assert MODELS.load("saehd") is SAEHDModel
    assert MODEL_OPTIONS.load("SAEHD") is SAEHDModel.options_type is SAEHDOptions
    assert resolve(SAEHDOptions, given={"archi": "dfhd", "resolution": 640}).resolution == 640


@pytest.mark.parametrize("archi", ["df", "liae-t", "dfhd-u", "liaehd-ud", "df-udtc"])
def test_every_architecture_trains_and_predicts(archi):
    model = SAEHDModel(tiny(archi=archi, batch_size=1, optimizer="rmsprop"))
    before = model.state()
    result = model.train_step(1, samples(model))
    assert result.applied and np.isfinite(result.total)
    assert moved(before, model.state()) == before.keys()
    swap = model.predictor()(np.zeros((1, 64, 64, 3), np.float32))
    assert swap.face.shape == (1, 64, 64, 3) and swap.dst_mask.shape == (1, 64, 64, 1)


# -- samples --------------------------------------------------------------------------------------

def test_only_outputs_that_something_reads_are_made():
    def outputs(**changes):
        return SAEHDModel(tiny(**changes)).recipe(Side.DST).outputs

    assert outputs() == ("warped", "target", "mask")
    assert outputs(random_warp=False) == ("target", "mask")
    assert outputs(random_warp=False, random_hsv_power=0.1) == ("warped", "target", "mask")
    assert outputs(eyes_mouth_prio=True) == ("warped", "target", "mask", "eyes_mouth")


def test_samples_are_varied_as_the_options_say():
    model = SAEHDModel(tiny(random_src_flip=True, random_dst_flip=False, random_hsv_power=0.2,
                            ct_mode="rct", face_type="wf"))
    src, dst = (model.recipe(side) for side in Side)
    assert src.face_type == dst.face_type == FaceType.WHOLE_FACE and src.resolution == 64
    assert (src.options.random_flip, dst.options.random_flip) == (True, False)
    assert src.options.scale == dst.options.scale == 0.15
    assert (src.options.rotation, src.options.shift) == (10, 0.05)
    assert src.options.random_warp and dst.options.random_warp
    assert src.options.hsv_power == dst.options.hsv_power == 0.2
    assert (src.options.color_transfer, dst.options.color_transfer) == ("rct", "none")


# -- pretraining ----------------------------------------------------------------------------------

FINISHING = dict(random_hsv_power=0.1, ct_mode="lct", lr_dropout=0.3, lr_cosine_period=500,
                 gan_power=1.0, true_face_power=1.0, face_style_power=1.0, bg_style_power=1.0)


def test_pretraining_has_no_adversaries_no_styles_and_both_flips():
    model = SAEHDModel(tiny(pretrain=True, **FINISHING))
    assert model.adversaries == {} and list(model.optimizers()) == ["generator"]
    for side in Side:
        recipe = model.recipe(side)
        assert recipe.outputs == ("target", "mask") and recipe.options.random_flip
        assert recipe.options.color_transfer == "none" and recipe.options.hsv_power == 0
    result = model.train_step(1, samples(model))
    assert set(result.losses) == {"src", "dst", *(f"{side} {term}" for side in Side
                                                  for term in ("dssim", "mse", "mask"))}
    used = effective(model.options)
    assert {field.name for field in fields(used)
            if getattr(used, field.name) != getattr(model.options, field.name)} == {
        *FINISHING, "random_warp", "random_src_flip", "uniform_yaw"}


@pytest.mark.parametrize("changes, resting", [
    ({"random_warp": False}, {"inter_AB"}), ({"random_warp": True}, set()),
    ({"random_warp": False, "pretrain": True}, set())])
def test_inter_ab_rests_without_warps_but_not_in_pretraining(changes, resting):
    model = SAEHDModel(tiny(archi="liae-ud", batch_size=1, **changes))
    before = model.state()
    model.train_step(1, samples(model))
    assert moved(before, model.state()) == before.keys() - resting


@pytest.mark.parametrize("archi, inters", [("df-ud", {"inter"}),
                                           ("liae-ud", {"inter_AB", "inter_B"})])
def test_after_pretraining_the_inters_start_anew_and_nothing_else(archi, inters):
    model = SAEHDModel(tiny(archi=archi, batch_size=1, pretrain=True))
    model.train_step(1, samples(model))
    trained = model.state()
    model.after_pretraining(np.random.default_rng(5))
    anew = model.state()
    assert moved(trained, anew) == inters | {"generator_optimizer"}
    slots = anew["generator_optimizer"]
    for path, array in slots.items():
        if path.split("/")[1:2] and path.split("/")[1] in inters:
            assert not array.any()
        else:
            np.testing.assert_array_equal(array, trained["generator_optimizer"][path])
    again = SAEHDModel(tiny(archi=archi, batch_size=1))
    assert again.load_state(anew) == []
    weight = anew[min(inters)]["dense1/weight"]
    assert weight.std() == pytest.approx(trained[min(inters)]["dense1/weight"].std(), rel=0.2)


# -- adversaries ----------------------------------------------------------------------------------

ADVERSARIAL = tiny(batch_size=1, gan_power=0.5, true_face_power=0.5, optimizer="rmsprop")


@pytest.fixture(scope="module")
def adversarial():
    model = SAEHDModel(ADVERSARIAL)
    model.train_step(1, samples(model))
    return model


def test_adversaries_are_parts_with_optimizers_of_their_own(adversarial):
    assert list(adversarial.parts()) == ["encoder", "inter", "decoder_src", "decoder_dst",
                                         "code_discriminator", "GAN"]
    assert list(adversarial.optimizers()) == ["generator", "code_discriminator", "GAN"]
    own = dict(adversarial.optimizers()["GAN"].named_targets())
    assert own.keys() == dict(adversarial.parts()["GAN"].named_variables()).keys()
    generator = dict(adversarial.optimizers()["generator"].named_targets())
    assert not any(path.startswith(("GAN", "code")) for path in generator)
    assert "inter/dense1/weight" in generator


@pytest.mark.parametrize("changes, notes", [
    ({}, []),
    ({"gan_dims": 6}, ["GAN starts anew: the saved one has other sizes",
                       "GAN_optimizer starts anew: the saved one has other sizes"]),
    ({"gan_patch_size": 30}, ["GAN starts anew: the saved one is of another kind",
                              "GAN_optimizer starts anew: the saved one is of another kind"]),
    ({"gan_discriminator": "realness"}, ["GAN starts anew: the saved one is of another kind",
                                         "GAN_optimizer starts anew: the saved one is of another "
                                         "kind"])])
def test_a_discriminator_of_other_options_starts_anew_and_says_so(adversarial, changes, notes):
    model = SAEHDModel(replace(ADVERSARIAL, **changes))
    fresh, state = model.state(), adversarial.state()
    assert model.load_state(state) == notes
    loaded = model.state()
    anew = {"GAN", "GAN_optimizer"} if notes else set()
    assert moved(loaded, state | {stem: loaded[stem] for stem in anew}) == set()
    assert not moved(fresh, {stem: loaded[stem] for stem in anew})


def test_a_discriminator_that_was_never_trained_is_told_of(adversarial):
    state = {stem: arrays for stem, arrays in adversarial.state().items()
             if not stem.startswith("GAN")}
    model = SAEHDModel(ADVERSARIAL)
    assert model.load_state(state) == ["GAN starts anew: none is saved",
                                       "GAN_optimizer starts anew: none is saved"]


def test_discriminators_out_of_use_are_kept_for_later(adversarial):
    state = adversarial.state()
    plain = SAEHDModel(replace(ADVERSARIAL, gan_power=0.0, true_face_power=0.0))
    assert plain.load_state(state) == []
    assert list(plain.parts()) == ["encoder", "inter", "decoder_src", "decoder_dst"]
    kept = plain.state()
    assert kept.keys() == state.keys() and moved(state, kept) == set()
    again = SAEHDModel(ADVERSARIAL)
    assert again.load_state(kept) == [] and moved(state, again.state()) == set()


@pytest.mark.parametrize("name, kind", [
    ("unet", UNetDiscriminator), ("multi-scale", MultiScaleDiscriminator),
    ("realness", RealnessDiscriminator)])
def test_every_discriminator_trains_with_the_model(name, kind):
    model = SAEHDModel(tiny(batch_size=1, gan_power=1.0, gan_discriminator=name,
                            optimizer="rmsprop"))
    assert isinstance(model.adversaries["GAN"], kind)
    before, results = model.state(), []
    for _ in range(5):
        results.append(model.train_step(1, samples(model)))
    assert all(result.applied for result in results)
    assert "GAN" in moved(before, model.state())
    judged = [result.losses["gan discriminator"] for result in results]
    assert judged[-1] < judged[0], "on one and the same batch it learns to tell them apart"


def test_the_generator_learns_to_pass(adversarial):
    """With a discriminator that stands still, the part of the loss that it asks for falls."""
    model = SAEHDModel(replace(ADVERSARIAL, gan_power=5.0, masked_training=False))
    state = model.state()
    rng = np.random.default_rng(3)
    state["GAN"] = {path: array + rng.normal(0, 0.3, array.shape).astype(np.float32)
                    for path, array in state["GAN"].items()}
    model.load_state(state)
    asked = []
    for _ in range(4):
        asked.append(model.train_step(1, samples(model)).losses["gan"])
        model.adversaries["GAN"].load_state(state["GAN"])
    assert asked[-1] < asked[0]


def test_masked_training_shows_in_the_terms():
    """Without masks what lies outside of the face counts as well."""
    losses = {}
    for masked in (True, False):
        model = SAEHDModel(tiny(batch_size=1, masked_training=masked, optimizer="rmsprop"))
        batch = samples(model)
        for side in Side:
            batch[side]["mask"][:] = 0
        losses[masked] = model.train_step(1, batch).losses
    assert losses[True]["src mse"] == losses[True]["dst dssim"] == 0
    assert losses[False]["src mse"] > 0.1 and losses[False]["dst dssim"] > 0.1


def test_two_scales_from_256_pixels_on():
    def windows(resolution, compat=False):
        return SAEHDModel(tiny(resolution=resolution, ssim_compat=compat))._windows

    assert windows(224) == (Window(19, 1.5),)
    assert windows(256) == (Window(22, 3.0), Window(11, 1.5))
    assert windows(256, compat=True) == (Window(22, 1.5), Window(11, 1.5))


def test_the_preview_of_a_head_shows_all_of_the_new_one():
    previews = {}
    for face_type in ("wf", "head"):
        model = SAEHDModel(tiny(face_type=face_type))
        batch = samples(model)
        masked = model.preview(batch)["SAEHD masked"]
        swap = model.predictor()(batch[Side.DST]["target"] / np.float32(255))
        mask = swap.face_mask * (swap.dst_mask if face_type == "wf" else 1)
        np.testing.assert_allclose([row["swap"] for row in masked], swap.face * mask, atol=1e-5)
        previews[face_type] = masked
    assert np.abs(previews["wf"][0]["swap"] - previews["head"][0]["swap"]).max() > 0.01
