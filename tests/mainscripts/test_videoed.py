"""videoed through the command line's own entry point, on small drawn videos."""

import json
import shutil
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

import main
from core.errors import UsageError
from core.paths import image_paths
from core.prompt import ScriptedPrompter
from core.provenance import read_manifest
from core.report import SilentReporter
from core.video import Timeline, probe, read_frames, read_timeline
from mainscripts.videoed import (
    ExtractVideoOptions,
    VideoFromSequenceOptions,
    extract_video,
    video_from_sequence,
)
from mainscripts.videoed_extract import chosen_indices
from tests.core.video_maker import audio_packets, decoded_times, make_video, picture


def videoed(*words, prompter=None):
    """Runs main.py videoed; returns (exit code, events)."""
    reporter = SilentReporter()
    code = main.main(["videoed", *map(str, words)], reporter=reporter,
                     prompter=prompter or ScriptedPrompter({}))
    return code, reporter.events


def extract(video, folder, *words):
    return videoed("extract-video", "--input-file", video, "--output-dir", folder, *words)


def assemble(folder, result, *words):
    return videoed("video-from-sequence", "--input-dir", folder, "--output-file", result,
                   "--preset", "ultrafast", *words)


def error(events):
    """The one error line of a run."""
    (event,) = [event for event in events if event["event"] == "error"]
    assert "\n" not in event["message"]
    return event["message"]


def test_there_and_back_keeps_frames_times_and_sound(tmp_path):
    video = make_video(tmp_path / "data_dst.mp4", 20, rate=Fraction(24000, 1001),
                       audio=("aac", "mp3"))
    assert extract(video, tmp_path / "data_dst")[0] == 0
    names = [path.name for path in image_paths(tmp_path / "data_dst")]
    assert names == [f"{number:05d}.png" for number in range(1, 21)]
    result = tmp_path / "new folder" / "result.mp4"
    code, _ = assemble(tmp_path / "data_dst", result, "--include-audio",
                       "--reference-file", tmp_path / "data_dst.*")
    assert code == 0
    assert decoded_times(result) == decoded_times(video)
    assert probe(result).duration_seconds == pytest.approx(probe(video).duration_seconds, abs=1e-9)
    assert audio_packets(result) == audio_packets(video) and len(audio_packets(result)) == 2
    assert read_manifest(result).state == "trusted"
    assert read_manifest(result).actions == ("c2pa.opened", "c2pa.edited")


def test_png_holds_exactly_the_decoded_frames_and_jpg_nearly(tmp_path):
    video = make_video(tmp_path / "v.mp4", 5)
    extract(video, tmp_path / "png")
    extract(video, tmp_path / "jpg", "--output-ext", "jpg")
    for frame in read_frames(video):
        name = f"{frame.index + 1:05d}"
        assert np.array_equal(cv2.imread(str(tmp_path / "png" / f"{name}.png")), frame.image)
        jpg = cv2.imread(str(tmp_path / "jpg" / f"{name}.jpg")).astype(int)
        assert np.abs(jpg - frame.image).mean() < 2


def test_format_and_rate_are_asked_when_not_given(tmp_path):
    video = make_video(tmp_path / "v.mp4", 10)
    prompter = ScriptedPrompter({"output_ext": "jpg", "fps": 12.5})
    code, _ = videoed("extract-video", "--input-file", video, "--output-dir", tmp_path / "f",
                      prompter=prompter)
    assert code == 0 and prompter.asked == ["output_ext", "fps"]
    assert [path.suffix for path in image_paths(tmp_path / "f")] == [".jpg"] * 5


def test_interrupted_extraction_is_resumed(tmp_path):
    video = make_video(tmp_path / "v.mp4", 12)
    folder = tmp_path / "frames"
    extract(video, folder)
    whole = {path.name: path.read_bytes() for path in image_paths(folder)}
    (folder / "00003.png").unlink()
    (folder / "00011.png").write_bytes(whole["00011.png"][:100])
    kept = folder / "00005.png"
    kept_time = kept.stat().st_mtime_ns
    report = extract_video(ExtractVideoOptions(video, folder), SilentReporter())
    assert (report.n_frames, report.n_written, report.n_kept) == (12, 2, 10)
    assert {path.name: path.read_bytes() for path in image_paths(folder)} == whole
    assert kept.stat().st_mtime_ns == kept_time


