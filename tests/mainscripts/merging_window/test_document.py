"""Settings of frames: who inherits what from whom, with undo, saved at every edit."""

from dataclasses import replace

import pytest

from core.frames import Frame
from mainscripts.merging.frame_settings import FrameSettings, SettingsFile, WindowState
from mainscripts.merging_window.document import Document, beginning
from merger.options import MergeOptions

FRAMES = tuple(Frame(index, f"{index + 1:05d}.png") for index in range(6))
BASE = MergeOptions()
SOFT, HARD = replace(BASE, blur_mask=20), replace(BASE, blur_mask=0)


@pytest.fixture
def saved():
    return []


@pytest.fixture
def document(saved):
    return Document(FRAMES, beginning(FRAMES, BASE), lambda *state: saved.append(state))


def options(document):
    return [document.options(number) for number in range(len(FRAMES))]


def own(document):
    return [number for number in range(len(FRAMES)) if document.has_own(number)]


def test_frames_follow_the_one_before_until_they_are_reached(document):
    assert own(document) == [0]
    document.set(0, SOFT)
    assert options(document) == [SOFT] * 6
    document.reach(2)
    document.set(0, HARD)
    assert options(document) == [HARD, HARD, SOFT, SOFT, SOFT, SOFT] and own(document) == [0, 2]


def test_settings_are_copied_over_those_of_others_and_cleared_behind(document):
    document.set(3, SOFT)
    document.copy(0, [1])
    document.copy(3, range(3))
    assert options(document) == [SOFT] * 6 and own(document) == [0, 1, 2, 3]
    document.set(5, HARD)
    document.set(1, HARD)
    document.clear_after(1)
    assert options(document) == [SOFT, HARD, HARD, HARD, HARD, HARD] and own(document) == [0, 1]


def test_every_edit_can_be_undone_and_made_again_where_it_was_made(document):
    seen = [options(document)]
    for at, edit in ((0, lambda: document.set(0, SOFT)), (2, lambda: document.set(2, HARD)),
                     (2, lambda: document.clear_after(2)), (4, lambda: document.set(4, BASE)),
                     (4, lambda: document.copy(4, range(4)))):
        document.go(at)
        edit()
        seen.append(options(document))
    # Clearing frames that have nothing of their own is no edit.
    assert [document.undo() for _ in range(5)] == [4, 4, 2, 0, None]
    assert options(document) == seen[0]
    assert [document.redo() for _ in range(5)] == [0, 2, 4, 4, None]
    assert options(document) == seen[-1] == [BASE] * 6
    document.undo()
    document.set(5, SOFT)
    assert document.redo() is None  # another way was taken


def test_edits_are_saved_at_once_and_places_when_asked(document, saved):
    document.set(0, SOFT)
    settings, window = saved.pop()
    assert settings == FrameSettings(BASE, {frame.name: SOFT for frame in FRAMES})
    assert window == WindowState("00001.png", frozenset(frame.name for frame in FRAMES[1:]))
    document.set(0, SOFT)
    document.go(3)
    document.reach(3)
    assert not saved
    document.save()
    document.save()
    (_, window), = saved
    assert window.frame == "00004.png" and "00004.png" not in window.following


def test_a_sitting_goes_on_with_what_the_last_one_saved(document, saved):
    document.go(2)
    document.reach(2)
    document.set(2, SOFT)
    document.set(4, HARD)
    again = Document(FRAMES, SettingsFile(*saved[-1]), lambda *state: None)
    assert (options(again), own(again), again.at) == (options(document), [0, 2, 4], 2)
    again.set(0, SOFT)
    assert options(again)[:2] == [SOFT, SOFT]  # still follows
