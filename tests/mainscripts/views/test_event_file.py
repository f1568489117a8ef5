import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from mainscripts.views.event_file import EventFile
from tests.mainscripts.views.events import Events

ROOT = Path(__file__).parents[3]


def test_tensorboard_reads_numbers_steps_and_times(tmp_path):
    events = EventFile(tmp_path / "run", clock=lambda: 1700000000.25)
    events.add_scalars(1, {"loss/src": 0.5, "loss/dst": 1e-20})
    events.add_scalars(300, {"loss/src": 0.25}, at=1700000099.5)
    events.add_scalars(2**40, {"loss/src": -1.5})
    events.close()
    found = Events(tmp_path / "run")
    assert found.tags() == (["loss/src", "loss/dst"], [])
    assert found.scalars("loss/src") == [(1, 0.5), (300, 0.25), (2**40, -1.5)]
    assert found.scalars("loss/dst")[0][1] == pytest.approx(1e-20)
    assert found.times("loss/src") == [1700000000.25, 1700000099.5, 1700000000.25]


def test_numbers_that_are_not_finite_stay_so(tmp_path):
    events = EventFile(tmp_path)
    events.add_scalars(1, {"a": float("nan"), "b": float("inf")})
    events.close()
    found = Events(tmp_path)
    assert np.isnan(found.scalars("a")[0][1]) and found.scalars("b") == [(1, float("inf"))]


def test_tensorboard_reads_pictures_in_their_colours(tmp_path):
    rng = np.random.default_rng(0)
    smooth = cv2.resize(rng.integers(0, 256, (4, 6, 3), np.uint8), (90, 60))
    events = EventFile(tmp_path)
    events.add_images(7, {"preview/faces": smooth, "preview/größe": smooth[:30]})
    events.close()
    found = Events(tmp_path)
    (image,) = found.images("preview/faces")
    assert (image.step, image.width, image.height) == (7, 90, 60)
    decoded = cv2.imdecode(np.frombuffer(image.encoded_image_string, np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(decoded.astype(int) - smooth).mean() < 2
    assert found.images("preview/größe")[0].height == 30


def test_events_can_be_read_while_the_file_is_still_open(tmp_path):
    events = EventFile(tmp_path)
    for step in (1, 2):
        events.add_scalars(step, {"a": step})
        assert Events(tmp_path).scalars("a")[-1] == (step, step)
    events.close()
    events.close()


def test_nothing_is_made_before_the_first_event(tmp_path):
    EventFile(tmp_path / "run").close()
    assert not (tmp_path / "run").exists()


def test_a_start_makes_later_steps_of_a_killed_run_void(tmp_path):
    killed = EventFile(tmp_path, clock=lambda: 1.0)
    for step in (10, 20, 30):
        killed.add_scalars(step, {"a": step})
    killed.close()
    resumed = EventFile(tmp_path, clock=lambda: 2.0)
    resumed.add_start(15)
    resumed.add_scalars(18, {"a": 0.5})
    resumed.close()
    assert Events(tmp_path).scalars("a") == [(10, 10), (18, 0.5)]


FULL_DISK = """
import resource, sys
from pathlib import Path
from mainscripts.views.event_file import EventFile

events = EventFile(Path(sys.argv[1]))
events.add_scalars(1, {"a": 1})
(path,) = Path(sys.argv[1]).iterdir()
for room in (0, 1, 20, 100):
    limit = path.stat().st_size + room
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        events.add_scalars(2, {"a": 2, "long " * 100: 2})
    except OSError as error:
        print(error.strerror)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
events.add_scalars(3, {"a": 3})
events.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of file sizes")
def test_a_full_disk_leaves_no_half_event(tmp_path):
    """A real limit of file sizes, in a process of its own; a reader would stop at half an event."""
    child = subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path)], cwd=ROOT,
                           capture_output=True, text=True)
    assert child.stderr == "" and child.stdout == "File too large\n" * 4
    assert Events(tmp_path).scalars("a") == [(1, 1), (3, 3)]
