"""Keys that change options, beside the reference's table (its keys, ranges and order)."""

from dataclasses import asdict, replace

import pytest

from mainscripts.merging_window.adjust import SPECS, adjusted, applies, keys_of
from merger.options import MergeOptions

BASE = MergeOptions()
# Option, key up, key down, lowest, highest; in percent of the face for the first two.
REFERENCE = [
    ("erode_mask", "w", "s", -40, 40), ("blur_mask", "e", "d", 0, 60),
    ("motion_blur_power", "r", "f", 0, 100), ("super_resolution_power", "t", "g", 0, 100),
    ("output_face_scale", "u", "j", -50, 50), ("image_denoise_power", "i", "k", 0, 500),
    ("bicubic_degrade_power", "o", "l", 0, 100), ("color_degrade_power", "p", ";", 0, 100)]
MODES = {"`": "original", "1": "overlay", "2": "hist-match", "3": "seamless",
         "4": "seamless-hist-match", "5": "raw-rgb", "6": "raw-predict"}


def after(options, *keys):
    for key in keys:
        options = adjusted(options, key).options
    return options


@pytest.mark.parametrize("key, mode", MODES.items())
def test_the_row_of_digits_chooses_the_mode(key, mode):
    assert after(BASE, key) == replace(BASE, mode=mode)


@pytest.mark.parametrize("name, up, down, low, high", REFERENCE)
def test_keys_step_and_stop_at_the_ends(name, up, down, low, high):
    step = 0.5 if name in ("erode_mask", "blur_mask") else 1
    large_up, large_down = up.upper(), ":" if down == ";" else down.upper()
    middle = replace(BASE, **{name: 10})
    for key, change in ((up, step), (down, -step), (large_up, 5 * step), (large_down, -5 * step)):
        assert after(middle, key) == replace(BASE, **{name: 10 + change})
    assert getattr(after(BASE, *[large_down] * 200), name) == low
    assert getattr(after(BASE, *[large_up] * 200), name) == high


def test_sharpening_needs_a_sharpener_and_histograms_their_modes():
    assert after(BASE, "y") == BASE
    assert "does nothing" in adjusted(BASE, "y").note
    boxed = after(BASE, "n")
    assert boxed.sharpen_mode == "box" and after(boxed, "n").sharpen_mode == "gaussian"
    assert after(boxed, "n", "n") == BASE
    assert after(boxed, "y", "y", "h").blursharpen_amount == 1
    assert after(boxed, "H").blursharpen_amount == -5

    assert after(BASE, "q") == after(BASE, "z") == BASE
    matched = replace(BASE, mode="hist-match")
    assert after(matched, "a", "A").hist_match_threshold == 249
    assert after(matched, "z") == replace(matched, masked_hist_match=False)
    assert after(matched, "z", "z") == matched
    assert after(replace(BASE, mode="seamless-hist-match"), "A").hist_match_threshold == 250


@pytest.mark.parametrize("key, name", [("x", "mask_mode"), ("c", "color_transfer")])
def test_choices_go_round_and_back_with_shift(key, name):
    choices = SPECS[name].choices
    options, seen = BASE, []
    for _ in choices:
        options = after(options, key)
        seen.append(getattr(options, name))
    assert options == BASE and sorted(seen) == sorted(choices)
    for choice in reversed(seen[:-1]):
        options = after(options, key.upper())
        assert getattr(options, name) == choice


def test_lengths_come_within_the_limits_of_their_units():
    far = after(BASE, "8", *"WW" * 20)
    assert far.mask_units == "reference" and far.erode_mask == 2.5 + 200
    assert after(far, "8").erode_mask == 40 and after(far, "8").mask_units == "face"


def test_all_options_have_keys_of_their_own_and_other_keys_change_nothing():
    keys = [key for name in SPECS for key in keys_of(name)]
    assert len(keys) == len(set(keys))
    assert {name for name in SPECS if not keys_of(name)} == set()
    for key in (",", ".", "/", "m", "M", "v", "-", "=", "<", ">", "?", "tab", "escape", "space"):
        assert adjusted(BASE, key) is None


def test_raw_modes_and_the_original_leave_out_what_does_nothing():
    for mode, left in (("original", {"mode", "output_face_scale"}),
                       ("raw-predict", {"mode", "mask_mode"}),
                       ("raw-rgb", {"mode", "mask_mode", "output_face_scale"})):
        options = replace(BASE, mode=mode)
        assert {name for name in SPECS if applies(options, name)} == left
        assert asdict(after(options, "w")) == asdict(options)
