"""The merge window as its user has it: real mouse and key events on a virtual display."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from core.journal import read_done
from mainscripts.merging.frame_settings import SETTINGS_FILE
from mainscripts.merging_window.help_picture import help_picture
from mainscripts.merging_window.layout import layout_of
from mainscripts.merging_window.window import TITLE
from tests.commands import ROOT, run
from tests.mainscripts.merging_window.desk import BASE
from tests.mainscripts.views.display import SECONDS, Display, missing_programs

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or bool(missing_programs()),
    reason=f"no virtual display: {', '.join(missing_programs())} not installed")
N = 12
FRAME_SIZE = 270, 480
FLAGS = "--mask-mode", BASE.mask_mode, "--color-transfer", BASE.color_transfer


class Program:
    """`merge --interactive` as a process of its own, and what it has written."""

    def __init__(self, display, workspace):
        code = "import sys, main; sys.exit(main.main(sys.argv[1:]))"
        words = [*map(str, workspace.merge_words()), "--interactive", *FLAGS, "--json"]
        self.display, self.folder = display, workspace.path("data_dst/merged")
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *words], cwd=ROOT, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=os.environ | {"DISPLAY": display.name})

    def press(self, *keys):
        """Presses keys (X11's names)."""
        self.display.press(TITLE, *keys)

    def press_until(self, condition, *keys):
        """Presses again until it helps: HighGUI forgets keys that come too early."""
        self.until(condition, lambda: self.press(*keys))

    def until(self, condition, again=None):
        end = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < end and self.process.poll() is None, self.problem()
            if again is not None:
                again()
            wait = time.monotonic() + 1.0
            while time.monotonic() < wait and not condition():
                time.sleep(0.02)

    def click(self, x, y):
        window = self.display.window(TITLE)
        self.display._xdotool("mousemove", "--window", window, str(x), str(y), "click", "1")

    def height(self):
        """Of the window's picture."""
        told = self.display._xdotool("getwindowgeometry", "--shell", self.display.window(TITLE))
        return int(dict(line.split("=") for line in told.split())["HEIGHT"])

    def content(self):
        """Of the file of settings."""
        path = self.folder / SETTINGS_FILE
        return json.loads(path.read_text()) if path.exists() else {"ranges": [], "window": {}}

    def at(self):
        """The frame shown, from 1."""
        return int(self.content()["window"].get("frame", "0").split(".")[0])

    def options(self, number):
        """What a frame has of its own."""
        return {name: value for part in self.content()["ranges"]
                if part["from"] <= f"{number:05d}.png" <= part["to"]
                for name, value in part["options"].items()}

    def done(self):
        """Frame number -> its own options, of those that the journal has."""
        return {int(name.split(".")[0]): line.get("options", {})
                for name, line in read_done(self.folder / "merge.jsonl").items()
                if line["landmarks"] is not None}

    def problem(self):
        self.process.kill()
        return self.process.stderr.read()[-2000:]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def finish(self):
        """Presses Escape until it ends; gives its events."""
        while self.process.poll() is None:
            for window in self.display._xdotool("search", "--name", TITLE, check=False).split():
                self.display._xdotool("windowfocus", window, "key", "Escape", check=False)
            time.sleep(0.1)
        assert self.process.returncode == 0, self.process.stderr.read()[-2000:]
        return [json.loads(line) for line in self.process.stdout]


@pytest.fixture
def start(workspace, monkeypatch):
    """Starts it, again and again on the same workspace."""
    started = []
    with Display() as display:
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)

        def begin():
            program = Program(display, workspace)
            started.append(program)
            program.until(lambda: display.windows(TITLE))
            return program

        yield begin
        for program in started:
            program.kill()
            program.process.stdout.close()
            program.process.stderr.close()


def test_frames_are_merged_with_keys_and_mouse_and_outlive_a_kill(start, workspace):
    layout = layout_of(np.zeros(FRAME_SIZE), 1.0)
    program = start()
    program.until(lambda: 1 in program.done() and program.height() == len(help_picture()))
    program.press_until(lambda: program.height() == layout.height, "Tab")

    program.press_until(lambda: program.options(1), "w")
    erode = program.content()["base"]["erode_mask"]
    assert program.options(1)["erode_mask"] >= erode + 0.5  # the key may have counted twice
    before = program.options(1)["erode_mask"]
    # A small step that counted twice may still be on its way.
    program.press_until(lambda: program.options(1)["erode_mask"] >= before + 2.5, "W")
    assert (program.options(1)["erode_mask"] - before) % 0.5 == 0
    program.until(lambda: program.done().get(1) == program.options(1))

    program.press_until(lambda: program.at() == 2, "period")
    program.press_until(lambda: program.options(2).get("mode") == "seamless", "3")
    assert "mode" not in program.options(1)
    program.until(lambda: program.done().get(2) == program.options(2))

    line = layout.timeline
    program.until(lambda: program.at() == N, lambda: program.click(
        line.x + line.width - 2, line.y + 5))
    program.until(lambda: N in program.done())
    program.press_until(lambda: program.at() == 6, "Return", "6", "Return")
    program.press_until(lambda: program.options(6).get("mode") == "raw-rgb", "5")

    wanted = {number: program.options(number) for number in range(1, N + 1)}
    program.kill()
    done = program.done()
    assert set(done) >= {1, 2, N}

    again = start()
    assert {number: again.options(number) for number in range(1, N + 1)} == wanted
    again.until(lambda: again.done().get(6) == wanted[6])
    assert again.done() == done | {6: wanted[6]}
    again.press_until(lambda: again.height() == layout.height, "Tab")
    again.press_until(lambda: again.at() == 1, "less")
    again.press_until(lambda: again.at() > 1, "greater")
    again.until(lambda: len(again.done()) == N and again.at() == N)
    assert again.done() == wanted
    (sitting,) = [event for event in again.finish() if event["event"] == "sitting"]
    assert (sitting["frames"], sitting["done"], sitting["failed"]) == (N, N, [])

    outcome = run(*workspace.merge_words(), "--settings", again.folder / SETTINGS_FILE)
    assert outcome.event("merging")["done_now"] == 0


def test_closing_the_window_writes_what_has_begun(start, workspace):
    program = start()
    program.until(lambda: 1 in program.done())
    program.display.close_window(TITLE)
    assert program.process.wait(SECONDS) == 0, program.problem()
    events = [json.loads(line) for line in program.process.stdout]
    assert events[-1]["done"] == 1
    assert "1 of 12 frames are merged as set; go on with" in events[-2]["message"]
    assert len(list(program.folder.glob("*.png"))) == 1