def test_a_copy_of_the_video_continues_and_another_of_its_name_and_size_does_not(tmp_path):
    video = make_video(tmp_path / "v.mp4", 6)
    extract(video, tmp_path / "f")
    data = video.read_bytes()
    video.unlink()
    video.write_bytes(data)  # a new date, as after copying
    code, events = extract(video, tmp_path / "f")
    assert code == 0 and "6 were there already" in events[-1]["message"]
    video.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    code, events = extract(video, tmp_path / "f")
    assert code == 2 and "another video" in error(events)


def test_record_names_the_video_and_the_time_of_each_image(tmp_path):
    video = make_video(tmp_path / "v.mp4", 10)
    extract(video, tmp_path / "f", "--every", "3")
    record = json.loads((tmp_path / "f" / "frames.json").read_text())
    assert record["source"]["name"] == "v.mp4"
    assert record["source"]["bytes"] == video.stat().st_size
    assert record["indices"] == [0, 3, 6, 9]
    seconds = [tick * Fraction(record["time_base"]) for tick in record["pts"]]
    assert seconds == [Fraction(index, 25) for index in (0, 3, 6, 9)]
    assert len(image_paths(tmp_path / "f")) == 4


def test_folder_with_other_images_is_refused_and_left_alone(tmp_path):
    video = make_video(tmp_path / "v.mp4", 4)
    other = make_video(tmp_path / "other.mp4", 4)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    cv2.imwrite(str(foreign / "holiday.png"), picture(0))
    code, events = extract(video, foreign)
    assert code == 2 and "1 images that were not extracted" in error(events)
    assert [path.name for path in foreign.iterdir()] == ["holiday.png"]

    extract(video, tmp_path / "f")
    before = {path: path.read_bytes() for path in (tmp_path / "f").iterdir()}
    for words, told in (((other,), "another video"), ((video, "--every", "2"), "other options")):
        code, events = extract(words[0], tmp_path / "f", *words[1:])
        assert code == 2 and told in error(events)
    assert {path: path.read_bytes() for path in (tmp_path / "f").iterdir()} == before


def test_damaged_record_is_refused(tmp_path):
    video = make_video(tmp_path / "v.mp4", 4)
    extract(video, tmp_path / "f")
    (tmp_path / "f" / "frames.json").write_text("{")
    code, events = extract(video, tmp_path / "f")
    assert code == 2 and "frames.json" in error(events)


@pytest.mark.parametrize("fps, expected", [
    (0, range(25)), (25, range(25)), (100, range(25)), (5, range(0, 25, 5)), (1, [0]),
    # 10 per second of 25: frames shown at 0, 0.1, 0.2, ... s, that is 0, 2.5, 5, 7.5 ...
    (10, [0, 2, 5, 7, 10, 12, 15, 17, 20, 22]),
])
def test_rate_picks_the_frames_shown_at_its_ticks(tmp_path, fps, expected):
    timeline = read_timeline(make_video(tmp_path / "v.mp4", 25))
    assert chosen_indices(timeline, fps, 1) == list(expected)
    assert chosen_indices(timeline, fps, 3) == list(expected)[::3]


def test_rate_of_a_variable_video_follows_its_times():
    timeline = Timeline(Fraction(1, 1000), (0, 10, 500, 510, 900), 40)
    # Shown at 0, 0.25, 0.5, 0.75 s: frames 0, 1 (from 10 ms on), 2 (at 500 ms), 3.
    assert chosen_indices(timeline, 4, 1) == [0, 1, 2, 3]


