"""A sitting is shown, fed with events in the order of a screen, and its window always closed."""

import numpy as np
import pytest

from core.window import HeadlessWindow
from core.window_loop import sit_at
from core.window_mouse import MouseEvent


class Counter:
    """Counts keys; done at the third."""

    needs_drawing = True

    def __init__(self):
        self.order, self.keys = [], 0

    @property
    def is_finished(self):
        return self.keys == 3

    def press(self, key):
        self.order.append(key)
        self.keys += key is not None
        self.needs_drawing = key is not None
        if key == "!":
            raise ValueError("no such key")

    def mouse(self, event):
        self.order.append(event.kind)

    def tick(self):
        self.order.append("tick")


def sit(window):
    counter = Counter()
    window.open()
    sit_at(counter, window, lambda: np.full((2, 2, 3), counter.keys, np.uint8), lambda: 0.0)
    return counter


def test_the_mouse_comes_before_the_key_and_only_what_is_new_is_drawn():
    window = HeadlessWindow(["a", None, "b", "c", "d"], [[MouseEvent("move", 1, 1)]])
    counter = sit(window)
    assert counter.order == ["move", "a", "tick", None, "tick", "b", "tick", "c", "tick"]
    assert [int(picture[0, 0, 0]) for picture in window.shown] == [0, 1, 2]
    assert not window.is_open


def test_the_user_closes_the_window():
    window = HeadlessWindow(["a"])
    counter = sit(window)
    assert counter.keys == 1 and not counter.is_finished and not window.is_open


def test_an_error_closes_it_too():
    window = HeadlessWindow(["!"])
    with pytest.raises(ValueError, match="no such key"):
        sit(window)
    assert not window.is_open
