"""Parts of a video put together."""

from fractions import Fraction

import av
import numpy as np
import pytest

from core.errors import VideoError
from core.video import VideoWriter, probe, read_frames, read_timeline
from core.video_join import join_parts
from tests.core.video_maker import audio_packets, make_video

VARIABLE = [0, 2, 3, 7, 8, 9, 13, 14, 15, 20, 21, 23, 30, 31, 32, 33, 40, 44, 45, 46]


def moving(index, width=64, height=48):
    """A picture that x264 finds worth B-frames: a bright square that moves."""
    image = np.full((height, width, 3), 60, np.uint8)
    image[10:22, 2 * index: 2 * index + 12] = (40, 120, 230)
    return image


def write_parts(folder, reference, borders, **settings):
    parts = []
    for first, end in zip(borders, borders[1:]):
        parts.append(folder / f"part-{first}.mp4")
        with VideoWriter(parts[-1], width=64, height=48, reference=reference, span=(first, end),
                         audio=False, **settings) as writer:
            for index in range(first, end):
                writer.write(moving(index))
    return parts


@pytest.mark.parametrize("borders", [(0, 20), (0, 7, 20), (0, 1, 2, 11, 20)])
@pytest.mark.parametrize("pts", [None, VARIABLE], ids=["constant", "variable"])
def test_frames_times_and_sound_are_those_of_one_video(tmp_path, borders, pts):
    reference = make_video(tmp_path / "dst.mp4", 20, rate=Fraction(24000, 1001), pts=pts,
                           audio=("aac", "mp3"))
    parts = write_parts(tmp_path, reference, borders, crf=1)
    result = tmp_path / "result.mp4"
    assert join_parts(parts, result, reference, metadata={"title": "joined"}) == []
    times, wanted = read_timeline(result), read_timeline(reference)
    assert [tick * times.time_base for tick in times.pts] == [
        tick * wanted.time_base for tick in wanted.pts]
    assert times.duration_seconds == wanted.duration_seconds
    assert audio_packets(result) == audio_packets(reference)
    frames = [frame.image for frame in read_frames(result)]
    apart = [frame.image for part in parts for frame in read_frames(part)]
    assert len(frames) == 20 and all(map(np.array_equal, frames, apart))
    assert max(np.abs(frame.astype(int) - moving(index)).mean()
               for index, frame in enumerate(frames)) < 3
    with av.open(str(result)) as container:
        assert container.metadata["title"] == "joined"
        packets = [packet for packet in container.demux(video=0) if packet.size]
    decoding = [packet.dts for packet in packets]
    assert decoding == sorted(set(decoding))
    assert all(packet.dts <= packet.pts for packet in packets)


def test_frames_are_shown_in_another_order_than_they_are_decoded(tmp_path):
    """Else the tests above would say nothing about the times of decoding."""
    reference = make_video(tmp_path / "dst.mp4", 20)
    (part,) = write_parts(tmp_path, reference, (0, 20))
    with av.open(str(part)) as container:
        shown = [packet.pts for packet in container.demux(video=0) if packet.size]
    assert shown != sorted(shown)


@pytest.mark.parametrize("suffix", [".mov", ".mkv"])
def test_other_containers(tmp_path, suffix):
    reference = make_video(tmp_path / "dst.mp4", 20, audio=("aac",))
    result = tmp_path / f"result{suffix}"
    join_parts(write_parts(tmp_path, reference, (0, 9, 20)), result, reference)
    info = probe(result)
    assert info.n_frames == 20 and len(info.audio_streams) == 1
    join_parts(write_parts(tmp_path, reference, (0, 9, 20)), result, reference, audio=False)
    assert probe(result).audio_streams == ()


def test_missing_parts_are_told_and_nothing_is_replaced(tmp_path):
    reference = make_video(tmp_path / "dst.mp4", 20)
    parts = write_parts(tmp_path, reference, (0, 9, 20))
    result = tmp_path / "result.mp4"
    result.write_bytes(b"earlier")
    with pytest.raises(VideoError, match="its parts hold 9 frames, but .*dst.mp4 has 20"):
        join_parts(parts[:1], result, reference)
    parts[1].write_bytes(parts[1].read_bytes()[:300])
    with pytest.raises(VideoError):
        join_parts(parts, result, reference)
    assert result.read_bytes() == b"earlier"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
