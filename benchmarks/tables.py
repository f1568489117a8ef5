"""From the reports of the benchmarks to the tables of docs/benchmarks.md."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

Report = Mapping[str, Any]
Row = Sequence[object]

CALIBRATION = MappingProxyType({
    "sgemm_gflops": "matrix product, GFLOP/s on all cores",
    "conv_gflops": "3x3 convolution, GFLOP/s on all cores",
    "warp_mpix": "cubic warp, megapixels/s on one core",
})
"""Figures of `benchmarks.machine`, with what they are."""

EXTRACT_TARGET = 25  # frames/s at 640x360
EXTRACT_SHARE = 0.85  # of the slowest stage alone
PAPER_RATIO = 1.6
TRAIN_TARGETS = MappingProxyType({"none": 0.7, "gan": 0.5, "true-face": 0.5})
"""Discriminator -> share of the plain step's time."""
MEMORY_TARGET, FIRST_TARGET, SPEED_TARGET = 0.75, 10, 0.9
"""Share of the reference's memory; seconds to the first iteration; share of a matrix product's
speed."""
PREDICT_TARGET = 0.55  # of the stand-in's time
SAMPLE_TARGETS = MappingProxyType(dict.fromkeys(("none", "rct", "lct", "mkl"), 0.25))

LONG_RUN = "--long-run"


