"""Keys and mouse, through all frames, without a window."""

import numpy as np
import pytest

from core.window import HeadlessWindow
from core.window_mouse import MouseEvent
from facelib.face_type import FaceType
from mainscripts.manual.hand import Mode
from mainscripts.manual.keys import HINTS
from mainscripts.manual.picture import STRIP_HEIGHT
from mainscripts.manual.session import Session, Shown
from mainscripts.manual.square import square_of_box
from mainscripts.manual.window import run_window
from tests.mainscripts.manual.faces import centre_of, document_of, face_at, look

IMAGE = np.zeros((270, 480, 3), np.uint8)
BAD = 3
A, B = face_at(200, 100, 60), face_at(260, 140, 60)


class Sitting:
    """A session whose window shows frames three times as large as they are; frame 4 is damaged."""

    def __init__(self, known=None, tour=None, n_frames=6):
        self.document, self.notebook = document_of(n_frames, known)
        self.session = self.new_session(range(n_frames) if tour is None else tour)
        self.session.start()

    def new_session(self, tour):
        return Session(self.document, tour, self.picture, look, window_size=1440,
                       face_type=FaceType.FULL)

    def picture(self, number):
        return Shown(IMAGE, "cannot be read: torn" if number == BAD else "")

    def press(self, *keys):
        for key in keys:
            self.session.press(key)
            self.session.tick()
        return self.session.number

    def mouse(self, kind, x, y, steps=0):
        """An event over a place of the frame as the whole view shows it."""
        self.session.mouse(MouseEvent(kind, round(x * 3 + 1), round(y * 3 + 1) + STRIP_HEIGHT,
                                      steps))
        self.session.tick()

    def centres(self, number):
        return [centre_of(face) for face in self.document.faces(number)]

    def decided(self):
        return [n for n in range(len(self.document.frames)) if self.document.state(n).is_done]

    @property
    def note(self):
        return self.session.scene().note


def test_enter_takes_the_face_in_the_square_and_goes_on():
    sitting = Sitting()
    sitting.mouse("move", 200, 100)
    sitting.mouse("wheel", 200, 100, steps=-2)
    assert sitting.press("enter") == 1
    sitting.mouse("move", 210, 105)
    assert sitting.press("enter", "enter") == BAD  # the second with the mouse where it was
    assert sitting.centres(0) == [(200, 100)]
    assert sitting.centres(1) == [(210, 105)]
    on_face = square_of_box(sitting.document.faces(1)[0].box)
    assert sitting.centres(2)[0] == pytest.approx(on_face[:2], abs=0.01)
    assert [np.ptp(sitting.document.faces(number)[0].landmarks[:, 0]) for number in (0, 1, 2)] == (
        pytest.approx([162] * 3, abs=0.01))  # half of it: 100, 90, 81
    assert sitting.decided() == [0, 1, 2]


def test_enter_where_nothing_is_seen_stays_and_says_so():
    sitting = Sitting()
    sitting.mouse("move", 20, 100)
    assert sitting.press("enter") == 0
    assert "no face is seen" in sitting.note and sitting.notebook.notes == []


def test_enter_accepts_what_was_found_before():
    sitting = Sitting({0: [A, B]})
    assert sitting.press("enter") == 1
    assert sitting.document.state(0) == ((A, B), True)


def test_space_decides_that_a_frame_has_no_face():
    sitting = Sitting({0: [A, B]})
    assert sitting.press("space") == 1
    assert sitting.document.state(0) == ((), True)
    assert sitting.note == "2 faces removed; u brings them back"
    assert sitting.press("u") == 0 and sitting.document.state(0) == ((A, B), False)


@pytest.mark.parametrize("keys, number", [
    ((".",), 1), ((">",), 1), (("right", "right"), 2), ((".", ","), 0), ((".", "<"), 0),
    ((".", "left"), 0), (("end",), 5), (("end", "."), 5), (("end", "home"), 0), ((",",), 0)])
def test_frames_are_gone_through_without_deciding_on_them(keys, number):
    sitting = Sitting()
    assert sitting.press(*keys) == number
    assert sitting.notebook.notes == []


