"""The JSON form of face data."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.polygons import Polygon
from facelib.face_type import FaceType
from samplelib.face_info import VERSION, FaceInfo, from_json, to_json

FINITE = st.floats(-1e9, 1e9)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2**60, 2**60) | FINITE | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8)


def optional(strategy):
    return st.none() | strategy


INFOS = st.builds(
    FaceInfo,
    face_type=st.sampled_from(FaceType),
    landmarks=arrays(np.float64, (68, 2), elements=FINITE),
    source_filename=optional(st.text()),
    source_rect=optional(arrays(np.float64, 4, elements=FINITE)),
    source_landmarks=optional(arrays(np.float32, (68, 2), elements=st.floats(-9e3, 9e3, width=32))),
    image_to_face_mat=optional(arrays(np.float64, (2, 3), elements=FINITE)),
    source_size=optional(st.tuples(st.integers(1, 99999), st.integers(1, 99999))),
    frame_index=optional(st.integers(0, 2**40)),
    score=optional(st.floats(0, 1)),
    pose=optional(st.tuples(FINITE, FINITE, FINITE)),
    sanity=optional(st.floats(0, 1)),
    track=optional(st.integers(0, 2**40)),
    eyebrows_expand_mod=st.floats(0, 4),
    polygons=st.lists(st.builds(
        Polygon, st.lists(st.tuples(FINITE, FINITE), max_size=4), st.booleans()),
        max_size=3).map(tuple),
    xseg_mask=optional(st.binary()),
    xseg_origin=optional(st.text()),
    version=st.integers(1, 9),
    extra=st.dictionaries(st.text(max_size=5).map("new_{}".format), JSON_VALUES, max_size=3))


@given(INFOS)
def test_everything_comes_back(info):
    read = from_json(to_json(info))
    for name in ("face_type", "source_filename", "source_size", "frame_index", "score", "pose",
                 "sanity", "track", "eyebrows_expand_mod", "version", "extra", "polygons",
                 "xseg_mask", "xseg_origin"):
        assert getattr(read, name) == getattr(info, name), name
    for name in ("landmarks", "source_rect", "source_landmarks", "image_to_face_mat"):
        written, back = getattr(info, name), getattr(read, name)
        assert (written is None) == (back is None)
        assert written is None or (np.array_equal(written, back) and back.dtype == np.float64)


def plain(**changes) -> dict:
    """The JSON object of a small face, as the format says."""
    return {"version": 1, "face_type": "full_face", "landmarks": [[1.5, 2]] * 68, **changes}


def test_the_format_is_plain_json_with_labels():
    info = FaceInfo(FaceType.WHOLE_FACE, np.full((68, 2), 2.5), frame_index=np.int64(7))
    assert json.loads(to_json(info)) == {
        "version": VERSION, "face_type": "whole_face", "landmarks": [[2.5, 2.5]] * 68,
        "frame_index": 7, "eyebrows_expand_mod": 1.0}


def test_fields_of_a_newer_version_survive():
    newer = plain(version=2, hair_mask={"size": [3, 4]}, hair=None)
    assert json.loads(to_json(from_json(json.dumps(newer).encode()))) == {
        **newer, "eyebrows_expand_mod": 1.0}


@pytest.mark.parametrize("changes, message", [
    ({"landmarks": [[1, 2]] * 67}, r"landmarks.*\(67, 2\)"),
    ({"landmarks": [["a", 2]] * 68}, "landmarks.*not an array"),
    ({"landmarks": [[1, 2]] * 67 + [[1, float("nan")]]}, "landmarks.*not finite"),
    ({"landmarks": [[1, 2]] * 67 + [[1]]}, "landmarks.*not an array"),
    ({"landmarks": None}, "no landmarks"),
    ({"face_type": "nose"}, "nose"),
    ({"face_type": 2}, "face_type"),
    ({"version": 0}, "version 0"),
    ({"version": "1"}, "version"),
    ({"source_size": [480]}, "source_size"),
    ({"source_size": [480.5, 640]}, "source_size"),
    ({"pose": {"pitch": 0}}, "pose"),
    ({"score": "high"}, "score"),
    ({"sanity": True}, "sanity"),
    ({"track": 1.5}, "track"),
    ({"score": float("inf")}, "score"),
    ({"frame_index": True}, "frame_index"),
    ({"source_filename": ["a"]}, "source_filename"),
])
def test_wrong_fields_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        from_json(json.dumps(plain(**changes)).encode())


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"\x80\x04."])
def test_other_bytes_are_refused(data):
    with pytest.raises(ValueError):
        from_json(data)


def test_numbers_that_json_cannot_hold_are_refused():
    with pytest.raises(ValueError, match="not finite"):
        to_json(FaceInfo(FaceType.FULL, np.full((68, 2), np.inf)))
