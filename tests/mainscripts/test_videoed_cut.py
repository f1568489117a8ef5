"""videoed cut-video on small drawn videos."""

from fractions import Fraction

import numpy as np
import pytest

from core.errors import UsageError
from core.provenance import MODEL_MADE, read_manifest, sign_file
from core.video import probe, read_frames, read_timeline
from mainscripts.videoed_cut import chosen_span, parse_time
from tests.commands import run
from tests.core.video_maker import audio_packets, make_video, picture


def cut(video, result, *words):
    return run("videoed", "cut-video", "--input-file", video, "--output-file", result,
               "--preset", "ultrafast", *words)


@pytest.mark.parametrize("text, seconds", [
    ("0", 0), ("90.5", Fraction(181, 2)), ("1:30.5", Fraction(181, 2)), ("1:00:00", 3600),
    ("0:01:30.250", Fraction(361, 4))])
def test_times_are_read_as_people_write_them(text, seconds):
    assert parse_time("--from-time", text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "1:2:3:4", "soon", "1,5"])
def test_other_words_are_no_times(text):
    with pytest.raises(UsageError, match="--to-time takes seconds"):
        parse_time("--to-time", text)


def test_frames_come_back_exactly_at_their_distances(tmp_path):
    video = make_video(tmp_path / "film.mp4", 30, rate=Fraction(24000, 1001))
    result = tmp_path / "part.mp4"
    assert cut(video, result, "--from-time", "0.5", "--to-time", "1.0", "--lossless").code == 0
    # Frame n begins at n 1001/24000 s: number 12 at 0.5005, number 24 at 1.001.
    wanted = [frame.image for frame in read_frames(video, indices=range(12, 24))]
    got = [frame.image for frame in read_frames(result)]
    assert len(got) == 12 and all(map(np.array_equal, got, wanted))
    times, before = read_timeline(result), read_timeline(video)
    assert times.pts[0] == 0
    assert times.duration_seconds == 12 * Fraction(1001, 24000)
    assert [tick * times.time_base for tick in times.pts] == [
        (tick - before.pts[12]) * before.time_base for tick in before.pts[12:24]]


def test_a_variable_rate_is_kept(tmp_path):
    ticks = [0, 3, 4, 9, 10, 14, 21, 22]
    video = make_video(tmp_path / "film.mp4", 8, pts=ticks, time_base=Fraction(1, 25))
    assert cut(video, tmp_path / "part.mp4", "--from-time", "0.16", "--to-time", "0.84").code == 0
    times = read_timeline(tmp_path / "part.mp4")
    assert [tick * times.time_base for tick in times.pts] == [
        Fraction(tick - 4, 25) for tick in (4, 9, 10, 14)]
    assert times.durations[-1] * times.time_base == Fraction(21 - 14, 25)


@pytest.mark.parametrize("tracks", [(), ("aac",), ("aac", "mp3")])
def test_sound_that_begins_inside_comes_along_packet_by_packet(tmp_path, tracks):
    video = make_video(tmp_path / "film.mp4", 50, audio=tracks)
    result = tmp_path / "part.mp4"
    assert cut(video, result, "--from-time", "0.4", "--to-time", "1.2").code == 0
    assert len(probe(result).audio_streams) == len(tracks)
    for before, after in zip(audio_packets(video), audio_packets(result), strict=True):
        inside = [(time - 0.4, data) for time, data in before if 0.4 <= time < 1.2]
        assert len(inside) > 10
        assert [data for _, data in after] == [data for _, data in inside]
        assert max(abs(a - b) for (a, _), (b, _) in zip(after, inside)) < 0.001
    silent = tmp_path / "silent.mp4"
    assert cut(video, silent, "--from-time", "0.4", "--no-audio").code == 0
    assert probe(silent).audio_streams == ()


def test_a_turned_video_comes_out_upright(tmp_path):
    video = make_video(tmp_path / "film.mp4", 6, degrees=90, size=(64, 48))
    assert cut(video, tmp_path / "part.mp4", "--to-time", "0.12", "--lossless").code == 0
    info = probe(tmp_path / "part.mp4")
    assert (info.width, info.height, info.rotation, info.n_frames) == (48, 64, 0, 3)
    first = next(iter(read_frames(tmp_path / "part.mp4"))).image
    assert np.abs(first.astype(int) - np.rot90(picture(0))).mean() < 3  # counter-clockwise


def test_the_end_is_that_of_the_video_and_the_name_follows_it(tmp_path):
    video = make_video(tmp_path / "film.mp4", 20)
    outcome = run("videoed", "cut-video", "--input-file", tmp_path / "film.*", "--from-time", "0.6")
    assert outcome.code == 0
    assert probe(tmp_path / "film_cut.mp4").n_frames == 5
    event = outcome.event("video_cut")
    assert (event["first"], event["end"], event["signed"]) == (15, 20, False)
    assert video.exists()


def test_a_part_of_a_marked_video_is_marked_alike(tmp_path):
    video = make_video(tmp_path / "film.mp4", 20)
    sign_file(video, source_type=MODEL_MADE)
    assert cut(video, tmp_path / "part.mp4", "--to-time", "0.4").code == 0
    manifest = read_manifest(tmp_path / "part.mp4")
    assert manifest.is_valid and manifest.digital_source_type == MODEL_MADE
    assert manifest.actions == ("c2pa.opened", "c2pa.edited")
    refused = cut(video, tmp_path / "part.mkv", "--to-time", "0.4")
    assert refused.code == 2 and "is signed and its part must be too" in refused.error()


@pytest.mark.parametrize("words, code, told", [
    (("--from-time", "5"), 1, "no frame begins between 5 and its end; it is 0.80 s long"),
    (("--from-time", "0.5", "--to-time", "0.5"), 2, "--to-time 0.5 is not after"),
    (("--to-time", "later"), 2, "takes seconds or hours:minutes:seconds"),
])
def test_times_that_hold_nothing_are_told(tmp_path, words, code, told):
    video = make_video(tmp_path / "film.mp4", 20)
    outcome = cut(video, tmp_path / "part.mp4", *words)
    assert outcome.code == code and told in outcome.error()
    assert not (tmp_path / "part.mp4").exists()


def test_nothing_is_overwritten_unasked(tmp_path):
    video = make_video(tmp_path / "film.mp4", 20)
    result = tmp_path / "part.mp4"
    result.write_bytes(b"earlier work")
    outcome = cut(video, result, "--to-time", "0.4")
    assert outcome.code == 2 and "exists already" in outcome.error()
    assert result.read_bytes() == b"earlier work"
    assert cut(video, result, "--to-time", "0.4", "--overwrite").code == 0
    assert probe(result).n_frames == 10
    itself = cut(video, video, "--overwrite")
    assert itself.code == 2 and "is the input itself" in itself.error()


def test_times_of_few_digits_mean_the_frame_they_were_read_from(tmp_path):
    timeline = read_timeline(make_video(tmp_path / "film.mp4", 60, rate=Fraction(24000, 1001)))
    for index in (1, 7, 24, 59):
        seconds = f"{float(timeline.pts[index] * timeline.time_base):.2f}"
        assert chosen_span(timeline, seconds, None, tmp_path)[0] == index
