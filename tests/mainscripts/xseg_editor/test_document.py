"""Edits reach the files at once, can be undone in all faces, and outlive a crash."""

import numpy as np
import pytest

from core.polygons import Polygon
from mainscripts.xseg_editor.document import EditorError
from mainscripts.xseg_editor.history import FILE_NAME, KEPT, Change, History
from mainscripts.xseg_editor.labels import Labels
from samplelib.face_image import read_info, read_picture
from samplelib.face_labels import write_polygons

TRIANGLE = Polygon([(10, 10), (60, 12), (30, 70)])
HOLE = Polygon([(20, 20), (30, 20), (25, 30)], False)


def draw(document, polygon):
    for point in polygon.points:
        document.set_labels(document.labels.with_point(tuple(point), polygon.is_include))
    document.finish()


def stored(folder, name="0.jpg"):
    return read_info(folder / name).polygons


def test_a_closed_polygon_is_in_the_file_at_once_and_an_open_one_is_not(document, folder):
    picture = read_picture(folder / "0.jpg")
    for point in TRIANGLE.points:
        document.set_labels(document.labels.with_point(tuple(point), True))
        assert stored(folder) == ()
    document.finish()
    assert stored(folder) == (TRIANGLE,)
    assert np.array_equal(read_picture(folder / "0.jpg"), picture)
    assert read_info(folder / "0.jpg").track == 0


def test_includes_come_first_whatever_was_drawn_first(document, folder):
    draw(document, HOLE)
    draw(document, TRIANGLE)
    assert stored(folder) == document.labels.polygons == (TRIANGLE, HOLE)


def test_two_points_are_no_polygon(document, folder):
    draw(document, Polygon(TRIANGLE.points[:2]))
    assert document.labels == Labels() and stored(folder) == ()


def test_points_are_undone_and_redone_one_by_one(document, folder):
    draw(document, TRIANGLE)
    counts = []
    while document.undo():
        opened = document.labels.open
        counts.append(0 if opened is None else len(opened.points))
    assert counts == [3, 2, 1, 0] and stored(folder) == ()
    while document.redo():
        pass
    assert stored(folder) == (TRIANGLE,)


def test_going_on_closes_what_was_drawn(document, folder):
    for point in TRIANGLE.points:
        document.set_labels(document.labels.with_point(tuple(point), True))
    document.go("1.jpg")
    assert stored(folder) == (TRIANGLE,)


def test_undo_goes_back_to_the_face_it_changes(document, folder):
    draw(document, TRIANGLE)
    document.go("5.jpg")
    draw(document, HOLE)
    for _ in range(4):
        document.undo()
    assert document.current == "5.jpg" and stored(folder, "5.jpg") == ()
    document.undo()
    assert document.current == "0.jpg" and stored(folder) == ()


def test_a_crash_loses_neither_the_open_polygon_nor_the_undo(document, open_document, folder):
    draw(document, HOLE)
    document.set_labels(document.labels.with_point((1, 2), True))
    document.set_labels(document.labels.with_point((3, 4), True))
    again = open_document()  # the first was never closed
    assert again.labels == Labels((HOLE,), Polygon([(1, 2), (3, 4)]))
    for _ in range(6):
        assert again.undo()
    assert again.labels == Labels() and stored(folder) == ()


@pytest.mark.parametrize("tail", [b'{"face": "0.jpg", "bef', b"\xff\xfe\n", b'{"undo": true}\n' * 9,
                                  b'{"face": "0.jpg", "before": 3, "after": 4}\n', b"[1]\n"])
def test_a_damaged_history_ends_where_the_damage_begins(document, open_document, folder, tail):
    draw(document, TRIANGLE)
    with open(folder / FILE_NAME, "ab") as file:
        file.write(tail)
    again = open_document()
    assert again.labels.polygons == (TRIANGLE,)
    n_before = len(again.history.done)
    draw(again, HOLE)
    assert len(open_document().history.done) == n_before + 4


def test_what_something_else_changed_is_not_undone(document, folder):
    draw(document, TRIANGLE)
    write_polygons(folder / "0.jpg", [HOLE])
    with pytest.raises(EditorError, match="0.jpg was changed by something else"):
        document.undo()
    assert stored(folder) == (HOLE,)
    assert not document.undo()


def test_the_history_keeps_its_last_edits(folder):
    history = History(folder / FILE_NAME)
    for number in range(KEPT + 10):
        history.add(Change(f"{number}.jpg", Labels(), Labels((TRIANGLE,))))
    history.undo()
    again = History.load(folder / FILE_NAME)
    assert len(again.done) == KEPT
    assert again.last().name == f"{KEPT + 8}.jpg" and again.next().name == f"{KEPT + 9}.jpg"
    assert History.load(folder / FILE_NAME).next() == again.next()


def test_trash_moves_the_file_and_undo_brings_it_back(document, folder):
    document.go("4.jpg")
    draw(document, TRIANGLE)
    data = (folder / "4.jpg").read_bytes()
    document.trash()
    assert document.current == "5.jpg" and "4.jpg" not in document.names
    assert not (folder / "4.jpg").exists()
    assert (folder.parent / "aligned_trash" / "4.jpg").read_bytes() == data
    document.undo()
    assert document.current == "4.jpg" and document.names.index("4.jpg") == 4
    assert (folder / "4.jpg").read_bytes() == data
    document.redo()
    assert document.current == "5.jpg" and not (folder / "4.jpg").exists()


def test_trash_overwrites_nothing(document, folder):
    trash = folder.parent / "aligned_trash"
    trash.mkdir()
    (trash / "0.jpg").write_bytes(b"an older one")
    document.trash()
    assert (trash / "0.jpg").read_bytes() == b"an older one"
    assert read_info(trash / "0_1.jpg").frame_index == 0


def test_the_last_face_stays(document, folder):
    for _ in range(11):
        document.trash()
    with pytest.raises(EditorError, match="last face"):
        document.trash()
    assert document.names == ["11.jpg"] and (folder / "11.jpg").exists()


def test_a_face_that_cannot_be_written_keeps_its_labels(document, folder):
    draw(document, TRIANGLE)
    (folder / "0.jpg").unlink()
    with pytest.raises(FileNotFoundError):
        document.set_labels(Labels())
    assert document.labels.polygons == (TRIANGLE,) and len(document.history.done) == 4
