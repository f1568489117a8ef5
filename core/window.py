"""A window for pictures and keys, by OpenCV's HighGUI.

HighGUI belongs to one thread: whoever calls `Window.open` makes all other calls too, and on macOS
that has to be the process's main thread. Where the display's server goes away, Qt ends the whole
process; work that must not be lost is therefore done in another one.
"""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import cv2
import numpy as np

from core.errors import DeviceError
from core.window_mouse import MouseEvent, MouseQueue, QtZoom, wheel_delta
from core.window_shift import qt_shift_is_down

TRAINING_ADVICE = "use --preview web or --preview file"
NO_DISPLAY = f"there is no display to open a window on; {TRAINING_ADVICE}"

KEYS = {13: "enter", 10: "enter", 32: "space", 27: "escape", 9: "tab", 8: "backspace"}
# X11's key symbols (keysymdef.h); cv2.waitKey would cut them to their last byte, and the right
# arrow (0xFF53) would be an S.
X11_KEYS = {0xFF8D: "enter", 0xFF80: "space", 0xFF50: "home", 0xFF51: "left", 0xFF52: "up",
            0xFF53: "right", 0xFF54: "down", 0xFF55: "page up", 0xFF56: "page down",
            0xFF57: "end", 0xFFFF: "delete"}
NO_KEY = -1


