"""`--preview window`: the training window, from the side of training."""

import multiprocessing
import threading
from collections.abc import Callable

from core.errors import DeviceError
from core.window import NO_DISPLAY, has_display
from mainscripts.views.background import CommandBox, LatestStatus
from mainscripts.views.curves import CurveCache
from mainscripts.views.facts import headline
from mainscripts.views.view import Command, TrainingStatus, ViewSetup
from mainscripts.views.window_process import Closed, RangeChosen, Scene, run_window

TITLE = "FaceLab training"
N_COLUMNS = 1200
OPEN_SECONDS = 60.0  # a cold start on a busy machine
CLOSE_SECONDS = 5.0
PAUSE_SECONDS = 0.1  # between looks for keys
LOST = "the training window is closed; training goes on, Ctrl-C saves and ends it"


def open_window_view(setup: ViewSetup) -> "WindowView":
    """The view for `--preview window`.

    Raises:
        DeviceError: There is no display, or no window can be opened on it.
    """
    return WindowView(setup.on_problem).start()


class WindowView:
    """Feeds a process that owns the window (see `window_process`) from a thread."""

    def __init__(self, on_problem: Callable[[str], None]):
        """
        Args:
            on_problem: Told when the window is gone while training goes on.
        """
        self._on_problem = on_problem
        self._latest = LatestStatus()
        self._commands = CommandBox()
        self._curves = CurveCache()
        self._n_last = 0
        spawned = multiprocessing.get_context("spawn")  # a fork would copy TensorFlow's threads
        self._connection, self._other_end = spawned.Pipe()
        self._process = spawned.Process(target=run_window, args=(self._other_end, TITLE),
                                        name="training window", daemon=True)
        self._thread = threading.Thread(target=self._work, name="training window", daemon=True)

    def start(self) -> "WindowView":
        """Opens the window.

        Raises:
            DeviceError: There is no display, or no window can be opened on it.
        """
        if not has_display():
            raise DeviceError(NO_DISPLAY)
        self._process.start()
        self._other_end.close()
        problem = self._wait_for_window()
        if problem:
            self._latest.close()
            self._connection.close()
            self._end_process()
            raise DeviceError(problem)
        self._thread.start()
        return self

    def update(self, status: TrainingStatus) -> None:
        """Hands the status over."""
        self._latest.put(status)

    def commands(self) -> list[Command]:
        """What keys asked for."""
        return self._commands.take_all()

    def close(self, reason: str = "") -> None:
        """Closes the window, a hanging one by force."""
        if self._latest.is_closed:
            return
        self._latest.close()
        self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive():  # it waits for a window that hangs
            self._end_process()
            self._thread.join()
        self._connection.close()
        self._process.join(CLOSE_SECONDS)
        self._end_process()

    def _end_process(self) -> None:
        if self._process.is_alive():
            self._process.kill()  # nothing is lost with it
        self._process.join()

    def _wait_for_window(self) -> str:
        """What is wrong with the window; nothing if it is open."""
        try:
            if not self._connection.poll(OPEN_SECONDS):
                return f"no window came up within {OPEN_SECONDS:.0f} s; use --preview web"
            return self._connection.recv().problem
        except (EOFError, OSError):  # Qt ends the process when it cannot reach the display
            return ("no window can be opened on this display; use --preview web or "
                    "--preview file")

    def _work(self) -> None:
        try:
            self._serve()
        except (EOFError, OSError):
            if not self._latest.is_closed:
                self._on_problem(LOST)

    def _serve(self) -> None:
        shown = None
        while not self._latest.is_over:
            status = self._latest.take(PAUSE_SECONDS)
            is_other_range = self._read_messages()
            if status is not None:
                shown = status
                self._connection.send(self._scene(status))
            elif is_other_range and shown is not None:
                self._connection.send(self._scene(shown)._replace(previews=None))

    def _read_messages(self) -> bool:
        """Takes what the window sent; gives whether it wants another range of iterations.

        Raises:
            EOFError: The window is gone.
        """
        is_other_range = False
        while self._connection.poll():
            message = self._connection.recv()
            if isinstance(message, Command):
                self._commands.put(message)
            elif isinstance(message, RangeChosen):
                self._n_last, is_other_range = message.n_last, True
            elif isinstance(message, Closed):
                raise EOFError
        return is_other_range

    def _scene(self, status: TrainingStatus) -> Scene:
        curves = self._curves.curves(status, self._n_last, N_COLUMNS)
        return Scene(headline(status), curves, dict(status.losses), status.previews)