def markdown_table(header: Row, rows: Sequence[Row]) -> str:
    """A table whose first column holds names and whose others hold figures."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def section(name: str, words: Sequence[str], report: Report, when: str) -> str:
    """The generated text of one benchmark.

    Args:
        name: A name of RENDERERS.
        words: The benchmark's arguments; without any, its conditions are the reference's, and so
            they are with `--long-run N`, which only comes in addition.
        report: What it printed.
        when: Date and machine, one line.
    """
    command = shlex.join(["python", "-m", f"benchmarks.{name}", *words])
    load = f"load {report['load_average_before']} before and {report['load_average_after']} after"
    parts = [f"`{command}`, {when}, {load}."]
    if any(word.startswith("--") and word != LONG_RUN for word in words):
        parts.append("Other conditions than the reference's: do not compare the two.")
    if report["machine_before_and_after"]:
        parts.append(calibration_table(report["machine_before_and_after"]))
    return "\n\n".join([*parts, RENDERERS[name](report)])


def calibration_table(measured: Sequence[Mapping[str, float]]) -> str:
    """How fast the machine was just before and just after."""
    rows = [[text, *(figures[name] for figures in measured)] for name, text in CALIBRATION.items()]
    return markdown_table(["Machine", "before", "after"], rows)


def replace_section(text: str, name: str, generated: str) -> str:
    """Puts generated text between the two markers of a benchmark.

    Raises:
        ValueError: The document lacks the markers.
    """
    start, end = (f"<!-- {edge} {name} -->" for edge in ("begin", "end"))
    if text.count(start) != 1 or text.count(end) != 1:
        raise ValueError(f"the document needs the lines {start} and {end}, once each")
    before, _, rest = text.partition(start)
    return f"{before}{start}\n{generated}\n{end}{rest.partition(end)[2]}"


def extract_tables(report: Report) -> str:
    """Frames/s of the whole command, then the stages, then the memory of a long run."""
    sizes = report["sizes"]
    wholes = [figures["whole"] for figures in sizes.values()]
    rows = {"frames/s": "frames_per_s", "frames/s with its start": "frames_per_s_with_start",
            "CPU ms per frame, start included": "cpu_ms",
            "share of all cores used": "cpu_share_of_all_cores"}
    bounds = {"slowest stage alone, frames/s": "slowest_stage_frames_per_s",
              "what the cores allow all stages, frames/s": "cores_allow_frames_per_s",
              "frames/s by the slowest stage alone": "whole_by_slowest_stage",
              f"frames/s by the lower of the two; target {EXTRACT_SHARE}": "whole_by_lower_bound"}
    whole = markdown_table(
        ["Whole command", *sizes],
        [*([text, *(whole[name] for whole in wholes)] for text, name in rows.items()),
         ["target, frames/s", *(EXTRACT_TARGET if size == "640x360" else "" for size in sizes)],
         *([text, *(figures[name] for figures in sizes.values())]
           for text, name in bounds.items()),
         *_busy_rows(wholes),
         ["peak memory, MB", *(whole["peak_memory_mb"] for whole in wholes)]])
    return "\n\n".join([whole, _stage_table(sizes), _paper_table(sizes), *(
        _long_run_table(figures["long_run"]) for figures in sizes.values()
        if "long_run" in figures)])


def _stage_table(sizes: Mapping[str, Report]) -> str:
    rows = [[f"{stage}, {size}", stages["frames_per_s"], stages["ms"], stages["cpu_ms"],
             figures.get(f"{stage}_cpu_by_reference", "")]
            for size, figures in sizes.items()
            for stage, stages in figures["stages_alone"].items()]
    header = ["Stage alone", "frames/s", "ms", "CPU ms", "CPU time by the reference's"]
    return markdown_table(header, rows)


def _paper_table(sizes: Mapping[str, Report]) -> str:
    """S3FD and 2DFAN in the pipeline and one image after the other."""
    rows = {"in the pipeline, frames/s": "pipeline_frames_per_s",
            "one image after the other, frames/s": "one_by_one_frames_per_s",
            f"ratio; target {PAPER_RATIO}": "pipeline_by_one_by_one"}
    return markdown_table(
        ["S3FD and 2DFAN, small", *sizes],
        [[text, *(figures["paper_networks"][name] for figures in sizes.values())]
         for text, name in rows.items()])


def _long_run_table(figures: Report) -> str:
    memory = figures["memory_mb_at_frame"]
    rows = [[f"memory after {frame} frames, MB", megabytes] for frame, megabytes in memory.items()]
    return markdown_table(["Long run", f"{figures['frames']} frames"],
                          [["frames/s", figures["frames_per_s"]], *rows])


def _busy_rows(wholes: Sequence[Report]) -> list[Row]:
    stages = [stage for stage in wholes[0]["busy_share"] if stage != "source"]
    return [[f"busy: {stage}", *(whole["busy_share"][stage] for whole in wholes)]
            for stage in stages]


def train_tables(report: Report) -> str:
    """Times, then start and memory, then speed of every model."""
    names = [[row["model"], row["resolution"], row["extras"]] for row in report["rows"]]
    times = [[*name, row["seconds_per_iteration"], row["cpu_seconds_per_iteration"],
              row["plain_seconds_per_iteration"], row["plain_cpu_seconds_per_iteration"],
              row["ratio_to_plain"], row["cpu_ratio_to_plain"], TRAIN_TARGETS[row["extras"]]]
             for name, row in zip(names, report["rows"], strict=True)]
    starts = [[*name, row["seconds_until_first_iteration"],
               row["seconds_until_first_iteration_loading"], row["peak_memory_mb"],
               row["peak_memory_mb_loading"], row.get("reference_memory_mb", ""),
               row.get("memory_by_reference", ""), row.get("memory_by_reference_loading", "")]
              for name, row in zip(names, report["rows"], strict=True)]
    start_targets = ["target", "", "", FIRST_TARGET, FIRST_TARGET, "", "", "", MEMORY_TARGET,
                     MEMORY_TARGET]
    speeds = [[*name, row["gflop_per_iteration"], row["gflops"], row["sgemm_gflops"],
               row["share_of_sgemm"], row["cpu_share_of_sgemm"]]
              for name, row in zip(names, report["rows"], strict=True)]
    speed_targets = ["target", "", "", "", "", "", SPEED_TARGET, ""]
    return "\n\n".join([
        markdown_table(["Model", "px", "discriminator", "s", "CPU s", "plain s", "plain CPU s",
                        "ratio", "CPU ratio", "target"], times),
        markdown_table(["Model", "px", "discriminator", "first iteration, s", "again, s", "peak MB",
                        "again, MB", "reference MB", "ratio", "again"],
                       [*starts, start_targets]),
        markdown_table(["Model", "px", "discriminator", "GFLOP", "GFLOP/s",
                        "matrix product, GFLOP/s", "share", "share by CPU time"],
                       [*speeds, speed_targets])])


def sampler_tables(report: Report) -> str:
    """Samples beside the reference's recorded figures, then start and memory by faceset size."""
    speed = f"samples_per_s_{report['conditions']['workers']}_workers"
    columns = {
        "CPU ms per sample": "cpu_ms_per_sample", "ratio": "cpu_ms_per_sample_by_reference",
        "nothing cached, CPU ms": "cpu_ms_per_sample_not_cached",
        "ratio, nothing cached": "cpu_ms_per_sample_not_cached_by_reference",
        "samples/s, 1 worker": "samples_per_s_1_worker",
        f"samples/s, {report['conditions']['workers']} workers": speed,
        "times the reference's": f"{speed}_by_reference"}
    rows = [[mode, *(figures.get(name, "") for name in columns.values()),
             figures["reference"]["cpu_ms_per_sample"], SAMPLE_TARGETS.get(mode, "")]
            for mode, figures in report["modes"].items()]
    header = ["Colour transfer", *columns, "reference, CPU ms", "target of the ratio"]
    return "\n\n".join([markdown_table(header, rows), _many_faces_table(report["many_faces"])])


