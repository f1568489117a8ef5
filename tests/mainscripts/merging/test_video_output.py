"""merge straight into a video."""

import os
import signal
import time

import numpy as np
import pytest

from core.imaging.io import read_image
from core.journal import read_done
from core.paths import image_paths
from core.provenance import read_manifest
from core.video import probe, read_frames, read_timeline
from mainscripts.merging import video_output
from samplelib.face_image import read_info, write_info
from tests.commands import run, start
from tests.conftest import copy_workspace
from tests.core.video_maker import audio_packets


def video_words(workspace, clip, *words):
    return ("merge", "--input-dir", clip, "--aligned-dir", workspace.path("data_dst/aligned"),
            "--model-dir", workspace.path("model"), "--mask-mode", "dst",
            "--output-video", workspace.path("result.mp4"), *words)


def pictures(video):
    return [frame.image for frame in read_frames(video)]


@pytest.fixture(scope="module")
def made(trained, clips, tmp_path_factory):
    """(workspace with result.mp4, mask.mp4 and the same as frames, how it went)."""
    workspace = copy_workspace(trained, tmp_path_factory.mktemp("video") / "workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(video_output, "PART_FRAMES", 5)
        outcome = run(*video_words(workspace, clips["dst"], "--output-mask-video",
                                   workspace.path("mask.mp4")))
    assert outcome.code == 0
    assert run(*workspace.merge_words(), "--mask-mode", "dst").code == 0
    return workspace, outcome


def test_the_video_shows_the_merged_frames_at_their_times(made, clips):
    workspace, outcome = made
    assert outcome.event("merging")["merged"] == 12
    times, wanted = read_timeline(workspace.path("result.mp4")), read_timeline(clips["dst"])
    assert [tick * times.time_base for tick in times.pts] == [
        tick * wanted.time_base for tick in wanted.pts]
    for name, folder, limit in (("result", "merged", 1.5), ("mask", "merged_mask", 1.0)):
        frames = pictures(workspace.path(f"{name}.mp4"))
        stored = [read_image(path) for path in image_paths(workspace.path(f"data_dst/{folder}"))]
        assert len(frames) == len(stored) == 12
        for frame, picture in zip(frames, stored):
            assert np.abs(frame.astype(int) - picture).mean() < limit  # what H.264 leaves out


def test_it_is_signed_and_nothing_else_is_left(made):
    workspace, _ = made
    for name in ("result", "mask"):
        manifest = read_manifest(workspace.path(f"{name}.mp4"))
        assert manifest.is_valid and manifest.actions == ("c2pa.opened", "c2pa.edited")
        assert manifest.digital_source_type.endswith("compositeWithTrainedAlgorithmicMedia")
    assert not list(workspace.folder.glob("*.parts"))


def test_sound_is_copied(workspace, clips):
    words = ["--input-dir", clips["src"], "--aligned-dir", workspace.path("data_src/aligned"),
             "--model-dir", workspace.path("model"), "--output-video", workspace.path("out.mov")]
    assert run("merge", *words).code == 0
    assert audio_packets(workspace.path("out.mov")) == audio_packets(clips["src"]) != []


def test_a_finished_video_is_only_replaced_when_told(made, clips):
    workspace, _ = made
    before = workspace.path("result.mp4").read_bytes()
    outcome = run(*video_words(workspace, clips["dst"]))
    assert outcome.code == 2 and "exists already; add --overwrite" in outcome.error()
    assert workspace.path("result.mp4").read_bytes() == before
    assert not list(workspace.folder.glob("*.parts"))


def test_a_killed_merge_goes_on_and_shows_the_very_same_frames(made, workspace, clips,
                                                               monkeypatch):
    monkeypatch.setattr(video_output, "PART_FRAMES", 5)
    words = video_words(workspace, clips["dst"])
    parts = workspace.path("result.mp4.parts")
    script = ("import sys; from mainscripts.merging import video_output; "
              "video_output.PART_FRAMES = 5; import main; sys.exit(main.main(sys.argv[1:]))")
    child = start(*words, script=script)
    deadline = time.monotonic() + 120
    while not list(parts.glob("result-00000.mp4")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    child.stderr.close()
    assert not workspace.path("result.mp4").exists()
    noted = len(read_done(parts / "merge.jsonl"))
    assert noted < 12
    outcome = run(*words)
    # A part whose notes the kill has cut short is made again as a whole.
    assert outcome.code == 0 and outcome.event("merging")["done_now"] == 12 - noted // 5 * 5
    frames, wanted = (pictures(one.path("result.mp4")) for one in (workspace, made[0]))
    assert len(frames) == 12 and all(map(np.array_equal, frames, wanted))


def test_a_poison_frame_shows_the_frame_as_it_came_and_is_tried_again(made, workspace, clips):
    poison = workspace.path("data_dst/aligned/00005_0.jpg")
    info = read_info(poison)
    write_info(poison, _with_landmarks(info, np.full((68, 2), 50.0)))
    outcome = run(*video_words(workspace, clips["dst"], "--fill-gaps", 0))
    assert outcome.code == 1 and "1 of 12 frames failed (00005.png)" in outcome.error()
    frames, source = pictures(workspace.path("result.mp4")), pictures(clips["dst"])
    assert len(frames) == 12
    assert np.abs(frames[4].astype(int) - source[4]).mean() < 1.5
    write_info(poison, info)
    assert run(*video_words(workspace, clips["dst"], "--fill-gaps", 0)).code == 0
    wanted = pictures(made[0].path("result.mp4"))
    assert np.abs(pictures(workspace.path("result.mp4"))[4].astype(int) - wanted[4]).mean() < 1.5
    assert not list(workspace.folder.glob("*.parts"))


def _with_landmarks(info, landmarks):
    from dataclasses import replace

    return replace(info, source_landmarks=landmarks)


@pytest.mark.parametrize("words, told", [
    (("--output-dir", "frames"), "give one of them"),
    (("--scheduler", "processes:2"), "--scheduler writes frames, not a video"),
    (("--output-video", "x.mkv"), "cannot write and sign this kind of video"),
    (("--input-dir", "{data}"), "is no video, so result.mp4 would have no times"),
])
def test_what_cannot_be_a_video_is_told(workspace, clips, words, told):
    words = [word.format(data=workspace.path("data_dst")) for word in words]
    outcome = run(*video_words(workspace, clips["dst"], *words))
    assert outcome.code == 2 and told in outcome.error()


def test_a_video_needs_no_frames_on_disk(made):
    assert probe(made[0].path("result.mp4")).n_frames == 12
    assert not list(made[0].folder.glob("merged"))
