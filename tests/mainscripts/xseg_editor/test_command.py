"""`xseg editor`: what it says where no window can be opened, and that it ends with its window."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from core.errors import DeviceError, FolderInUse
from core.folder_lock import FolderLock
from mainscripts.xseg_editor import toolkit
from mainscripts.xseg_editor.run import run_editor
from tests.commands import run

ROOT = Path(__file__).parents[3]
CLOSES = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
import main
application = QApplication(["test"])
QTimer.singleShot(300, application.closeAllWindows)
sys.exit(main.main(["xseg", "editor", "--input-dir", sys.argv[1]]))
"""


def test_without_a_display_one_line_says_so(folder, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(toolkit, "has_display", lambda environment: False)
    done = run("xseg", "editor", "--input-dir", folder)
    assert done.error().startswith("there is no display to open the editor on; run it on a desktop")


def test_without_the_toolkit_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(toolkit, "find_spec", lambda name: None)
    with pytest.raises(DeviceError, match="pip install -r requirements-editor.txt"):
        toolkit.require_toolkit({})


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 is meant")
def test_without_the_libraries_of_x11_one_line_names_their_packages(monkeypatch):
    assert toolkit.missing_packages({"libc.so.6": "libc6", "libnone.so.9": "libnone9"}) == [
        "libnone9"]
    monkeypatch.setattr(toolkit, "find_spec", lambda name: True)
    monkeypatch.setattr(toolkit, "missing_packages", lambda: ["libnone9"])
    with pytest.raises(DeviceError, match="apt-get install libnone9"):
        toolkit.require_toolkit({"DISPLAY": ":0"})
    toolkit.require_toolkit({"DISPLAY": ":0", "QT_QPA_PLATFORM": "offscreen"})


def test_what_opencv_sets_for_its_own_qt_goes_and_what_the_user_sets_stays():
    own = str(Path(cv2.__file__).parent / "qt" / "plugins")
    environment = {"QT_QPA_PLATFORM_PLUGIN_PATH": own, "QT_QPA_FONTDIR": "/my/fonts", "A": "b"}
    toolkit.leave_opencv(environment)
    assert environment == {"QT_QPA_FONTDIR": "/my/fonts", "A": "b"}


def test_the_command_ends_with_its_window(folder, tmp_path):
    pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError,
                        reason="needs requirements-editor.txt")
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT),
                   "XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}
    (folder / "note.png").write_bytes(b"no face")
    child = subprocess.run([sys.executable, "-c", CLOSES, str(folder)], env=environment,
                           capture_output=True, text=True)
    assert child.returncode == 0, child.stderr
    assert "1 pictures are no aligned faces and left out" in child.stdout + child.stderr


def test_a_second_editor_on_the_faceset_is_refused(folder, tmp_path, monkeypatch):
    pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError,
                        reason="needs requirements-editor.txt")
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    with FolderLock(folder), pytest.raises(FolderInUse):
        run_editor(folder, None, settings=tmp_path / "s.json")
