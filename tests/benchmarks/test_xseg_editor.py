"""The benchmark of the editor opens what it makes, and its keys lead where they should."""

import json
import os
import subprocess
import sys

import pytest

from benchmarks import xseg_editor
from benchmarks.machine import ROOT
from facelib.face_type import FaceType
from mainscripts.xseg_editor.toolkit import leave_opencv
from samplelib.face_image import read_info, read_picture, write_face
from samplelib.face_info import FaceInfo
from tests.samplelib.conftest import draw_face, mean_landmarks

pytest.importorskip("PySide6.QtTest", exc_type=ImportError,
                    reason="needs requirements-editor.txt and the system's libegl1")


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    folder = tmp_path_factory.mktemp("editor")
    landmarks = mean_landmarks(96, FaceType.WHOLE_FACE)
    (folder / "aligned").mkdir()
    for number in range(3):
        write_face(folder / "aligned" / f"{number}.jpg", draw_face(landmarks, 96, 60 * number),
                   FaceInfo(FaceType.WHOLE_FACE, landmarks))
    return xseg_editor.make_faceset(folder / "aligned", folder / "copies", 25)


def test_copies_are_the_faces_in_turn_and_every_tenth_has_a_polygon(copies):
    paths = sorted(copies.iterdir())
    assert len(paths) == 25
    assert [number for number, path in enumerate(paths) if read_info(path).polygons] == [0, 10, 20]
    first, fourth, fifth = (read_picture(paths[number]) for number in (0, 3, 4))
    assert (first == fourth).all() and (first != fifth).any()


def test_the_figures_are_of_all_faces_and_in_order(copies):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.xseg_editor", "--folder", copies, "--moves", "4",
         "--no-segmenter"], cwd=ROOT, capture_output=True, check=True, text=True)
    figures = json.loads(done.stdout)
    assert figures["faces"] == 25
    assert 0 < figures["seconds_to_open"] <= figures["seconds_until_all_are_known"]
    for move in ("move", "move_by_five"):
        median, p95, worst = (figures[f"{move}_ms_{name}"] for name in ("median", "p95", "worst"))
        assert 0 < median <= p95 <= worst
    assert figures["peak_mb"] > 50 and "seconds_to_load_and_suggest" not in figures


def test_a_key_that_leads_elsewhere_is_told(copies, tmp_path, monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    leave_opencv(os.environ)
    from PySide6.QtWidgets import QApplication

    from mainscripts.xseg_editor.run import open_window

    application = QApplication.instance() or QApplication(["test"])
    with open_window(copies, None, tmp_path / "settings.json") as window:
        window.show()
        application.processEvents()
        xseg_editor._move(window, steps=5)
        assert window.session.document.current == "00005_0.jpg"
        with pytest.raises(RuntimeError, match="shows 00010_0.jpg, not 00008_0.jpg"):
            xseg_editor._move(window, steps=3)  # Shift goes by five
