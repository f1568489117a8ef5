"""Faces of DeepFaceLab: read by an allow-list, written for old programs."""

import os
import pickle
from dataclasses import replace

import numpy as np
import pytest

from core import jpeg
from core.errors import CorruptFaceImage
from core.imaging.io import decode_image
from core.polygons import Polygon
from facelib.face_type import FaceType
from facelib.pose import estimate_pose
from samplelib.dfl_face import read_dfl_face, with_dfl_data, without_dfl_data
from samplelib.face_labels import decode_mask
from tests.samplelib import dfl_faces
from tests.samplelib.dfl_faces import LANDMARKS, dfl_face, dictionary


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_all_that_a_face_says_is_read(protocol):
    info = read_dfl_face(dfl_face(dictionary(
        seg_ie_polys=dfl_faces.polygons(), xseg_mask=dfl_faces.mask_bytes()),
        protocol=protocol), "face")
    assert info.face_type is FaceType.WHOLE_FACE and info.source_filename == "00042.png"
    np.testing.assert_array_equal(info.landmarks, LANDMARKS)
    np.testing.assert_array_equal(info.source_landmarks, LANDMARKS * 2 + 7)
    np.testing.assert_array_equal(info.source_rect, [10, 20, 210, 230])
    np.testing.assert_array_equal(info.image_to_face_mat, [[0.5, 0, -3.5], [0, 0.5, -3.5]])
    np.testing.assert_allclose(info.pose, estimate_pose(LANDMARKS, 256))
    assert [polygon.is_include for polygon in info.polygons] == [True, False]  # includes first
    np.testing.assert_array_equal(info.polygons[1].points, [[90, 90], [120, 90], [100, 130.5]])
    assert decode_mask(info.xseg_mask).mean() == pytest.approx(np.pi / 9, abs=0.005)
    assert info.xseg_origin == "DeepFaceLab"


def test_old_forms_are_read():
    values = dictionary(
        face_type=None, landmarks=np.float32(LANDMARKS), fanseg_mask=np.zeros(5, np.uint8),
        xseg_mask=dfl_faces.mask_bytes().reshape(-1, 1), source_landmarks=[],
        seg_ie_polys=[(1, np.float32([[1, 2], [30, 4], [5, 60]])), (0, np.zeros((0, 2)))])
    info = read_dfl_face(dfl_face(values), "face")
    assert info.face_type is FaceType.FULL and info.source_landmarks is None
    assert info.polygons == (Polygon(np.array([[1, 2], [30, 4], [5, 60]])),)
    np.testing.assert_allclose(info.landmarks, LANDMARKS, rtol=1e-6)


def test_other_pictures_carry_nothing():
    assert read_dfl_face(dfl_faces.picture(), "face") is None
    foreign = dfl_faces.with_app15(dfl_faces.picture(), b"Photoshop 3.0\0something")
    assert read_dfl_face(foreign, "face") is None
    assert without_dfl_data(foreign) == foreign
    assert read_dfl_face(dfl_face({"face_type": "head"}), "face") is None


class Trap:
    def __reduce__(self):
        return os.mkdir, ("/tmp/facelab-trap",)


@pytest.mark.parametrize("values, told", [
    (dictionary(landmarks=[[1, 2]] * 67), "face data are not usable"),
    (dictionary(landmarks=[[1, float("nan")]] * 68), "face data are not usable"),
    (dictionary(face_type="mouth"), "face data are not usable"),
    (dictionary(source_filename=7), "face data are not usable"),
    (dictionary(xseg_mask=np.arange(9, dtype=np.uint8)), "stored mask is damaged"),
    (dictionary(seg_ie_polys={"polys": [{"type": 5, "pts": [[1, 2]]}]}), "neither includes nor"),
    (dictionary(source_filename=Trap()), "nothing of it was used"),
])
def test_damage_and_traps_are_refused_in_one_line(values, told):
    with pytest.raises(CorruptFaceImage, match=told) as refused:
        read_dfl_face(dfl_face(values), "00042_0.jpg")
    assert str(refused.value).startswith("00042_0.jpg: ") and "\n" not in str(refused.value)
    assert not os.path.exists("/tmp/facelab-trap")


