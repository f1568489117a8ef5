"""The benchmarks themselves at tiny sizes, and the command that runs them all."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import __main__ as everything
from benchmarks import extract, merge
from benchmarks.command import make_parser, print_report
from benchmarks.merge_command import signing_key_in
from benchmarks.merge_network import everything_of_one_face, time_predictions
from core.imaging.io import read_image
from core.signing_identity import DATA_DIR_VARIABLE
from models.quick96.model import Quick96Model
from models.quick96.options import Quick96Options

ROOT = Path(__file__).parents[2]
TINY = Quick96Options(resolution=64, ae_dims=32, e_dims=16, d_dims=16, d_mask_dims=4)


def test_frames_are_written_in_the_size_wanted(tmp_path):
    frames = extract.write_frames(extract.CLIP, 2, (1280, 720), tmp_path / "frames")
    assert [path.name for path in frames.paths] == ["00000.png", "00001.png"]
    np.testing.assert_array_equal(read_image(frames.paths[1]), frames.images[1])
    assert frames.images[0].shape == (720, 1280, 3)


def test_extraction_is_measured_stage_by_stage_and_whole(tmp_path):
    frames = extract.write_frames(extract.CLIP, 4, (640, 360), tmp_path / "frames")
    options = extract.ExtractOptions(input_dir=frames.folder, output_dir=tmp_path / "alone")
    stages = extract.stages_alone(frames, options)
    whole = extract.whole_command(replace(options, output_dir=tmp_path / "aligned"))
    assert list(stages) == ["decode", "detect", "landmarks", "align and write"]
    assert all(stage["ms"] > 0 and stage["frames_per_s"] > 0 for stage in stages.values())
    assert whole["faces"] == 4 and whole["peak_memory_mb"] > 100
    assert whole["frames_per_s"] > whole["frames_per_s_with_start"] > 0
    assert set(whole["busy_share"]) == {
        "source", "decode", "detect", "landmarks", "align and write"}
    alone, together = (sorted(path.name for path in (tmp_path / folder).glob("*.jpg"))
                       for folder in ("alone", "aligned"))
    assert alone == together == [f"{number:05d}_0.jpg" for number in range(4)]


def test_the_papers_networks_are_timed_in_turns_with_a_plain_loop(tmp_path, monkeypatch):
    monkeypatch.setattr(extract, "PAPER_FRAMES", 2)
    frames = extract.write_frames(extract.CLIP, 3, (320, 180), tmp_path / "frames")
    found = extract.paper_networks(frames, extract.ExtractOptions(input_dir=frames.folder))
    assert set(found) == {"one_by_one_frames_per_s", "pipeline_frames_per_s",
                          "pipeline_by_one_by_one"}
    rates = found["pipeline_frames_per_s"] / found["one_by_one_frames_per_s"]
    assert found["pipeline_by_one_by_one"] == pytest.approx(rates, rel=0.5)


def test_extraction_is_compared_with_its_slowest_stage_and_with_the_cores(monkeypatch):
    monkeypatch.setattr(extract.os, "cpu_count", lambda: 2)
    stages = {"a": {"frames_per_s": 100, "cpu_ms": 12}, "b": {"frames_per_s": 90, "cpu_ms": 13}}
    assert extract.share_of_bounds({"frames_per_s": 72}, stages) == {
        "slowest_stage_frames_per_s": 90, "cores_allow_frames_per_s": 80.0,
        "whole_by_slowest_stage": 0.8, "whole_by_lower_bound": 0.9}


def test_memory_is_watched_over_frames_that_come_again(tmp_path):
    frames = extract.write_frames(extract.CLIP, 2, (320, 180), tmp_path / "frames")
    figures = extract.long_run(frames, 20, tmp_path)
    assert figures["frames"] == figures["faces"] == 20 and figures["frames_per_s"] > 0
    assert list(figures["memory_mb_at_frame"]) == list(range(2, 21, 2))
    assert min(figures["memory_mb_at_frame"].values()) > 100


def test_ratios_are_to_the_reference_row_of_that_size():
    stages = {"detect": {"cpu_ms": 6.9}, "landmarks": {"cpu_ms": 10.3}}
    assert extract.compare((640, 360), stages) == {
        "detect_cpu_by_reference": 0.01, "landmarks_cpu_by_reference": 0.01}
    assert list(extract.compare((100, 100), stages)) == ["landmarks_cpu_by_reference"]


def test_the_stand_in_computes_what_the_predictor_does_and_more():
    model = Quick96Model(TINY)
    faces = np.random.default_rng(0).random((1, 64, 64, 3), np.float32)
    face, face_mask, dst_face, dst_mask = everything_of_one_face(model.network, 64)(faces)
    ours = model.predictor()(faces)
    for stand_in, prediction in ((face, ours.face), (face_mask, ours.face_mask),
                                 (dst_mask, ours.dst_mask)):
        np.testing.assert_allclose(stand_in, prediction, atol=1e-5)
    assert dst_face.shape == face.shape and np.abs(dst_face - face).max() > 1e-3


def test_predictions_are_measured_for_every_kind_of_mask():
    rows = time_predictions(TINY, rounds=1)
    assert list(rows) == ["none", "face_mask", "dst_mask", "both"]
    assert all(row["network_ms"] > 0 and row["ratio"] > 0 for row in rows.values())


def test_the_users_signing_key_is_left_alone(monkeypatch, tmp_path):
    monkeypatch.setenv(DATA_DIR_VARIABLE, "mine")
    with signing_key_in(tmp_path):
        assert os.environ[DATA_DIR_VARIABLE] == str(tmp_path)
    assert os.environ[DATA_DIR_VARIABLE] == "mine"
    monkeypatch.delenv(DATA_DIR_VARIABLE)
    with signing_key_in(tmp_path):
        pass
    assert DATA_DIR_VARIABLE not in os.environ


def test_only_chosen_parts_of_merging_run(monkeypatch):
    monkeypatch.setattr(merge, "PARTS", {name: lambda arguments, name=name: {name: 1}
                                         for name in merge.PARTS})
    assert merge.run(merge.parse(["--parts", "network", "command"])) == {"network": 1, "command": 1}


def test_a_report_starts_with_its_conditions_and_holds_the_figures(capsys):
    arguments = make_parser("What it does.").parse_args(["--no-calibration"])
    print_report(arguments, lambda arguments: {"speed": 3})
    report = json.loads(capsys.readouterr().out)
    assert report["conditions"] == {"no_calibration": True} and report["speed"] == 3
    assert report["machine_before_and_after"] == [] and report["load_average_before"] >= 0


def test_tensorflow_says_nothing_of_its_own():
    code = ("from benchmarks.machine import quiet_tensorflow; quiet_tensorflow()\n"
            "import tensorflow as tf; tf.constant(1.0) + 1")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert done.stderr == b"" and done.stdout == b""


def test_tables_go_into_the_document(monkeypatch, tmp_path):
    document = tmp_path / "benchmarks.md"
    document.write_text("Ä\n<!-- begin sampler -->\n<!-- end sampler -->\nEnd\n", encoding="utf-8")
    monkeypatch.setitem(everything.QUICK, "sampler", (
        "--faces", "2", "--samples", "4", "--face-size", "64", "--resolution", "32",
        "--modes", "none", "sot", "--many-faces", "3", "5"))
    everything.main(["sampler", "--quick", "--write", str(document)])
    text = document.read_text(encoding="utf-8")
    assert text.startswith("Ä\n<!-- begin sampler -->\n`python -m benchmarks.sampler --faces 2 ")
    assert text.endswith("<!-- end sampler -->\nEnd\n")
    assert "| Colour transfer | CPU ms per sample | " in text and "do not compare" in text
    assert "| sot | " in text and "| Faces in the faceset | 3 | 5 |" in text


def test_an_unknown_benchmark_is_named(capsys):
    with pytest.raises(SystemExit):
        everything.parse(["extarct"])
    assert "unknown benchmark 'extarct'; known are extract, sampler" in capsys.readouterr().err


def test_every_benchmark_has_a_quick_form():
    assert set(everything.QUICK) == set(everything.RENDERERS)
