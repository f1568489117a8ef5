"""What the mouse does in a window, and Qt's own zoom of the picture undone."""

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import cv2

KINDS = {cv2.EVENT_MOUSEMOVE: "move", cv2.EVENT_LBUTTONDOWN: "left down",
         cv2.EVENT_LBUTTONDBLCLK: "left down",  # the second press of two is one like the first
         cv2.EVENT_LBUTTONUP: "left up", cv2.EVENT_RBUTTONDOWN: "right down",
         cv2.EVENT_RBUTTONDBLCLK: "right down", cv2.EVENT_MOUSEWHEEL: "wheel"}

REST_SECONDS = 0.3
"""The wheel rests when nothing came from it for so long."""


class MouseEvent(NamedTuple):
    """One event: `kind` is a value of `KINDS`, `x` and `y` pixels of the picture shown, `steps` of
    the wheel: above 0 away from the user."""

    kind: str
    x: int
    y: int
    steps: int = 0


class MouseQueue:
    """Events that nobody has handled yet. Of moves in a row only the last one counts."""

    def __init__(self):
        self._events: deque[MouseEvent] = deque()

    def take(self, event: int, x: int, y: int, flags: int) -> None:
        """Takes what `cv2.setMouseCallback` gives; events of other kinds are dropped."""
        kind = KINDS.get(event)
        if kind is None:
            return
        if kind == "move" and self._events and self._events[-1].kind == "move":
            self._events.pop()
        steps = 0 if kind != "wheel" else 1 if wheel_delta(flags) > 0 else -1
        self._events.append(MouseEvent(kind, x, y, steps))

    def drain(self) -> list[MouseEvent]:
        """All of them, the oldest first."""
        events = list(self._events)
        self._events.clear()
        return events


def wheel_delta(flags: int) -> int:
    """How far a wheel was turned, 120 for a step: the upper 16 bits, with their sign."""
    return (flags >> 16 & 0xFFFF ^ 0x8000) - 0x8000


class QtZoom:
    """Follows by how much a Qt window has enlarged its picture at the turn of the wheel.

    HighGUI on Qt tells the program of the wheel and then zooms anyway; nothing takes that back but
    a new window. The rule is that of its source: a tenth for a step, and never below 1.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        """
        Args:
            clock: Seconds that only grow.
        """
        self._clock = clock
        self._factor = 1.0
        self._last = -float("inf")

    def turn(self, delta: int) -> None:
        """Takes a turn of the wheel, 120 for a step."""
        self._factor = max(self._factor * (1 + delta / 1200), 1.0)
        self._last = self._clock()

    @property
    def must_end(self) -> bool:
        """Whether the picture is enlarged and the wheel rests."""
        return self._factor > 1.0 and self._clock() - self._last >= REST_SECONDS

    def end(self) -> None:
        """The picture is as it should be."""
        self._factor = 1.0
