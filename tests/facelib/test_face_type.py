"""Face types: names, order and the size of the crop."""

import pytest

from core.errors import OptionError
from facelib.face_type import FaceType


@pytest.mark.parametrize("face_type", FaceType)
def test_label_and_short_name_parse_back(face_type):
    assert FaceType.parse(face_type.label) is face_type
    assert FaceType.parse(f" {face_type.short.upper()} ") is face_type


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(OptionError, match="wf .whole_face."):
        FaceType.parse("whole")


@pytest.mark.parametrize(
    "name, value, coverage",
    [
        ("half_face", 0, 1.0),
        ("midfull_face", 1, 1.1909),
        ("full_face", 2, 1.5966),
        ("whole_face", 4, 2.1314),
        ("head", 10, 2.9799),
    ],
)
def test_crop_side_and_number_of_each_type(name, value, coverage):
    face_type = FaceType.parse(name)
    assert face_type == value
    assert face_type.coverage == pytest.approx(coverage, abs=5e-5)


def test_mark_only_has_no_crop():
    with pytest.raises(ValueError, match="whole frame"):
        FaceType.MARK_ONLY.padding
