"""Commands: to other faces, polygons from other faces and from the segmenter."""

import threading

import numpy as np
import pytest

from core.errors import WeightsMissing
from core.polygons import Polygon, polygon_mask
from mainscripts.xseg_editor.hand import Mode
from mainscripts.xseg_editor.labels import Labels
from mainscripts.xseg_editor.predictions import Predictions
from samplelib.face_image import read_info
from samplelib.face_labels import write_mask

TRIANGLE = Polygon([(30, 30), (90, 32), (60, 100)])


@pytest.fixture(name="predict")
def predict_fixture(session):
    """Function: gives the session a segmenter's thread and waits for what is asked of it."""
    started = []

    def make(load):
        arrived = threading.Semaphore(0)
        doubts = threading.Event()
        session.predictions = Predictions(session.document.faces, load,
                                          lambda name: arrived.release(), doubts.set)
        session.predictions.start()
        started.append(session.predictions)
        return arrived, doubts
    yield make
    for predictions in started:
        predictions.close()


@pytest.mark.parametrize("steps, number", [
    ([("next", {})], 1), ([("next", {"shift": True})], 5), ([("last", {})], 11),
    ([("last", {}), ("previous", {"shift": True})], 6), ([("previous", {})], 0),
    ([("next", {"ctrl": True})], 7), ([("last", {}), ("previous", {"ctrl": True})], 7)])
def test_steps(session, steps, number):
    session.go("7.jpg")
    session.document.set_labels(Labels((TRIANGLE,)))
    session.go("0.jpg")
    for name, held in steps:
        session.command(name, **held)
    assert session.document.number == number


def test_no_labelled_face_on_that_side_stays_and_says_so(session):
    session.command("next", ctrl=True)
    assert session.document.number == 0 and "no face with polygons" in session.message


@pytest.mark.parametrize("text, name", [
    ("12", "11.jpg"), ("#3", "2.jpg"), ("11", "11.jpg"), ("0.JPG", "0.jpg"), ("9.j", "9.jpg")])
def test_jumps(session, text, name):
    assert session.jump(text) and session.document.current == name


def test_a_jump_to_nowhere_stays(session):
    assert not session.jump("anna") and session.document.current == "0.jpg"
    assert "no face is called like 'anna'" in session.message


def test_poses_lead_to_the_nearest_face(session):
    session.go_to_pose(0.32, 0.0)  # yaws go from -0.5 in steps of 0.1
    assert session.document.current == "8.jpg"


def test_copies_come_from_the_labelled_face_before_by_alignment(session):
    session.go("2.jpg")
    session.document.set_labels(Labels((TRIANGLE,)))
    session.go("6.jpg")
    session.command("copy")
    # Its landmarks lie 4 pixels to the right of those of face 2.
    assert read_info(session.document.faces.path("6.jpg")).polygons[0].points == pytest.approx(
        TRIANGLE.points + (4, 0), abs=1e-6)
    session.command("undo")
    assert session.document.labels == Labels()


def test_tracks_give_the_polygons_of_the_nearest_face(session):
    for name, size in (("2.jpg", 1), ("9.jpg", 0.5)):
        session.go(name)
        session.document.set_labels(Labels((TRIANGLE.scaled(size),)))
    session.go("7.jpg")
    session.command("carry")
    assert session.document.labels.polygons[0].points == pytest.approx(
        TRIANGLE.points / 2 - (2, 0), abs=1e-6)


def test_without_a_labelled_face_nothing_is_copied(session):
    for name in ("copy", "carry"):
        session.command(name)
        assert session.message and session.document.labels == Labels()


def test_a_stored_mask_becomes_polygons(session):
    mask = polygon_mask((128, 128), [TRIANGLE])
    write_mask(session.document.faces.path("0.jpg"), mask, "test")
    session.go("0.jpg")
    session.command("suggest")
    (polygon,) = session.document.labels.polygons
    drawn = polygon_mask((128, 128), [polygon])
    assert (drawn * mask).sum() / np.maximum(drawn, mask).sum() > 0.95 and len(polygon.points) < 12


def test_without_mask_and_segmenter_there_is_no_suggestion(session):
    session.command("suggest")
    assert "run `xseg apply`" in session.message


def test_the_segmenter_suggests_for_the_face_that_asked(session, predict, disk_segmenter):
    arrived, _ = predict(disk_segmenter)
    session.command("suggest")
    assert arrived.acquire(timeout=30)
    session.mask_arrived("0.jpg")
    (polygon,) = session.document.labels.polygons
    area = polygon_mask((128, 128), [polygon]).sum()
    assert area == pytest.approx(np.pi * 20 ** 2, rel=0.08)
    session.command("next")
    session.mask_arrived("0.jpg")
    assert session.document.labels == Labels()


def test_a_suggestion_that_comes_too_late_changes_nothing(session, predict, disk_segmenter):
    arrived, _ = predict(disk_segmenter)
    session.command("suggest")
    session.command("next")
    assert arrived.acquire(timeout=30)
    session.mask_arrived("0.jpg")
    assert session.document.labels == Labels()
    assert read_info(session.document.faces.path("0.jpg")).polygons == ()


def test_the_most_doubtful_unlabelled_faces_come_first(session, predict, disk_segmenter):
    _, doubts = predict(disk_segmenter)
    session.command("unsure")
    assert "looks at the faces" in session.message
    while len(session.predictions.doubts) < 12:
        assert doubts.wait(timeout=30)
        doubts.clear()
    assert session.unsure() == [f"{number}.jpg" for number in reversed(range(12))]
    session.command("unsure")
    assert session.document.current == "11.jpg"
    session.document.set_labels(Labels((TRIANGLE,)))
    assert session.unsure()[0] == "10.jpg"


def test_a_segmenter_that_cannot_be_loaded_says_why(session, predict):
    def fail():
        raise WeightsMissing("there is no XSeg; train one")
    _, doubts = predict(fail)
    for _ in range(2):  # before and after it is known
        session.command("suggest")
        assert doubts.wait(timeout=30)
        session.mask_arrived("0.jpg")
        assert session.message == "there is no XSeg; train one"


def test_a_damaged_face_leaves_the_present_one_in_sight(session):
    session.document.faces.path("1.jpg").write_bytes(b"no picture")
    session.command("next")
    assert session.document.current == "0.jpg" and "1.jpg" in session.message
    session.go("2.jpg")
    assert session.document.current == "2.jpg" and not session.message


def test_colours_leave_the_views_and_the_same_key_too(session):
    session.command("baked")
    session.command("red")
    assert (session.colour, session.hand.mode) == ("red", Mode.NONE)
    session.command("stored")
    session.command("stored")
    assert session.hand.mode is Mode.NONE


def test_views_and_colours_stay_over_faces_and_kinds_do_not(session):
    for name in ("blue", "exclude", "baked", "next"):
        session.command(name)
    assert (session.colour, session.hand.mode, session.hand.is_include) == (
        "blue", Mode.BAKED, True)


def test_trash_says_where_the_face_went(session):
    session.command("trash")
    assert "0.jpg is in aligned_trash" in session.message
    session.command("undo")
    assert session.document.current == "0.jpg"
