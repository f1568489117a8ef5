import numpy as np
import pytest

from core.errors import DeviceError
from core.window import (
    NO_DISPLAY,
    HeadlessWindow,
    Window,
    check_display,
    has_display,
    key_name,
)
from core.window_mouse import MouseEvent


@pytest.mark.parametrize("code, name", [
    (ord("s"), "s"), (ord("S"), "S"), (ord("1"), "1"), (ord("?"), "?"), (0xE9, "é"),
    (13, "enter"), (10, "enter"), (32, "space"), (27, "escape"), (9, "tab"), (8, "backspace")])
def test_characters_and_the_usual_keys_have_names(code, name):
    assert key_name(code) == name


@pytest.mark.parametrize("code, name", [  # keysymdef.h of X11
    (0xFF53, "right"), (0xFF51, "left"), (0xFF52, "up"), (0xFF54, "down"), (0xFF50, "home"),
    (0xFF8D, "enter"), (0xFFFF, "delete")])
def test_other_keys_are_not_taken_for_letters(code, name):
    assert key_name(code) == name


@pytest.mark.parametrize("code", [-1, 0, 0xFFBE, 0xFFE1, 0x250000, 0xF703, 0x80])
def test_no_key_and_keys_without_a_name_are_none(code):
    assert key_name(code) is None


def test_modifiers_above_the_sixteenth_bit_do_not_matter():
    assert key_name(0x100000 | ord("s")) == "s"  # GTK with num lock
    assert key_name(0x140000 | 0xFF53) == "right"


def test_a_display_is_told_by_the_environment_where_x11_or_wayland_is():
    assert has_display({"DISPLAY": ":0"}, "linux")
    assert has_display({"WAYLAND_DISPLAY": "wayland-0"}, "linux")
    assert not has_display({"DISPLAY": ""}, "linux")
    assert not has_display({}, "freebsd13")
    assert has_display({}, "win32") and has_display({}, "darwin")


def test_without_a_display_one_line_says_what_to_do(monkeypatch):
    monkeypatch.setattr("core.window.has_display", lambda: False)
    with pytest.raises(DeviceError) as failure:
        Window("none").open()
    assert str(failure.value) == NO_DISPLAY
    assert "--preview web" in NO_DISPLAY and "\n" not in NO_DISPLAY


def test_a_window_that_was_not_opened_is_closed():
    window = Window("none")
    assert not window.is_open
    window.close()


def test_a_headless_window_gives_its_keys_keeps_its_pictures_and_then_is_closed():
    window = HeadlessWindow(["s", None, "enter"])
    assert not window.is_open
    window.open()
    picture = np.zeros((2, 3, 3), np.uint8)
    window.show(picture)
    picture[:] = 9
    assert [window.key(1.0) for _ in range(2)] == ["s", None]
    assert window.is_open
    assert window.key(1.0) == "enter"
    assert not window.is_open and window.key(1.0) is None
    assert len(window.shown) == 1 and window.shown[0].max() == 0


def test_a_headless_window_gives_what_its_mouse_does():
    window = HeadlessWindow(["s"], [[MouseEvent("move", 1, 2)], [], [MouseEvent("left up", 3, 4)]])
    assert [window.mouse_events() for _ in range(4)] == [
        [MouseEvent("move", 1, 2)], [], [MouseEvent("left up", 3, 4)], []]


def test_who_asks_for_a_window_says_what_else_to_do(monkeypatch):
    monkeypatch.setattr("core.window.has_display", lambda: False)
    for action in (Window("none", advice="do without").open, lambda: check_display("do without")):
        with pytest.raises(DeviceError) as failure:
            action()
        assert str(failure.value) == "there is no display to open a window on; do without"
