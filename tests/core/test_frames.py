"""Frames of folders and videos come in order, with what cannot be read in its place."""

import pickle

import numpy as np
import pytest

from core.errors import NoImagesFound, UsageError, VideoError
from core.frames import open_frames
from core.imaging.io import write_image
from core.pipeline import Failed, Pipeline, Stage
from core.video import read_frames
from tests.core.video_maker import damage_packet, make_video, picture


def loaded(source, frames=None):
    """{name: picture or reason}, as a pipeline sees them."""
    stage = Stage("decode", lambda item: (item[0], item[1]()), workers=3)
    read = source.read(source.frames if frames is None else frames)
    return {name: value.reason if isinstance(value, Failed) else value[1]
            for name, value in Pipeline(read, [stage])}


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate(["frame2.png", "frame10.png", "frame1.png", "b.jpg"]):
        write_image(tmp_path / name, np.full((4, 6, 3), number * 50, np.uint8))
    (tmp_path / "notes.txt").touch()
    return tmp_path


def test_images_of_a_folder_in_natural_order(folder):
    source = open_frames(folder)
    assert [frame.name for frame in source.frames] == [
        "b.jpg", "frame1.png", "frame2.png", "frame10.png"]
    assert [frame.index for frame in source.frames] == [0, 1, 2, 3]
    pictures = loaded(source)
    assert list(pictures) == [frame.name for frame in source.frames]
    assert pictures["frame10.png"].shape == (4, 6, 3) and pictures["frame10.png"][0, 0, 0] == 50


def test_only_some_frames(folder):
    every = open_frames(folder, every=2)
    assert [(frame.index, frame.stem) for frame in every.frames] == [(0, "b"), (2, "frame2")]
    assert list(loaded(every, every.frames[1:])) == ["frame2.png"]


def test_of_images_with_one_stem_the_first_is_taken(folder):
    for name in ("b.png", "B.jpg", "frame1.jpeg"):
        write_image(folder / name, np.zeros((2, 2, 3), np.uint8))
    source = open_frames(folder)
    assert [frame.name for frame in source.frames] == [
        "B.jpg", "b.jpg", "frame1.jpeg", "frame2.png", "frame10.png"]
    assert source.left_out == ("b.png", "frame1.png")


def test_an_unreadable_image_fails_alone(folder):
    (folder / "frame1.png").write_bytes(b"nothing")
    pictures = loaded(open_frames(folder))
    assert "frame1.png" in pictures["frame1.png"] and len(pictures) == 4
    assert sum(isinstance(value, str) for value in pictures.values()) == 1


def test_frames_of_a_video_are_those_of_read_frames(tmp_path):
    video = make_video(tmp_path / "v.mp4", 9)
    source = open_frames(video, every=3)
    assert [(frame.index, frame.name) for frame in source.frames] == [
        (0, "00001.png"), (3, "00004.png"), (6, "00007.png")]
    pictures = loaded(source)
    for frame in read_frames(video, indices=[0, 3, 6]):
        np.testing.assert_array_equal(pictures[f"{frame.index + 1:05d}.png"], frame.image)
    assert abs(int(pictures["00007.png"][40, 40, 0]) - int(picture(6)[40, 40, 0])) < 6


def test_a_damaged_frame_of_a_video_keeps_its_place(tmp_path):
    video = make_video(tmp_path / "v.mp4", 20, options={"crf": "8", "bf": "0", "g": "1"})
    damage_packet(video, 7)
    source = open_frames(video)
    pictures = loaded(source)
    assert list(pictures) == [frame.name for frame in source.frames]
    assert [name for name, value in pictures.items() if isinstance(value, str)] == ["00008.png"]
    assert "damaged" in pictures["00008.png"] and ";" in pictures["00008.png"]
    assert list(loaded(source, source.frames[8:10])) == ["00009.png", "00010.png"]


def test_a_video_damaged_at_its_end_reports_that_frame_too(tmp_path):
    video = make_video(tmp_path / "v.mp4", 8, options={"crf": "8", "bf": "0", "g": "1"})
    damage_packet(video, 7)
    assert isinstance(loaded(open_frames(video))["00008.png"], str)


def test_sources_can_be_sent_to_other_processes(folder, tmp_path):
    video = make_video(tmp_path / "v.mp4", 5)
    for source in (open_frames(folder), open_frames(video)):
        again = pickle.loads(pickle.dumps(source))
        assert again.frames == source.frames and len(loaded(again)) == len(source.frames)


def test_what_holds_no_frames_is_named(tmp_path):
    with pytest.raises(NoImagesFound, match="none"):
        open_frames(tmp_path / "none")
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(VideoError, match="text.mp4"):
        open_frames(tmp_path / "text.mp4")
    with pytest.raises(UsageError, match="every"):
        open_frames(tmp_path, every=0)
