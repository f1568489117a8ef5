"""Going through real frames with a real small model, without a window."""

import json
import os
import shutil
from dataclasses import replace

import cv2
import numpy as np

from core.errors import WeightsMissing
from core.imaging.io import read_image
from core.report import SilentReporter
from core.window_mouse import MouseEvent
from mainscripts.merging.frame_settings import SETTINGS_FILE, read_settings
from mainscripts.merging_window.layout import layout_of
from mainscripts.merging_window.states import State
from merger.options import MergeOptions
from samplelib.face_image import read_info, write_info
from tests.commands import run
from tests.mainscripts.merging_window.desk import BASE, files_of, sitting

N = 12
RAW = replace(BASE, mode="raw-rgb")
RAW_HARD = replace(RAW, blur_mask=9.5)


def output(workspace, number, folder="merged"):
    return workspace.path(f"data_dst/{folder}") / f"{number + 1:05d}.png"


def stored(workspace, number, folder="merged"):
    return cv2.imread(str(output(workspace, number, folder)), cv2.IMREAD_UNCHANGED)


def there(workspace):
    return [number for number in range(N) if output(workspace, number).exists()]


def settings_file(workspace):
    return workspace.path(f"data_dst/merged/{SETTINGS_FILE}")


def batch(workspace, *words):
    outcome = run(*workspace.merge_words(), "--settings", settings_file(workspace), *words)
    assert outcome.code == 0, outcome.events[-1]
    return outcome.event("merging")["done_now"]


def test_one_frame_is_merged_until_the_user_moves(workspace):
    with sitting(workspace) as sitter:
        assert there(workspace) == [0] == sitter.done()
        scene = sitter.scene()
        assert np.array_equal(scene.image, stored(workspace, 0)) and not scene.is_working
        assert np.array_equal(scene.mask[..., 0], stored(workspace, 0, "merged_mask"))
        sitter.press(".", "right")
        assert there(workspace) == [0, 1, 2] and sitter.document.at == 2
        sitter.press(",", "left", ",")
        assert sitter.document.at == 0 and "first frame" in sitter.scene().note
        sitter.press("end", ".")
        assert sitter.document.at == N - 1 and "last frame" in sitter.scene().note


def test_what_was_set_here_is_what_a_batch_run_merges(workspace, tmp_path):
    options = replace(BASE, color_transfer="rct", color_smoothing=2)  # frames around have a say
    with sitting(workspace, options) as sitter:
        sitter.press("w", "W", ".", "3", ".", "x", ".", "<", ">")
        seamless = replace(options, erode_mask=5.5, mode="seamless")
        wanted = [replace(options, erode_mask=5.5), seamless] + [
            replace(seamless, mask_mode="learned-prd")] * (N - 2)
        assert sitter.options(*range(N)) == wanted and sitter.done() == list(range(N))
    before = workspace.snapshot("*.png")
    assert batch(workspace) == 0
    assert workspace.snapshot("*.png") == before

    alone = tmp_path / "alone"
    path = shutil.copy(settings_file(workspace), tmp_path / "settings.json")
    words = dict(zip(*[iter(map(str, workspace.merge_words()[1:]))] * 2))
    words |= {"--output-dir": str(alone), "--output-mask-dir": str(alone / "masks"),
              "--settings": str(path)}
    assert run("merge", *(part for pair in words.items() for part in pair)).code == 0
    for number in range(N):
        got = cv2.imread(str(alone / f"{number + 1:05d}.png")).astype(int)
        assert np.abs(got - stored(workspace, number)).max() <= 1


def test_settings_go_from_frame_to_frame_as_in_the_reference(workspace):
    hard = replace(BASE, blur_mask=9.5)
    with sitting(workspace) as sitter:
        sitter.press(".", ".", "d", ",", "0")  # the second frame is as the first
        sitter.press("escape")  # closes the field, not the window
        assert sitter.options(0, 1, 2, 3) == [BASE, BASE, hard, hard]
        sitter.press(".", ",", "/")  # over what the third frame had
        assert sitter.document.at == 2 and sitter.options(2, 3) == [BASE, BASE]
        sitter.press("d", "m")
        assert sitter.document.at == 1 and sitter.options(0, 1, 2, 3) == [BASE, hard, hard, hard]
        sitter.press(".", ".", ".", "5", "M")
        assert sitter.document.at == 0 and sitter.options(*range(N)) == [RAW_HARD] * N
        sitter.press(".", "1", "?")
        assert sitter.document.at == 2 and sitter.options(*range(N)) == [RAW_HARD] + [hard] * 11
        assert sitter.done() == [0, 1, 2, 3]  # the last one was merged like this before
        sitter.press("b", "b")
        assert sitter.options(0, 1, 2, 11) == [RAW_HARD] * 4 and sitter.document.at == 1
        sitter.press("B")
        assert sitter.options(1, 2) == [hard, RAW_HARD]


