"""The training window as a process of its own, on a virtual display where there is one."""

import multiprocessing
import os
import signal
import sys
import threading
import time

import numpy as np
import pytest

from core.errors import DeviceError
from core.window import NO_DISPLAY
from mainscripts.views import window_view
from mainscripts.views.view import Command, make_view
from mainscripts.views.window_view import LOST, TITLE
from tests.mainscripts.views.display import SECONDS, Display, missing_programs
from tests.mainscripts.views.synthetic import history_of, previews, status_of

needs_display = pytest.mark.skipif(
    sys.platform != "linux" or bool(missing_programs()),
    reason=f"no virtual display: {', '.join(missing_programs())} not installed")


@pytest.fixture
def display(monkeypatch):
    with Display() as display:
        monkeypatch.setenv("DISPLAY", display.name)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        yield display


class Problems:
    """What the view complained of."""

    def __init__(self):
        self.told, self._came = [], threading.Event()

    def __call__(self, problem):
        self.told.append(problem)
        self._came.set()

    def wait(self):
        assert self._came.wait(SECONDS)


@pytest.fixture
def problems():
    return Problems()


@pytest.fixture
def view(display, problems, tmp_path):
    view = make_view("window", tmp_path, on_problem=problems)
    view.update(status_of(history_of(300), previews=previews(n=1, side=64)))
    yield view
    view.close()


def window_process():
    """The process that owns the window."""
    (process,) = [child for child in multiprocessing.active_children()
                  if child.name == "training window"]
    return process


def asked_by(key, display, view):
    """What a key asks for. HighGUI forgets keys that come too early, so it is tried again."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        display.press(TITLE, key)
        for _ in range(100):
            commands = view.commands()
            if commands:
                time.sleep(0.1)
                return set(commands + view.commands())
            time.sleep(0.02)
    raise AssertionError(f"{key} asked for nothing")


# -- without a display --------------------------------------------------------------------------

@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there always is a display")
def test_without_a_display_one_line_names_the_other_views(tmp_path, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(DeviceError) as failure:
        make_view("window", tmp_path)
    assert str(failure.value) == NO_DISPLAY


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there always is a display")
def test_a_display_that_does_not_answer_is_one_line_too(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("DISPLAY", ":31337")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(DeviceError) as failure:
        make_view("window", tmp_path)
    assert str(failure.value) == ("no window can be opened on this display; use --preview web or "
                                  "--preview file")
    assert capfd.readouterr() == ("", "")
    assert multiprocessing.active_children() == []


# -- on a virtual display -----------------------------------------------------------------------

@needs_display
def test_keys_pressed_in_the_window_reach_training(display, view, problems):
    expected = {"s": Command.SAVE, "b": Command.BACKUP, "p": Command.PREVIEW,
                "Return": Command.STOP, "KP_Enter": Command.STOP}
    for key, command in expected.items():
        assert asked_by(key, display, view) == {command}
    for other in ("Right", "Home", "space", "l", "h"):  # X11's Right ends like an S
        display.press(TITLE, other)
        time.sleep(0.2)
    assert asked_by("b", display, view) == {Command.BACKUP}
    view.update(status_of(history_of(301)))
    assert problems.told == []


@needs_display
def test_the_window_ends_with_training(display, view, problems):
    process = window_process()
    view.close("target iteration")
    view.close()
    assert not process.is_alive() and problems.told == []


@needs_display
def test_a_killed_window_is_told_once_and_training_goes_on(display, view, problems):
    window_process().kill()
    problems.wait()
    for iteration in range(301, 320):
        view.update(status_of(history_of(iteration)))
    assert view.commands() == []
    view.close()
    assert problems.told == [LOST] and "training goes on" in LOST


@needs_display
def test_a_window_closed_by_its_user_does_not_end_training(display, view, problems):
    process = window_process()
    display.close_window(TITLE)
    problems.wait()
    assert view.commands() == []
    view.close()
    assert problems.told == [LOST] and not process.is_alive()


@needs_display
def test_a_display_that_goes_away_does_not_end_training(display, view, problems, capfd):
    display.window(TITLE)
    display.end()
    problems.wait()
    view.update(status_of(history_of(301)))
    view.close()
    assert problems.told == [LOST]


@needs_display
def test_a_window_that_hangs_is_ended_by_force(display, view, problems, monkeypatch):
    monkeypatch.setattr(window_view, "CLOSE_SECONDS", 0.2)
    process = window_process()
    os.kill(process.pid, signal.SIGSTOP)
    large = {"faces": np.zeros((1000, 1000, 3), np.uint8)}  # more than a pipe holds
    for iteration in range(301, 304):
        view.update(status_of(history_of(iteration), previews=large))
        time.sleep(0.3)
    view.close()
    assert not process.is_alive() and problems.told == []


@needs_display
def test_ctrl_c_in_the_console_does_not_end_the_window(display, view, problems):
    os.kill(window_process().pid, signal.SIGINT)
    assert asked_by("s", display, view) == {Command.SAVE}
    assert problems.told == []
