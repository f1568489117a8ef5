import numpy as np
import pytest

from facelib.align import face_transform
from facelib.face_type import FaceType
from facelib.landmarks import TEMPLATE_51
from facelib.sanity import face_sanity
from mainscripts.manual.drawn_face import drawn_face


def test_a_line_to_the_right_gives_an_upright_face_as_large_as_it_is_long():
    face = drawn_face((300, 200), (400, 200))
    expected = (TEMPLATE_51 - TEMPLATE_51[13]) * 100 + (300, 200)  # landmark 30 is row 13
    np.testing.assert_allclose(face.landmarks[17:], expected, atol=1e-3)


def test_the_face_turns_with_the_line():
    upright, turned = drawn_face((0, 0), (50, 0)), drawn_face((0, 0), (0, 50))
    x, y = upright.landmarks.T
    np.testing.assert_allclose(turned.landmarks, np.column_stack([-y, x]), atol=1e-3)


def test_the_jaw_lies_around_the_face_and_the_whole_is_plausible():
    face = drawn_face((300, 200), (380, 230))
    assert face_sanity(face.landmarks, face.box, face.score) > 0.8
    assert (face.landmarks >= face.box[:2] - 1e-3).all()
    assert (face.landmarks <= face.box[2:] + 1e-3).all()
    upright = drawn_face((0, 0), (100, 0)).landmarks
    assert upright[8, 1] > upright[57, 1] + 10  # the chin below the lip
    assert upright[0, 0] < upright[17, 0] and upright[16, 0] > upright[26, 0]


def test_the_drawn_face_aligns_as_it_was_drawn():
    matrix = face_transform(drawn_face((300, 200), (300, 320)).landmarks, 256, FaceType.HALF)
    side = 256 / np.hypot(*matrix[0, :2])
    assert side == pytest.approx(120, abs=0.01)
    assert np.degrees(np.arctan2(matrix[0, 1], matrix[0, 0])) == pytest.approx(90, abs=0.1)


@pytest.mark.parametrize("end, is_face", [((10, 10), False), ((14, 12), False), ((15, 10), True)])
def test_a_line_that_is_too_short_gives_no_face(end, is_face):
    assert (drawn_face((10, 10), end) is not None) == is_face