def has_display(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> bool:
    """Whether a window can be tried: Windows and macOS always have a display, X11 and Wayland
    say so in the environment."""
    if platform in ("win32", "cygwin", "darwin"):
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def key_name(code: int) -> str | None:
    """What a key is called.

    Args:
        code: As `cv2.waitKeyEx` gives it: a character, or another key's number, which differs
            between systems; GTK adds shift, control and the like above bit 16.

    Returns:
        The character ("s", "S"), or a name of `KEYS` or `X11_KEYS`; None for no key and for those
        that have no name here.
    """
    if code == NO_KEY:
        return None
    symbol = code & 0xFFFF
    if 32 < symbol < 127 or 160 < symbol < 256:
        return chr(symbol)
    return KEYS.get(symbol) or X11_KEYS.get(symbol)


class PictureWindow(Protocol):
    """Where pictures are shown and keys come from: `Window`, or `HeadlessWindow` without one."""

    def open(self) -> None:
        """Opens the window; raises DeviceError where that is not possible."""

    def show(self, picture: np.ndarray) -> None:
        """Shows (H, W, 3) uint8 BGR; seen at the next `key`."""

    def key(self, seconds: float) -> str | None:
        """Handles events and waits for a key; its name as `key_name` gives it, or None."""

    def mouse_events(self) -> list[MouseEvent]:
        """What the mouse did since the last call, the oldest first."""

    @property
    def is_open(self) -> bool:
        """Whether it is open; False once the user has closed it."""

    def close(self) -> None:
        """Closes it, if the user has not."""


def check_display(advice: str) -> None:
    """Makes sure that a window can be opened, before work begins that needs one.

    Another process tries, as Qt would end this one.

    Args:
        advice: What to do without a display.

    Raises:
        DeviceError: There is none, or it does not answer.
    """
    if not has_display():
        raise DeviceError(f"there is no display to open a window on; {advice}")
    tried = subprocess.run(
        [sys.executable, "-c", "import cv2; cv2.namedWindow('FaceLab'); cv2.waitKey(1)"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if tried.returncode != 0:
        raise DeviceError(f"no window can be opened on this display; {advice}")


class Window:
    """One window on the display."""

    def __init__(self, title: str, *, takes_mouse: bool = False, advice: str = TRAINING_ADVICE):
        """
        Args:
            title: In its frame.
            takes_mouse: Whether `mouse_events` has any.
            advice: What to do without a display, for the error.
        """
        self._title = self._name = title
        self._takes_mouse = takes_mouse
        self._advice = advice
        self._is_open = False
        self._n_reopened = 0
        self._picture: np.ndarray | None = None
        self._mouse = MouseQueue()
        self._is_qt = False
        self._zoom: QtZoom | None = None
        self._early_key = NO_KEY

    def open(self) -> None:
        """Opens the window, as large as the picture shown.

        Raises:
            DeviceError: There is no display, or this OpenCV was built without windows.
        """
        if not has_display():
            raise DeviceError(f"there is no display to open a window on; {self._advice}")
        try:
            self._create()
        except cv2.error as error:
            raise DeviceError("this OpenCV has no windows; install opencv-python instead of "
                              f"opencv-python-headless, or {self._advice}") from error
        self._is_qt = cv2.currentUIFramework().startswith("QT")
        if self._takes_mouse and self._is_qt:
            self._zoom = QtZoom()
        self._is_open = True

    def show(self, picture: np.ndarray) -> None:
        """Shows (H, W, 3) uint8 BGR; seen at the next `key`."""
        self._picture = picture
        cv2.imshow(self._name, picture)

    def key(self, seconds: float) -> str | None:
        """Handles events and waits for a key; its name as `key_name` gives it, or None."""
        if self._zoom is not None and self._zoom.must_end:
            self._reopen()
        code, self._early_key = self._early_key, NO_KEY
        if code == NO_KEY:
            code = cv2.waitKeyEx(max(round(seconds * 1000), 1))
        name = key_name(code)
        is_small = self._is_qt and name is not None and len(name) == 1 and name.islower()
        return name.upper() if is_small and qt_shift_is_down() else name

    def mouse_events(self) -> list[MouseEvent]:
        """What the mouse did since the last call, the oldest first."""
        return self._mouse.drain()

    @property
    def is_open(self) -> bool:
        """Whether it is open; False once the user has closed it."""
        if not self._is_open:
            return False
        try:
            self._is_open = cv2.getWindowProperty(self._name, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:  # some back ends know a closed window no longer
            self._is_open = False
        return self._is_open

    def close(self) -> None:
        """Closes it, if the user has not."""
        if self.is_open:
            cv2.destroyWindow(self._name)
            cv2.waitKey(1)
        self._is_open = False

    def _create(self) -> None:
        # No toolbar and no context menu: they would cover the picture and take keys.
        cv2.namedWindow(self._name, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)
        if self._takes_mouse:
            cv2.setMouseCallback(self._name, self._on_mouse)

    def _on_mouse(self, event: int, x: int, y: int, flags: int, _: object) -> None:
        if event == cv2.EVENT_MOUSEWHEEL and self._zoom is not None:
            self._zoom.turn(wheel_delta(flags))
        self._mouse.take(event, x, y, flags)

    def _reopen(self) -> None:
        """Puts a new window in the place of one that Qt has zoomed."""
        former = self._name
        x, y, _, _ = cv2.getWindowImageRect(former)
        self._n_reopened += 1
        self._name = f"{self._title} {self._n_reopened}"
        self._create()
        cv2.setWindowTitle(self._name, self._title)
        if self._picture is not None:
            cv2.imshow(self._name, self._picture)
        cv2.moveWindow(self._name, x, y)
        self._early_key = cv2.waitKeyEx(1)
        # `moveWindow` counts from the frame, the rectangle from the picture inside it.
        new_x, new_y, _, _ = cv2.getWindowImageRect(self._name)
        cv2.moveWindow(self._name, 2 * x - new_x, 2 * y - new_y)
        cv2.destroyWindow(former)
        self._zoom.end()


class HeadlessWindow:
    """A window that needs no display: keys and the mouse are given beforehand, pictures are kept.

    It is closed, as by its user, when the keys have run out.

    Attributes:
        shown: All pictures so far, (H, W, 3) uint8 BGR.
    """

    def __init__(self, keys: Iterable[str | None] = (),
                 mouse: Iterable[Sequence[MouseEvent]] = ()):
        """
        Args:
            keys: One for each call of `key`, as `key_name` names them; None is a call without one.
            mouse: The events for each call of `mouse_events`.
        """
        self._keys = deque(keys)
        self._mouse = deque(mouse)
        self._is_open = False
        self.shown: list[np.ndarray] = []

    def open(self) -> None:
        """Opens it."""
        self._is_open = True

    def show(self, picture: np.ndarray) -> None:
        """Keeps a copy of the picture."""
        self.shown.append(picture.copy())

    def key(self, seconds: float) -> str | None:
        """The next of the keys, at once."""
        return self._keys.popleft() if self._keys else None

    def mouse_events(self) -> list[MouseEvent]:
        """The next of the events."""
        return list(self._mouse.popleft()) if self._mouse else []

    @property
    def is_open(self) -> bool:
        """Whether it is open and keys are left."""
        return self._is_open and bool(self._keys)

    def close(self) -> None:
        """Closes it."""
        self._is_open = False