def _many_faces_table(sizes: Mapping[str, Report]) -> str:
    names = {"seconds to load": "seconds_to_load", "CPU seconds of that": "cpu_seconds_to_load",
             "MB before": "rss_mb_before", "MB when loaded": "rss_mb_loaded",
             "MB while sampling": "rss_mb_sampling"}
    rows = [[f"{text}, {run}", *(runs[run][name] for runs in sizes.values())]
            for run in ("first", "again") for text, name in names.items()]
    return markdown_table(["Faces in the faceset", *sizes], rows)


def merge_tables(report: Report) -> str:
    """One table for each part that was measured."""
    parts = {"network": _network_table, "command": _command_table, "rows": _image_table}
    return "\n\n".join(make(report) for part, make in parts.items() if part in report)


def _network_table(report: Report) -> str:
    rows = [[kind, figures["network_ms"], figures["network_cpu_ms"], figures["stand_in_ms"],
             figures["stand_in_cpu_ms"], figures["ratio"], figures["cpu_ratio"], PREDICT_TARGET]
            for kind, figures in report["network"].items()]
    return markdown_table(["Prediction of a face; masks asked for", "ms", "CPU ms", "stand-in ms",
                           "stand-in CPU ms", "ratio", "CPU ratio", "target"], rows)


def _command_table(report: Report) -> str:
    figures = report["command"]
    names = {"frames/s": "frames_per_s", "CPU ms per frame": "cpu_ms",
             "share of all cores used": "cpu_share_of_all_cores"}
    rows = [*([text, figures[name]] for text, name in names.items()), *_busy_rows([figures]),
            ["CPU ms per frame of signing", figures["of_that_signing"]["cpu_ms"]],
            ["peak memory, MB", figures["peak_memory_mb"]]]
    return markdown_table(["Whole `merge`", f"{figures['frames']} frames"], rows)


def _image_table(report: Report) -> str:
    rows = [[name, figures["image_ms"], figures["image_cpu_ms"],
             figures.get("image_ms_by_reference", ""),
             figures.get("image_cpu_ms_by_reference_ms", ""),
             figures.get("frame_cpu_by_reference", ""), figures.get("target", "")]
            for name, figures in report["rows"].items()]
    rows.append(["writing as PNG", report["png_encode_ms"], report["png_encode_cpu_ms"], *[""] * 4])
    return markdown_table(["Image work per frame: mode/colour transfer", "ms", "CPU ms",
                           "ms by the reference's", "CPU ms by the reference's ms",
                           "CPU of a whole frame by the reference's", "target"], rows)


RENDERERS: Mapping[str, Callable[[Report], str]] = MappingProxyType({
    "extract": extract_tables,
    "sampler": sampler_tables,
    "train": train_tables,
    "merge": merge_tables,
})
"""Benchmark -> report to tables, in the order they are run."""
