"""Settings of single frames: the file, its mistakes, and a merge that keeps to it."""

import json
from dataclasses import asdict, replace

import cv2
import numpy as np
import pytest

from core.errors import OptionError
from core.frames import Frame
from core.imaging.io import read_image
from core.journal import read_done
from mainscripts.merging.frame_settings import (
    FrameSettings,
    WindowState,
    read_settings,
    write_settings,
)
from merger.options import MergeOptions
from tests.commands import run

FRAMES = tuple(Frame(index, f"{index + 1:05d}.png") for index in range(12))
BASE = MergeOptions(mask_mode="dst")


def written(folder, content):
    path = folder / "settings.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def in_file(*ranges, base=(), **more):
    return {"version": 1, "base": dict(base), "ranges": list(ranges), **more}


def a_range(first, last, **options):
    return {"from": first, "to": last, "options": options}


def test_what_is_written_is_read_again(tmp_path):
    own = {FRAMES[number].name: replace(BASE, erode_mask=5, mode="seamless")
           for number in (2, 3, 4)}
    own |= {FRAMES[7].name: replace(BASE, color_transfer="mkl-m")}
    settings = FrameSettings(BASE, own)
    window = WindowState("00008.png", frozenset({"00004.png", "00005.png", "00011.png"}))
    path = tmp_path / "settings.json"
    write_settings(path, FRAMES, settings, window)
    assert read_settings(path, FRAMES) == (settings, window)
    assert json.loads(path.read_text()) == {
        "version": 1, "base": asdict(BASE), "ranges": [
            {"from": "00003.png", "to": "00005.png",
             "options": {"erode_mask": 5, "mode": "seamless"}},
            {"from": "00008.png", "to": "00008.png", "options": {"color_transfer": "mkl-m"}}],
        "window": {"frame": "00008.png",
                   "following": [{"from": "00004.png", "to": "00005.png"},
                                 {"from": "00011.png", "to": "00011.png"}]}}


def test_later_ranges_change_single_options_and_names_need_no_suffix(tmp_path):
    path = written(tmp_path, in_file(a_range("00002", "00009.png", erode_mask=5, blur_mask=3),
                                     a_range("00009", "00009", erode_mask=-1),
                                     base={"mode": "hist-match"}))
    settings, window = read_settings(path, FRAMES)
    default = MergeOptions(mode="hist-match")
    wanted = [default, *[replace(default, erode_mask=5, blur_mask=3)] * 7,
              replace(default, erode_mask=-1, blur_mask=3), *[default] * 3]
    assert [settings.of(frame) for frame in FRAMES] == wanted
    assert settings.changes(FRAMES[8]) == {"erode_mask": -1, "blur_mask": 3}
    assert settings.changes(FRAMES[0]) == {} and window == WindowState()
    assert set(settings.only(FRAMES[:3]).own) == {"00002.png", "00003.png"}


@pytest.mark.parametrize("content, message", [
    ("", "line 1 is not JSON"),
    ('{"version": 1,\n "base": {]}', "line 2 is not JSON"),
    ("[1]", r"must hold a JSON object"),
    ({"base": {}}, "has version None and must have 1"),
    ({"version": 2}, "has version 2 and must have 1"),
    ({"version": 1, "rangs": []}, "unknown name 'rangs'; did you mean 'ranges'"),
    ('{"version": 1, "base": {"mode": "overlay", "mode": "seamless"}}',
     "'mode' stands there twice"),
    (in_file(base={"mod": "overlay"}), "base: unknown option 'mod'; did you mean 'mode'"),
    (in_file(base={"blur_mask": -1}), r"option blur_mask must be between 0 and 400, not -1"),
    (in_file(base={"blur_mask": 100}), "base: blur_mask must be between 0 and 60 percent"),
    (in_file(base=[["mode", 1]]), r"option mode must be text, not 1"),
    ({"version": 1, "base": 3}, "base: options are written"),
    ({"version": 1, "ranges": {}}, "ranges must be a list"),
    (in_file(7), "range 1: must be an object"),
    (in_file({"from": "00001", "to": "00002", "option": {}}), "range 1: unknown name 'option'"),
    (in_file({"from": "00001"}), "range 1: to: there is no frame None"),
    (in_file(a_range("00001", "99999")), "to: there is no frame '99999'"),
    (in_file(a_range("00005", "00002")), "range 1: '00005' comes after '00002'"),
    (in_file(a_range("00001", "00002"), a_range("00001", "00002", mode="none")),
     "mode must be one of .*range 2"),
    (in_file(a_range("00001", "00002", mask_units="reference", erode_mask=200),
             a_range("00002", "00002", mask_units="face")),
     "00002.png: erode_mask must be between"),
    (in_file(window={"frame": "00099"}), "window: there is no frame '00099'"),
    (in_file(window=[]), "window: must be an object"),
])
def test_mistakes_are_told_in_one_line_with_their_place(tmp_path, content, message):
    path = written(tmp_path, content)
    with pytest.raises(OptionError, match=message) as caught:
        read_settings(path, FRAMES)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_or_binary_file_is_told_of(tmp_path):
    with pytest.raises(OptionError, match="No such file or directory; check the path"):
        read_settings(tmp_path / "none.json", FRAMES)
    (tmp_path / "image.json").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(OptionError, match="correct it, or take the file away"):
        read_settings(tmp_path / "image.json", FRAMES)


