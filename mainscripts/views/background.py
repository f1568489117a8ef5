"""What all views share: the newest state handed to a thread of the view, commands handed back."""

import dataclasses
import threading
from collections.abc import Callable

from core.errors import FaceLabError, is_disk_full
from mainscripts.views.view import Command, TrainingStatus

CLOSE_SECONDS = 10.0  # a last picture on a slow disk


class LatestStatus:
    """Holds the newest status until somebody takes it; older ones are forgotten.

    Previews are not: a status without new ones keeps those of the one it replaces.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._status: TrainingStatus | None = None
        self._is_closed = False

    def put(self, status: TrainingStatus) -> None:
        """Takes a status; after `close` it is dropped."""
        with self._changed:
            if self._is_closed:
                return
            if self._status is not None and status.previews is None:
                status = dataclasses.replace(status, previews=self._status.previews)
            self._status = status
            self._changed.notify()

    def close(self) -> None:
        """Lets `take` give what is left, and then None."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def take(self, seconds: float | None = None) -> TrainingStatus | None:
        """Waits for the newest status and takes it; None when closed and empty, or after
        `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: self._status is not None or self._is_closed, seconds)
            status, self._status = self._status, None
            return status

    @property
    def is_closed(self) -> bool:
        """Whether nothing new comes any more."""
        with self._changed:
            return self._is_closed

    @property
    def is_over(self) -> bool:
        """Whether it is closed and nothing is left to take."""
        with self._changed:
            return self._is_closed and self._status is None


class CommandBox:
    """Commands from a view's thread to the trainer's.

    Attributes:
        n_taken: How many commands the trainer took so far.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Command] = []
        self.n_taken = 0

    def put(self, command: Command) -> int:
        """Adds a command; gives its number, counted from 1. One already waiting is not doubled."""
        with self._lock:
            if command not in self._waiting:
                self._waiting.append(command)
            return self.n_taken + self._waiting.index(command) + 1

    def take_all(self) -> list[Command]:
        """Gives and removes all that wait, oldest first."""
        with self._lock:
            taken, self._waiting = self._waiting, []
            self.n_taken += len(taken)
            return taken


class Complaints:
    """Tells each kind of problem once, however often and with whatever file it comes back."""

    def __init__(self, on_problem: Callable[[str], None]):
        self._on_problem = on_problem
        self._told: set[object] = set()

    def tell(self, what: str, error: OSError | FaceLabError) -> None:
        """Tells why something cannot be done, unless the same reason was told before.

        Args:
            what: In the words of the user, such as "previews in /model".
            error: The reason.
        """
        cause = error if isinstance(error, OSError) else error.__cause__
        code = getattr(cause, "errno", None)
        kind = "disk full" if is_disk_full(error) else code or type(error)
        if kind not in self._told:
            self._told.add(kind)
            reason = getattr(cause, "strerror", None) or error
            self._on_problem(f"{what}: cannot be written ({reason}); training goes on, and they "
                             "are tried again")


class BackgroundView:
    """A view whose work is done by `show` in a thread of its own, always for the newest status.

    A failure to write (disk full, folder gone) is told once and tried again with the next status.
    """

    def __init__(self, what: str, show: Callable[[TrainingStatus], None],
                 on_problem: Callable[[str], None], finish: Callable[[], None] = lambda: None,
                 close_seconds: float = CLOSE_SECONDS):
        """
        Args:
            what: Is written, for messages: "previews in /model".
            show: Shows one status; may raise OSError or FaceLabError.
            on_problem: Told of those.
            finish: Called in the same thread after the last status.
            close_seconds: How long `close` waits for the last status to be shown.
        """
        self._what, self._show, self._finish = what, show, finish
        self._on_problem = on_problem
        self._close_seconds = close_seconds
        self._complaints = Complaints(on_problem)
        self._latest = LatestStatus()
        self._thread = threading.Thread(target=self._work, name="training view", daemon=True)

    def start(self) -> "BackgroundView":
        """Starts the thread."""
        self._thread.start()
        return self

    def update(self, status: TrainingStatus) -> None:
        """Hands the status over."""
        self._latest.put(status)

    def commands(self) -> list[Command]:
        """None: nobody can ask anything here."""
        return []

    def close(self, reason: str = "") -> None:
        """Shows what is left and waits for that, though not for ever."""
        if self._latest.is_closed:
            return
        self._latest.close()
        self._thread.join(self._close_seconds)
        if self._thread.is_alive():
            self._on_problem(f"{self._what}: not finished within {self._close_seconds:g} s; the "
                             "last ones may be missing")

    def _work(self) -> None:
        while (status := self._latest.take()) is not None:
            self._try(lambda: self._show(status))
        self._try(self._finish)

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (OSError, FaceLabError) as error:
            self._complaints.tell(self._what, error)
