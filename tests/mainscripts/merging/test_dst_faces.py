"""Faces of frames, and how they move."""

import numpy as np

from core.paths import image_paths
from facelib.align import face_transform
from facelib.face_type import FaceType
from mainscripts.merging.dst_faces import (
    DstFace,
    fingerprint,
    read_faces,
    with_motion,
    with_stretches,
)

STEMS = ["a", "b", "c"]


def face(x, track=None):
    rng = np.random.default_rng(5)
    return DstFace(rng.random((68, 2)) * 80 + (x, 0), track, None)


def test_every_frame_has_the_face_that_was_extracted_from_it(extracted):
    faces = read_faces(extracted.path("data_dst/aligned"))
    assert list(faces) == [path.stem for path in image_paths(extracted.path("data_dst"))]
    assert {(of_frame.track, of_frame.path.name) for of_frame, in faces.values()} == {
        (0, f"{stem}_0.jpg") for stem in faces}


def test_motion_is_from_the_frame_before_to_the_one_after():
    moved = with_motion(STEMS, {"a": [face(0)], "b": [face(3)], "c": [face(10)]})
    np.testing.assert_allclose(moved["b"][0].motion, (10, 0), atol=1e-9)
    assert moved["a"][0].motion == moved["c"][0].motion == (0.0, 0.0)


def test_motion_is_of_the_middle_of_the_full_face_square(extracted):
    stems = [path.stem for path in image_paths(extracted.path("data_dst"))]
    faces = read_faces(extracted.path("data_dst/aligned"))
    moved = with_motion(stems, faces)
    centres = []
    for stem in stems[4:7:2]:
        matrix = face_transform(faces[stem][0].landmarks, 256, FaceType.FULL)
        centres.append(np.linalg.solve(matrix[:, :2], np.full(2, 128.0) - matrix[:, 2]))
    np.testing.assert_allclose(moved[stems[5]][0].motion, centres[1] - centres[0], atol=1e-6)
    assert np.abs(moved[stems[5]][0].motion).max() > 0.05


def test_people_are_told_apart_by_their_tracks():
    faces = {stem: [face(x, 0), face(500 - 2 * x, 1)] for stem, x in zip(STEMS, (0, 4, 8))}
    faces["b"].reverse()
    moved = with_motion(STEMS, faces)
    np.testing.assert_allclose(moved["b"][0].motion, (-16, 0), atol=1e-9)
    np.testing.assert_allclose(moved["b"][1].motion, (8, 0), atol=1e-9)


def test_of_several_faces_without_tracks_none_is_taken_for_another():
    faces = {stem: [face(0), face(50)] for stem in STEMS}
    assert [one.motion for one in with_motion(STEMS, faces)["b"]] == [(0.0, 0.0)] * 2


def test_the_fingerprint_follows_landmarks_and_if_wanted_motion():
    moving = DstFace(face(0).landmarks, 0, None, motion=(1.0, 2.0))
    prints = {fingerprint(faces, with_motion=False)
              for faces in ([], [face(0)], [face(1)], [face(0), face(1)])}
    assert len(prints) == 4
    assert fingerprint([moving], with_motion=False) == fingerprint([face(0)], with_motion=False)
    assert fingerprint([moving], with_motion=True) != fingerprint([face(0)], with_motion=True)


def spans(faces):
    return {stem: [tuple(one.stretch) if one.stretch else None for one in of_frame]
            for stem, of_frame in faces.items()}


def test_a_stretch_ends_where_the_person_is_gone_and_at_a_cut():
    stems = [f"{number}" for number in range(8)]
    faces = {stem: [face(0, 0), face(300, 1)] for stem in stems}
    faces["3"] = faces["3"][:1]  # person 1 is missing in frame 3
    got = spans(with_stretches(stems, faces, cuts={"6"}))
    assert [got[stem][0] for stem in stems] == [(0, 0, 5)] * 6 + [(0, 6, 7)] * 2
    assert [got[stem][1] for stem in stems if stem != "3"] == (
        [(1, 0, 2)] * 3 + [(1, 4, 5)] * 2 + [(1, 6, 7)] * 2)


def test_without_tracks_a_face_that_is_alone_makes_a_stretch():
    faces = {"a": [face(0)], "b": [face(1)], "c": [face(0), face(200)]}
    assert spans(with_stretches(STEMS, faces, cuts=())) == {
        "a": [("alone", 0, 1)], "b": [("alone", 0, 1)], "c": [None, None]}
