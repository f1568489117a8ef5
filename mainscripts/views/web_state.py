"""What the web page asks for: the state of a training as JSON, its curves, its previews."""

import dataclasses
import threading
import time
from collections.abc import Callable

import numpy as np

from core.imaging.io import encode_image
from mainscripts.views.background import CommandBox
from mainscripts.views.curves import CurveCache, curves_to_json
from mainscripts.views.facts import status_facts
from mainscripts.views.view import Command, TrainingStatus

JPEG_QUALITY = 95  # full colour resolution: previews are looked at for small faults
N_COLUMNS_MOST = 4000


@dataclasses.dataclass(frozen=True)
class Preview:
    """A preview and which one of that name it is.

    Attributes:
        picture: (H, W, 3) uint8 BGR.
        version: Grows with every new picture.
        iteration: Up to where the model was trained then.
        made_at: Seconds since 1970.
    """

    picture: np.ndarray
    version: int
    iteration: int
    made_at: float


class WebState:
    """The newest status, from the trainer's thread to those that answer the page.

    Attributes:
        commands: What the page asked for.
    """

    def __init__(self, clock: Callable[[], float] = time.time):
        self.commands = CommandBox()
        self._clock = clock
        self._lock = threading.Lock()
        self._status: TrainingStatus | None = None
        self._previews: dict[str, Preview] = {}
        self._jpegs: dict[str, tuple[int, bytes]] = {}
        self._curves = CurveCache()
        self._reason: str | None = None
        self._asked_at = -float("inf")
        self._end_seen = threading.Event()

    def update(self, status: TrainingStatus) -> None:
        """Takes the newest status."""
        with self._lock:
            if status.previews is not None:
                version = 1 + max((p.version for p in self._previews.values()), default=0)
                made = version, status.iteration, self._clock()
                self._previews = {name: Preview(picture, *made)
                                  for name, picture in status.previews.items()}
            self._status = dataclasses.replace(status, previews=None)

    def end(self, reason: str) -> None:
        """Training has ended."""
        with self._lock:
            self._reason = reason or "stopped"

    def wait_until_seen(self, seconds: float) -> None:
        """Waits, if a page has asked within as many seconds, until it has heard of the end."""
        if self._clock() - self._asked_at < seconds:
            self._end_seen.wait(seconds)

    def state(self, heard_of_end: bool = False) -> dict:
        """Everything on the page but curves and pictures, in JSON's types.

        Args:
            heard_of_end: Whether the page knows that training ended and has all it wants.
        """
        self._asked_at = self._clock()
        with self._lock:
            status, previews, reason = self._status, self._previews, self._reason
        if reason is not None and heard_of_end:
            self._end_seen.set()
        return {
            "status": None if status is None else status_facts(status),
            "previews": [{"name": name, "version": preview.version,
                          "iteration": preview.iteration, "made_at": preview.made_at}
                         for name, preview in previews.items()],
            "ended": reason, "now": self._clock(), "commands_taken": self.commands.n_taken}

    def curves(self, n_last: int, n_columns: int) -> dict:
        """The curves of the last iterations (0: all), in JSON's types; see `curves_to_json`."""
        with self._lock:
            status = self._status
        if status is None:
            return {"first": 1, "last": 0, "series": {}}
        n_columns = min(max(n_columns, 1), N_COLUMNS_MOST)
        return curves_to_json(self._curves.curves(status, max(n_last, 0), n_columns))

    def preview(self, name: str) -> bytes | None:
        """A preview as JPEG, encoded once; None if there is none of that name."""
        with self._lock:
            preview = self._previews.get(name)
        if preview is None:
            return None
        version, jpeg = self._jpegs.get(name, (0, b""))
        if version != preview.version:
            jpeg = encode_image(preview.picture, ".jpg", jpeg_quality=JPEG_QUALITY)
            self._jpegs[name] = preview.version, jpeg
        return jpeg

    def ask(self, command: Command) -> int | None:
        """Hands a command to training; gives its number, to be compared with `commands_taken`,
        or None when training has ended."""
        with self._lock:
            return None if self._reason is not None else self.commands.put(command)
