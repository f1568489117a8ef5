"""Options of models of DeepFaceLab (training specification, section 3) as ours and back."""

import dataclasses

import pytest

from core.errors import OptionError
from models.amp.options import AMPOptions
from models.legacy.options import from_legacy, to_legacy
from models.quick96.options import Quick96Options
from models.saehd.options import SAEHDOptions

SAEHD = {
    "autobackup_hour": 4, "write_preview_history": True, "target_iter": 200_000,
    "random_src_flip": True, "random_dst_flip": False, "batch_size": 6, "resolution": 192,
    "face_type": "wf", "archi": "liae-udt", "ae_dims": 288, "e_dims": 80, "d_dims": 72,
    "d_mask_dims": 24, "masked_training": False, "eyes_mouth_prio": True, "uniform_yaw": True,
    "blur_out_mask": True, "models_opt_on_gpu": False, "adabelief": True, "lr_dropout": "n",
    "random_warp": False, "random_hsv_power": 0.05, "gan_power": 0.1, "gan_patch_size": 32,
    "gan_dims": 20, "true_face_power": 0.01, "face_style_power": 1.5, "bg_style_power": 2.5,
    "ct_mode": "rct", "clipgrad": True, "pretrain": False}
AMP = {
    "autobackup_hour": 0, "write_preview_history": False, "target_iter": 0,
    "random_src_flip": False, "random_dst_flip": True, "batch_size": 4, "resolution": 256,
    "face_type": "head", "ae_dims": 320, "inter_dims": 512, "e_dims": 48, "d_dims": 56,
    "d_mask_dims": 20, "morph_factor": 0.3, "uniform_yaw": True, "blur_out_mask": True,
    "models_opt_on_gpu": True, "lr_dropout": "y", "random_warp": True, "gan_power": 0.2,
    "gan_patch_size": 28, "gan_dims": 18, "ct_mode": "sot", "clipgrad": False}


def test_options_of_saehd_mean_the_same():
    options, notes = from_legacy("SAEHD", SAEHD)
    assert notes == [] and type(options) is SAEHDOptions
    assert dataclasses.asdict(options) == dataclasses.asdict(SAEHDOptions(
        autobackup_hours=4, write_preview_history=True, target_iteration=200_000,
        random_src_flip=True, random_dst_flip=False, batch_size=6, resolution=192,
        face_type="wf", archi="liae-udt", ae_dims=288, e_dims=80, d_dims=72, d_mask_dims=24,
        masked_training=False, eyes_mouth_prio=True, uniform_yaw=True, blur_out_mask=True,
        optimizer="adabelief", random_warp=False, random_hsv_power=0.05, gan_power=0.1,
        gan_patch_size=32, gan_dims=20, true_face_power=0.01, face_style_power=1.5,
        bg_style_power=2.5, ct_mode="rct", clip_gradients=1.0, learning_rate=5e-5,
        adabelief_compat=True, ssim_compat=True))


def test_options_of_amp_mean_the_same():
    options, notes = from_legacy("AMP", AMP)
    assert notes == [] and type(options) is AMPOptions
    assert dataclasses.asdict(options) == dataclasses.asdict(AMPOptions(
        random_src_flip=False, random_dst_flip=True, batch_size=4, resolution=256,
        face_type="head", ae_dims=320, inter_dims=512, e_dims=48, d_dims=56, d_mask_dims=20,
        morph_factor=0.3, uniform_yaw=True, blur_out_mask=True, lr_dropout=0.3,
        lr_cosine_period=500, gan_power=0.2, gan_patch_size=28, gan_dims=18, ct_mode="sot",
        optimizer="adabelief", learning_rate=5e-5, adabelief_compat=True, ssim_compat=True))


def test_quick96_is_always_the_same():
    options, notes = from_legacy("Quick96", {"resolution": 640, "random_src_flip": True})
    assert notes == []
    assert dataclasses.asdict(options) == dataclasses.asdict(Quick96Options(
        batch_size=4, resolution=96, face_type="f", ae_dims=128, e_dims=64, d_dims=64,
        d_mask_dims=16, random_src_flip=False, random_dst_flip=False, optimizer="rmsprop",
        learning_rate=2e-4, lr_dropout=0.3, lr_cosine_period=0, clip_gradients=0.0,
        adabelief_compat=True))


