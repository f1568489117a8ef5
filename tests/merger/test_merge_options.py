import dataclasses

import pytest

from core.errors import OptionError
from core.imaging.color import TRANSFERS
from core.options import resolve, specs
from merger.masks import LATER_MASK_MODES, MASK_MODES
from merger.modes import MODES
from merger.options import MergeOptions, needed_masks


def test_defaults_are_overlay_with_both_learned_masks_and_rct():
    options = MergeOptions()
    assert (options.mode, options.mask_mode) == ("overlay", "learned-prd*learned-dst")
    assert options.color_transfer == "rct" and options.output_face_scale == 0


def test_the_offered_names_are_those_of_the_reference():
    assert set(MODES) == {"original", "overlay", "hist-match", "seamless"}
    assert set(TRANSFERS) == {"none", "rct"}
    assert set(MASK_MODES) == {
        "full", "dst", "learned-prd", "learned-dst", "learned-prd*learned-dst",
        "learned-prd+learned-dst",
    }


@pytest.mark.parametrize("mask_mode", LATER_MASK_MODES)
def test_xseg_masks_are_refused_with_the_reason(mask_mode):
    with pytest.raises(OptionError, match="XSeg model"):
        MergeOptions(mask_mode=mask_mode)


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


def test_mask_questions_are_left_out_when_nothing_is_put_in():
    original = MergeOptions(mode="original")
    unasked = {spec.name for spec in specs(MergeOptions) if spec.when and not spec.when(original)}
    assert {"mask_mode", "color_transfer"} <= unasked
    assert all(spec.when is None or spec.when(MergeOptions()) for spec in specs(MergeOptions))


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
