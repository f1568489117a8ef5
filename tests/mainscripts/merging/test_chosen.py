"""Whose face is swapped, on real frames with two people side by side."""

import cv2
import numpy as np
import pytest

from core.errors import UsageError
from core.imaging.io import read_image
from core.paths import image_paths
from mainscripts.merging.chosen import like_reference, of_tracks
from mainscripts.merging.dst_faces import read_faces
from tests.commands import run

N_FRAMES = 4


@pytest.fixture(scope="module")
def couple(framed, tmp_path_factory):
    """(folder of frames with both people, which track is on which side)."""
    folder = tmp_path_factory.mktemp("couple")
    pairs = zip(*(image_paths(framed.path(f"data_{side}"))[:N_FRAMES] for side in ("src", "dst")))
    for number, (woman, man) in enumerate(pairs, start=1):
        cv2.imwrite(str(folder / f"{number:05d}.png"),
                    np.hstack([read_image(woman), read_image(man)]))
    assert run("extract", "--input-dir", folder, "--output-dir", folder / "aligned").code == 0
    faces = read_faces(folder / "aligned")
    assert {len(of_frame) for of_frame in faces.values()} == {2}
    middle = read_image(folder / "00001.png").shape[1] / 2
    sides = {face.track: "man" if face.landmarks[:, 0].mean() > middle else "woman"
             for face in faces["00001"]}
    return folder, faces, sides


def sides_of(faces, couple):
    return {couple[2][face.track] for of_frame in faces.values() for face in of_frame}


@pytest.mark.parametrize("person", ["woman", "man"])
def test_a_frame_of_the_video_says_who_is_meant(couple, framed, person):
    side = {"woman": "src", "man": "dst"}[person]
    reference = image_paths(framed.path(f"data_{side}"))[N_FRAMES + 3]  # not one of the pair
    chosen = like_reference(couple[1], reference)
    assert sides_of(chosen, couple) == {person}
    assert len(chosen) == N_FRAMES


@pytest.mark.parametrize("number", [0, 1])
def test_an_aligned_face_says_who_is_meant(couple, number):
    folder, faces, sides = couple
    reference = folder / "aligned" / f"00002_{number}.jpg"
    track = next(face.track for face in faces["00002"] if face.path == reference)
    assert sides_of(like_reference(faces, reference), couple) == {sides[track]}


def test_a_track_is_chosen_by_its_number(couple):
    for track, person in couple[2].items():
        assert sides_of(of_tracks(couple[1], str(track)), couple) == {person}
    assert sides_of(of_tracks(couple[1], "0,1"), couple) == {"man", "woman"}


def test_unknown_tracks_are_told_with_those_there_are(couple):
    with pytest.raises(UsageError, match="no face has the track 7; there are 0, 1"):
        of_tracks(couple[1], "0,7")
    with pytest.raises(UsageError, match="--track takes numbers"):
        of_tracks(couple[1], "left")


def test_a_picture_of_nobody_in_the_video_is_refused(couple, tmp_path):
    from skimage.data import astronaut

    stranger = tmp_path / "stranger.png"
    cv2.imwrite(str(stranger), astronaut()[..., ::-1])
    with pytest.raises(UsageError, match=r"nobody in the video looks like this.*--track of 0 \("):
        like_reference(couple[1], stranger)
    empty = tmp_path / "empty.png"
    cv2.imwrite(str(empty), np.full((200, 300, 3), 128, np.uint8))
    with pytest.raises(UsageError, match="shows no face"):
        like_reference(couple[1], empty)
