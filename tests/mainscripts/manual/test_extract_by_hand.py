"""`extract` with faces set by hand: from the keys to the files, without a display."""

import functools
import json
import shutil
import sys

import numpy as np
import pytest

from core.errors import DeviceError
from core.imaging.io import read_image, write_image
from core.paths import image_paths
from core.window import HeadlessWindow, check_display
from core.window_mouse import MouseEvent
from facelib.detect import FaceFinder
from mainscripts.extraction import job
from mainscripts.manual.picture import STRIP_HEIGHT
from mainscripts.manual.run import edit_by_hand
from samplelib.faceset import load_faceset
from tests.commands import run
from tests.mainscripts.manual.faces import mean_landmarks, place_of
from tests.mainscripts.manual.own_parts import Mean, Middle

N_FRAMES = 6
DARK = (2, 4)  # frames in which the detector sees nothing
PARTS = ("--detector", "tests.mainscripts.manual.own_parts:Middle",
         "--landmarks", "tests.mainscripts.manual.own_parts:Mean", "--no-rotate",
         "--manual-window-size", 0, "--image-size", 64)


class Table:
    """A folder with frames, and hands that press keys and move the mouse in the window."""

    def __init__(self, folder, monkeypatch):
        self.frames, self.output = folder / "frames", folder / "aligned"
        self.debug = folder / "aligned_debug"
        self.frames.mkdir()
        for number in range(N_FRAMES):
            grey = 0 if number in DARK else 100 + number
            write_image(self.frames / f"{number + 1:05d}.png",
                        np.full((360, 640, 3), grey, np.uint8))
        self.monkeypatch, self.windows = monkeypatch, []
        monkeypatch.setattr(job, "check_display", lambda advice: None)

    def extract(self, *flags, keys=(), clicks=(), kind=HeadlessWindow):
        """Runs it; `clicks` are places of the mouse before each key, or None."""
        moves = [[] if at is None else [MouseEvent("move", at[0], at[1] + STRIP_HEIGHT)]
                 for at in clicks]

        def window():
            self.windows.append(kind(keys, moves))
            return self.windows[-1]

        self.monkeypatch.setattr(job, "edit_by_hand",
                                 functools.partial(edit_by_hand, window=window))
        return run("extract", "--input-dir", self.frames, "--output-dir", self.output, *PARTS,
                   *flags)

    @property
    def names(self):
        return [path.name for path in image_paths(self.output)] if self.output.exists() else []

    def centres(self):
        """Name -> x, y of the face."""
        return {face.path.name: place_of(np.asarray(face.info.source_landmarks))
                for face in load_faceset(self.output).faces}


@pytest.fixture
def table(tmp_path, monkeypatch):
    return Table(tmp_path, monkeypatch)


def test_all_frames_are_set_by_hand_and_written_as_ever(table):
    outcome = table.extract("--manual", keys=["enter", "enter", "space", "q"],
                            clicks=[(200, 120), (220, 130)])
    assert outcome.code == 0
    assert table.centres() == {"00001_0.jpg": (200, 120), "00002_0.jpg": (220, 130)}
    infos = [face.info for face in load_faceset(table.output).faces]
    np.testing.assert_allclose(infos[1].source_landmarks, mean_landmarks(220, 130, 100),
                               atol=1e-3)
    assert [(i.source_filename, i.frame_index, i.score, i.track) for i in infos] == [
        ("00001.png", 0, 1.0, 0), ("00002.png", 1, 1.0, 0)]
    assert outcome.event("manual")["message"] == (
        "by hand: 3 of 6 frames decided; the same command goes on with the others")
    assert outcome.event("extraction")["frames_with_faces"] == 2


def test_the_next_sitting_goes_on(table):
    table.extract("--manual", keys=["enter", "q"], clicks=[(200, 120)])
    outcome = table.extract("--manual", keys=["enter", "space", "q"], clicks=[(210, 120)])
    assert outcome.code == 0 and outcome.event("manual")["undecided"] == 3
    assert table.centres() == {"00001_0.jpg": (200, 120), "00002_0.jpg": (210, 120)}