def test_only_the_frames_of_the_tour_are_gone_through_and_others_can_be_visited():
    sitting = Sitting(tour=[1, 4, 5])
    assert sitting.session.number == 1
    assert sitting.press(".") == 4
    assert sitting.press("3", "enter") == 2  # frame 3 is number 2
    assert "not one of those" in sitting.session.scene().title
    assert sitting.press(".") == 4
    assert sitting.press("3", "enter", ",") == 1


def test_a_sitting_begins_with_the_first_frame_that_is_not_decided():
    sitting = Sitting({0: [A]})
    sitting.press("enter", "space")
    again = sitting.new_session(range(6))
    again.start()
    assert again.number == 2
    sitting.press("space", "4", "enter", ".", "space", "space")
    again.start()
    assert again.number == BAD  # which nobody can decide on


def test_a_frame_is_gone_to_by_its_number():
    sitting = Sitting()
    assert sitting.press("1", "backspace", "6") == 0
    assert sitting.note == "go to frame 6"
    assert sitting.press("enter") == 5
    assert sitting.press("9", "9", "enter") == 5
    assert sitting.note == "there is no frame 99; the last one is 6"
    assert sitting.press("2", "escape", "enter") == 5  # the number is given up, Enter accepts
    assert sitting.decided() == [5]


def test_keys_edit_faces():
    sitting = Sitting({0: [A]})
    sitting.press("n")
    assert sitting.session.hand.mode is Mode.SQUARE
    sitting.mouse("left down", 350, 120)
    assert sitting.centres(0) == [(200, 100), (350, 120)]
    sitting.press("tab", "x")
    assert sitting.centres(0) == [(350, 120)]
    sitting.press("u")
    assert sitting.centres(0) == [(200, 100), (350, 120)]
    sitting.press("r")
    assert sitting.centres(0) == [(350, 120)]
    sitting.press("delete")
    assert sitting.centres(0) == []
    sitting.press("X")
    assert sitting.note == "there is no locked face to remove"


def test_undo_shows_the_frame_it_changes():
    sitting = Sitting()
    sitting.mouse("left down", 200, 100)
    assert sitting.press("end", "u") == 0
    assert sitting.document.state(0) == ((), False)
    assert sitting.press("u") == 0 and sitting.note == "there is nothing to undo"


def test_faces_are_taken_from_the_nearest_frames():
    sitting = Sitting({0: [A], 4: [B]})
    sitting.press(".", "c")
    np.testing.assert_array_equal(sitting.document.faces(1)[0].landmarks, A.landmarks)
    assert sitting.note == "taken from 00001.png"
    sitting.press(".", "v")
    np.testing.assert_array_equal(sitting.document.faces(2)[0].landmarks, B.landmarks)
    sitting.press("home", "c")
    assert sitting.note == "no frame before this one has a face"


def test_faces_are_interpolated_by_the_numbers_of_the_frames():
    sitting = Sitting({0: [A], 4: [B]})
    sitting.press(".", "i")
    assert sitting.centres(1) == [(215, 110)]  # a quarter of the way
    assert sitting.session.hand.mode is Mode.REST
    sitting.press("end", "i")
    assert sitting.note == "there must be a frame with a face on both sides"


def test_a_landmark_is_dragged_in_the_window():
    sitting = Sitting({0: [A]})
    x, y = A.landmarks[33].tolist()
    sitting.mouse("left down", x, y)
    sitting.mouse("move", x + 10, y + 6)
    np.testing.assert_allclose(sitting.session.scene().marked, (x + 10, y + 6), atol=0.5)
    sitting.mouse("left up", x + 10, y + 6)
    np.testing.assert_allclose(sitting.document.faces(0)[0].landmarks[33], (x + 10, y + 6),
                               atol=0.5)


def test_an_enlarged_face_is_dragged_in_finer_steps():
    sitting = Sitting({0: [face_at(200, 100, 45)]})
    sitting.press("z")
    view = sitting.session.scene().view
    landmarks = sitting.document.faces(0)[0].landmarks
    low, high = landmarks.min(0), landmarks.max(0)
    scale = 0.8 * 810 / (high - low).max()
    assert view.scale == pytest.approx(scale, rel=1e-5)
    x, y = landmarks[33].tolist()
    at = np.array([719.5, 404.5]) + (np.array([x, y]) - (low + high) / 2) * scale
    for kind, moved in (("left down", 0), ("move", 27), ("left up", 27)):
        sitting.session.mouse(MouseEvent(kind, round(at[0]) + moved,
                                         round(at[1]) + STRIP_HEIGHT))
    np.testing.assert_allclose(sitting.document.faces(0)[0].landmarks[33], (x + 27 / scale, y),
                               atol=1e-3)


