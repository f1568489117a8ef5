import json
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.imaging.io import read_image
from mainscripts.views.file_view import CHART_HEIGHT, CHART_SECONDS, LEAST_WIDTH, StatusFiles
from mainscripts.views.view import make_view
from tests.mainscripts.views.synthetic import history_of, previews, status_of

ROOT = Path(__file__).parents[3]


class Clock:
    """Seconds that go on when told."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def files(tmp_path, clock):
    return StatusFiles(tmp_path / "model", clock)


def status_json(folder):
    return json.loads((folder / "status.json").read_text())


def grey(value, height=30, width=50):
    return np.full((height, width, 3), value, np.uint8)


def test_every_preview_and_the_state_are_written(files):
    pictures = previews(n=1, side=64)
    files.write(status_of(history_of(300), previews=pictures))
    files_of = {"faces": "preview_faces.png", "faces masked": "preview_faces_masked.png"}
    for name, file in files_of.items():
        np.testing.assert_array_equal(read_image(files.folder / file), pictures[name])
    told = status_json(files.folder)
    assert (told["name"], told["kind"], told["iteration"]) == ("anna", "SAEHD", 300)
    assert told["previews"] == files_of
    assert told["written_at"] == 1000.0
    assert told["losses"]["src"] == pytest.approx(history_of(300).recent("src"))
    assert {path.name for path in files.folder.iterdir()} == {
        "status.json", "preview.png", *files_of.values()}


def test_the_picture_is_the_chart_above_the_first_preview(files):
    files.write(status_of(history_of(300), previews={"a": grey(77), "b": grey(200)}))
    picture = read_image(files.folder / "preview.png")
    assert picture.shape == (CHART_HEIGHT + 30, LEAST_WIDTH, 3)
    np.testing.assert_array_equal(picture[CHART_HEIGHT:, :50], grey(77))
    chart = picture[:CHART_HEIGHT].astype(int)
    blue = (chart[..., 0] - chart[..., 2] > 60).sum()
    assert blue > 200  # the curve of src


def test_a_wide_preview_widens_the_chart(files):
    files.write(status_of(history_of(3), previews={"a": grey(77, width=900)}))
    assert read_image(files.folder / "preview.png").shape[1] == 900


def test_the_chart_is_drawn_again_after_some_seconds_and_previews_stay(files, clock):
    files.write(status_of(history_of(10), previews={"a": grey(77)}))
    before = (files.folder / "preview.png").read_bytes()
    clock.now += CHART_SECONDS - 1
    files.write(status_of(history_of(500)))
    assert (files.folder / "preview.png").read_bytes() == before
    assert status_json(files.folder)["iteration"] == 500
    clock.now += 1
    files.write(status_of(history_of(501)))
    after = read_image(files.folder / "preview.png")
    assert (files.folder / "preview.png").read_bytes() != before
    np.testing.assert_array_equal(after[CHART_HEIGHT:, :50], grey(77))
    assert status_json(files.folder)["previews"] == {"a": "preview_a.png"}


def test_the_end_draws_the_chart_up_to_the_last_iteration(tmp_path):
    view = make_view("file", tmp_path)
    view.update(status_of(history_of(10), previews={"a": grey(77)}))
    view.update(status_of(history_of(800)))
    view.close("target iteration")
    view.close()
    expected = StatusFiles(tmp_path / "other")
    expected.write(status_of(history_of(800), previews={"a": grey(77)}))
    np.testing.assert_array_equal(read_image(tmp_path / "preview.png"),
                                  read_image(tmp_path / "other" / "preview.png"))
    assert status_json(tmp_path)["iteration"] == 800


def test_the_folder_is_told_and_made(tmp_path):
    told = []
    view = make_view("file", tmp_path / "deep" / "model", on_info=told.append)
    view.update(status_of(history_of(1)))
    view.close()
    assert told == [f"previews and status.json are written to {tmp_path / 'deep' / 'model'}"]
    assert status_json(tmp_path / "deep" / "model")["iteration"] == 1


def test_whoever_reads_meanwhile_finds_whole_files_only(tmp_path):
    view = make_view("file", tmp_path, on_problem=pytest.fail)
    view.update(status_of(history_of(1), previews={"a": grey(0, 200, 600)}))
    over, seen = threading.Event(), {"status": set(), "preview": set()}

    def read():
        while not over.is_set():
            if (tmp_path / "status.json").exists():
                seen["status"].add(status_json(tmp_path)["iteration"])
                picture = cv2.imdecode(np.fromfile(tmp_path / "preview_a.png", np.uint8), 1)
                assert picture is not None and picture.min() == picture.max()
                seen["preview"].add(int(picture[0, 0, 0]))

    reader = threading.Thread(target=read)
    reader.start()
    while len(seen["preview"]) < 5 and reader.is_alive():
        for value in range(60):
            view.update(status_of(history_of(value), previews={"a": grey(value, 200, 600)}))
    over.set()
    reader.join()
    view.close()
    assert len(seen["preview"]) >= 5 and len(seen["status"]) >= 2
    assert not list(tmp_path.glob(".part-*"))


FULL_DISK = """
import resource, sys, threading
import numpy as np
from mainscripts.views.view import make_view
from tests.mainscripts.views.synthetic import history_of, status_of

told, shown = [], threading.Event()
view = make_view("file", sys.argv[1], on_problem=lambda line: (told.append(line), shown.set()))
noise = np.random.default_rng(0).integers(0, 256, (200, 500, 3), np.uint8)
for limit in (1000, 1000, 1000, resource.RLIM_INFINITY):  # bytes of a file
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    for name in ("a", "b"):
        view.update(status_of(history_of(3000), previews={name: noise}))
        shown.wait(60)
view.close()
print(*told, sep="\\n")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of file sizes")
def test_a_full_disk_is_told_once_and_leaves_no_half_file(tmp_path):
    """A real limit of file sizes, in a process of its own."""
    child = subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path)], cwd=ROOT,
                           capture_output=True, text=True)
    assert child.stderr == "" and child.returncode == 0
    assert child.stdout == (f"previews in {tmp_path}: cannot be written (File too large); training "
                            "goes on, and they are tried again\n")
    assert not list(tmp_path.glob(".part-*"))
    assert read_image(tmp_path / "preview_b.png").shape == (200, 500, 3)  # once there was room


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    told = []
    (tmp_path / "model").write_text("a file")
    view = make_view("file", tmp_path / "model", on_problem=told.append)
    for iteration in range(3):
        view.update(status_of(history_of(iteration)))
    view.close()
    assert len(told) == 1 and "training goes on" in told[0] and "\n" not in told[0]
