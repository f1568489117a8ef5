"""Presets by name, and the line they are typed into."""

import json
from dataclasses import asdict, replace

import pytest

from core.errors import OptionError
from mainscripts.merging_window.field import Field
from mainscripts.merging_window.presets import Presets
from merger.options import MergeOptions

NIGHT = replace(MergeOptions(), mode="seamless", blur_mask=20)


def test_presets_are_kept_by_name_in_readable_files(tmp_path):
    presets = Presets(tmp_path / "presets")
    assert presets.names() == []
    assert presets.save(" night 2 ", NIGHT) == "night 2"
    presets.save("night 10", MergeOptions())
    assert Presets(tmp_path / "presets").names() == ["night 2", "night 10"]
    assert presets.load("night 2") == NIGHT
    content = json.loads((tmp_path / "presets/night 2.json").read_text())
    assert content == {"version": 1, "options": asdict(NIGHT)}
    (tmp_path / "presets/by hand.json").write_text('{"version": 1, "options": {"blur_mask": 20}}')
    assert presets.load("by hand") == replace(MergeOptions(), blur_mask=20)


def test_presets_lie_in_the_users_folder(facelab_data_dir):
    Presets().save("mine", NIGHT)
    assert (facelab_data_dir / "merge_presets/mine.json").exists()


@pytest.mark.parametrize("name", ["", "  ", "../up", "a/b", ".hidden", "x" * 41, "-"])
def test_names_stay_within_the_folder(tmp_path, name):
    with pytest.raises(OptionError, match="is no name for a preset"):
        Presets(tmp_path).save(name, NIGHT)
    assert not list(tmp_path.iterdir())


def test_mistakes_are_told(tmp_path):
    presets = Presets(tmp_path)
    with pytest.raises(OptionError, match="there is no preset 'day'; there are none yet"):
        presets.load("day")
    presets.save("night", NIGHT)
    with pytest.raises(OptionError, match="no preset 'nigt'; did you mean 'night'"):
        presets.load("nigt")
    (tmp_path / "torn.json").write_text('{"version": 1, "options": {"blur')
    with pytest.raises(OptionError, match="torn.json: line 1 is not JSON"):
        presets.load("torn")
    (tmp_path / "odd.json").write_text('{"version": 1, "options": {"blurmask": 3}}')
    with pytest.raises(OptionError, match="odd.json: unknown option 'blurmask'"):
        presets.load("odd")


def typed(*keys, known=()):
    answers = []
    field = Field("?", answers.append, known)
    for key in keys:
        field.press(key)
    return field, answers


def test_a_line_is_typed_corrected_and_taken():
    field, answers = typed("a", "b", "backspace", "space", "C", "up", "enter")
    assert answers == ["a C"] and not field.is_open
    assert typed("a", "escape")[1] == typed("enter")[1] == typed("space", "enter")[1] == []
    assert typed("a")[0].is_open


def test_tab_completes_what_is_known():
    known = ("night 1", "night 2", "day")
    assert typed("n", "tab", known=known)[0].text == "night 1"
    assert typed("d", "tab", "enter", known=known)[1] == ["day"]
    assert typed("tab", "tab", known=known)[0].text == "night 2"
    assert typed("x", "tab", known=known)[0].text == "x"