def test_the_run_to_the_last_frame_stops_at_any_key_that_works_on_frames(workspace):
    with sitting(workspace) as sitter:
        sitter.session.press(">")
        sitter.settle(lambda: sitter.document.at >= 2)
        sitter.session.press("v")  # looking is free
        sitter.settle(lambda: sitter.document.at >= 4)
        assert sitter.scene().is_running and sitter.scene().is_working
        sitter.press("d")
        at = sitter.document.at
        assert not sitter.scene().is_running and 4 <= at < N
        assert sitter.options(at) == [replace(BASE, blur_mask=9.5)]
        sitter.press(">")
        assert sitter.document.at == N - 1 and sitter.done() == list(range(N))
        assert not sitter.scene().is_running and there(workspace) == list(range(N))


def test_results_count_only_if_the_settings_are_still_those_sent(workspace):
    with sitting(workspace) as sitter:
        for key in "ddddd5":  # faster than anything can be merged
            sitter.session.press(key)
            sitter.session.tick()
        assert sitter.states.of(0) is State.WORKING and sitter.scene().is_working
        sitter.settle()
        assert sitter.options(0) == [replace(RAW, blur_mask=7.5)]
        assert sitter.done() == [0]
        assert np.array_equal(sitter.scene().image, stored(workspace, 0))
        sitter.press("b")
        overlay = stored(workspace, 0)
        sitter.press("B")
        assert not np.array_equal(overlay, stored(workspace, 0))


