"""A sitting at a window: events in, pictures out, until the user is done."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from core.window import PictureWindow
from core.window_mouse import MouseEvent


class Sitting(Protocol):
    """What keys and the mouse do; it knows no window.

    Attributes:
        is_finished: Whether the user is done.
        needs_drawing: Whether there is something new to show.
    """

    is_finished: bool
    needs_drawing: bool

    def press(self, key: str | None) -> None:
        """Does what a key is for; None is no key."""

    def mouse(self, event: MouseEvent) -> None:
        """Does what the mouse asks for."""

    def tick(self) -> None:
        """Goes on with what was begun."""


def sit_at(sitting: Sitting, window: PictureWindow, draw: Callable[[], np.ndarray],
           wait: Callable[[], float]) -> None:
    """Works until the user finishes or closes the window.

    Args:
        sitting: What the window is for.
        window: Open; closed afterwards.
        draw: Makes the picture, (H, W, 3) uint8 BGR.
        wait: Says how long to wait for a key, seconds.
    """
    try:
        while not sitting.is_finished:
            if sitting.needs_drawing:
                window.show(draw())
            key = window.key(wait())
            for event in window.mouse_events():
                sitting.mouse(event)
            sitting.press(key)
            sitting.tick()
            if not window.is_open:
                return
    finally:
        window.close()
