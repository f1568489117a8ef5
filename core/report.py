"""Telling the user what happens: on a console, as JSON lines, or to nobody.

Every reporter takes the same calls, from any thread. A `message` among the fields of an event is
what a console prints; events without one are for programs only.
"""

import json
import math
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TextIO

CONSOLE_INTERVAL_SECONDS = 30.0  # between progress lines where no bar can be drawn
JSON_INTERVAL_SECONDS = 0.2


class Progress(Protocol):
    """A running count, used as a context manager."""

    def __enter__(self) -> "Progress":
        """Starts the clock."""

    def __exit__(self, *failure: object) -> None:
        """Shows the last state."""

    def advance(self, n: int = 1, **shown: Any) -> None:
        """Counts `n` more units; `shown` are values to show beside the count (loss, faces)."""


class Reporter(Protocol):
    """Whoever listens to a command."""

    def info(self, message: str) -> None:
        """Tells something worth knowing."""

    def warning(self, message: str) -> None:
        """Tells something the user may want to change."""

    def error(self, message: str, exit_code: int) -> None:
        """Tells why the command ends early."""

    def event(self, kind: str, **fields: Any) -> None:
        """Tells a fact with named values."""

    def progress(self, title: str, total: int | None = None, unit: str = "item") -> Progress:
        """Counts towards `total` (None: unknown)."""


