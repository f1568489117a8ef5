"""The window's session with a window that needs no display, and keys by their real names."""

import multiprocessing

import numpy as np
import pytest

from core.window import HeadlessWindow
from mainscripts.views.curves import RANGES, CurveCache
from mainscripts.views.view import Command
from mainscripts.views.window_process import (
    NOTE_SECONDS,
    Closed,
    Opened,
    RangeChosen,
    Scene,
    WindowSession,
    newer,
)
from tests.mainscripts.views.synthetic import history_of, status_of

A, B = (np.full((40, 700, 3), value, np.uint8) for value in (77, 155))


def scene(previews=None, n_iterations=50):
    status = status_of(history_of(n_iterations))
    return Scene("anna", CurveCache().curves(status, 0, 100), status.losses, previews)


class Clock:
    """Seconds that go on when told."""

    now = 0.0

    def __call__(self):
        return self.now


class Session:
    """A session, what it sent and what its window shows."""

    def __init__(self, keys=()):
        self.window, self.sent, self.clock = HeadlessWindow(keys), [], Clock()
        self.session = WindowSession(self.window, self.sent.append, self.clock)
        self.session.open()

    @property
    def faces(self):
        return self.window.shown[-1][-40:]

    def press(self, *keys):
        for key in keys:
            self.session.press(key)
        return self.sent


@pytest.mark.parametrize("key, command", [
    ("enter", Command.STOP), ("s", Command.SAVE), ("S", Command.SAVE), ("b", Command.BACKUP),
    ("p", Command.PREVIEW)])
def test_keys_ask_for_their_command_and_the_window_says_so(key, command):
    session = Session()
    before = session.window.shown[-1]
    assert session.press(key) == [command]
    assert (session.window.shown[-1] != before).any()


def test_other_keys_do_nothing():
    session = Session()
    assert session.press("right", "escape", "x", "1", "home", None) == []
    assert len(session.window.shown) == 1


def test_space_shows_the_next_preview_and_goes_round():
    session = Session()
    session.press("space")  # there is none yet
    session.session.show(scene({"a": A, "b": B}))
    np.testing.assert_array_equal(session.faces, A)
    for expected in (B, A, B):
        session.press("space")
        np.testing.assert_array_equal(session.faces, expected)
    session.session.show(scene())  # without new previews the chosen one stays
    np.testing.assert_array_equal(session.faces, B)


def test_l_goes_through_the_ranges_and_asks_for_them():
    session = Session()
    expected = [5000, 10000, 50000, 100000, 0, 5000]
    assert session.press(*["l"] * 6) == [RangeChosen(n) for n in expected]
    assert RANGES == (0, 5000, 10000, 50000, 100000)


def test_h_shows_help_and_hides_it():
    session = Session()
    session.session.show(scene({"a": A}))
    plain = session.window.shown[-1]
    session.press("h")
    assert session.faces.max() < 77
    session.press("h")
    np.testing.assert_array_equal(session.window.shown[-1], plain)
    assert session.sent == []


def test_a_note_goes_after_some_seconds():
    session = Session()
    empty = session.window.shown[-1]
    session.press("s")
    session.clock.now = NOTE_SECONDS - 0.1
    session.press(None)
    assert (session.window.shown[-1] != empty).any()
    session.clock.now = NOTE_SECONDS + 0.1
    session.press(None)
    np.testing.assert_array_equal(session.window.shown[-1], empty)


def test_scenes_that_wait_are_joined_without_losing_previews():
    first, second = scene({"a": A}), scene(n_iterations=60)
    joined = newer(first, second)
    assert joined.curves is second.curves and joined.previews is first.previews
    third = scene({"b": B})
    assert newer(first, third) is third


def run_until_closed(keys, *scenes):
    """Runs a session whose user presses keys, then closes the window."""
    near, far = multiprocessing.Pipe()
    window = HeadlessWindow(keys)
    session = WindowSession(window, far.send)
    session.open()
    for one in scenes:
        near.send(one)
    session.run(far)
    session.close()
    sent = []
    while near.poll():
        sent.append(near.recv())
    near.close()
    far.close()
    return sent, window


def test_the_session_tells_that_it_is_open_what_was_pressed_and_that_it_was_closed():
    keys = [None, "s", None, "space", "l", "enter"]
    sent, window = run_until_closed(keys, scene({"a": A, "b": B}), scene(n_iterations=99))
    assert sent == [Opened(), Command.SAVE, RangeChosen(5000), Command.STOP, Closed()]
    np.testing.assert_array_equal(window.shown[-1][-40:], B)


def test_the_session_ends_when_training_is_gone():
    near, far = multiprocessing.Pipe()

    def send(message):
        far.send(message)
        near.close()  # as when training ends right after the window has opened

    session = WindowSession(HeadlessWindow([None] * 1000), send)
    session.open()
    with pytest.raises((EOFError, OSError)):
        session.run(far)
    far.close()
