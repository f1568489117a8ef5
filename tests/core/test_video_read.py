"""Reading videos: frames, times, colours, orientation, damage."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from core.errors import VideoError
from core.video import probe, read_frames, read_timeline, read_timestamps
from tests.core.video_maker import damage_packet, decoded_times, make_video, picture

DST = Path(__file__).parents[2] / "demo" / "dst_man.mp4"
RATES = {"23.976": Fraction(24000, 1001), "25": Fraction(25), "60": Fraction(60)}
VARIABLE_PTS = [0, 40, 70, 190, 200, 260, 400, 410, 450, 460]  # milliseconds


def level(image):
    """Median grey level away from the red corner."""
    height, width = image.shape[:2]
    return float(np.median(image[height // 2:, width // 2:]))


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
def test_constant_rate_is_probed_exactly(tmp_path, rate):
    info = probe(make_video(tmp_path / "v.mp4", 12, rate=rate))
    assert info.frame_rate == rate and not info.variable_rate
    assert info.n_frames == 12 and (info.width, info.height) == (64, 48)
    assert info.duration_seconds == pytest.approx(12 / rate, abs=1e-3)
    assert info.audio_streams == ()


def test_variable_rate_keeps_every_time(tmp_path):
    path = make_video(tmp_path / "v.mp4", pts=VARIABLE_PTS, time_base=Fraction(1, 1000))
    info = probe(path)
    times = [frame.pts * info.time_base for frame in read_frames(path)]
    assert times == [Fraction(tick, 1000) for tick in VARIABLE_PTS]
    assert info.variable_rate


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "mov", "ts", "h264"])
def test_timestamps_agree_with_decoding_in_every_container(tmp_path, suffix):
    path = make_video(tmp_path / f"v.{suffix}", 30)
    base = read_timeline(path).time_base
    times = [float(tick * base) for tick in read_timestamps(path)]
    if suffix in ("avi", "h264"):  # these store no times of display; their rate is constant
        assert times == [i / 25 for i in range(30)]
    else:
        assert times == decoded_times(path)
    frames = list(read_frames(path))
    assert [frame.pts for frame in frames] == read_timestamps(path)
    assert [frame.index for frame in frames] == list(range(30))
    assert np.abs([level(f.image) - picture(f.index)[-1, -1, 0] for f in frames]).max() <= 3
    last = list(read_frames(path, start=28))
    assert [(frame.index, frame.pts) for frame in last] == [(f.index, f.pts) for f in frames[28:]]


def test_frames_come_in_display_order_with_the_right_pictures(tmp_path):
    path = make_video(tmp_path / "v.mp4", 30, options={"crf": "8", "bf": "3"})
    levels = [level(frame.image) for frame in read_frames(path)]
    assert np.abs(np.array(levels) - [picture(i)[-1, -1, 0] for i in range(30)]).max() <= 2


@pytest.mark.parametrize("start", [0, 1, 37, 120, 213])
def test_start_and_every_give_the_same_pictures_as_reading_all(start):
    wanted = list(range(start, 214, 50))
    frames = list(read_frames(DST, start=start, every=50))
    assert [frame.index for frame in frames] == wanted
    with av.open(str(DST)) as container:
        reference = next(f for i, f in enumerate(container.decode(video=0)) if i == wanted[0])
    grey = reference.to_ndarray(format="gray").astype(float)  # luma stretched to 0..255
    luma = frames[0].image @ np.array([0.114, 0.587, 0.299])
    assert np.abs(luma - grey).mean() < 1


def test_start_past_the_end_and_bad_steps_are_refused(tmp_path):
    path = make_video(tmp_path / "v.mp4", 5)
    with pytest.raises(VideoError, match="5 frames"):
        next(read_frames(path, start=5))
    with pytest.raises(ValueError):
        next(read_frames(path, every=0))


# Counter-clockwise turn of the matrix -> where the red upper left corner is shown.
TURNS = {0: (0, 0), 90: (-1, 0), 180: (-1, -1), 270: (0, -1)}


@pytest.mark.parametrize("degrees", TURNS)
def test_display_matrix_turns_the_picture_upright(tmp_path, degrees):
    path = make_video(tmp_path / "v.mp4", 3, degrees=degrees)
    image = next(read_frames(path)).image
    info = probe(path)
    assert image.shape == ((64, 48, 3) if degrees in (90, 270) else (48, 64, 3))
    assert (info.height, info.width) == image.shape[:2]
    assert info.rotation == -degrees % 360
    row, column = TURNS[degrees]
    assert image[2 if row == 0 else -3, 2 if column == 0 else -3, 2] > 240
    corners = image[[2, 2, -3, -3], [2, -3, 2, -3], 2]
    assert (corners > 240).sum() == 1


BGR = np.array([60.0, 120.0, 200.0])
LUMA_WEIGHTS = {1: (0.2126, 0.0722), 5: (0.299, 0.114)}  # H.273: matrix -> red, blue


def yuv_by_hand(matrix, full):
    """(3,) luma and two colour differences of BGR, 8 bit, by the equations of H.273."""
    red_weight, blue_weight = LUMA_WEIGHTS[matrix]
    luma = BGR @ [blue_weight, 1 - red_weight - blue_weight, red_weight]
    blue_difference = (BGR[0] - luma) / (2 * (1 - blue_weight))
    red_difference = (BGR[2] - luma) / (2 * (1 - red_weight))
    if full:
        return luma, 128 + blue_difference, 128 + red_difference
    return (16 + luma * 219 / 255, 128 + blue_difference * 224 / 255,
            128 + red_difference * 224 / 255)


def write_flat(path, values, *, size=(64, 48), pixel_format="yuv420p", matrix, color_range):
    """Writes one lossless frame whose planes are flat, with the given tags."""
    depth = 4 if pixel_format.endswith("10le") else 1
    dtype = np.uint16 if depth == 4 else np.uint8
    frame = av.VideoFrame(*size, pixel_format)
    for plane, value in zip(frame.planes, values):
        plane.update(np.full(plane.buffer_size // dtype().itemsize, round(value * depth), dtype))
    frame.colorspace, frame.color_range = matrix, color_range
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"qp": "0"})
        (stream.width, stream.height), stream.pix_fmt = size, pixel_format
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, color_range
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p", "yuv420p10le", "yuvj420p"])
@pytest.mark.parametrize("matrix", LUMA_WEIGHTS)
def test_tagged_matrix_and_range_are_undone(tmp_path, pixel_format, matrix):
    full = pixel_format.startswith("yuvj")
    path = tmp_path / "v.mkv"
    write_flat(path, yuv_by_hand(matrix, full), pixel_format=pixel_format, matrix=matrix,
               color_range=2 if full else 1)
    assert np.abs(next(read_frames(path)).image - BGR).max() <= 2


@pytest.mark.parametrize("size, matrix", [((64, 48), 5), ((1280, 16), 1), ((64, 720), 1),
                                          ((64, 576), 5)])
def test_untagged_video_is_bt709_from_hd_size_on(tmp_path, size, matrix):
    path = tmp_path / "v.mkv"
    write_flat(path, yuv_by_hand(matrix, False), size=size, matrix=2, color_range=0)
    assert np.abs(next(read_frames(path)).image - BGR).max() <= 2


def test_missing_empty_and_foreign_files_are_errors_of_one_line(tmp_path):
    text = tmp_path / "text.mp4"
    text.write_text("not a video")
    (tmp_path / "empty.mp4").touch()
    for path in (tmp_path / "nowhere.mp4", text, tmp_path / "empty.mp4", tmp_path):
        with pytest.raises(VideoError) as caught:
            read_timestamps(path)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_sound_without_picture_is_an_error(tmp_path):
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        track = container.add_stream("aac", rate=32000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 32000), np.int16), "s16", "mono")
        frame.sample_rate = 32000
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    with pytest.raises(VideoError, match="no video stream"):
        probe(path)


def test_video_without_frames_is_an_error(tmp_path):
    path = tmp_path / "v.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    with pytest.raises(VideoError, match="v.mp4"):
        probe(path)


@pytest.mark.parametrize("damaged_index", [0, 7, 19])
def test_undecodable_frame_is_left_out_and_reported(tmp_path, damaged_index):
    path = make_video(tmp_path / "v.mov", 20, codec="mjpeg", pixel_format="yuvj420p",
                      options={"qscale": "2"})
    damage_packet(path, damaged_index)
    damaged = []
    frames = list(read_frames(path, on_damage=damaged.append))
    assert [frame.index for frame in frames] == [i for i in range(20) if i != damaged_index]
    assert [record.index for record in damaged] == [damaged_index]
    assert damaged[0].pts == read_timestamps(path)[damaged_index] and damaged[0].reason
    for frame in frames:
        assert abs(level(frame.image) - picture(frame.index)[-1, -1, 0]) <= 3


def test_random_damage_of_h264_never_crashes_and_accounts_for_every_frame(tmp_path):
    path = make_video(tmp_path / "v.mp4", 40, options={"crf": "8", "g": "10"})
    whole = path.read_bytes()
    header = whole.index(b"mdat") + 4
    end = len(whole) if whole.index(b"moov") < header else whole.index(b"moov") - 4
    rng = np.random.default_rng(4)
    for _ in range(4):
        data = bytearray(whole)
        for place in rng.integers(header, end, 25):
            data[place] = rng.integers(256)
        path.write_bytes(bytes(data))
        damaged = []
        seen = [frame.index for frame in read_frames(path, on_damage=damaged.append)]
        assert sorted(seen + [record.index for record in damaged]) == list(range(40))


def test_truncated_file_gives_its_readable_part(tmp_path):
    path = make_video(tmp_path / "v.mkv", 40)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    timestamps = read_timestamps(path)
    damaged = []
    frames = list(read_frames(path, on_damage=damaged.append))
    assert 0 < len(frames) < 40 and len(frames) + len(damaged) == len(timestamps)


RAMP = np.linspace(0, 65535, 1024).astype(np.uint16)  # every level of 10 bits, nearly


def write_ramp(path):
    """A 10-bit grey ramp, lossless but for the rounding to 10 bits of limited range."""
    luma = np.rint(64 + RAMP / 65535 * 876).astype(np.uint16)
    frame = av.VideoFrame(1024, 16, "yuv444p10le")
    for plane, values in zip(frame.planes, (luma, np.full(1024, 512), np.full(1024, 512))):
        plane.update(np.tile(values.astype("<u2"), (16, 1)))
    frame.colorspace, frame.color_range = 1, 1
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 1024, 16, "yuv444p10le"
        stream.codec_context.colorspace, stream.codec_context.color_range = 1, 1
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_deep_reading_keeps_the_levels_between_those_of_8_bits(tmp_path):
    video = write_ramp(tmp_path / "ramp.mp4")
    assert probe(video).is_deep
    deep = next(read_frames(video, deep=True)).image
    assert deep.shape == (16, 1024, 3) and deep.dtype == np.uint16
    step = 65535 / 876  # of luma in 10 bits
    assert np.abs(deep[8].astype(float) - RAMP[:, np.newaxis]).max() < step
    assert len(np.unique(deep[8])) > 850
    shallow = next(read_frames(video)).image
    assert shallow.dtype == np.uint8
    assert np.abs(shallow.astype(float) * 257 - deep).max() < 257


def test_deep_reading_of_8_bits_gives_8_bits(tmp_path):
    video = make_video(tmp_path / "film.mp4", 2)
    assert not probe(video).is_deep
    pairs = zip(read_frames(video), read_frames(video, deep=True))
    assert all(np.array_equal(a.image, b.image) and b.image.dtype == np.uint8 for a, b in pairs)


def test_an_index_past_the_end_is_refused(tmp_path):
    video = make_video(tmp_path / "film.mp4", 4)
    with pytest.raises(VideoError, match="has 4 frames, none with index 7"):
        list(read_frames(video, indices=[1, 7]))