def test_a_small_square_is_enlarged_and_still_moves_by_the_whole_view():
    sitting = Sitting()
    sitting.mouse("move", 200, 100)
    sitting.press(*["-"] * 20)
    assert sitting.session.hand.square.half <= 40
    assert sitting.session.scene().view.scale > 4
    sitting.mouse("move", 230, 110)
    assert sitting.session.hand.square[:2] == pytest.approx((230, 110))


def test_a_small_face_that_is_unlocked_does_not_jump():
    sitting = Sitting({0: [face_at(200, 100, 20)]})
    assert sitting.session.scene().view.scale > 10
    sitting.session.mouse(MouseEvent("left down", 50, 50 + STRIP_HEIGHT))
    assert sitting.session.hand.mode is Mode.SQUARE
    sitting.session.mouse(MouseEvent("move", 56, 53 + STRIP_HEIGHT))
    on_face = square_of_box(sitting.document.faces(0)[0].box)
    assert sitting.session.hand.square[:2] == pytest.approx((on_face.x + 2, on_face.y + 1))
    sitting.press(*["+"] * 30)
    assert sitting.session.scene().view.scale == pytest.approx(3)
    sitting.mouse("move", 100, 110)  # in the whole frame it is under the mouse again
    assert sitting.session.hand.square[:2] == pytest.approx((100, 110))


def test_clicks_on_the_text_above_the_frame_do_nothing():
    sitting = Sitting()
    sitting.session.mouse(MouseEvent("left down", 400, STRIP_HEIGHT - 1))
    sitting.session.mouse(MouseEvent("right down", 400, STRIP_HEIGHT - 1))
    assert sitting.session.hand.mode is Mode.SQUARE and sitting.notebook.notes == []


def test_a_frame_that_cannot_be_read_can_only_be_left():
    sitting = Sitting()
    sitting.press("4", "enter")
    assert sitting.note == "cannot be read: torn"
    sitting.press("enter", "space", "c", "n", "x")
    sitting.mouse("left down", 200, 100)
    assert sitting.notebook.notes == [] and sitting.session.number == BAD
    assert sitting.press(".") == BAD + 1


def test_switches_are_switched():
    sitting = Sitting()
    assert "accurate" in sitting.session.scene().status
    sitting.press("a", "h")
    scene = sitting.session.scene()
    assert "quick" in scene.status and scene.shows_help
    sitting.press("h", "q")
    assert not sitting.session.scene().shows_help and sitting.session.is_finished


def test_nothing_is_drawn_again_without_a_reason():
    sitting = Sitting()
    sitting.session.scene()
    sitting.press(None, "k")
    assert not sitting.session.needs_drawing
    sitting.mouse("move", 10, 10)
    assert sitting.session.needs_drawing


def test_every_mode_has_a_hint():
    assert set(HINTS) == {mode.value for mode in Mode}


def test_the_window_hands_events_on_until_its_user_is_done():
    sitting = Sitting()
    at = 400, 200 + STRIP_HEIGHT
    window = HeadlessWindow([None, "enter", "q", "space"], [
        [MouseEvent("move", 9, 99), MouseEvent("move", *at)], [MouseEvent("wheel", *at, -1)]])
    run_window(sitting.new_session(range(6)), window)
    assert sitting.decided() == [0] and not window.is_open
    left, _, right, _ = sitting.document.faces(0)[0].box
    assert right - left == pytest.approx(180, abs=0.01)
    assert len(window.shown) >= 3 and window.shown[0].shape == (810 + STRIP_HEIGHT, 1440, 3)


def test_a_window_closed_by_its_user_ends_the_sitting():
    sitting = Sitting()
    window, session = HeadlessWindow([None]), sitting.new_session([0])
    run_window(session, window)
    assert not session.is_finished and not window.is_open
