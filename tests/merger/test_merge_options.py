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
        "original", "overlay", "hist-match", "seamless", "raw-rgb", "raw-predict",
    }
    assert set(COLOR_TRANSFERS) == {
        "none", "rct", "lct", "mkl", "mkl-m", "idt", "idt-m", "sot-m", "mix-m",
    }
    assert set(MASK_MODES) == {
        "full", "dst", "learned-prd", "learned-dst", "learned-prd*learned-dst",
        "learned-prd+learned-dst",
    }


@pytest.mark.parametrize(("mask_mode", "instead"), [
    ("XSeg-prd", "learned-prd"),
    ("XSeg-dst", "learned-dst"),
    ("XSeg-prd*XSeg-dst", "learned-prd*learned-dst"),
    ("learned-prd*learned-dst*XSeg-prd*XSeg-dst", "learned-prd*learned-dst"),
])
def test_xseg_masks_are_refused_with_the_reason_and_what_to_use(mask_mode, instead):
    reason = f"cannot be {mask_mode}: that needs an XSeg model, and FaceLab has none yet; " \
             f"use {instead} instead"
    with pytest.raises(OptionError) as direct:
        MergeOptions(mask_mode=mask_mode)
    assert str(direct.value) == f"mask_mode {reason}"
    for written in (mask_mode, mask_mode.lower()):
        with pytest.raises(OptionError) as resolved:
            resolve(MergeOptions, file={"mask_mode": written})
        assert str(resolved.value) == f"option mask_mode {reason} (TOML file)"
    assert MergeOptions(mask_mode=instead).mask_mode == instead


@pytest.mark.parametrize("name", ["mode", "mask_mode", "color_transfer"])
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


@pytest.mark.parametrize(("mode", "left_out"), [
    ("original", {"mask_mode", "erode_mask", "blur_mask", "color_transfer"}),
    ("raw-rgb", {"erode_mask", "blur_mask", "color_transfer"}),
    ("raw-predict", {"erode_mask", "blur_mask", "color_transfer", "output_face_scale"}),
    ("seamless", set()),
])
def test_only_questions_that_matter_to_the_mode_are_asked(mode, left_out):
    options = MergeOptions(mode=mode)
    assert left_out == {
        spec.name for spec in specs(MergeOptions) if spec.when and not spec.when(options)
    }


@pytest.mark.parametrize(
    ("mask_mode", "needed"),
    [
        ("full", (False, False)),
        ("dst", (False, False)),
        ("learned-prd", (True, False)),
        ("learned-dst", (False, True)),
        ("learned-prd*learned-dst", (True, True)),
        ("learned-prd+learned-dst", (True, True)),
    ],
)
def test_only_masks_that_are_used_are_asked_of_the_model(mask_mode, needed):
    assert needed_masks(dataclasses.replace(MergeOptions(), mask_mode=mask_mode)) == needed
