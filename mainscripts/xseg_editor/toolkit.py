"""Readies PySide6, which is installed only where somebody wants windows."""

import os
from collections.abc import MutableMapping
from importlib.util import find_spec
from pathlib import Path

import cv2

from core.errors import DeviceError
from core.window import has_display

_OF_OPENCV = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")


def require_toolkit(environment: MutableMapping[str, str] = os.environ) -> None:
    """Makes sure that a window can be opened, before anything is loaded for it.

    Raises:
        DeviceError: PySide6 is not installed, or there is no display.
    """
    if find_spec("PySide6") is None:
        raise DeviceError("the editor needs PySide6; run `python -m pip install -r "
                          "requirements-editor.txt`")
    if not (environment.get("QT_QPA_PLATFORM") or has_display(environment)):
        raise DeviceError("there is no display to open the editor on; run it on a desktop, or "
                          "through `ssh -X`")
    leave_opencv(environment)


def leave_opencv(environment: MutableMapping[str, str]) -> None:
    """Drops what importing OpenCV has set for a Qt of its own, with whose plugins ours ends."""
    own = str(Path(cv2.__file__).parent)
    for variable in _OF_OPENCV:
        if environment.get(variable, "").startswith(own):
            del environment[variable]
