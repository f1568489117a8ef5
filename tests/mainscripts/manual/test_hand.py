"""What the mouse does in one frame."""

import numpy as np
import pytest

from mainscripts.manual.hand import NOT_SEEN, Hand, Mode
from mainscripts.manual.square import square_of_box
from tests.mainscripts.manual.faces import centre_of, document_of, face_at, look, mean_landmarks

IMAGE = np.zeros((270, 480, 3), np.uint8)
NOSE = 33


class Bench:
    """A hand over a frame with these faces."""

    def __init__(self, *faces):
        self.looks = []
        self.document, self.notebook = document_of(3, {0: list(faces)})
        self.hand = Hand(self.document, self.look)
        self.hand.enter(0, IMAGE)

    def look(self, image, box, accurate):
        self.looks.append((box.tolist(), accurate))
        return look(image, box, accurate)

    @property
    def centres(self):
        return [centre_of(face) for face in self.document.faces(0)]

    def click(self, *point, reach=4.0):
        note = self.hand.press(point, reach)
        self.hand.release(point)
        return note


def test_the_square_follows_the_mouse_with_its_landmarks():
    bench = Bench()
    assert bench.hand.mode is Mode.SQUARE and bench.hand.square[:2] == (240, 135)
    bench.hand.move((200, 100))
    bench.hand.resize(-1)
    bench.hand.look()
    bench.hand.look()  # nothing new
    assert bench.looks == [([110, 10, 290, 190], True)]
    np.testing.assert_array_equal(bench.hand.held.landmarks, mean_landmarks(200, 100, 90))
    assert bench.notebook.notes == []


def test_a_click_locks_and_the_next_one_unlocks():
    bench = Bench()
    assert bench.click(200, 100) == ""
    assert bench.hand.mode is Mode.REST and bench.centres == [(200, 100)]
    bench.hand.move((300, 150))
    bench.hand.resize(1)
    assert bench.hand.square.half == 100 and bench.hand.square.x == pytest.approx(200)
    bench.click(205, 15)  # far from any landmark
    assert bench.hand.mode is Mode.SQUARE
    bench.hand.move((260, 120))
    assert bench.centres == [(200, 100)]  # what is locked stays until it is locked elsewhere
    bench.click(260, 120)
    assert bench.centres == [(260, 120)] and len(bench.notebook.notes) == 2


def test_where_no_face_is_seen_nothing_is_locked():
    bench = Bench()
    bench.hand.move((30, 100))
    bench.hand.look()
    assert bench.hand.held is None
    assert bench.click(30, 100) == NOT_SEEN
    assert bench.hand.mode is Mode.SQUARE and bench.notebook.notes == []


def test_a_landmark_is_dragged_alone_and_by_where_it_was_gripped():
    bench = Bench(face_at(200, 100))
    before = bench.document.faces(0)[0].landmarks.copy()
    x, y = before[NOSE].tolist()
    bench.hand.press((x + 1, y), 4.0)
    assert bench.hand.mode is Mode.DRAG and bench.hand.grip.landmark == NOSE
    bench.hand.move((x + 11, y - 7))
    assert bench.notebook.notes == []  # not before it is let go
    bench.hand.move((x + 21, y - 8))
    bench.hand.release((x + 21, y - 8))
    after = bench.document.faces(0)[0].landmarks
    np.testing.assert_allclose(after[NOSE], (x + 20, y - 8), atol=1e-4)
    np.testing.assert_array_equal(np.delete(after, NOSE, 0), np.delete(before, NOSE, 0))
    assert bench.hand.mode is Mode.REST and len(bench.notebook.notes) == 1


def test_a_landmark_that_is_only_clicked_stays():
    bench = Bench(face_at(200, 100))
    bench.click(*bench.document.faces(0)[0].landmarks[NOSE].tolist())
    assert bench.hand.mode is Mode.REST and bench.notebook.notes == []


def test_a_landmark_out_of_reach_is_not_gripped():
    bench = Bench(face_at(200, 100))
    x, y = bench.document.faces(0)[0].landmarks[8].tolist()  # the chin
    assert bench.hand.landmark_near((x, y + 4.5), 4.0) is None
    assert bench.hand.landmark_near((x, y + 3.5), 4.0) == (0, 8)


