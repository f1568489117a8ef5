"""Pictures made ahead by a thread; thumbnails show what the polygons leave out."""

import threading

import numpy as np
import pytest

from core.errors import ImageError
from core.polygons import Polygon
from mainscripts.xseg_editor.ahead import Ahead, read_thumbnail_of
from mainscripts.xseg_editor.faces import FaceFolder
from samplelib.face_labels import write_polygons


@pytest.fixture(name="ahead")
def ahead_fixture():
    made, ready = [], threading.Semaphore(0)

    def make(name):
        made.append(name)
        if name == "bad":
            raise ImageError("bad: damaged; remove it")
        return name.upper()

    ahead = Ahead(make, 3, lambda name: ready.release())
    ahead.start()
    yield ahead, made, ready
    ahead.close()


def test_wanted_values_are_made_in_order_and_the_oldest_go(ahead):
    ahead, made, ready = ahead
    ahead.want(["a", "bad", "b", "c", "d"])
    for _ in range(4):
        assert ready.acquire(timeout=30)
    assert made == ["a", "bad", "b", "c", "d"]
    assert [ahead.find(name) for name in "abcd"] == [None, "B", "C", "D"]


def test_a_value_in_use_stays(ahead):
    ahead, _, _ = ahead
    for name in "abc":
        ahead.get(name)
    ahead.find("a")
    ahead.get("d")
    assert ahead.find("a") == "A" and ahead.find("b") is None


def test_values_are_made_once_until_they_are_forgotten(ahead):
    ahead, made, _ = ahead
    assert ahead.get("a") == ahead.get("a") == "A" and made == ["a"]
    ahead.forget("a")
    ahead.get("a")
    assert made == ["a", "a"]


def test_asking_for_a_bad_one_tells_why(ahead):
    with pytest.raises(ImageError, match="damaged"):
        ahead[0].get("bad")


def test_thumbnails_are_dark_outside_the_polygons(folder):
    make = read_thumbnail_of(FaceFolder.load(folder))
    plain = make("11.jpg").image
    write_polygons(folder / "11.jpg", [Polygon([(0, 0), (63, 0), (63, 127), (0, 127)])])
    marked = make("11.jpg").image
    side = plain.shape[0]
    assert side >= 80
    left, right = slice(None, side // 2 - 1), slice(side // 2 + 2, None)
    assert np.array_equal(marked[:, left], plain[:, left])
    assert marked[:, right].mean() == pytest.approx(0.35 * plain[:, right].mean(), rel=0.03)
