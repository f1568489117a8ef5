import dataclasses

import pytest

from core.errors import OptionError
from core.options import resolve, specs
from merger.color_transfer import COLOR_TRANSFERS
from merger.masks import MASK_MODES
from merger.modes import MODE_NAMES
from merger.options import MergeOptions, needed_masks


def test_defaults_are_overlay_with_both_learned_masks_and_rct():
    options = MergeOptions()
    assert (options.mode, options.mask_mode) == ("overlay", "learned-prd*learned-dst")
    assert options.color_transfer == "rct" and options.output_face_scale == 0


def test_the_offered_names_are_those_of_the_reference():
    assert set(MODE_NAMES) == {
        "original", "overlay", "hist-match", "seamless", "seamless-hist-match", "raw-rgb",
        "raw-predict", "laplacian",
    }
    assert set(COLOR_TRANSFERS) == {
        "none", "rct", "lct", "mkl", "mkl-m", "idt", "idt-m", "sot-m", "mix-m",
    }
    assert set(MASK_MODES) == {
        "full", "dst", "learned-prd", "learned-dst", "learned-prd*learned-dst",
        "learned-prd+learned-dst", "XSeg-prd", "XSeg-dst", "XSeg-prd*XSeg-dst",
        "learned-prd*learned-dst*XSeg-prd*XSeg-dst", "stored-dst",
    }


def test_lengths_have_the_limits_of_their_units():
    assert MergeOptions(mask_units="reference", erode_mask=-400, blur_mask=400).erode_mask == -400
    for name, value in (("erode_mask", 41), ("erode_mask", -41), ("blur_mask", 61)):
        with pytest.raises(OptionError, match=f"{name} must be between .* not {value}; "
                                              "with mask_units reference it is pixels"):
            MergeOptions(**{name: value})


@pytest.mark.parametrize(
    "name", ["mode", "mask_mode", "mask_units", "color_transfer", "sharpen_mode"])
def test_unknown_choices_are_refused_by_name(name):
    with pytest.raises(OptionError, match=f"{name} must be one of .*'magic'"):
        MergeOptions(**{name: "magic"})
    with pytest.raises(OptionError, match="magic"):
        resolve(MergeOptions, given={name: "magic"})


def test_options_come_from_words_and_are_checked():
    options = resolve(MergeOptions, given={"mode": "seamless", "blur_mask": "12.5"})
    assert options == MergeOptions(mode="seamless", blur_mask=12.5)
    with pytest.raises(OptionError, match="output_face_scale|Output face scale|output-face-scale"):
        resolve(MergeOptions, given={"output_face_scale": "90"})


HIST = {"masked_hist_match", "hist_match_threshold"}
FINISH = {"super_resolution_power", "sharpen_mode", "blursharpen_amount", "motion_blur_power",
          "image_denoise_power", "bicubic_degrade_power", "color_degrade_power"}
PUT_IN = {"mask_units", "erode_mask", "blur_mask", "color_transfer", "color_smoothing"} | FINISH


@pytest.mark.parametrize(("mode", "left_out"), [
    ("original", HIST | PUT_IN | {"mask_mode"}),
    ("raw-rgb", HIST | PUT_IN),
    ("raw-predict", HIST | PUT_IN | {"output_face_scale"}),
    ("seamless", HIST | {"blursharpen_amount"}),
    ("hist-match", {"blursharpen_amount"}),
    ("seamless-hist-match", {"blursharpen_amount"}),
])
def test_only_questions_that_matter_to_the_mode_are_asked(mode, left_out):
    options = MergeOptions(mode=mode)
    assert left_out == {
        spec.name for spec in specs(MergeOptions) if spec.when and not spec.when(options)
    }


def test_amounts_are_asked_for_once_a_kind_of_sharpening_is_chosen():
    [amount] = [spec for spec in specs(MergeOptions) if spec.name == "blursharpen_amount"]
    assert amount.when(MergeOptions(sharpen_mode="box")) and not amount.when(MergeOptions())


@pytest.mark.parametrize(
    ("mask_mode", "needed"),
    [
        ("full", (False, False)),
        ("dst", (False, False)),
        ("learned-prd", (True, False)),
        ("learned-dst", (False, True)),
        ("learned-prd*learned-dst", (True, True)),
        ("learned-prd+learned-dst", (True, True)),
        ("XSeg-prd*XSeg-dst", (False, False)),
        ("learned-prd*learned-dst*XSeg-prd*XSeg-dst", (True, True)),
        ("stored-dst", (False, False)),
    ],
)
def test_only_masks_that_are_used_are_asked_of_the_model(mask_mode, needed):
    assert needed_masks(dataclasses.replace(MergeOptions(), mask_mode=mask_mode)) == needed
