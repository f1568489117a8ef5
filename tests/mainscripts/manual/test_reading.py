import numpy as np
import pytest

from core.frames import Frame, VideoFrames, open_frames
from core.imaging.io import write_image
from core.pipeline import Failed
from core.shots import signature
from mainscripts.manual.reading import N_KEPT, FrameReader


class CountingSource:
    """Forty frames, number 7 damaged; counts where reading began."""

    path = "clip.mp4"
    frames = tuple(Frame(index, f"{index + 1:05d}.png") for index in range(40))

    def __init__(self):
        self.begun, self.decoded = [], []

    def read(self, frames):
        self.begun.append(frames[0].index)
        for frame in frames:
            self.decoded.append(frame.index)
            if frame.index == 7:
                yield frame.name, Failed(frame.name, OSError("torn"))
            else:
                image = np.full((9, 16, 3), frame.index, np.uint8)
                yield frame.name, (frame, lambda image=image: image)


@pytest.fixture
def source():
    return CountingSource()


@pytest.fixture
def reader(source):
    reader = FrameReader(source)
    yield reader
    reader.close()


def test_frames_in_order_are_read_in_one_go(source, reader):
    assert [int(reader.picture(n)[0, 0, 0]) for n in (0, 1, 2, 5)] == [0, 1, 2, 5]
    assert source.begun == [0] and source.decoded == [0, 1, 2, 3, 4, 5]


def test_going_back_or_far_ahead_seeks(source, reader):
    for number in (0, 39, 20, 21):
        assert reader.picture(number)[0, 0, 0] == number
    assert source.begun == [0, 39, 20]


def test_the_last_pictures_stay_at_hand(source, reader):
    for number in range(N_KEPT):
        reader.picture(8 + number)
    reader.picture(8)
    reader.picture(30)  # sends away the one that was not asked for longest: 9
    assert source.begun == [8]
    reader.picture(8)
    assert source.begun == [8]
    reader.picture(9)
    assert source.begun == [8, 9]


def test_a_frame_that_cannot_be_read_is_named_and_the_others_come(source, reader):
    assert reader.picture(7) is None and reader.signature(7) is None
    assert reader.failed == {"00008.png": "torn"}
    assert reader.picture(8)[0, 0, 0] == 8


def test_signatures_stay_when_pictures_go(source, reader):
    for number in range(10, 10 + N_KEPT + 2):
        reader.picture(number)
    np.testing.assert_array_equal(reader.signature(10), np.full((9, 16, 3), 10))
    assert source.begun == [10]
    assert (reader.signature(3) == 3).all()


def test_folders_and_videos_are_read_alike(clips, framed):
    folder = open_frames(framed.path("data_src"))
    video = open_frames(clips["src"])
    assert isinstance(video, VideoFrames)
    readers = FrameReader(folder), FrameReader(video)
    for number in (3, 4, 11, 0):
        one, other = (reader.picture(number) for reader in readers)
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(readers[1].signature(number), signature(one))
    for reader in readers:
        reader.close()


def test_a_damaged_file_is_one_line(tmp_path):
    write_image(tmp_path / "1.png", np.zeros((9, 16, 3), np.uint8))
    (tmp_path / "2.png").write_bytes(b"no picture")
    reader = FrameReader(open_frames(tmp_path))
    assert reader.picture(1) is None and reader.picture(0).shape == (9, 16, 3)
    assert "2.png" in reader.failed["2.png"] and "\n" not in reader.failed["2.png"]