def test_what_a_killed_sitting_set_is_there_and_written_by_the_next(table):
    with table.monkeypatch.context() as patch:
        patch.setattr(job._Run, "_write", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            table.extract("--manual", keys=["enter", "enter", "q"],
                          clicks=[(200, 120), (220, 130)])
    assert table.names == []
    assert table.extract("--manual", keys=["q"]).code == 0
    assert table.centres() == {"00001_0.jpg": (200, 120), "00002_0.jpg": (220, 130)}


def test_a_face_set_in_the_place_of_a_deleted_one_outlives_a_kill(table):
    table.extract()
    (table.output / "00001_0.jpg").unlink()
    with table.monkeypatch.context() as patch:
        patch.setattr(job._Run, "_write", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            table.extract("--manual", keys=["enter", "q"], clicks=[(100, 130)])
    assert "00001_0.jpg" not in table.names
    table.extract("--manual", keys=["home", "enter", "q"])
    assert table.centres()["00001_0.jpg"] == (100, 130) and "00001_1.jpg" not in table.names


def test_only_frames_without_a_face_are_fixed(table):
    outcome = table.extract("--manual-fix", keys=["enter", "space"], clicks=[(100, 120)])
    assert outcome.code == 0
    assert outcome.event("manual") == {
        "event": "manual", "message": "by hand: 2 of 2 frames decided", "frames": 2,
        "undecided": 0}
    centres = table.centres()
    assert len(centres) == 5 and centres["00003_0.jpg"] == (100, 120)
    assert centres["00001_0.jpg"] == (240, 100) and "00005_0.jpg" not in centres
    assert table.extract("--manual-fix").code == 0
    assert len(table.windows) == 1  # nothing is left, so no window opens


def test_a_fix_can_take_the_faces_of_its_neighbours(table):
    outcome = table.extract("--manual-fix", keys=["c", "enter", "space"])
    assert outcome.code == 0
    centres = table.centres()
    assert centres["00003_0.jpg"] == centres["00002_0.jpg"]
    facts = outcome.event("extraction")
    assert (facts["tracks"], facts["faces"]) == (1, 5)


def test_what_is_told_of_all_frames_holds_with_those_set_by_hand(table):
    words = ("--manual-fix", "--smooth", 3)
    outcome = table.extract(*words, keys=[*["-"] * 9, "enter", "enter"],
                            clicks=[None] * 9 + [(246, 104), (90, 120)])
    facts, again = outcome.event("extraction"), table.extract(*words).event("extraction")
    assert facts["faces"] == 6 and facts["tracks"] == 2 and again["done_now"] == 0
    same = ("tracks", "cuts", "jitter", "jitter_found", "faces")
    assert {name: facts[name] for name in same} == {name: again[name] for name in same}


def test_frames_that_cannot_be_read_are_not_to_be_fixed(table):
    (table.frames / "00001.png").write_bytes(b"torn")
    outcome = table.extract("--manual-fix", keys=["space", "space"])
    assert outcome.code == 1 and outcome.event("manual")["frames"] == len(DARK)


def test_accepted_faces_are_written_once_and_the_largest_is_the_first(table):
    table.extract()
    outcome = table.extract("--manual", keys=["n", *["-"] * 20, "enter", "q"],
                            clicks=[None] * 20 + [(100, 130)])
    assert outcome.event("extraction")["done_now"] == 1
    infos = {face.path.name: face.info for face in load_faceset(table.output).faces}
    first, second = (infos[f"00001_{k}.jpg"].source_landmarks for k in (0, 1))
    assert place_of(first) == (240, 100) and place_of(second)[0] == 100
    outcome = table.extract("--manual", keys=["home", ".", "enter", "q"])
    assert outcome.event("extraction")["done_now"] == 1  # accepted as it was found
    assert table.extract("--manual", keys=["q"]).event("extraction")["done_now"] == 0


def test_what_is_undone_counts_no_more(table):
    outcome = table.extract("--manual", keys=["enter", "u", "q"], clicks=[(200, 120)])
    assert outcome.code == 1 and outcome.event("manual")["undecided"] == N_FRAMES
    for done_now in (N_FRAMES, 0):
        assert table.extract().event("extraction")["done_now"] == done_now
        assert table.centres()["00001_0.jpg"] == (240, 100)


def test_an_automatic_run_keeps_hand_work_and_finds_the_rest(table):
    table.extract("--manual", keys=["enter", "space", "enter", "q"],
                  clicks=[(100, 120), None, (300, 150)])
    outcome = table.extract()
    assert outcome.code == 0
    assert table.centres() == {
        "00001_0.jpg": (100, 120), "00003_0.jpg": (300, 150), "00004_0.jpg": (240, 100),
        "00006_0.jpg": (240, 100)}
    assert table.extract().event("extraction")["done_now"] == 0


def test_other_crops_keep_hand_work(table):
    table.extract("--manual", keys=["enter", "space", "q"], clicks=[(100, 120)])
    outcome = table.extract("--image-size", 96, "--overwrite")
    assert outcome.code == 0
    centres = table.centres()
    assert centres["00001_0.jpg"] == (100, 120) and "00002_0.jpg" not in centres
    assert read_image(table.output / "00001_0.jpg").shape == (96, 96, 3)


def test_ctrl_c_keeps_what_was_set(table):
    class Interrupted(HeadlessWindow):
        def show(self, picture):
            if len(self.shown) == 2:
                raise KeyboardInterrupt
            super().show(picture)

    outcome = table.extract("--manual", keys=["enter"] * 5, clicks=[(200, 120)],
                            kind=Interrupted)
    assert outcome.code == 130 and not table.windows[0].is_open and table.names == []
    assert table.extract("--manual", keys=["q"]).code == 0
    assert len(table.names) == 2


def test_found_faces_are_corrected_and_removed(table):
    assert table.extract().code == 0
    outcome = table.extract("--manual", keys=["x", "n", "enter", "space", "q"],
                            clicks=[None, (100, 130)])
    assert outcome.code == 0
    centres = table.centres()
    assert centres["00001_0.jpg"] == (100, 130) and "00002_0.jpg" not in centres
    assert centres["00004_0.jpg"] == (240, 100)
    # Undone to what was found, the automatic face counts again.
    (table.output / "manual.jsonl").unlink()
    table.extract()
    assert table.centres()["00001_0.jpg"] == (240, 100)


def test_deleted_faces_do_not_come_back_but_for_those_set_anew(table):
    table.extract()
    (table.output / "00001_0.jpg").unlink()
    (table.output / "00002_0.jpg").unlink()
    outcome = table.extract("--manual", keys=["enter", ".", "q"], clicks=[(100, 130)])
    assert outcome.code == 0
    assert table.centres()["00001_0.jpg"] == (100, 130) and "00002_0.jpg" not in table.names
    (table.output / "00001_0.jpg").unlink()
    table.extract("--manual", keys=["q"])
    assert "00001_0.jpg" not in table.names


def test_frames_whose_debug_frame_was_deleted_are_done_again(table):
    table.extract("--output-debug")
    for stem in ("00001", "00004", "00006"):
        (table.debug / f"{stem}.jpg").unlink()
    outcome = table.extract("--manual-output-debug-fix", keys=["x", "enter", "enter", "q"],
                            clicks=[None, (120, 110)])
    assert outcome.code == 0
    assert outcome.event("manual")["message"].startswith("by hand: 2 of 3 frames decided")
    assert table.centres()["00001_0.jpg"] == (120, 110)
    assert [path.stem for path in image_paths(table.debug)] == [
        "00001", "00002", "00003", "00004", "00005"]
    outcome = table.extract("--manual-output-debug-fix", keys=["enter"])
    assert outcome.event("manual")["frames"] == 1  # only the one that was left
    assert (table.debug / "00006.jpg").exists()

    (table.debug / "00001.jpg").unlink()  # once more
    shutil.copy(table.frames / "00006.png", table.frames / "00007.png")  # not extracted yet
    outcome = table.extract("--manual-output-debug-fix", keys=["q"])
    assert outcome.event("manual")["undecided"] == outcome.event("manual")["frames"] == 1
    assert not (table.debug / "00001.jpg").exists()


def test_a_frame_that_cannot_be_read_is_named_at_the_end(table):
    (table.frames / "00002.png").write_bytes(b"torn")
    outcome = table.extract("--manual", keys=["enter", ".", "enter", "q"],
                            clicks=[(100, 120), None, (110, 120)])
    assert outcome.code == 1 and "1 of 6 frames failed (00002.png)" in outcome.error()
    assert table.names == ["00001_0.jpg", "00003_0.jpg"]


def test_nothing_set_is_one_line(table):
    outcome = table.extract("--manual", keys=["q"])
    assert outcome.code == 1
    assert outcome.error() == (f"{table.output}: no face is set in 6 frames; run the same command "
                               "again to go on")


def test_the_detector_called_manual_is_understood(table):
    table.monkeypatch.setattr(job, "open_finder", lambda settings: FaceFinder(Middle(), Mean()))
    outcome = table.extract("--detector", "manual", keys=["enter", "q"], clicks=[(200, 120)])
    assert outcome.code == 0 and table.names == ["00001_0.jpg"]
    header = json.loads((table.output / "found.jsonl").read_text().splitlines()[0])
    assert header["detector"] == "yunet"


@pytest.mark.parametrize("flags, words", [
    (("--manual", "--manual-fix"), "--manual and --manual-fix exclude each other"),
    (("--manual-output-debug-fix",), "aligned_debug: there are no debug frames"),
    (("--manual", "--manual-window-size", -1), "--manual-window-size")])
def test_wrong_usage_is_one_line_and_leaves_no_trace(table, flags, words):
    outcome = table.extract(*flags)
    assert outcome.code == 2 and words in outcome.error()
    assert not table.output.exists()


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there always is a display")
def test_without_a_display_nothing_is_begun(table):
    table.monkeypatch.setattr(job, "check_display", check_display)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        table.monkeypatch.delenv(name, raising=False)
    outcome = table.extract("--manual-fix")
    assert outcome.code == DeviceError.exit_code
    assert outcome.error() == ("there is no display to open a window on; run it where there is "
                               "one, or extract without --manual")
    assert not table.output.exists()
