"""Whether shift is down, where HighGUI does not tell.

On Qt, HighGUI gives every letter as a small one. Qt itself knows better; its library is in this
process, and the function asked here is one of its public ones, without arguments.
"""

import ctypes
import functools
import sys
from collections.abc import Callable
from pathlib import Path

# QGuiApplication::keyboardModifiers(); OpenCV's wheels have Qt in a namespace of their own.
_NAMES = ("_ZN14QtOpenCVPython15QGuiApplication17keyboardModifiersEv",
          "_ZN15QGuiApplication17keyboardModifiersEv")
_SHIFT = 0x02000000  # Qt::ShiftModifier
_MAPS = Path("/proc/self/maps")


def qt_shift_is_down() -> bool:
    """Whether shift was down when Qt took the newest key; False where nobody knows."""
    return bool(_modifiers()() & _SHIFT)


@functools.cache
def _modifiers() -> Callable[[], int]:
    """Qt's function, or one that always gives 0."""
    path = loaded_library("Qt5Gui") or loaded_library("Qt6Gui")
    library = ctypes.CDLL(path) if path else None
    for name in _NAMES:
        if hasattr(library, name):
            function = getattr(library, name)
            function.argtypes, function.restype = [], ctypes.c_uint
            return function
    return lambda: 0


def loaded_library(name: str) -> str | None:
    """Path of a shared library that this process has loaded; None if there is none.

    Args:
        name: As in its file's name, without "lib" and version.
    """
    if not sys.platform.startswith("linux") or not _MAPS.exists():
        return None
    paths = (line.split(maxsplit=5)[-1].strip() for line in _MAPS.read_text().splitlines())
    return next((path for path in paths if Path(path).name.startswith(f"lib{name}")), None)
