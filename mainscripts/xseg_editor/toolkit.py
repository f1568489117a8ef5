"""Readies PySide6, which is installed only where somebody wants windows."""

import ctypes
import os
import sys
from collections.abc import Mapping, MutableMapping
from importlib.util import find_spec
from pathlib import Path

import cv2

from core.errors import DeviceError
from core.window import has_display

# Qt's plugin for X11 needs these and PySide6 does not bring them; without them Qt ends the process.
_X11_LIBRARIES = {"libxcb-cursor.so.0": "libxcb-cursor0", "libxcb-icccm.so.4": "libxcb-icccm4",
                  "libxcb-keysyms.so.1": "libxcb-keysyms1"}
_OF_OPENCV = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")


def require_toolkit(environment: MutableMapping[str, str] = os.environ) -> None:
    """Makes sure that a window can be opened, before anything is loaded for it.

    Raises:
        DeviceError: PySide6 or what it needs is not installed, or there is no display.
    """
    if find_spec("PySide6") is None:
        raise DeviceError("the editor needs PySide6; run `python -m pip install -r "
                          "requirements-editor.txt`")
    if not (environment.get("QT_QPA_PLATFORM") or has_display(environment)):
        raise DeviceError("there is no display to open the editor on; run it on a desktop, or "
                          "through `ssh -X`")
    missing = missing_packages() if _is_x11(environment) else []
    if missing:
        raise DeviceError("Qt cannot open windows on this display; run `apt-get install "
                          f"{' '.join(missing)}`")
    leave_opencv(environment)


def missing_packages(libraries: Mapping[str, str] = _X11_LIBRARIES) -> list[str]:
    """The packages (of Debian) of those libraries that cannot be loaded."""
    missing = []
    for library, package in libraries.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(package)
    return missing


def _is_x11(environment: Mapping[str, str]) -> bool:
    """Whether Qt will take its plugin for X11."""
    chosen = environment.get("QT_QPA_PLATFORM", "")
    is_default = not chosen and not environment.get("WAYLAND_DISPLAY")
    return sys.platform.startswith("linux") and (is_default or chosen.startswith("xcb"))


def leave_opencv(environment: MutableMapping[str, str]) -> None:
    """Drops what importing OpenCV has set for a Qt of its own, with whose plugins ours ends."""
    own = str(Path(cv2.__file__).parent)
    for variable in _OF_OPENCV:
        if environment.get(variable, "").startswith(own):
            del environment[variable]
