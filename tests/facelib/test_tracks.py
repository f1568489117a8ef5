"""Tracks of boxes that move as we say, and embeddings that say who is who."""

import numpy as np
import pytest

from facelib.landmarks import N_LANDMARKS
from facelib.tracks import MAX_GAP, Tracker, overlap
from facelib.types import FoundFace

ANNA, BEN = np.array([1.0, 0.1, 0]), np.array([0, 0.1, 1.0])


def face(x, y=0.0, side=100.0, who=None):
    box = np.float32([x, y, x + side, y + side])
    return FoundFace(box, 0.9, np.zeros((N_LANDMARKS, 2), np.float32), who)


def tracks(tracker, *frames, cuts=()):
    """Track numbers of the faces of consecutive frames."""
    return [[place.track for place in tracker.step(number, faces, is_cut=number in cuts)]
            for number, faces in enumerate(frames)]


def test_overlap_of_enlarged_boxes():
    a = [[0, 0, 10, 10], [100, 0, 110, 10]]
    b = [[0, 0, 10, 10], [9, 0, 19, 10], [20, 0, 30, 10]]
    # Sides of 15: moved by 9 they share 6 of 24.
    np.testing.assert_allclose(overlap(a, b), [[1, 6 / 24, 0], [0, 0, 0]])


def test_faces_keep_their_numbers_whatever_their_order():
    for step, (first, second) in enumerate(zip(*_two_people())):
        pair = [first, second] if step % 3 else [second, first]
        if step == 0:
            tracker, expected = Tracker(), {}
        for one, place in zip(pair, tracker.step(step, pair)):
            assert expected.setdefault(float(one.box[1]), place) == place
    assert len(expected) == 2


def _two_people():
    return [face(10 * step) for step in range(20)], [face(500 - 10 * step, 300, 60)
                                                     for step in range(20)]


def test_a_fast_face_is_followed_at_its_speed():
    assert tracks(Tracker(), *[[face(x)] for x in range(0, 1000, 85)]) == [[0]] * 12
    assert tracks(Tracker(), [face(0)], [face(80)], [face(230)]) == [[0], [0], [0]]
    assert tracks(Tracker(), [face(0)], [face(230)]) == [[0], [1]]


def test_two_people_who_pass_each_other_are_not_mixed_up():
    frames = [[face(x), face(600 - x, 15)] for x in range(0, 620, 20)]
    assert tracks(Tracker(), *frames) == [[0, 1]] * len(frames)


@pytest.mark.parametrize("missing, same", [(1, True), (MAX_GAP, True), (MAX_GAP + 1, False)])
def test_a_face_may_be_missing_for_some_frames(missing, same):
    tracker = Tracker()
    places = [tracker.step(number, faces) for number, faces in enumerate(
        [[face(0)], *[[]] * missing, [face(5)]])]
    assert (places[0] == places[-1]) == same
    assert tracker.n_tracks == (1 if same else 2)


def test_a_cut_ends_all_tracks():
    tracker = Tracker()
    assert tracks(tracker, [face(0), face(300)], [face(0), face(300)], [face(0)], cuts={2}) == [
        [0, 1], [0, 1], [2]]
    assert tracker.n_tracks == 3


def test_people_are_recognised_after_a_cut_in_a_new_run():
    tracker = Tracker()
    shots = [[face(0, who=ANNA), face(300, who=BEN)], [face(100, who=BEN)], [face(310, who=ANNA)]]
    places = [tracker.step(number, faces, is_cut=number > 0) for number, faces in enumerate(shots)]
    assert [[place.track for place in frame] for frame in places] == [[0, 1], [1], [0]]
    assert [[place.run for place in frame] for frame in places] == [[0, 1], [2], [3]]


def test_a_face_in_the_place_of_another_person_is_not_taken_for_that():
    assert tracks(Tracker(), [face(0, who=ANNA)], [face(2, who=BEN)], [face(4, who=ANNA)]) == [
        [0], [1], [0]]


def test_a_face_that_looks_odd_for_a_frame_keeps_its_track():
    odd = 0.3 * ANNA + 0.9 * BEN
    cosine = odd @ ANNA / np.linalg.norm(odd) / np.linalg.norm(ANNA)
    assert 0.25 < cosine < 0.5
    assert tracks(Tracker(), [face(0, who=ANNA)], [face(2, who=odd)], [face(4, who=ANNA)]) == [
        [0], [0], [0]]


def test_no_track_is_given_to_two_faces_of_a_frame():
    rng = np.random.default_rng(0)
    tracker = Tracker()
    for number in range(60):
        count = rng.integers(0, 6)
        people = [face(*rng.uniform(0, 300, 2), who=rng.normal(size=3)) for _ in range(count)]
        places = tracker.step(number, people, is_cut=rng.random() < 0.1)
        assert len({place.track for place in places}) == len(places) == count
        assert len({place.run for place in places}) == count


def test_a_frame_depends_only_on_those_before_it():
    rng = np.random.default_rng(1)
    frames = [[face(*rng.uniform(0, 400, 2)) for _ in range(rng.integers(0, 4))]
              for _ in range(40)]
    assert tracks(Tracker(), *frames)[:25] == tracks(Tracker(), *frames[:25])
