"""Tables for the documentation, from small reports with numbers chosen here."""

import re
from pathlib import Path

import pytest

from benchmarks.tables import (
    RENDERERS,
    calibration_table,
    extract_tables,
    markdown_table,
    merge_tables,
    replace_section,
    section,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"
EXTRACTION = {
    "machine_before_and_after": [], "load_average_before": 0.5, "load_average_after": 1.5,
    "sizes": {"640x360": {
        "stages_alone": {"decode": {"ms": 4, "cpu_ms": 3, "frames_per_s": 250},
                         "detect": {"ms": 8, "cpu_ms": 6.9, "frames_per_s": 125}},
        "whole": {"frames_per_s": 31, "frames_per_s_with_start": 28, "cpu_ms": 30,
                  "cpu_share_of_all_cores": 0.9, "peak_memory_mb": 800,
                  "busy_share": {"source": 0.0, "decode": 0.1, "landmarks": 0.8}},
        "slowest_stage_frames_per_s": 35, "cores_allow_frames_per_s": 33,
        "whole_by_slowest_stage": 0.886, "whole_by_lower_bound": 0.939,
        "paper_networks": {"pipeline_frames_per_s": 4.4, "one_by_one_frames_per_s": 2.75,
                           "pipeline_by_one_by_one": 1.6},
        "long_run": {"frames": 500, "frames_per_s": 30, "memory_mb_at_frame": {"50": 790}},
        "detect_cpu_by_reference": 0.01}},
}


def cells(table):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_a_table_has_a_line_for_each_row_and_figures_to_the_right():
    assert cells(markdown_table(["a", "b"], [["x", 1], ["y", 2.5]])) == [
        ["a", "b"], ["---", "---:"], ["x", "1"], ["y", "2.5"]]


def test_extraction_shows_the_target_the_stages_and_the_ratio_where_there_is_one():
    whole, stages, paper, long_run = map(cells, extract_tables(EXTRACTION).split("\n\n"))
    assert ["frames/s", "31"] in whole and ["target, frames/s", "25"] in whole
    assert ["busy: landmarks", "0.8"] in whole
    assert ["frames/s by the lower of the two; target 0.85", "0.939"] in whole
    assert long_run[2:] == [["frames/s", "30"], ["memory after 50 frames, MB", "790"]]
    assert paper[2:] == [["in the pipeline, frames/s", "4.4"],
                         ["one image after the other, frames/s", "2.75"],
                         ["ratio; target 1.6", "1.6"]]
    assert not any("source" in row[0] for row in whole)
    assert stages[2:] == [["decode, 640x360", "250", "4", "3", ""],
                          ["detect, 640x360", "125", "8", "6.9", "0.01"]]


def test_a_section_names_its_command_and_warns_of_other_conditions():
    usual = section("extract", [], EXTRACTION, "today")
    assert usual.startswith("`python -m benchmarks.extract`, today, load 0.5 before and 1.5 after.")
    assert "do not compare" not in usual
    assert "do not compare" not in section("extract", ["--long-run", "9"], EXTRACTION, "today")
    other = section("extract", ["--clip", "my clip.mp4"], EXTRACTION, "today")
    assert "benchmarks.extract --clip 'my clip.mp4'`" in other and "do not compare" in other


def test_the_calibration_stands_before_the_figures():
    figures = {"cores": 2, "sgemm_gflops": 100.5, "conv_gflops": 90, "warp_mpix": 60}
    table = cells(calibration_table([figures, {**figures, "conv_gflops": 80}]))
    assert table[3] == ["3x3 convolution, GFLOP/s on all cores", "90", "80"]


def test_merging_leaves_out_parts_that_were_not_measured():
    prediction = dict.fromkeys(
        ("network_ms", "network_cpu_ms", "stand_in_ms", "stand_in_cpu_ms", "ratio"), 1)
    text = merge_tables({"network": {"both": {**prediction, "cpu_ratio": 0.44}}})
    assert cells(text)[2:] == [["both", "1", "1", "1", "1", "1", "0.44", "0.55"]]


def test_only_the_text_between_the_markers_is_replaced():
    text = "top\n<!-- begin a -->\nold\n<!-- end a -->\nmiddle\n<!-- begin b -->\n<!-- end b -->\n"
    once = replace_section(text, "a", "new")
    assert once == text.replace("old", "new")
    assert replace_section(once, "a", "new") == once
    with pytest.raises(ValueError, match="<!-- begin c -->"):
        replace_section(text, "c", "new")


def test_the_document_has_a_place_for_every_benchmark():
    text = DOCUMENT.read_text(encoding="utf-8")
    assert re.findall(r"<!-- begin (\w+) -->", text) == list(RENDERERS)
    for name in RENDERERS:
        assert f"x{name}x" in replace_section(text, name, f"x{name}x")