def test_of_two_faces_in_one_place_the_chosen_one_is_gripped():
    bench = Bench(face_at(200, 100), face_at(200, 100))
    place = tuple(bench.document.faces(0)[0].landmarks[NOSE].tolist())
    assert bench.hand.landmark_near(place, 4.0) == (0, NOSE)
    bench.hand.choose_next()
    assert bench.hand.landmark_near(place, 4.0) == (1, NOSE)


def test_several_faces_are_set_chosen_and_removed():
    bench = Bench(face_at(120, 100, 30))
    bench.hand.follow(None)
    bench.click(300, 100)
    assert bench.centres == [(120, 100), (300, 100)] and bench.hand.chosen == 1
    bench.hand.choose_next()
    assert bench.hand.chosen == 0
    bench.click(272, 128)  # inside the other box, near none of its landmarks
    assert (bench.hand.mode, bench.hand.chosen) == (Mode.REST, 1)
    assert bench.hand.remove()
    assert bench.centres == [(120, 100)] and bench.hand.chosen == 0
    assert bench.hand.remove()
    assert bench.hand.mode is Mode.SQUARE and not bench.hand.remove()


def test_the_mean_face_is_drawn_from_its_nose_and_locked_by_a_click():
    bench = Bench()
    bench.hand.move((30, 100))  # where nothing is seen
    bench.hand.draw((60, 100))
    assert bench.hand.mode is Mode.MEAN
    assert bench.hand.place() == "draw a longer line"
    bench.hand.move((140, 100))
    assert bench.click(140, 100) == ""
    (face,) = bench.document.faces(0)
    np.testing.assert_allclose(face.landmarks[30], (60, 100), atol=1e-3)
    assert bench.hand.mode is Mode.REST


def test_the_right_button_gives_a_mean_face_up_again():
    bench = Bench(face_at(200, 100))
    bench.hand.draw((200, 100))
    bench.hand.move((280, 100))
    bench.hand.draw((280, 100))
    assert bench.hand.mode is Mode.SQUARE and bench.hand.held is None
    assert bench.notebook.notes == []


def test_a_mean_face_takes_the_place_of_the_chosen_one():
    bench = Bench(face_at(100, 100, 30), face_at(300, 100, 30))
    bench.hand.choose_next()
    bench.hand.draw((310, 100))
    bench.hand.move((350, 100))
    bench.hand.press((350, 100), 4.0)
    assert len(bench.centres) == 2 and bench.centres[0] == (100, 100)
    np.testing.assert_allclose(bench.document.faces(0)[1].landmarks[30], (310, 100), atol=1e-3)


@pytest.mark.parametrize("begin", [
    lambda hand: hand.follow(0), lambda hand: hand.draw((200, 100)),
    lambda hand: hand.press(tuple(hand.faces[0].landmarks[NOSE].tolist()), 4.0)])
def test_whatever_is_in_the_hand_can_be_let_go(begin):
    bench = Bench(face_at(200, 100))
    begin(bench.hand)
    bench.hand.move((260, 140))
    bench.hand.settle()
    assert bench.hand.mode is Mode.REST and bench.hand.held is None
    bench.hand.release((260, 140))
    assert bench.notebook.notes == [] and bench.centres == [(200, 100)]


def test_in_the_next_frame_without_a_face_the_square_is_on_the_last_one():
    bench = Bench()
    bench.click(200, 100)
    bench.hand.enter(1, IMAGE)
    on_face = square_of_box(bench.document.faces(0)[0].box)
    assert bench.hand.mode is Mode.SQUARE
    assert bench.hand.square == (on_face.x, on_face.y, 100)  # so it goes with a moving face
    bench.hand.enter(0, IMAGE)
    assert bench.hand.mode is Mode.REST and bench.hand.chosen == 0


def test_accuracy_is_asked_of_the_extractor_and_looks_again():
    bench = Bench()
    bench.hand.look()
    bench.hand.toggle_accurate()
    bench.hand.look()
    assert [accurate for _, accurate in bench.looks] == [True, False]
