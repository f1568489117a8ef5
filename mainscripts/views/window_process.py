"""The process that owns the training window. It gets `Scene`s and sends back what keys ask for.

It is a process of its own because HighGUI wants one thread (on macOS the main one), and because a
display that goes away ends the process that shows on it: training must live on.
"""

import signal
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import NamedTuple

import numpy as np

from core.errors import DeviceError
from core.native_log import native_log_dropped
from core.window import PictureWindow, Window
from mainscripts.views.curves import RANGES, Curves
from mainscripts.views.view import Command
from mainscripts.views.window_picture import WindowContent, window_picture

KEY_SECONDS = 0.05
NOTE_SECONDS = 4.0


class Scene(NamedTuple):
    """New content from training: as in `WindowContent`; previews None: as before."""

    headline: str
    curves: Curves
    losses: Mapping[str, float]
    previews: Mapping[str, np.ndarray] | None


class Opened(NamedTuple):
    """The window is there; `problem` says why it is not."""

    problem: str = ""


class RangeChosen(NamedTuple):
    """The chart is to show the last iterations; 0 is all."""

    n_last: int


class Closed(NamedTuple):
    """The user has closed the window."""


def run_window(connection: Connection, title: str) -> None:
    """Shows scenes until the connection ends or the user closes the window."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the console is for training
    session = WindowSession(Window(title), connection.send)
    try:
        with native_log_dropped():  # Qt ends the process without a display, not without a speech
            session.open()
    except DeviceError as error:
        connection.send(Opened(str(error)))
        return
    try:
        session.run(connection)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # training has ended
    session.close()


class WindowSession:
    """What the window shows and what its keys do."""

    def __init__(self, window: PictureWindow, send: Callable[[object], None],
                 clock: Callable[[], float] = time.monotonic):
        """
        Args:
            window: Not open yet.
            send: Takes a `Command`, `RangeChosen`, `Opened` or `Closed`.
            clock: Seconds that only grow.
        """
        self._window = window
        self._send = send
        self._clock = clock
        self._content = WindowContent()
        self._note_until = -float("inf")
        self._keys = {
            "enter": lambda: self._ask(Command.STOP, "saving, then stopping ..."),
            "s": lambda: self._ask(Command.SAVE, "saving ..."),
            "b": lambda: self._ask(Command.BACKUP, "backup asked for"),
            "p": lambda: self._ask(Command.PREVIEW, "new preview asked for"),
            "space": self._next_preview, "l": self._next_range, "h": self._toggle_help}

    def open(self) -> None:
        """Opens the window, still without content.

        Raises:
            DeviceError: That is not possible.
        """
        self._window.open()
        self._draw()
        self._window.key(KEY_SECONDS)

    def close(self) -> None:
        """Closes the window."""
        self._window.close()

    def run(self, connection: Connection) -> None:
        """Shows what comes and answers keys.

        Raises:
            EOFError: The other side is gone.
        """
        self._send(Opened())
        while self._window.is_open:
            scene = None
            while connection.poll():
                scene = connection.recv() if scene is None else newer(scene, connection.recv())
            if scene is not None:
                self.show(scene)
            self.press(self._window.key(KEY_SECONDS))
        self._send(Closed())

    def show(self, scene: Scene) -> None:
        """Shows new content."""
        content = self._content
        content.headline, content.curves, content.losses = scene[:3]
        if scene.previews is not None:
            content.previews = scene.previews
        self._draw()

    def press(self, key: str | None) -> None:
        """Does what a key is for; None lets an old note go."""
        if key is not None and key.lower() in self._keys:
            self._keys[key.lower()]()
            self._draw()
        elif self._content.note and self._clock() > self._note_until:
            self._content.note = ""
            self._draw()

    def _draw(self) -> None:
        self._window.show(window_picture(self._content))

    def _ask(self, command: Command, note: str) -> None:
        self._send(command)
        self._content.note = note
        self._note_until = self._clock() + NOTE_SECONDS

    def _next_preview(self) -> None:
        self._content.chosen = (self._content.chosen + 1) % max(len(self._content.previews), 1)

    def _next_range(self) -> None:
        following = (RANGES.index(self._content.n_last) + 1) % len(RANGES)
        self._content.n_last = RANGES[following]
        self._send(RangeChosen(self._content.n_last))

    def _toggle_help(self) -> None:
        self._content.shows_help = not self._content.shows_help


def newer(scene: Scene, later: Scene) -> Scene:
    """The later scene, with the earlier one's previews if it has none of its own."""
    return later if later.previews is not None else later._replace(previews=scene.previews)