class LimitedProgress:
    """A count that calls `show(done, seconds, shown)` now and then, and once at the end."""

    def __init__(
        self,
        show: Callable[[int, float, Mapping[str, Any]], None],
        interval_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._show = show
        self._interval = interval_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._done = 0
        self._shown: dict[str, Any] = {}
        self._start = self._last = clock()

    def __enter__(self) -> "LimitedProgress":
        self._start = self._last = self._clock()
        return self

    def __exit__(self, *failure: object) -> None:
        with self._lock:
            self._show(self._done, self._clock() - self._start, self._shown)

    def advance(self, n: int = 1, **shown: Any) -> None:
        """Counts, and shows the state if the last time was long enough ago."""
        with self._lock:
            self._done += n
            self._shown.update(shown)
            now = self._clock()
            if now - self._last >= self._interval:
                self._last = now
                self._show(self._done, now - self._start, self._shown)


class BarProgress:
    """A tqdm bar."""

    def __init__(self, title: str, total: int | None, unit: str, stream: TextIO):
        self._settings = {"desc": title, "total": total, "unit": f" {unit}", "file": stream,
                          "dynamic_ncols": True, "mininterval": 0.2}
        self._lock = threading.Lock()
        self._bar = None

    def __enter__(self) -> "BarProgress":
        from tqdm import tqdm  # only here: `--help` does without it

        self._bar = tqdm(**self._settings)
        return self

    def __exit__(self, *failure: object) -> None:
        self._bar.close()

    def advance(self, n: int = 1, **shown: Any) -> None:
        """Moves the bar."""
        with self._lock:
            if shown:
                self._bar.set_postfix(shown, refresh=False)
            self._bar.update(n)


class ConsoleReporter:
    """For people: messages on stdout, warnings, errors and progress on stderr."""

    def __init__(
        self, *, quiet: bool = False, stdout: TextIO | None = None, stderr: TextIO | None = None
    ):
        """
        Args:
            quiet: Whether to leave out messages and progress; warnings and errors stay.
            stdout, stderr: The console's streams; None means those of the process.
        """
        self._quiet = quiet
        self._stdout = stdout
        self._stderr = stderr

    def info(self, message: str) -> None:
        """Prints a line."""
        if not self._quiet:
            _print_line(message, self._stdout or sys.stdout)

    def warning(self, message: str) -> None:
        """Prints a yellow line on stderr."""
        self._print_marked("warning", message)

    def error(self, message: str, exit_code: int) -> None:
        """Prints a red line on stderr."""
        self._print_marked("error", message)

    def event(self, kind: str, **fields: Any) -> None:
        """Prints the event's `message`, led by its `status` (ok, warning, problem) if any."""
        if "message" not in fields:
            return
        stream = self._stdout or sys.stdout
        status = fields.get("status")
        if not self._quiet or status in ("warning", "problem"):
            lead = f"{colored(f'{status:<8}', status, stream)} " if status else ""
            _print_line(f"{lead}{fields['message']}", stream)

    def progress(self, title: str, total: int | None = None, unit: str = "item") -> Progress:
        """A bar on a terminal; elsewhere a line every half minute and at the end."""
        stream = self._stderr or sys.stderr
        if self._quiet:
            return LimitedProgress(_show_nothing, math.inf)
        if stream.isatty():
            return BarProgress(title, total, unit, stream)

        def show(done: int, seconds: float, shown: Mapping[str, Any]) -> None:
            count = f"{done}" if total is None else f"{done}/{total}"
            facts = "".join(f", {name} {_short(value)}" for name, value in shown.items())
            _print_line(f"{title}: {count} {unit} in {seconds:.0f} s{facts}", stream)

        return LimitedProgress(show, CONSOLE_INTERVAL_SECONDS)

    def _print_marked(self, mark: str, message: str) -> None:
        stream = self._stderr or sys.stderr
        _print_line(f"{colored(f'{mark}:', mark, stream)} {message}", stream)


class EventReporter(ABC):
    """Says everything as events."""

    def info(self, message: str) -> None:
        """Gives {"event": "info", ...}."""
        self.event("info", message=message)

    def warning(self, message: str) -> None:
        """Gives {"event": "warning", ...}."""
        self.event("warning", message=message)

    def error(self, message: str, exit_code: int) -> None:
        """Gives {"event": "error", ...}."""
        self.event("error", message=message, exit_code=exit_code)

    @abstractmethod
    def event(self, kind: str, **fields: Any) -> None:
        """Gives {"event": kind, ...}."""


class JsonReporter(EventReporter):
    """For programs: one JSON object per line on stdout.

    `{"event": "info", "message": ...}`, `{"event": "error", "message": ..., "exit_code": 1}`,
    `{"event": "progress", "task": ..., "done": n, "total": N, "unit": ..., "seconds": s, ...}`
    at most five times a second, and whatever `event` is called with. Numbers that JSON cannot
    say (nan, infinity) are null.
    """

    def __init__(self, *, quiet: bool = False, stdout: TextIO | None = None):
        """
        Args:
            quiet: Whether to leave out messages and progress.
            stdout: Where the lines go; None means the process's stdout.
        """
        self._quiet = quiet
        self._stdout = stdout
        self._lock = threading.Lock()

    def info(self, message: str) -> None:
        """Writes {"event": "info", ...}."""
        if not self._quiet:
            super().info(message)

    def event(self, kind: str, **fields: Any) -> None:
        """Writes one line."""
        line = json.dumps(to_json({"event": kind, **fields}), allow_nan=False)
        with self._lock:
            print(line, file=self._stdout or sys.stdout, flush=True)

    def progress(self, title: str, total: int | None = None, unit: str = "item") -> Progress:
        """Writes {"event": "progress", ...} as the count goes up, and at the end."""
        if self._quiet:
            return LimitedProgress(_show_nothing, math.inf)

        def show(done: int, seconds: float, shown: Mapping[str, Any]) -> None:
            self.event("progress", **_progress_fields(title, total, unit, done, seconds, shown))

        return LimitedProgress(show, JSON_INTERVAL_SECONDS)


class SilentReporter(EventReporter):
    """Tells nobody and remembers everything; for tests and for use as a library.

    Attributes:
        events: What was told, in order, each as JsonReporter would have written it; of a progress
            only the last state.
    """

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def event(self, kind: str, **fields: Any) -> None:
        """Remembers an event."""
        self.events.append({"event": kind, **fields})

    def progress(self, title: str, total: int | None = None, unit: str = "item") -> Progress:
        """Counts, and remembers the last state."""

        def show(done: int, seconds: float, shown: Mapping[str, Any]) -> None:
            self.event("progress", **_progress_fields(title, total, unit, done, seconds, shown))

        return LimitedProgress(show, math.inf)


def colored(text: str, mark: str, stream: TextIO) -> str:
    """The text in the colour of a mark (warning, error, ok, problem) if shown on a terminal."""
    if not stream.isatty():
        return text
    import colorama

    colorama.just_fix_windows_console()
    colors = {"warning": colorama.Fore.YELLOW, "error": colorama.Fore.RED,
              "problem": colorama.Fore.RED, "ok": colorama.Fore.GREEN}
    return f"{colors[mark]}{text}{colorama.Style.RESET_ALL}" if mark in colors else text


def to_json(value: Any) -> Any:
    """The value in JSON's own types: paths and errors as text, NumPy numbers as numbers."""
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_json(item) for item in value]
    if hasattr(value, "tolist"):  # a NumPy scalar or array, without importing NumPy
        return to_json(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, bool, int)):
        return value
    return value.as_posix() if isinstance(value, Path) else str(value)


def _progress_fields(
    title: str, total: int | None, unit: str, done: int, seconds: float, shown: Mapping[str, Any]
) -> dict[str, Any]:
    # The count's own fields win over a shown value of the same name.
    return {**shown, "task": title, "done": done, "total": total, "unit": unit,
            "seconds": round(seconds, 3)}


def _print_line(text: str, stream: TextIO) -> None:
    # A running bar owns the last terminal line; tqdm knows how to write above it.
    tqdm_module = sys.modules.get("tqdm")
    if tqdm_module is not None and stream.isatty():
        tqdm_module.tqdm.write(text, file=stream)
    else:
        print(text, file=stream, flush=True)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _show_nothing(done: int, seconds: float, shown: Mapping[str, Any]) -> None:
    pass
