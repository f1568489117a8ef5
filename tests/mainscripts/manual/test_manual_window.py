"""The manual window as its user has it: real mouse and key events on a virtual display."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from core.errors import DeviceError
from core.imaging.io import write_image
from core.window import check_display
from mainscripts.extraction.by_hand import from_hand_note
from mainscripts.manual.picture import STRIP_HEIGHT
from mainscripts.manual.window import TITLE
from samplelib.faceset import load_faceset
from tests.commands import ROOT
from tests.mainscripts.manual.faces import mean_landmarks
from tests.mainscripts.views.display import SECONDS, Display, missing_programs

needs_display = pytest.mark.skipif(
    sys.platform != "linux" or bool(missing_programs()),
    reason=f"no virtual display: {', '.join(missing_programs())} not installed")
PARTS = ("--detector", "tests.mainscripts.manual.own_parts:Middle",
         "--landmarks", "tests.mainscripts.manual.own_parts:Mean",
         "--manual-window-size", "0", "--image-size", "64")
NOSE = 33


class MouseDisplay(Display):
    """A display with a mouse; places are those of the frame in the window."""

    def move(self, x, y):
        window = self.window(TITLE)
        self._xdotool("mousemove", "--window", window, str(x), str(y + STRIP_HEIGHT))

    def press_if_there(self, key):
        """Presses a key in a window that may be gone at any time."""
        for window in self.windows(TITLE):
            self._xdotool("windowfocus", window, "key", key, check=False)

    def name_of(self, window):
        return self._xdotool("getwindowname", window).strip()

    def turn(self, button):
        """A step of the wheel: 4 is away from the user, 5 towards."""
        self._xdotool("click", button)

    def click(self, x, y):
        self.move(x, y)
        self._xdotool("click", "1")

    def drag(self, start, end):
        self.move(*start)
        self._xdotool("mousedown", "1")
        self.move(*end)
        self._xdotool("mouseup", "1")


class Program:
    """`extract --manual` as a process of its own."""

    def __init__(self, display, frames, output):
        code = "import sys, main; sys.exit(main.main(sys.argv[1:]))"
        self._output = output
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, "extract", "--manual", "--input-dir", frames,
             "--output-dir", output, *PARTS, "--quiet"], cwd=ROOT,
            env=os.environ | {"DISPLAY": display.name}, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)

    def faces(self, name):
        """Those that the journal has of a frame; None without a line for it."""
        path = self._output / "manual.jsonl"
        lines = path.read_text().split("\n")[1:-1] if path.exists() else []
        notes = {note["item"]: note for note in map(json.loads, lines)}
        return from_hand_note(notes[name]).found.faces if name in notes else None

    def until(self, condition, again=None):
        """Waits; tries again now and then what may be done more than once."""
        end = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < end and self.process.poll() is None, self.problem()
            if again is not None:
                again()
            time.sleep(0.05)

    def problem(self):
        self.process.kill()
        return self.process.stderr.read()[-2000:]

    def finish(self, display):
        """Presses q until it ends; returns what it complained of."""
        while self.process.poll() is None:
            display.press_if_there("q")
            time.sleep(0.1)
        return self.process.stderr.read()


@pytest.fixture
def display(monkeypatch):
    with MouseDisplay() as display:
        monkeypatch.setenv("DISPLAY", display.name)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        yield display


@pytest.fixture
def programs(display, tmp_path):
    """Starts it, again and again on the same three frames."""
    frames = tmp_path / "frames"
    frames.mkdir()
    for number in range(3):
        write_image(frames / f"{number + 1:05d}.png", np.full((360, 640, 3), 120, np.uint8))
    started = []

    def start():
        started.append(Program(display, frames, tmp_path / "aligned"))
        return started[-1]

    yield start
    for program in started:
        program.process.kill()
        program.process.wait()
        program.process.stderr.close()


@needs_display
def test_faces_are_set_with_mouse_and_keys_and_outlive_a_kill(display, programs, tmp_path):
    program = programs()
    display.window(TITLE)
    # HighGUI forgets keys that come too early; more spaces only pass more frames.
    program.until(lambda: program.faces("00001.png") is not None,
                  lambda: display.press(TITLE, "space"))
    display.press(TITLE, "1", "Return")  # back to the first frame

    before = display.window(TITLE)
    display.move(300, 150)
    display.turn("5")  # half a side: 100, 90, 81, 89.1
    display.turn("5")
    display.turn("4")
    # Qt's own zoom is taken back by a new window in the place of the old one.
    program.until(lambda: before not in display.windows(TITLE) and len(display.windows(TITLE)) == 1)
    assert display.name_of(display.window(TITLE)) == TITLE
    display.click(310, 160)
    program.until(lambda: program.faces("00001.png"))
    (face,) = program.faces("00001.png")
    np.testing.assert_allclose(face.landmarks, mean_landmarks(310, 160, 89.1), atol=0.01)

    x, y = face.landmarks[NOSE].round().astype(int).tolist()
    display.drag((x, y), (x + 20, y - 12))
    program.until(lambda: np.ptp(program.faces("00001.png")[0].landmarks - face.landmarks) > 1)
    (edited,) = program.faces("00001.png")
    np.testing.assert_allclose(edited.landmarks[NOSE] - face.landmarks[NOSE], (20, -12), atol=0.01)
    np.testing.assert_array_equal(np.delete(edited.landmarks, NOSE, 0),
                                  np.delete(face.landmarks, NOSE, 0))

    display.press(TITLE, "2", "Return", "c")  # the same face in the second frame
    program.until(lambda: program.faces("00002.png"))
    program.process.kill()
    program.process.wait()
    assert not list((tmp_path / "aligned").glob("*.jpg"))

    again = programs()
    assert again.finish(display) == "" and again.process.returncode == 0
    faces = load_faceset(tmp_path / "aligned").faces
    assert [face.path.name for face in faces] == ["00001_0.jpg", "00002_0.jpg"]
    for written in faces:
        np.testing.assert_allclose(written.info.source_landmarks, edited.landmarks, atol=1e-4)


@needs_display
def test_a_display_is_tried_before_work_begins(display, monkeypatch):
    check_display("do without")
    monkeypatch.setenv("DISPLAY", ":31337")
    with pytest.raises(DeviceError, match="no window can be opened on this display; do without"):
        check_display("do without")
