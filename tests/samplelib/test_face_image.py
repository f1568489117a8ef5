"""Aligned faces on disk."""

import os

import cv2
import numpy as np
import pytest
from PIL import Image

from core.errors import CorruptFaceImage, ImageError
from facelib.face_type import FaceType
from samplelib import face_image
from samplelib.face_info import FaceInfo


@pytest.fixture
def info(landmarks_of):
    return FaceInfo(FaceType.FULL, landmarks_of(FaceType.FULL, 96), source_filename="00001.png",
                    extra={"from_later": [1, 2]})


@pytest.fixture
def path(tmp_path, info, draw_face):
    path = tmp_path / "00001_0.jpg"
    face_image.write_face(path, draw_face(info.landmarks, 96), info)
    return path


def test_any_viewer_opens_a_face(path, info, draw_face):
    with Image.open(path) as image:
        shown = np.asarray(image.convert("RGB"))[..., ::-1].astype(int)
    assert np.abs(shown - draw_face(info.landmarks, 96)).mean() < 3


def test_picture_and_data_come_back(path, info):
    image, read = face_image.read_face(path)
    assert np.array_equal(image, face_image.read_picture(path))
    assert image.shape == (96, 96, 3) and image.dtype == np.uint8
    assert np.array_equal(read.landmarks, info.landmarks)
    assert read.source_filename == "00001.png"


def test_rewritten_data_leave_the_picture_and_unknown_fields(path, info):
    before, scan = face_image.read_picture(path), path.read_bytes().index(b"\xff\xdb")
    tail = path.read_bytes()[scan:]
    changed = FaceInfo(FaceType.FULL, info.landmarks, score=0.25,
                       extra=face_image.read_info(path).extra)
    face_image.write_info(path, changed)
    assert path.read_bytes().endswith(tail)
    assert np.array_equal(face_image.read_picture(path), before)
    assert face_image.read_info(path).score == 0.25
    assert face_image.read_info(path).extra == {"from_later": [1, 2]}


def test_data_larger_than_a_segment_come_back(path, info):
    big = FaceInfo(FaceType.FULL, info.landmarks, extra={"new_points": list(range(40_000))})
    face_image.write_info(path, big)
    assert face_image.read_info(path).extra["new_points"][-1] == 39_999
    with Image.open(path) as shown:
        assert shown.size == (96, 96)


def test_data_are_read_from_a_file_whose_picture_is_gone(path):
    data = path.read_bytes()
    path.write_bytes(data[:data.index(b"\xff\xda") + 20])
    assert face_image.read_info(path).source_filename == "00001.png"
    with pytest.raises(ImageError, match="00001_0.jpg"):
        face_image.read_picture(path)


def test_a_picture_cut_in_half_is_refused(path):
    data = path.read_bytes()
    path.write_bytes(data[:len(data) * 3 // 4])
    with pytest.raises(ImageError, match="00001_0.jpg"):
        face_image.read_face(path)


def damaged_json(data: bytes) -> bytes:
    return data.replace(b'"face_type":"full', b'"face_type";"full')


def cut_in_the_data(data: bytes) -> bytes:
    return data[:data.index(b"FaceLab\0") + 100]


@pytest.mark.parametrize("damage", [damaged_json, cut_in_the_data, lambda data: b"",
                                    lambda data: b"GIF89a", lambda data: data[5:]])
def test_damage_is_reported_with_the_file_and_the_next_step(path, damage):
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(CorruptFaceImage, match="00001_0.jpg: .*extract") as caught:
        face_image.read_info(path)
    assert "\n" not in str(caught.value)


def test_an_ordinary_picture_is_no_face(tmp_path):
    cv2.imwrite(str(tmp_path / "holiday.jpg"), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(CorruptFaceImage, match="holiday.jpg: no face data"):
        face_image.read_info(tmp_path / "holiday.jpg")


def test_a_failed_write_leaves_the_old_face(path, info, draw_face):
    before = path.read_bytes()
    bad = FaceInfo(FaceType.FULL, np.full((68, 2), np.nan))
    with pytest.raises(ValueError, match="landmarks"):
        face_image.write_face(path, draw_face(info.landmarks, 96), bad)
    with pytest.raises(ValueError, match="landmarks"):
        face_image.write_info(path, bad)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]
