import numpy as np
import pytest

from mainscripts.manual.document import FrameState, with_landmark
from tests.mainscripts.manual.faces import document_of, face_at

A, B, C = face_at(100, 50), face_at(200, 60), face_at(300, 70)


def test_a_frame_begins_with_what_is_known_and_nothing_is_noted():
    document, notebook = document_of(3, {1: [A]})
    assert document.state(1) == FrameState((A,), False)
    assert document.state(0) == FrameState((), False)
    assert notebook.notes == []


def test_every_edit_is_noted_at_once_and_decides_on_the_frame():
    document, notebook = document_of(3, {1: [A]})
    assert document.add_face(1, B) == 1
    document.replace_face(1, 0, C)
    document.remove_face(1, 1)
    document.set_faces(2, [A])
    document.accept(0)
    assert notebook.notes == [
        (1, FrameState((A, B), True)), (1, FrameState((C, B), True)), (1, FrameState((C,), True)),
        (2, FrameState((A,), True)), (0, FrameState((), True))]
    assert document.faces(1) == (C,)


def test_what_changes_nothing_is_no_edit():
    document, notebook = document_of(1, {0: [A]})
    document.accept(0)
    document.accept(0)
    document.set_faces(0, [A])
    assert len(notebook.notes) == 1
    assert document.undo() == 0 and document.undo() is None


def test_edits_are_undone_and_made_again_in_order_through_all_frames():
    document, notebook = document_of(3)
    document.add_face(0, A)
    document.add_face(2, B)
    document.add_face(2, C)
    assert [document.undo(), document.undo()] == [2, 2]
    assert document.state(2) == FrameState((), False) and document.faces(0) == (A,)
    assert document.redo() == 2 and document.faces(2) == (B,)
    assert [document.undo(), document.undo(), document.undo()] == [2, 0, None]
    assert document.state(0) == FrameState((), False)
    assert notebook.notes[-1] == (0, FrameState((), False))  # undoing is noted as well


def test_an_edit_after_undoing_ends_what_could_be_made_again():
    document, _ = document_of(1)
    document.add_face(0, A)
    document.undo()
    document.add_face(0, B)
    assert document.redo() is None and document.faces(0) == (B,)


def test_an_edit_that_cannot_be_noted_has_not_happened():
    document, notebook = document_of(1, {0: [A]})

    def refuse(number, state):
        raise OSError("the disk is full")

    document._note = refuse
    with pytest.raises(OSError, match="full"):
        document.add_face(0, B)
    assert document.state(0) == FrameState((A,), False)
    assert document.undo() is None


def test_faces_that_are_not_there_are_errors_and_change_nothing():
    document, notebook = document_of(1, {0: [A]})
    for action in (lambda: document.remove_face(0, 1), lambda: document.replace_face(0, 1, B)):
        with pytest.raises(IndexError):
            action()
    assert notebook.notes == [] and document.faces(0) == (A,)


def test_a_moved_landmark_leaves_the_others_and_the_first_face_alone():
    before = A.landmarks.copy()
    moved = with_landmark(A, 30, (7.5, 8.25))
    np.testing.assert_array_equal(moved.landmarks[30], [7.5, 8.25])
    np.testing.assert_array_equal(np.delete(moved.landmarks, 30, 0), np.delete(before, 30, 0))
    np.testing.assert_array_equal(A.landmarks, before)
    assert (A.score, moved.score, moved.landmarks.dtype) == (0.9, 1.0, np.float32)