def test_a_frame_is_found_by_number_by_name_and_on_the_timeline(workspace):
    with sitting(workspace) as sitter:
        sitter.press("enter")
        assert sitter.scene().question.startswith("go to frame")
        sitter.type("8")
        assert sitter.document.at == 7
        sitter.press("enter")
        sitter.type("00003.png")
        assert sitter.document.at == 2
        for wrong in ("99", "00033.png"):
            sitter.press("enter")
            sitter.type(wrong)
            assert sitter.document.at == 2 and f"no frame {wrong}" in sitter.scene().note
        line = layout_of(sitter.scene().image, 1.0).timeline
        for place, number in ((0, 0), (0.99, N - 1), (0.5, N // 2)):
            event = MouseEvent("left down", line.x + int(place * line.width), line.y + 3)
            sitter.session.mouse(event)
            sitter.settle()
            assert sitter.document.at == number
        sitter.session.mouse(MouseEvent("move", line.x, line.y + 100))  # held down
        assert sitter.document.at == 0
        sitter.session.mouse(MouseEvent("left up", line.x, line.y))
        sitter.session.mouse(MouseEvent("move", line.x + line.width - 1, line.y))
        sitter.session.mouse(MouseEvent("left down", line.x + 5, line.y - 60))
        assert sitter.document.at == 0
        sitter.press("space")
        assert sitter.document.at == 1 and sitter.done() == [0, 1, 2, 6, 7, 11]
        sitter.press("space")
        assert sitter.document.at == 3


def test_presets_are_saved_and_loaded_by_name(workspace):
    with sitting(workspace) as sitter:
        sitter.press("9")
        assert not sitter.scene().question or "mine" in sitter.scene().question
        sitter.press("escape") if sitter.scene().question else None
        sitter.press("5", "0")
        sitter.type("My look 1")
        assert "saved as preset My look 1" in sitter.scene().note
        sitter.press(".", "1", "9")
        sitter.type("My look 1")
        assert sitter.options(0, 1) == [RAW, RAW] and sitter.done() == [0, 1]
        sitter.press("b", "9")
        sitter.type("none such")
        assert "there is no preset" in sitter.scene().note and sitter.options(1) == [BASE]


class NotThere:
    """A segmenter and an enhancer without weights."""

    def __init__(self):
        raise WeightsMissing("there are no weights; train some")


class Upper:
    """A segmenter that sees the upper half of every face, and an enhancer that sees white."""

    def segment(self, faces):
        masks = np.zeros((*faces.shape[:3], 1), np.float32)
        masks[:, : faces.shape[1] // 2] = 1.0
        return masks

    def enlarge(self, face):
        return np.ones((4 * face.shape[0], 4 * face.shape[1], 3), np.float32)


HELPERS = {"segmenter": f"{__name__}:Upper", "enhancer": f"{__name__}:Upper"}


def test_networks_are_loaded_when_a_key_needs_them_and_noted_for_the_batch_run(workspace):
    with sitting(workspace, **HELPERS) as sitter:
        overlay = stored(workspace, 0).astype(int)
        sitter.press(*"TTTT", ".")
        brighter = stored(workspace, 0).astype(int) - overlay
        mask = stored(workspace, 0, "merged_mask")
        assert brighter[mask == 255].mean() > 10 and not brighter[mask == 0].any()
        sitter.press("G", "G", "G", "G", *"xxxxxx")
        assert sitter.options(1)[0].mask_mode == "XSeg-dst"
        assert stored(workspace, 1, "merged_mask").any()
        assert sitter.done() == [0, 1]
    with sitting(workspace, **HELPERS) as sitter:
        assert sitter.done() == [0, 1]
    flags = [word for name, value in HELPERS.items() for word in (f"--{name}", value)]
    assert batch(workspace, *flags) == N - 2
    assert batch(workspace, *flags) == 0
    flags[1] = f"{__name__}:Whole"
    assert batch(workspace, *flags) == N - 1  # all but the one that no segmenter looked at


class Whole(Upper):
    """A segmenter that sees the whole square."""

    def segment(self, faces):
        return np.ones((*faces.shape[:3], 1), np.float32)


def test_options_that_need_what_is_not_there_are_passed_over_or_refused(workspace):
    nothing = f"{__name__}:NotThere"
    with sitting(workspace, replace(BASE, mask_mode="learned-prd+learned-dst"),
                 segmenter=nothing, enhancer=nothing) as sitter:
        sitter.press("x")
        assert sitter.options(0)[0].mask_mode == "stored-dst"  # no segmenter for four of them
        sitter.press("X")
        assert sitter.options(0)[0].mask_mode == "learned-prd+learned-dst"
        before = sitter.options(0)
        sitter.press("t")
        assert sitter.options(0) == before and "no weights; train" in sitter.scene().note


def test_a_frame_that_cannot_be_merged_is_told_of_and_holds_up_nothing(workspace):
    poison = workspace.path("data_dst/aligned/00003_0.jpg")
    write_info(poison, replace(read_info(poison), source_landmarks=np.full((68, 2), 50.0)))
    with sitting(workspace, fill_gaps=0) as sitter:
        sitter.press(">")
        assert sitter.done() == [number for number in range(N) if number != 2]
        assert sitter.states.of(2) is State.FAILED
        sitter.press("enter")
        sitter.type("3")
        assert "cannot be merged" in sitter.scene().note
        frame = read_image(workspace.path("data_dst/00003.png"))
        assert np.array_equal(stored(workspace, 2), frame)
        assert [name for name, _ in sitter.states.failures()] == ["00003.png"]


def test_the_next_sitting_goes_on_where_the_last_one_ended(workspace):
    with sitting(workspace) as sitter:
        sitter.press(".", "5", ".", "1", ".")
        wanted = sitter.options(*range(N))
    before = workspace.snapshot("*.png")
    with sitting(workspace, MergeOptions()) as sitter:
        assert sitter.document.at == 3 and sitter.options(*range(N)) == wanted
        assert sitter.done() == [0, 1, 2, 3]
        assert np.array_equal(sitter.scene().image, stored(workspace, 3))
        sitter.press("<", ".")
        assert np.array_equal(sitter.scene().image, stored(workspace, 1))
    assert workspace.snapshot("*.png") == before  # nothing was merged twice
    output(workspace, 2).unlink()
    output(workspace, 1).write_bytes(b"torn")
    with sitting(workspace) as sitter:
        assert sitter.done() == [0, 1, 3]  # the torn one is found when it is looked at
        sitter.press("enter")
        sitter.type("2")
        sitter.press(".")
        assert sitter.done() == [0, 1, 2, 3] and stored(workspace, 1) is not None


def test_after_a_batch_run_its_frames_are_done_and_its_options_go_on(workspace):
    assert run(*workspace.merge_words(), "--mask-mode", "dst", "--mode", "raw-rgb").code == 0
    before = workspace.snapshot("*.png")
    with sitting(workspace, MergeOptions()) as sitter:
        assert sitter.done() == list(range(N))
        assert sitter.options(5)[0] == replace(MergeOptions(), mask_mode="dst", mode="raw-rgb")
        sitter.press(".", ".")
    assert workspace.snapshot("*.png") == before


def save_again(workspace):
    from core.generations import GenerationStore

    store = GenerationStore(workspace.path("model/new_Quick96"))
    saved = store.load()
    store.save(saved.arrays, saved.state)


def test_after_more_training_frames_are_stale_and_stay(workspace):
    with sitting(workspace) as sitter:
        sitter.press(".", "5", ".")
    before = workspace.snapshot("*.png")
    save_again(workspace)
    reporter = SilentReporter()
    with sitting(workspace, reporter=reporter) as sitter:
        assert "trained since" in reporter.events[-1]["message"]
        assert sitter.done() == [2]  # the one that is shown
        assert [sitter.states.of(number) for number in range(4)] == [
            State.STALE, State.STALE, State.DONE, State.NOT_DONE]
        assert sitter.options(0, 1, 2) == [BASE, RAW, RAW]
    after = workspace.snapshot("*.png")
    changed = {name for name in after if after[name] != before[name]}
    assert changed <= {"data_dst/merged/00003.png", "data_dst/merged_mask/00003.png"}
    assert batch(workspace) == N - 1


def test_other_frames_in_the_folder_are_refused_and_left_alone(workspace):
    assert run(*workspace.merge_words(), "--mask-mode", "dst").code == 0
    before = workspace.snapshot()
    outcome = run(*workspace.merge_words(), "--interactive", "--mode", "seamless")
    assert outcome.code != 0 and "\n" not in outcome.error()
    assert workspace.snapshot() == before


def test_flags_may_repeat_what_the_file_says_and_nothing_else(workspace, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with sitting(workspace, BASE):
        pass
    words = (*workspace.merge_words(), "--interactive")
    outcome = run(*words, "--mask-mode", "full")
    assert outcome.code == 2 and "--mask-mode: " in outcome.error()
    outcome = run(*words, "--mask-mode", "dst")
    assert "there is no display to open a window on; run it where there is one" in outcome.error()
    outcome = run(*words, "--scheduler", "processes:2")
    assert outcome.code == 2 and "--scheduler does not go with --interactive" in outcome.error()
    video = [word for word in words if "merged" not in str(word)]
    video = [word for word in video if word not in ("--output-dir", "--output-mask-dir")]
    outcome = run(*video, "--output-video", workspace.path("result.mp4"))
    assert outcome.code == 2 and "--output-video does not go with" in outcome.error()


def test_masks_need_not_be_written(workspace):
    with sitting(workspace, output_mask_dir=None) as sitter:
        sitter.press(".")
        assert sitter.scene().mask.any()
    before = workspace.snapshot("*.png")
    assert "data_dst/merged/00002.png" in before
    assert not workspace.path("data_dst/merged_mask").exists()
    with sitting(workspace, output_mask_dir=None) as sitter:
        assert np.array_equal(sitter.scene().image, stored(workspace, 1))
        assert sitter.scene().mask is None
    assert workspace.snapshot("*.png") == before


def test_settings_may_lie_elsewhere(workspace, tmp_path):
    path = tmp_path / "mine.json"
    with sitting(workspace, settings=path) as sitter:
        sitter.press("5")
    assert not settings_file(workspace).exists()
    content = json.loads(path.read_text())
    assert content["ranges"] == [
        {"from": "00001.png", "to": "00012.png", "options": {"mode": "raw-rgb"}}]
    frames = files_of(workspace).input_dir
    assert len(list(frames.glob("*.png"))) == N and os.path.exists(output(workspace, 0))
    with sitting(workspace, settings=path) as sitter:
        assert sitter.done() == [0]
        assert read_settings(path, sitter.document.frames).settings.base == BASE