def test_damaged_frame_leaves_its_number_free_and_can_be_filled(tmp_path):
    video = make_video(tmp_path / "v.mov", 8, codec="mjpeg", pixel_format="yuvj420p",
                       options={"qscale": "2"})
    with av.open(str(video)) as container:
        packet = [p for p in container.demux(video=0) if p.size][4]
        place, size = packet.pos, packet.size
    data = bytearray(video.read_bytes())
    data[place:place + size] = bytes(size)
    video.write_bytes(bytes(data))

    code, events = extract(video, tmp_path / "f")
    assert code == 0
    assert any("00005.png" in event["message"] for event in events if event["event"] == "warning")
    assert not (tmp_path / "f" / "00005.png").exists()
    assert (tmp_path / "f" / "00006.png").exists()
    assert json.loads((tmp_path / "f" / "frames.json").read_text())["damaged"] == [5]

    result = tmp_path / "result.mp4"
    code, events = assemble(tmp_path / "f", result, "--reference-file", video)
    assert code == 1 and "--fill-gaps" in error(events) and not result.exists()
    assert assemble(tmp_path / "f", result, "--reference-file", video, "--fill-gaps")[0] == 0
    images = [frame.image for frame in read_frames(result)]
    assert len(images) == 8 and np.abs(images[4].astype(int) - images[3]).mean() < 2
    assert np.abs(images[5].astype(int) - images[4]).mean() > 2


def test_too_small_disk_is_found_before_the_work(tmp_path, monkeypatch):
    video = make_video(tmp_path / "v.mp4", 4)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    code, events = extract(video, tmp_path / "f")
    assert code == 1 and "free" in error(events)
    assert image_paths(tmp_path / "f") == []


def write_images(folder, n_images, suffix=".png", size=(64, 48)):
    folder.mkdir(exist_ok=True)
    for index in range(n_images):
        cv2.imwrite(str(folder / f"{index + 1}{suffix}"), picture(index, *size))
    return folder


def test_images_are_sorted_by_their_numbers(tmp_path):
    folder = write_images(tmp_path / "merged", 12)  # 1.png ... 12.png without leading zeros
    assert assemble(folder, tmp_path / "v.mp4", "--fps", "10")[0] == 0
    info = probe(tmp_path / "v.mp4")
    assert info.n_frames == 12 and info.frame_rate == 10
    levels = [frame.image[-1, -1, 0] for frame in read_frames(tmp_path / "v.mp4")]
    assert levels == sorted(levels)


def test_lossless_keeps_every_pixel_and_odd_sizes(tmp_path):
    folder = tmp_path / "masks"
    folder.mkdir()
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (3, 47, 63), dtype=np.uint8)
    for index, image in enumerate(images):
        cv2.imwrite(str(folder / f"{index:05d}.png"), image)
    assert assemble(folder, tmp_path / "v.mp4", "--lossless", "--mask", "--fps", "25")[0] == 0
    back = np.array([frame.image for frame in read_frames(tmp_path / "v.mp4")])
    assert np.array_equal(back, np.repeat(images[..., None], 3, 3))
    assert read_manifest(tmp_path / "v.mp4").state == "trusted"


def test_existing_result_is_only_replaced_when_told(tmp_path):
    folder = write_images(tmp_path / "merged", 3)
    result = tmp_path / "result.mp4"
    result.write_bytes(b"weeks of work")
    code, events = assemble(folder, result, "--fps", "25")
    assert code == 2 and "--overwrite" in error(events)
    cv2.imwrite(str(folder / "3.png"), picture(2, 32, 48))
    code, events = assemble(folder, result, "--fps", "25", "--overwrite")
    assert code == 1 and "3.png" in error(events)
    assert result.read_bytes() == b"weeks of work"
    cv2.imwrite(str(folder / "3.png"), picture(2))
    assert assemble(folder, result, "--fps", "25", "--overwrite")[0] == 0
    assert probe(result).n_frames == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["merged", "result.mp4"]


def test_another_number_of_images_than_frames_is_refused_before_encoding(tmp_path):
    video = make_video(tmp_path / "dst.mp4", 5)
    folder = write_images(tmp_path / "merged", 7)
    code, events = assemble(folder, tmp_path / "v.mp4", "--reference-file", video)
    assert code == 1 and "7 images" in error(events) and "5 frames" in error(events)
    assert not (tmp_path / "v.mp4").exists()


def test_unreadable_image_stops_the_video(tmp_path):
    folder = write_images(tmp_path / "merged", 5)
    (folder / "4.png").write_bytes(b"\x89PNG broken")
    code, events = assemble(folder, tmp_path / "v.mp4", "--fps", "25")
    assert code == 1 and "4.png" in error(events)
    assert not (tmp_path / "v.mp4").exists()


