"""Input that cannot be worked on: one line that names it and the next step, and nothing lost."""

import os
import shutil
import subprocess

import numpy as np
import pytest

from core.imaging.io import write_image
from core.paths import image_paths
from samplelib.faceset import load_faceset
from tests.commands import ROOT, finish, run, start
from tests.e2e.short_clips import cut_clip
from tests.models.tiny import FLAGS

is_root = hasattr(os, "geteuid") and os.geteuid() == 0


def refused(outcome, code, *told):
    """Checks the exit code and that the one error line tells certain things."""
    assert outcome.code == code, outcome.events[-1:]
    for word in told:
        assert str(word) in outcome.error()


# Videos


def frames_of(video, folder, *words):
    return run("videoed", "extract-video", "--input-file", video, "--output-dir", folder, *words)


def test_a_missing_video(tmp_path):
    outcome = frames_of(tmp_path / "none.mp4", tmp_path / "frames")
    refused(outcome, outcome.code, tmp_path / "none.mp4", ";")
    assert outcome.code in (1, 2) and list(tmp_path.iterdir()) == []


def test_a_text_file_named_as_a_video(tmp_path):
    video = tmp_path / "notes.mp4"
    video.write_text("not a video at all\n" * 200)
    refused(frames_of(video, tmp_path / "frames"), 1, video, ";")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.mp4"]


def test_an_empty_video_file(tmp_path):
    video = tmp_path / "empty.mp4"
    video.touch()
    refused(frames_of(video, tmp_path / "frames"), 1, video, ";")
    assert not (tmp_path / "frames").exists()


