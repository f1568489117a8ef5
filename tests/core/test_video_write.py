"""Writing videos: times, sound, colours, and never a half file."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from core.errors import VideoError
from core.video import VideoWriter, probe, read_frames, read_timeline, read_timestamps
from core.video_write import AVX512F
from tests.core.video_maker import audio_packets, decoded_times, make_video, picture

DEMO_CLIP = Path(__file__).parents[2] / "demo" / "dst_man.mp4"
VARIABLE_PTS = [0, 40, 70, 190, 200, 260, 400, 410, 450, 460]  # milliseconds
REFERENCES = {
    "23.976": {"n_frames": 12, "rate": Fraction(24000, 1001)},
    "25": {"n_frames": 12, "rate": Fraction(25)},
    "60": {"n_frames": 12, "rate": Fraction(60)},
    "variable": {"pts": VARIABLE_PTS, "time_base": Fraction(1, 1000)},
    "odd": {"n_frames": 6, "size": (63, 47), "pixel_format": "yuv444p"},
    "turned": {"n_frames": 6, "degrees": 90},
    "late": {"pts": [30, 31, 32, 33]},
    "one frame": {"n_frames": 1},
}


def rewrite(reference, target, **options):
    """Writes the frames of a video again; returns the writer."""
    info = probe(reference)
    with VideoWriter(target, width=info.width, height=info.height, reference=reference,
                     preset="ultrafast", **options) as writer:
        for frame in read_frames(reference):
            writer.write(frame.image)
    return writer


def times(path):
    timeline = read_timeline(path)
    return [tick * timeline.time_base for tick in timeline.pts]


@pytest.mark.parametrize("tracks", [0, 1, 2])
@pytest.mark.parametrize("kind", REFERENCES)
def test_reference_gives_times_duration_size_and_sound(tmp_path, kind, tracks):
    sound = ("aac", "mp3")[:tracks]
    reference = make_video(tmp_path / "reference.mp4", audio=sound, **REFERENCES[kind])
    result = tmp_path / "result.mp4"
    writer = rewrite(reference, result)
    before, after = probe(reference), probe(result)
    start = times(reference)[0] if kind == "late" and not tracks else 0
    assert times(result) == [moment - start for moment in times(reference)]
    assert decoded_times(result) == pytest.approx([float(t) for t in times(result)])
    assert after.n_frames == before.n_frames
    assert after.duration_seconds == pytest.approx(before.duration_seconds, abs=1e-9)
    assert (after.width, after.height, after.rotation) == (before.width, before.height, 0)
    assert audio_packets(result) == audio_packets(reference)
    assert len(audio_packets(result)) == tracks and writer.notes == []


def audio_bytes(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def test_sound_stays_in_step_when_the_whole_reference_starts_late(tmp_path):
    reference = make_video(tmp_path / "reference.ts", 20, audio=("aac",))
    result = tmp_path / "result.mp4"
    rewrite(reference, result)
    gap = [audio_packets(path)[0][0][0] - decoded_times(path)[0] for path in (reference, result)]
    assert gap[0] == pytest.approx(gap[1], abs=1e-4)
    assert min(decoded_times(result)[0], audio_packets(result)[0][0][0]) < 0.1
    # MPEG-TS puts a header of 7 bytes (ADTS) before each AAC packet, which MP4 does without.
    assert audio_bytes(result) == [data[7:] for data in audio_bytes(reference)]


def test_every_container_keeps_frames_and_sound(tmp_path):
    reference = make_video(tmp_path / "reference.mp4", 10, audio=("aac",))
    for suffix in (".mov", ".mkv", ".m4v"):
        result = tmp_path / f"result{suffix}"
        rewrite(reference, result)
        steps = np.diff([float(moment) for moment in times(result)])
        assert steps == pytest.approx([0.04] * 9, abs=1e-3)
        assert [[d for _, d in track] for track in audio_packets(result)] == [
            [d for _, d in track] for track in audio_packets(reference)]


def test_sound_codec_the_container_cannot_hold_becomes_aac_with_a_note(tmp_path):
    reference = make_video(tmp_path / "reference.mkv", 25, audio=("pcm_u8", "aac"))
    result = tmp_path / "result.mp4"
    writer = rewrite(reference, result)
    assert len(writer.notes) == 1 and "pcm_u8" in writer.notes[0]
    info = probe(result)
    assert [track.codec for track in info.audio_streams] == ["aac", "aac"]
    with av.open(str(result)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples / 32000 == pytest.approx(1.0, abs=0.1)


def test_sound_can_be_left_out(tmp_path):
    reference = make_video(tmp_path / "reference.mp4", 5, audio=("aac",))
    rewrite(reference, tmp_path / "result.mp4", audio=False)
    assert probe(tmp_path / "result.mp4").audio_streams == ()


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), 25, 29.97, 60])
def test_constant_rate_without_reference(tmp_path, rate):
    path = tmp_path / "v.mp4"
    with VideoWriter(path, width=64, height=48, frame_rate=rate) as writer:
        for index in range(10):
            writer.write(picture(index))
    info = probe(path)
    assert info.n_frames == 10 and not info.variable_rate
    assert float(info.frame_rate) == pytest.approx(float(rate), rel=1e-6)
    assert info.duration_seconds == pytest.approx(10 / float(rate), rel=1e-3)


def ramp(width=256, height=64):
    """(H, W, 3) uint8: a grey ramp over all levels."""
    return np.repeat(np.arange(width, dtype=np.uint8)[None, :, None], height, 0).repeat(3, 2)


@pytest.mark.parametrize("size", [(256, 64), (256, 1080), (255, 63)])
def test_grey_ramp_comes_back_within_two_levels(tmp_path, size):
    width, height = size
    image = ramp(width, height)
    path = tmp_path / "v.mp4"
    with VideoWriter(path, width=width, height=height, frame_rate=25, crf=4) as writer:
        writer.write(image)
    back = next(read_frames(path)).image
    assert np.abs(back.astype(int) - image).max() <= 2


@pytest.mark.parametrize("bgr", [(0, 0, 255), (255, 0, 0), (0, 255, 0), (40, 120, 220)])
def test_flat_colours_come_back_within_two_levels(tmp_path, bgr):
    image = np.full((64, 64, 3), bgr, np.uint8)
    path = tmp_path / "v.mp4"
    with VideoWriter(path, width=64, height=64, frame_rate=25, crf=4) as writer:
        writer.write(image)
    assert np.abs(next(read_frames(path)).image.astype(int) - bgr).max() <= 2


def test_stored_luma_follows_bt709_as_tagged(tmp_path):
    image = np.full((64, 64, 3), (60, 120, 200), np.uint8)
    path = tmp_path / "v.mp4"
    with VideoWriter(path, width=64, height=64, frame_rate=25, crf=1) as writer:
        writer.write(image)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        context = container.streams.video[0].codec_context
        tags = (context.colorspace, context.color_range, context.color_primaries,
                context.color_trc)
        luma = frame.to_ndarray()[32, 32]  # first H rows of (H * 3 / 2, W) are the luma
    assert tags == (1, 1, 1, 1)  # BT.709 matrix, limited range, BT.709 primaries and transfer
    expected = 16 + 219 / 255 * (0.2126 * 200 + 0.7152 * 120 + 0.0722 * 60)
    assert luma == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("size", [(64, 48), (63, 47)])
def test_lossless_gives_every_byte_back(tmp_path, size):
    rng = np.random.default_rng(7)
    images = rng.integers(0, 256, (4, size[1], size[0], 3), dtype=np.uint8)
    for suffix in ("mp4", "mkv"):
        path = tmp_path / f"v.{suffix}"
        with VideoWriter(path, width=size[0], height=size[1], frame_rate=25,
                         lossless=True) as writer:
            for image in images:
                writer.write(image)
        assert np.array_equal([frame.image for frame in read_frames(path)], images)


def test_odd_size_is_kept_exactly(tmp_path):
    path = tmp_path / "v.mp4"
    with VideoWriter(path, width=33, height=64, frame_rate=25) as writer:
        writer.write(np.zeros((64, 33, 3), np.uint8))
    info = probe(path)
    assert (info.width, info.height, info.pixel_format) == (33, 64, "yuv444p")


def test_bitrate_is_followed(tmp_path):
    rng = np.random.default_rng(3)
    sizes = []
    for bitrate in (200_000, 800_000):
        path = tmp_path / "v.mp4"
        with VideoWriter(path, width=128, height=96, frame_rate=25, bitrate=bitrate) as writer:
            for _ in range(50):
                writer.write(rng.integers(0, 256, (96, 128, 3), dtype=np.uint8))
        sizes.append(path.stat().st_size * 8 / 2)
    assert sizes[1] > 2.5 * sizes[0]


@pytest.mark.parametrize("n_given", [0, 4, 6])
def test_another_number_of_frames_is_refused_and_the_old_file_kept(tmp_path, n_given):
    reference = make_video(tmp_path / "reference.mp4", 5)
    result = tmp_path / "result.mp4"
    result.write_bytes(b"an earlier result")
    with pytest.raises(VideoError, match=f"{n_given} frames.*has 5"):
        with VideoWriter(result, width=64, height=48, reference=reference) as writer:
            for index in range(n_given):
                writer.write(picture(index))
    assert result.read_bytes() == b"an earlier result"
    assert {p.name for p in tmp_path.iterdir()} == {"reference.mp4", "result.mp4"}


@pytest.mark.parametrize("n_given", [0, 3])
def test_failure_in_the_block_leaves_nothing_behind_and_passes_on(tmp_path, n_given):
    with pytest.raises(KeyError, match="mine"):
        with VideoWriter(tmp_path / "v.mp4", width=64, height=48, frame_rate=25) as writer:
            for index in range(n_given):
                writer.write(picture(index))
            raise KeyError("mine")
    assert list(tmp_path.iterdir()) == []


def test_no_frames_at_all_is_an_error(tmp_path):
    with pytest.raises(VideoError, match="no frame"):
        with VideoWriter(tmp_path / "v.mp4", width=64, height=48, frame_rate=25):
            pass
    assert list(tmp_path.iterdir()) == []


def test_wrong_picture_size_and_kind_are_refused(tmp_path):
    for bad in (np.zeros((48, 65, 3), np.uint8), np.zeros((48, 64, 3), np.float32)):
        with pytest.raises(ValueError, match="frame must be"):
            with VideoWriter(tmp_path / "v.mp4", width=64, height=48, frame_rate=25) as writer:
                writer.write(bad)


def test_unknown_container_and_missing_rate_are_refused(tmp_path):
    with pytest.raises(VideoError, match=r"\.mp4"):
        VideoWriter(tmp_path / "v.wmv", width=64, height=48, frame_rate=25)
    with pytest.raises(ValueError):
        VideoWriter(tmp_path / "v.mp4", width=64, height=48)


@pytest.mark.parametrize("tags", [{"title": "Ünï"}, {"title": "x", "facelab_note": "own tag"}])
def test_metadata_and_fast_start_are_in_the_file(tmp_path, tags):
    path = tmp_path / "v.mp4"
    with VideoWriter(path, width=64, height=48, frame_rate=25, metadata=tags) as writer:
        writer.write(picture(0))
    with av.open(str(path)) as container:
        assert {name: container.metadata.get(name) for name in tags} == tags
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_reading_timestamps_of_a_result_needs_no_decoding(tmp_path):
    path = tmp_path / "v.mp4"
    with VideoWriter(path, width=64, height=48, frame_rate=25) as writer:
        for index in range(30):
            writer.write(picture(index))
    assert len(read_timestamps(path)) == 30


@pytest.mark.parametrize("size", [(256, 64), (255, 63)])
def test_deep_video_keeps_a_ramp_within_two_levels_of_10_bits(tmp_path, size):
    width, height = size
    ramp = np.linspace(0, 65535, width).astype(np.uint16)
    image = np.tile(ramp[np.newaxis, :, np.newaxis], (height, 1, 3))
    path = tmp_path / "deep.mp4"
    with VideoWriter(path, width=width, height=height, frame_rate=25, crf=1, deep=True) as writer:
        for _ in range(3):
            writer.write(image)
    info = probe(path)
    assert info.is_deep and info.pixel_format.endswith("10le") and info.n_frames == 3
    got = [frame.image for frame in read_frames(path, deep=True)][1]
    assert got.dtype == np.uint16
    assert np.abs(got.astype(int) - image).max() < 2 * 65535 / 876


def test_pictures_of_the_other_depth_are_refused(tmp_path):
    for deep, kind in ((True, np.uint8), (False, np.uint16)):
        with pytest.raises(ValueError, match="frame must be"):
            with VideoWriter(tmp_path / "x.mp4", width=64, height=48, frame_rate=25,
                             deep=deep) as writer:
                writer.write(np.zeros((48, 64, 3), kind))
    with pytest.raises(ValueError, match="choose deep or lossless"):
        VideoWriter(tmp_path / "x.mp4", width=64, height=48, frame_rate=25, deep=True,
                    lossless=True)


def test_white_and_black_of_16_bits_are_those_of_bt709(tmp_path):
    path = tmp_path / "deep.mp4"
    image = np.zeros((48, 64, 3), np.uint16)
    image[:, 32:] = 65535
    with VideoWriter(path, width=64, height=48, frame_rate=25, crf=0, deep=True) as writer:
        writer.write(image)
    with av.open(str(path)) as container:
        plane = next(container.decode(video=0)).planes[0]
        luma = np.frombuffer(plane, "<u2").reshape(48, -1)
    assert abs(int(luma[24, 8]) - 64) <= 1 and abs(int(luma[24, 56]) - 940) <= 1


def test_the_same_pictures_give_the_same_video(tmp_path):
    """With a height that is no multiple of 16, where x264 looks beyond the picture."""
    pictures = [frame.image for frame in read_frames(DEMO_CLIP, indices=range(6))]
    rng, written = np.random.default_rng(0), set()
    for number in range(12):
        for _ in range(6):  # other contents in the memory that is free again
            rng.integers(0, 256, 3 * 10**6, np.uint8)
        path = tmp_path / f"{number}.mp4"
        with VideoWriter(path, width=960, height=540, frame_rate=25) as writer:
            for image in pictures:
                writer.write(image)
        written.add(path.read_bytes())
    assert len(written) == 1


def test_avx512_is_known_by_its_number():
    assert cv2.getHardwareFeatureName(AVX512F) == "AVX512F"