def test_a_cut_off_pickle_and_no_jpeg_are_refused():
    whole = pickle.dumps(dictionary())
    with pytest.raises(CorruptFaceImage, match="damaged at byte"):
        read_dfl_face(dfl_faces.with_app15(dfl_faces.picture(), whole[:-40]), "face")
    with pytest.raises(CorruptFaceImage, match="not a JPEG"):
        read_dfl_face(b"GIF89a", "face")


@pytest.fixture
def info():
    face = read_dfl_face(dfl_face(dictionary(
        seg_ie_polys=dfl_faces.polygons(), xseg_mask=dfl_faces.mask_bytes())), "face")
    return replace(face, eyebrows_expand_mod=1.5, sanity=0.9, track=3)


def stored(data):
    """The dictionary, by Python's own unpickler, as DeepFaceLab reads it."""
    (segment,) = [segment for segment in jpeg.segments(data) if segment.marker == jpeg.APP15]
    return pickle.loads(data[segment.payload_start:segment.end]), segment


def test_what_is_written_is_what_deepfacelab_expects(info):
    values, segment = stored(with_dfl_data(dfl_faces.picture(), info, "face"))
    assert list(values) == ["face_type", "landmarks", "source_filename", "source_rect",
                            "source_landmarks", "image_to_face_mat", "seg_ie_polys", "xseg_mask",
                            "eyebrows_expand_mod"]
    assert values["face_type"] == "whole_face" and values["eyebrows_expand_mod"] == 1.5
    assert isinstance(values["landmarks"], list) and len(values["landmarks"][0]) == 2
    assert isinstance(values["source_rect"], np.ndarray)
    assert values["source_rect"].dtype == np.int64
    assert values["image_to_face_mat"].dtype == np.float64
    kinds = [polygon["type"] for polygon in values["seg_ie_polys"]["polys"]]
    assert kinds == [1, 0]
    assert values["seg_ie_polys"]["polys"][0]["pts"].dtype == np.float32
    np.testing.assert_array_equal(values["xseg_mask"], dfl_faces.mask_bytes())


def test_it_stands_behind_app0_and_names_what_numpy_1_has(info):
    data = with_dfl_data(dfl_faces.picture(), info, "face")
    markers = [segment.marker for segment in jpeg.segments(data)]
    assert markers[:2] == [jpeg.APP0, jpeg.APP15] and markers.count(jpeg.APP15) == 1
    _, segment = stored(data)
    payload = data[segment.payload_start:segment.end]
    assert b"numpy.core.multiarray" in payload and b"numpy._core" not in payload


def test_there_and_back_changes_nothing(info):
    data = with_dfl_data(dfl_faces.picture(), info, "face")
    again = read_dfl_face(data, "face")
    for name in ("landmarks", "source_landmarks", "image_to_face_mat", "source_rect"):
        np.testing.assert_array_equal(getattr(again, name), getattr(info, name))
    assert again.polygons == info.polygons and again.xseg_mask == info.xseg_mask
    twice = with_dfl_data(data, info, "face")
    assert twice == data
    assert without_dfl_data(data) == dfl_faces.picture()


def test_what_little_is_known_is_enough(info):
    bare = replace(info, polygons=(), xseg_mask=None, source_rect=None, source_filename=None,
                   source_landmarks=None, image_to_face_mat=None)
    values, _ = stored(with_dfl_data(dfl_faces.picture(), bare, "face"))
    assert set(values) == {"face_type", "landmarks", "eyebrows_expand_mod"}


def test_more_than_fits_into_a_segment_is_told(info):
    many = replace(info, polygons=(Polygon(np.zeros((9000, 2))),))
    with pytest.raises(ValueError, match="its data take 7[0-9]{4} bytes, and 65533 fit"):
        with_dfl_data(dfl_faces.picture(), many, "face")


def test_the_picture_stays(info):
    data = with_dfl_data(dfl_faces.picture(), info, "face")
    assert np.array_equal(decode_image(data, "a"), decode_image(dfl_faces.picture(), "b"))
