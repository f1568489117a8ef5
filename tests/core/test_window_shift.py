"""Shift as Qt knows it; with real keys it is tested with the merge window."""

import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from core.window_shift import loaded_library, qt_shift_is_down


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell of shift")
def test_libraries_of_this_process_are_found_and_no_others():
    path = Path(loaded_library("c.so") or loaded_library("c-"))
    assert path.is_file() and path.name.startswith("libc")
    assert loaded_library("NoSuchThing") is None


@pytest.mark.skipif(not cv2.currentUIFramework().startswith("QT"), reason="no Qt")
def test_qt_knows_that_shift_is_up():
    assert Path(loaded_library("Qt5Gui") or loaded_library("Qt6Gui")).is_file()
    assert qt_shift_is_down() is False


def test_without_qt_shift_is_never_down():
    code = ("import sys; sys.modules['cv2'] = None\n"
            "from core.window_shift import qt_shift_is_down; print(qt_shift_is_down())")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          cwd=Path(__file__).parents[2])
    assert done.stdout == "False\n"
