import numpy as np
import pytest

from mainscripts.manual.neighbours import copied, interpolated, nearest_with_faces
from tests.mainscripts.manual.faces import centre_of, face_at

FACES = {1: [face_at(1, 1)], 4: [face_at(2, 2)], 9: [face_at(3, 3)]}


@pytest.mark.parametrize("number, before, behind", [
    (0, None, 1), (1, None, 4), (5, 4, 9), (8, 4, 9), (9, 4, None)])
def test_the_nearest_frame_with_a_face_is_found_on_each_side(number, before, behind):
    found = [nearest_with_faces(number, step, 10, lambda n: FACES.get(n, ())) for step in (-1, 1)]
    assert found == [before, behind]


def test_copies_have_the_same_landmarks_and_no_looks():
    face = face_at(50, 60)
    (copy,) = copied([face])
    np.testing.assert_array_equal(copy.landmarks, face.landmarks)
    np.testing.assert_array_equal(copy.box, face.box)
    assert copy.embedding is None and copy.score == 1.0


def test_faces_between_two_frames_lie_on_the_straight_way():
    (face,) = interpolated([face_at(100, 50, 40)], [face_at(200, 90, 80)], 0.25)
    np.testing.assert_allclose(face.box, [75, 10, 175, 110])  # half 50 about 125, 60
    np.testing.assert_allclose(face.landmarks, face_at(125, 60, 50).landmarks, atol=1e-3)
    assert face.landmarks.dtype == face.box.dtype == np.float32


def test_people_keep_apart_and_those_without_a_partner_are_left_out():
    before = [face_at(100, 50), face_at(300, 50)]
    after = [face_at(310, 50), face_at(110, 50), face_at(600, 50)]
    assert [centre_of(face) for face in interpolated(before, after, 0.5)] == [
        (105.0, 50.0), (305.0, 50.0)]
    assert len(interpolated(before[:1], after, 0.5)) == 1
    assert interpolated([], after, 0.5) == []