def test_a_video_cut_off_before_its_index(clips, tmp_path):
    video = tmp_path / "cut.mp4"
    whole = clips["dst"].read_bytes()
    video.write_bytes(whole[:len(whole) // 2])
    refused(frames_of(video, tmp_path / "frames"), 1, video, ";")
    assert not (tmp_path / "frames").exists()


def test_a_folder_in_place_of_a_video(tmp_path):
    outcome = frames_of(tmp_path, tmp_path / "frames")
    assert outcome.code in (1, 2) and str(tmp_path) in outcome.error()


def test_a_video_without_faces(tmp_path):
    """The second half of a clip whose man leaves the picture."""
    clip = cut_clip(ROOT / "tests/data/face_then_noface.mp4", tmp_path / "empty.mp4", 6, 480, 270,
                    start=50)
    frames, faces = tmp_path / "frames", tmp_path / "frames/aligned"
    assert frames_of(clip, frames).code == 0
    for _ in range(2):  # a second run says the same
        refused(run("extract", "--input-dir", frames, "--output-dir", faces), 1,
                frames, "no face in 6 frames", "--min-face-size")
    assert len(image_paths(frames)) == 6 and image_paths(faces) == []


def test_a_demo_of_a_video_without_faces(tmp_path, clips):
    clip = cut_clip(ROOT / "tests/data/face_then_noface.mp4", tmp_path / "empty.mp4", 4, 480, 270,
                    start=50)
    outcome = run("demo", "--src", clip, "--dst", clips["dst"], "--workspace", tmp_path / "w")
    refused(outcome, 1, tmp_path / "w/data_src", "no face in 4 frames")


# Frames and faces


def test_a_folder_without_images(tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    refused(run("extract", "--input-dir", tmp_path, "--output-dir", tmp_path / "aligned"), 1,
            tmp_path, "no images", ";")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("command", ["extract", "merge", "train", "video"])
def test_a_missing_folder(workspace, tmp_path, command):
    missing = tmp_path / "no such folder"
    before = workspace.snapshot()
    words, flag = {
        "extract": (workspace.extract_words("src"), "--input-dir"),
        "merge": (workspace.merge_words(), "--input-dir"),
        "train": (workspace.train_words(), "--src-dir"),
        "video": (("videoed", "video-from-sequence", "--input-dir", missing, "--output-file",
                   tmp_path / "v.mp4"), "--input-dir"),
    }[command]
    words = list(words)
    words[words.index(flag) + 1] = missing
    refused(run(*words), 1, missing, ";")
    assert workspace.snapshot() == before and not missing.exists()


def damage_two(folder):
    """Adds a truncated JPEG and a zero-byte PNG to good frames; returns their names."""
    whole = (ROOT / "tests/data/single_face.jpg").read_bytes()
    (folder / "00013.jpg").write_bytes(whole[:300])
    (folder / "00014.png").touch()
    return "00013.jpg", "00014.png"


def test_damaged_frames_among_good_ones_at_extraction(frames_workspace):
    data = frames_workspace.path("data_src")
    names = damage_two(data)
    outcome = run(*frames_workspace.extract_words("src"))
    refused(outcome, 1, data, "2 of 14 frames failed", *names, "run the command again")
    assert len(outcome.warnings()) == 2
    for name, line in zip(names, outcome.warnings()):
        assert line.startswith(f"{name}: ")
    assert len(load_faceset(data / "aligned").faces) == 12
    for name in names:  # the next step of the message works
        (data / name).unlink()
    outcome = run(*frames_workspace.extract_words("src"))
    assert outcome.code == 0 and outcome.event("extraction")["done_now"] == 0


def test_damaged_frames_among_good_ones_at_merging(workspace):
    data = workspace.path("data_dst")
    names = damage_two(data)
    outcome = run(*workspace.merge_words())
    refused(outcome, 1, data, "2 of 14 frames failed", *names)
    assert len(image_paths(data / "merged")) == len(image_paths(data / "merged_mask")) == 12


def test_nothing_but_damaged_frames(tmp_path):
    frames = tmp_path / "frames"
    frames.mkdir()
    for name in ("a.png", "b.jpg"):
        (frames / name).touch()
    refused(run("extract", "--input-dir", frames, "--output-dir", tmp_path / "aligned"), 1,
            frames, "none of the 2 frames can be read", "a.png")


def test_an_empty_faceset_at_training_and_at_merging(workspace):
    folder = workspace.path("data_dst/aligned")
    for path in folder.iterdir():
        path.unlink()
    before = workspace.snapshot()
    for words in (workspace.train_words(), workspace.merge_words()):
        refused(run(*words), 1, folder, "no pictures", "`extract`")
    assert workspace.snapshot() == before


def test_frames_of_another_size_in_a_video(workspace, tmp_path):
    data = workspace.path("data_dst")
    write_image(data / "00013.png", np.zeros((100, 100, 3), np.uint8))
    target = tmp_path / "v.mp4"
    target.write_bytes(b"an older video")
    refused(run("videoed", "video-from-sequence", "--input-dir", data, "--output-file", target,
                "--overwrite"), 1, data / "00013.png", "one size")
    assert target.read_bytes() == b"an older video"


# Words


@pytest.mark.parametrize("words, told", [
    (("train", "--batchsize", "4"), "did you mean '--batch-size'"),
    (("train", "--batch-size", "0"), "between 1 and 512"),
    (("train", "--batch-size", "many"), "--batch-size"),
    (("train", "--face-type", "whole"), "wf"),
    (("train", "--model", "SAEHDD"), "did you mean 'SAEHD'"),
    (("merge", "--mode", "overlap"), "overlay"),
    (("merge", "--mask-mode", "XSeg-prt"), "did you mean 'XSeg-prd'"),
    (("extract", "--max-face", "1"), "did you mean '--max-faces'"),
    (("demo", "--minutes", "-1"), "0.01"),
    (("extarct",), "did you mean 'extract'"),
])
def test_wrong_words_are_usage_errors_with_a_hint(workspace, words, told):
    before = workspace.snapshot()
    all_words = {"train": workspace.train_words(), "merge": workspace.merge_words(),
                 "extract": workspace.extract_words("src")}.get(words[0], words[:1])
    refused(run(*all_words, *words[1:]), 2, told)
    assert workspace.snapshot() == before


def test_a_wrong_key_in_a_toml_file(workspace, tmp_path):
    config = tmp_path / "facelab.toml"
    config.write_text("[extract]\nimage-sise = 128\n")
    refused(run(*workspace.extract_words("src"), "--config", config), 2, config,
            "did you mean 'image_size'")


# Folders that cannot be written


@pytest.fixture
def small_disk(tmp_path):
    """A function (kilobytes) -> a folder on a file system of that size; again, to resize it."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(kilobytes):
        options = f"size={kilobytes}k" + (",remount" if folder.is_mount() else "")
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder],
                              capture_output=True)
        if made.returncode:
            pytest.skip("needs the right to mount a file system")
        return folder

    yield mount
    if folder.is_mount():
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_disk_that_fills_up_during_extraction_and_is_then_freed(extracted, small_disk):
    output = small_disk(120) / "aligned"
    words = ("extract", "--input-dir", extracted.path("data_src"), "--output-dir", output)
    outcome = run(*words)
    refused(outcome, 1, output, "the disk is full", "run the same command again")
    assert outcome.warnings() == []  # not one for each of the frames that follow
    done = len(image_paths(output))
    assert done < 12
    small_disk(8000)
    outcome = run(*words)
    assert outcome.code == 0
    assert 12 - done <= outcome.event("extraction")["done_now"] <= 12
    faces = load_faceset(output)
    assert len(faces.faces) == 12 and faces.skipped == ()


def test_a_disk_that_fills_up_during_merging_and_is_then_freed(workspace, small_disk):
    disk = small_disk(900)
    words = list(workspace.merge_words())
    for flag, name in (("--output-dir", "merged"), ("--output-mask-dir", "merged_mask")):
        words[words.index(flag) + 1] = disk / name
    refused(run(*words), 1, disk / "merged", "the disk is full", "run the same command again")
    assert len(image_paths(disk / "merged")) < 12
    small_disk(20000)
    assert run(*words).code == 0
    assert len(image_paths(disk / "merged")) == len(image_paths(disk / "merged_mask")) == 12


def test_a_disk_without_room_for_a_generation(faces_workspace, small_disk):
    model = small_disk(700)
    words = list(faces_workspace.train_words())
    words[words.index("--model-dir") + 1] = model
    refused(run(*words, *FLAGS, "--target-iteration", 1), 1, model, "free some space")
    assert list((model / "new_Quick96").glob("gen-*")) == []


def test_a_disk_without_room_for_the_frames_is_told_before_any_work(clips, small_disk):
    folder = small_disk(300) / "frames"
    refused(frames_of(clips["dst"], folder), 1, folder, "are needed", "free some space")
    assert image_paths(folder) == []


@pytest.mark.skipif(os.name == "nt", reason="POSIX limits")
def test_a_limit_on_file_sizes_is_told_as_a_full_disk(clips, tmp_path):
    limited = ("bash", "-c", 'ulimit -f 20; exec "$@"', "limited")  # 20 KB
    outcome = finish(start("videoed", "extract-video", "--input-file", clips["dst"],
                           "--output-dir", tmp_path / "frames", wrap=limited))
    refused(outcome, 1, tmp_path / "frames", "the disk is full")
    assert image_paths(tmp_path / "frames") == []


@pytest.mark.skipif(os.name == "nt", reason="POSIX rights")
def test_an_output_folder_that_cannot_be_written(frames_workspace):
    output = frames_workspace.path("data_src/aligned")
    output.mkdir()
    output.chmod(0o500)
    wrap = ()
    if is_root:  # whom no mode bits stop
        if shutil.which("setpriv") is None:
            pytest.skip("root needs setpriv to give up its rights")
        wrap = ("setpriv", "--bounding-set=-dac_override,-dac_read_search",
                "--inh-caps=-dac_override,-dac_read_search")
    outcome = finish(start(*frames_workspace.extract_words("src"), wrap=wrap))
    refused(outcome, 1, output, "Permission denied", "check the path and your rights")
    assert image_paths(output) == []


def test_a_file_where_the_output_folder_should_be(frames_workspace):
    output = frames_workspace.path("data_src/aligned")
    output.write_text("precious")
    outcome = run(*frames_workspace.extract_words("src"))
    refused(outcome, 1, output, ";")
    assert output.read_text() == "precious"
