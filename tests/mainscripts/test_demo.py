"""demo, from two short clips to a swapped one; the clip with sound serves as dst too."""

import json
import os
import signal
import time
from pathlib import Path
from typing import NamedTuple

import pytest

import main
from core.imaging.io import read_image
from core.provenance import read_manifest
from core.report import SilentReporter
from core.video import probe
from tests.commands import Outcome, run
from tests.core.video_maker import audio_packets, decoded_times

STAGES = ("extract frames src", "extract faces src", "extract frames dst", "extract faces dst",
          "train", "merge", "video")


class InterruptingReporter(SilentReporter):
    """Sends this process a SIGINT, as Ctrl-C does, after the first iteration of a training."""

    def progress(self, title, total=None, unit="item"):
        progress = super().progress(title, total, unit)
        if title != "train":
            return progress
        count = progress.advance

        def advance(n=1, **shown):
            count(n, **shown)
            if shown and n:  # once: a second Ctrl-C ends at once, without a save
                os.kill(os.getpid(), signal.SIGINT)

        progress.advance = advance
        return progress


class Demo(NamedTuple):
    folder: Path
    words: tuple
    interrupted: Outcome
    saved: list
    finished: Outcome


@pytest.fixture(scope="module")
def demo(clips, tmp_path_factory):
    """The demo with its real model, interrupted in its training and run again."""
    folder = tmp_path_factory.mktemp("demo") / "workspace"
    words = ("demo", "--minutes", 0.05, "--src", clips["dst"], "--dst", clips["src"],
             "--workspace", folder)
    reporter = InterruptingReporter()
    code = main.main([*map(str, words), "--minutes", "9"], reporter=reporter)
    saved = sorted(path.name for path in (folder / "model/demo_Quick96").glob("gen-*"))
    return Demo(folder, words, Outcome(code, reporter.events), saved, run(*words))


def test_an_interrupted_demo_saves_its_model_and_ends_with_130(demo):
    assert demo.interrupted.code == 130
    assert demo.interrupted.error() == "interrupted; run the command again to go on"
    assert demo.saved == ["gen-000001"]


def test_only_a_new_model_starts_from_the_bundled_weights(demo):
    lines = [[line for line in outcome.infos() if line.startswith("starting from")]
             for outcome in (demo.interrupted, demo.finished)]
    assert len(lines[0]) == 1 and "weights.npz" in lines[0][0] and not lines[1]


def test_the_demo_makes_everything_it_promises(demo, clips):
    folder, outcome = demo.folder, demo.finished
    assert outcome.code == 0, outcome.events[-1]
    assert str(folder / "result.mp4") in outcome.infos()[-1]
    result, dst = probe(folder / "result.mp4"), probe(clips["src"])
    assert (result.n_frames, result.width, result.height) == (12, dst.width, dst.height)
    assert decoded_times(folder / "result.mp4") == decoded_times(clips["src"])
    assert result.duration_seconds == pytest.approx(
        dst.duration_seconds, abs=float(1 / dst.frame_rate))
    (packets,) = audio_packets(folder / "result.mp4")
    assert [packets] == audio_packets(clips["src"]) and len(packets) > 10
    mask = probe(folder / "result_mask.mp4")
    assert (mask.n_frames, len(mask.audio_streams)) == (12, 0)
    for name in ("preview.png", "contact_sheet.png"):
        assert min(read_image(folder / name).shape[:2]) > 300


def test_the_result_says_how_it_was_made(demo):
    folder = demo.folder
    manifest = read_manifest(folder / "result.mp4")
    assert manifest.is_valid
    assert manifest.digital_source_type.endswith("compositeWithTrainedAlgorithmicMedia")


def test_the_report_has_all_facts(demo, clips):
    folder = demo.folder
    report = json.loads((folder / "report.json").read_text())
    assert report["src"] == str(clips["dst"]) and report["dst"] == str(clips["src"])
    assert report["minutes"] == 0.05 and report["seconds_of_last_run"] > 0
    assert tuple(report["stages"]) == STAGES
    for name in STAGES:
        assert report["stages"][name]["seconds"] >= 0
        assert report["stages"][name]["images_per_second"] > 0
    stages = report["stages"]
    assert stages["extract frames dst"]["frames"] == 12
    assert stages["extract faces src"]["faces"] == 12
    assert stages["extract faces src"]["failed_frames"] == []
    assert stages["train"]["iterations"] >= 1
    assert stages["train"]["losses"].keys() == {"src", "dst"}
    assert (stages["merge"]["frames"], stages["merge"]["merged_frames"]) == (12, 12)


def test_the_same_command_again_does_nothing_new_and_is_quick(demo):
    folder, words = demo.folder, demo.words
    kept = {path: (path.stat().st_mtime_ns if path.suffix != ".json" else 0, path.read_bytes())
            for path in folder.rglob("*") if path.is_file() and path.name != "LOCK"
            and path.name not in ("report.json", "contact_sheet.png", "preview.png")}
    figures = json.loads((folder / "report.json").read_text())["stages"]
    start = time.process_time()
    outcome = run(*words)
    seconds = time.process_time() - start
    assert outcome.code == 0
    for path, (modified, content) in kept.items():
        assert path.read_bytes() == content, path
        assert not modified or path.stat().st_mtime_ns == modified, path
    again = json.loads((folder / "report.json").read_text())
    assert again["stages"] == figures  # times and rates are still those of the work
    assert again["seconds_of_last_run"] < 60
    assert seconds < 8  # nearly all of it builds the model


def test_videos_that_are_missing_or_older_than_the_frames_are_made_anew(demo):
    folder, words = demo.folder, demo.words
    before = (folder / "result.mp4").stat().st_mtime_ns
    (folder / "result_mask.mp4").unlink()
    assert run(*words).code == 0
    assert probe(folder / "result_mask.mp4").n_frames == 12
    assert (folder / "result.mp4").stat().st_mtime_ns == before


def test_another_clip_in_the_same_workspace_is_refused(demo, clips):
    folder, words = demo.folder, demo.words
    before = (folder / "data_src/00001.png").read_bytes()
    outcome = run(*words[:3], "--src", clips["src"], *words[5:])
    assert outcome.code == 2
    assert str(folder / "data_src") in outcome.error() and "another video" in outcome.error()
    assert (folder / "data_src/00001.png").read_bytes() == before


def test_a_missing_clip_is_named(tmp_path):
    outcome = run("demo", "--src", tmp_path / "none.mp4", "--workspace", tmp_path / "w")
    assert outcome.code in (1, 2)
    assert str(tmp_path / "none.mp4") in outcome.error()


def test_a_damaged_frame_stops_the_demo_with_its_name(demo, tmp_path):
    """Otherwise the video would lack a frame at the end of a long training."""
    folder, words = demo.folder, demo.words
    path = folder / "data_dst/00004.png"
    whole = path.read_bytes()
    journal = folder / "data_dst/aligned/extraction.jsonl"
    lines = journal.read_bytes()
    path.write_bytes(whole[:3000] + b"\0" * (len(whole) - 3012) + whole[-12:])
    journal.write_bytes(b"".join(line for line in lines.splitlines(keepends=True)
                                 if b"00004.png" not in line))
    outcome = run(*words)
    path.write_bytes(whole)
    journal.write_bytes(lines)
    assert outcome.code == 1
    assert "00004.png" in outcome.error() and str(folder / "data_dst") in outcome.error()