def test_suffix_chooses_among_several_kinds(tmp_path):
    folder = write_images(tmp_path / "merged", 3)
    write_images(folder, 5, ".jpg")
    code, events = assemble(folder, tmp_path / "v.mp4", "--fps", "25")
    assert code == 2 and "--ext" in error(events)
    assert assemble(folder, tmp_path / "v.mp4", "--fps", "25", "--ext", "jpg")[0] == 0
    assert probe(tmp_path / "v.mp4").n_frames == 5
    assert assemble(folder, tmp_path / "w.mp4", "--fps", "25", "--ext", "bmp")[0] == 2


def test_rate_is_asked_only_without_a_reference(tmp_path):
    folder = write_images(tmp_path / "merged", 4)
    video = make_video(tmp_path / "dst.mp4", 4)
    prompter = ScriptedPrompter({"fps": 12})
    words = ("video-from-sequence", "--input-dir", folder, "--output-file")
    assert videoed(*words, tmp_path / "a.mp4", prompter=prompter)[0] == 0
    assert prompter.asked == ["fps"] and probe(tmp_path / "a.mp4").frame_rate == 12
    prompter = ScriptedPrompter({})
    assert videoed(*words, tmp_path / "b.mp4", "--reference-file", video, prompter=prompter)[0] == 0
    assert prompter.asked == []


def test_one_config_section_serves_both_actions(tmp_path):
    video = make_video(tmp_path / "v.mp4", 6)
    config = tmp_path / "facelab.toml"
    config.write_text('[videoed]\nevery = 2\nlossless = true\noutput_ext = "png"\nfps = 0.5\n')
    code, events = extract(video, tmp_path / "f", "--config", config, "--fps", "0")
    assert code == 0 and len(image_paths(tmp_path / "f")) == 3
    config.write_text("[videoed]\nevry = 2\n")
    code, events = extract(video, tmp_path / "g", "--config", config)
    assert code == 2 and "every" in error(events)


@pytest.mark.parametrize("words, told", [
    (["extract-video"], "--input-file"),
    (["extract-video", "--input-file", "none.mp4"], "--output-dir"),
    (["extract-video", "--input-file", "none.mp4", "--output-dir", "x"], "none.mp4"),
    (["extract-video", "--input-file", "none.*", "--output-dir", "x"], "none"),
    (["video-from-sequence", "--output-file", "v.mp4"], "--input-dir"),
    (["video-from-sequence", "--input-dir", "x", "--output-file", "v.wmv"], ".mp4"),
    (["video-from-sequence", "--input-dir", "x", "--output-file", "v.mkv"], "--no-sign"),
    (["video-from-sequence", "--input-dir", "x", "--output-file", "v.mp4"], "x"),
    (["video-from-sequence", "--input-dir", "x", "--output-file", "v.mp4", "--include-audio"],
     "--reference-file"),
])
def test_wrong_usage_names_the_flag_or_file(tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    code, events = videoed(*words)
    assert code in (1, 2) and told in error(events)
    assert list(tmp_path.iterdir()) == []


def test_unsigned_matroska_is_possible(tmp_path):
    folder = write_images(tmp_path / "merged", 3)
    assert assemble(folder, tmp_path / "v.mkv", "--fps", "25", "--no-sign")[0] == 0
    assert probe(tmp_path / "v.mkv").n_frames == 3


def test_functions_can_be_called_without_the_command_line(tmp_path):
    video = make_video(tmp_path / "v.mp4", 6, audio=("aac",))
    reporter = SilentReporter()
    extracted = extract_video(ExtractVideoOptions(video, tmp_path / "f"), reporter)
    assert extracted.n_written == 6
    options = VideoFromSequenceOptions(tmp_path / "f", tmp_path / "out.mp4", video,
                                       include_audio=True, preset="ultrafast")
    report = video_from_sequence(options, reporter)
    assert report.info.n_frames == report.n_images == 6 and report.signed
    assert len(report.info.audio_streams) == 1
    kinds = [event["event"] for event in reporter.events]
    assert kinds.count("frames_extracted") == kinds.count("video_written") == 1
    with pytest.raises(UsageError):
        video_from_sequence(options, reporter)
