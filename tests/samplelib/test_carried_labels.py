"""Polygons carried to other faces, and along tracks."""

from dataclasses import replace

import numpy as np
import pytest

from core.polygons import Polygon
from facelib.face_type import FaceType
from samplelib.carried_labels import copied_polygons, moved_polygons, propagate
from samplelib.face_info import FaceInfo

SHAPES = Polygon([(30, 30), (90, 30), (60, 100)]), Polygon([(50, 50), (60, 50), (55, 60)], False)


@pytest.fixture(name="face")
def face_fixture(landmarks_of):
    return FaceInfo(FaceType.FULL, np.asarray(landmarks_of(FaceType.FULL, 128), np.float64),
                    polygons=SHAPES)


def test_copies_fit_a_picture_of_another_size(face):
    larger = replace(face, landmarks=face.landmarks * 2, polygons=())
    copied = copied_polygons(face, larger)
    assert [shape.is_include for shape in copied] == [True, False]
    for shape, before in zip(copied, SHAPES, strict=True):
        assert shape.points == pytest.approx(2 * before.points, abs=0.05)


def test_moved_polygons_go_with_the_landmarks(face):
    shifted = replace(face, landmarks=face.landmarks + (3, -5))
    for shape, before in zip(moved_polygons(face, shifted), SHAPES, strict=True):
        assert shape.points == pytest.approx(before.points + (3, -5), abs=1e-6)


def test_tracks_take_the_nearest_labels_in_time(face):
    bare = replace(face, polygons=())
    infos = [replace(face, track=0, frame_index=10), replace(bare, track=0, frame_index=14),
             replace(face, track=0, frame_index=18), replace(bare, track=0, frame_index=17),
             replace(bare, track=1, frame_index=11), replace(bare, track=0, frame_index=60),
             bare, replace(bare, track=0, frame_index=2)]
    carried = list(propagate(infos, reach=30))
    assert [(found.target, found.source) for found in carried] == [(1, 0), (3, 2), (7, 0)]
    assert carried[0].polygons[0].points == pytest.approx(SHAPES[0].points)


def test_nothing_labelled_nothing_carried(face):
    assert not list(propagate([replace(face, polygons=(), track=0, frame_index=1)]))