def pictures(workspace):
    return {path.name: (cv2.imread(str(path)), path.stat().st_mtime_ns)
            for path in sorted(workspace.path("data_dst/merged").glob("*.png"))}


def done_now(*words):
    outcome = run(*words)
    assert outcome.code == 0, outcome.events[-1]
    return outcome.event("merging")["done_now"]


def test_a_merge_keeps_to_the_file_and_only_does_again_what_it_changes(workspace):
    base = {"mask_mode": "dst"}
    path = written(workspace.folder, in_file(a_range("00003", "00004", mode="original"), base=base))
    words = (*workspace.merge_words(), "--settings", path)
    assert done_now(*words) == 12
    for number in range(1, 13):
        frame = read_image(workspace.path(f"data_dst/{number:05d}.png"))
        merged = read_image(workspace.path(f"data_dst/merged/{number:05d}.png"))
        assert np.array_equal(frame, merged) == (number in (3, 4))
    lines = read_done(workspace.path("data_dst/merged/merge.jsonl"))
    assert lines["00003.png"]["options"] == {"mode": "original"}
    assert "options" not in lines["00001.png"]

    before = pictures(workspace)
    written(workspace.folder, in_file(a_range("00004", "00005", mode="original"), base=base))
    assert done_now(*words) == 2
    after = pictures(workspace)
    changed = {name for name in after if after[name][1] != before[name][1]}
    assert changed == {"00003.png", "00005.png"}
    assert done_now(*words) == 0
    written(workspace.folder, in_file(base=base))
    assert done_now(*words) == 2
    assert done_now(*workspace.merge_words(), "--mask-mode", "dst") == 0  # all alike now


def test_processes_keep_to_the_file_too(workspace, monkeypatch):
    monkeypatch.setattr("mainscripts.merging.chunk.CHUNK_SIZE", 5)
    path = written(workspace.folder, in_file(a_range("00009", "00012", mode="original")))
    words = (*workspace.merge_words(), "--settings", path)
    assert done_now(*words, "--scheduler", "processes:2") == 12
    assert done_now(*words) == 0
    for number in (8, 9):
        frame = read_image(workspace.path(f"data_dst/{number:05d}.png"))
        merged = read_image(workspace.path(f"data_dst/merged/{number:05d}.png"))
        assert np.array_equal(frame, merged) == (number == 9)


def test_what_contradicts_the_file_is_refused_before_any_work(workspace):
    path = written(workspace.folder, in_file())
    outcome = run(*workspace.merge_words(), "--settings", path, "--mode", "seamless")
    assert outcome.code == 2 and f"--mode: {path} says something else" in outcome.error()
    outcome = run(*workspace.merge_words(), "--settings", written(workspace.folder, "{"))
    assert outcome.code == 2 and "line 1 is not JSON" in outcome.error()
    assert not workspace.path("data_dst/merged").exists()


def test_frames_merged_one_by_one_are_not_replaced_unasked(workspace):
    kept = workspace.path("data_dst/merged/merge_settings.json")
    kept.parent.mkdir()
    kept.write_text(json.dumps(in_file()))
    outcome = run(*workspace.merge_words())
    assert outcome.code == 2 and f"go on with --settings {kept}" in outcome.error()
    assert done_now(*workspace.merge_words(), "--overwrite") == 12
