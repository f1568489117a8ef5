"""The whole way of a swap, command by command, in the layout of `workspace init`."""

import pytest

from core.paths import image_paths
from core.video import probe
from samplelib.faceset import load_faceset
from tests.commands import run
from tests.core.video_maker import audio_packets, decoded_times
from tests.models.tiny import FLAGS


@pytest.fixture(scope="module")
def swapped(clips, tmp_path_factory):
    """(folder, what each command said) of a swap whose dst is the clip with sound."""
    folder = tmp_path_factory.mktemp("swap") / "my swap ü"
    said = {"init": run("workspace", "init", folder)}
    for side, clip in (("src", clips["dst"]), ("dst", clips["src"])):
        (folder / f"data_{side}.mp4").write_bytes(clip.read_bytes())
        data = folder / f"data_{side}"
        said[f"frames {side}"] = run("videoed", "extract-video", "--input-file",
                                     folder / f"data_{side}.*", "--output-dir", data)
        said[f"faces {side}"] = run("extract", "--input-dir", data,
                                    "--output-dir", data / "aligned")
    data = folder / "data_dst"
    said["train"] = run("train", "--src-dir", folder / "data_src/aligned",
                        "--dst-dir", data / "aligned", "--model-dir", folder / "model",
                        *FLAGS, "--target-iteration", 4)
    said["merge"] = run("merge", "--input-dir", data, "--aligned-dir", data / "aligned",
                        "--output-dir", data / "merged", "--output-mask-dir",
                        data / "merged_mask", "--model-dir", folder / "model")
    said["video"] = run("videoed", "video-from-sequence", "--input-dir", data / "merged",
                        "--output-file", folder / "result.mp4", "--reference-file",
                        folder / "data_dst.*", "--include-audio")
    said["masks"] = run("videoed", "video-from-sequence", "--input-dir", data / "merged_mask",
                        "--output-file", folder / "result_mask.mp4", "--reference-file",
                        folder / "data_dst.*", "--lossless", "--mask")
    said["verify"] = run("verify", folder / "result.mp4", data / "merged/00001.png")
    return folder, said


def test_every_command_ends_well_without_a_warning(swapped):
    _, said = swapped
    for name, outcome in said.items():
        assert outcome.code == 0, (name, outcome.events[-1])
        assert outcome.warnings() == [], name


def test_the_result_has_the_frames_the_times_and_the_sound_of_dst(swapped, clips):
    folder, _ = swapped
    result, dst = probe(folder / "result.mp4"), probe(clips["src"])
    assert result.n_frames == dst.n_frames == 12
    assert decoded_times(folder / "result.mp4") == decoded_times(clips["src"])
    assert abs(result.duration_seconds - dst.duration_seconds) <= 1 / dst.frame_rate
    assert audio_packets(folder / "result.mp4") == audio_packets(clips["src"])
    assert len(audio_packets(clips["src"])[0]) > 10
    masks = probe(folder / "result_mask.mp4")
    assert masks.n_frames == 12 and masks.audio_streams == ()


def test_every_step_worked_on_every_frame(swapped):
    folder, said = swapped
    for name in ("data_src", "data_dst", "data_dst/merged", "data_dst/merged_mask"):
        assert len(image_paths(folder / name)) == 12
    for side in ("src", "dst"):
        assert len(load_faceset(folder / f"data_{side}/aligned").faces) == 12
    assert said["train"].event("training")["iterations"] == 4
    assert said["merge"].event("merging")["merged"] == 12


def test_the_result_and_its_frames_say_what_they_are(swapped):
    folder, said = swapped
    verified = [event for event in said["verify"].events if event["event"] == "verified"]
    assert [event["file"].name for event in verified] == ["result.mp4", "00001.png"]
    for event in verified:
        assert event["status"] == "ok"
        assert event["digital_source_type"].endswith("compositeWithTrainedAlgorithmicMedia")