@pytest.mark.parametrize("kind, theirs", [("SAEHD", SAEHD), ("AMP", AMP)])
def test_options_come_back_as_they_were(kind, theirs):
    expected = {**theirs, "models_opt_on_gpu": True}  # says nothing about the model
    found = to_legacy(kind, from_legacy(kind, theirs)[0])
    assert {name: found[name] for name in expected} == expected
    ours_only = {"pretrain", "random_hsv_power"}  # AMP has these options here and not there
    assert found.keys() - expected.keys() <= (ours_only if kind == "AMP" else set())


@pytest.mark.parametrize("stored, share, period", [
    ("n", 1.0, 0), ("y", 0.3, 500), ("cpu", 0.3, 500), (True, 0.3, 500), (False, 1.0, 0)])
def test_every_form_of_learning_rate_dropout_is_read(stored, share, period):
    options, _ = from_legacy("SAEHD", {**SAEHD, "lr_dropout": stored})
    assert (options.lr_dropout, options.lr_cosine_period) == (share, period)


def test_without_adabelief_it_is_rmsprop():
    options, _ = from_legacy("SAEHD", {**SAEHD, "adabelief": False})
    assert options.optimizer == "rmsprop"
    assert to_legacy("SAEHD", options)["adabelief"] is False


@pytest.mark.parametrize("old, new", [("dfuhd", "df-u"), ("liaeuhd", "liae-u"), ("DF", "df"),
                                      ("LIAE-UD", "liae-ud"), ("df", "df")])
def test_old_names_of_architectures_are_read(old, new):
    assert from_legacy("SAEHD", {**SAEHD, "archi": old})[0].archi == new


def test_one_option_for_all_flips_is_read_and_the_two_new_ones_win():
    old = {name: value for name, value in SAEHD.items() if "flip" not in name}
    options, _ = from_legacy("SAEHD", {**old, "random_flip": True})
    assert options.random_src_flip and options.random_dst_flip
    options, _ = from_legacy("SAEHD", {**SAEHD, "random_flip": True})
    assert options.random_src_flip and not options.random_dst_flip


def test_a_batch_of_zero_was_never_asked_for():
    assert from_legacy("SAEHD", {**SAEHD, "batch_size": 0})[0].batch_size == 8


def test_values_outside_of_ours_that_shape_nothing_become_the_default_and_are_told():
    options, notes = from_legacy("SAEHD", {**SAEHD, "autobackup_hour": 48, "ct_mode": "seamless"})
    assert options.autobackup_hours == 0 and options.ct_mode == "none"
    assert notes == [
        "autobackup_hours must be between 0 and 24, not 48; 0 is used",
        "ct_mode must be one of none, rct, lct, mkl, idt, sot, not 'seamless'; none is used"]


@pytest.mark.parametrize("name, value", [("resolution", 1000), ("ae_dims", 8), ("e_dims", "many"),
                                         ("face_type", "nose"), ("d_dims", None)])
def test_shapes_that_ours_cannot_have_are_refused(name, value):
    with pytest.raises(OptionError, match=f"^{name} of the SAEHD model must be .*no such"):
        from_legacy("SAEHD", {**SAEHD, name: value})


def test_what_there_is_no_option_for_is_left_out():
    assert from_legacy("SAEHD", {**SAEHD, "eyes_prio": True, "anything": [1]}) == (
        from_legacy("SAEHD", SAEHD))


def test_the_patch_that_follows_the_resolution_is_written_as_a_number():
    assert to_legacy("SAEHD", SAEHDOptions(resolution=192))["gan_patch_size"] == 24


def test_a_quick96_of_another_size_cannot_be_written():
    assert to_legacy("Quick96", Quick96Options(batch_size=6)) == {"batch_size": 6}
    with pytest.raises(OptionError, match="resolution 64, e_dims 32: use .models export-weights"):
        to_legacy("Quick96", Quick96Options(resolution=64, e_dims=32))
