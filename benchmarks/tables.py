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

EXTRACT_TARGET = 15  # frames/s at 640x360
TRAIN_TARGET = 0.75  # of the plain step's time
PREDICT_TARGET = 0.55  # of the stand-in's time


def markdown_table(header: Row, rows: Sequence[Row]) -> str:
    """A table whose first column holds names and whose others hold figures."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def section(name: str, words: Sequence[str], report: Report, when: str) -> str:
    """The generated text of one benchmark.

    Args:
        name: A name of RENDERERS.
        words: The benchmark's arguments; without any, its conditions are the reference's.
        report: What it printed.
        when: Date and machine, one line.
    """
    command = shlex.join(["python", "-m", f"benchmarks.{name}", *words])
    load = f"load {report['load_average_before']} before and {report['load_average_after']} after"
    parts = [f"`{command}`, {when}, {load}."]
    if words:
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
    """Frames/s of the whole command, then the stages."""
    sizes = report["sizes"]
    wholes = {size: figures["whole"] for size, figures in sizes.items()}
    whole = markdown_table(
        ["Whole command", *sizes],
        [["frames/s", *(whole["frames_per_s"] for whole in wholes.values())],
         ["target", *(EXTRACT_TARGET if size == "640x360" else "" for size in sizes)],
         ["CPU ms per frame", *(whole["cpu_ms"] for whole in wholes.values())],
         ["share of all cores used", *(whole["cpu_share_of_all_cores"]
                                       for whole in wholes.values())],
         *_busy_rows(list(wholes.values())),
         ["peak memory, MB", *(whole["peak_memory_mb"] for whole in wholes.values())]])
    rows = [[f"{stage}, {size}", stages["frames_per_s"], stages["ms"], stages["cpu_ms"],
             figures.get(f"{stage}_cpu_by_reference", "")]
            for size, figures in sizes.items()
            for stage, stages in figures["stages_alone"].items()]
    header = ["Stage alone", "frames/s", "ms", "CPU ms", "CPU time by the reference's"]
    return f"{whole}\n\n{markdown_table(header, rows)}"


def _busy_rows(wholes: Sequence[Report]) -> list[Row]:
    stages = [stage for stage in wholes[0]["busy_share"] if stage != "source"]
    return [[f"busy: {stage}", *(whole["busy_share"][stage] for whole in wholes)]
            for stage in stages]


def train_tables(report: Report) -> str:
    """The step beside the plain one and the reference's recorded figures."""
    reference = report["reference"]
    names = {"seconds per iteration": ("seconds_per_iteration", "s_per_iteration"),
             "CPU seconds per iteration": ("cpu_seconds_per_iteration", "cpu_s_per_iteration"),
             "seconds until the first iteration": ("seconds_until_first_iteration",) * 2,
             "peak memory, MB": ("peak_memory_mb", "peak_rss_mb_tree"),
             "parameters": ("parameters",) * 2}
    rows = [[text, report[ours], report.get(f"plain_{ours}", ""), reference[theirs]]
            for text, (ours, theirs) in names.items()]
    rows += [["images per second", report["images_per_second"], "", ""],
             ["ratio to the plain step (CPU)",
              f"{report['ratio_to_plain']} ({report['cpu_ratio_to_plain']})", "", ""],
             ["target of the ratio", TRAIN_TARGET, "", ""]]
    header = ["Training step", "FaceLab", "plain step, same run", "reference, recorded"]
    return markdown_table(header, rows)


def sampler_tables(report: Report) -> str:
    """Samples beside the reference's recorded figures."""
    reference, workers = report["reference"], report["conditions"]["workers"]
    names = {"CPU ms per sample": "cpu_ms_per_sample",
             "CPU ms per sample, nothing cached": "cpu_ms_per_sample_not_cached",
             f"samples/s, {workers} workers": f"samples_per_s_{workers}_workers"}
    rows = [[text, report[name], reference.get(name, ""), report.get(f"{name}_by_reference", "")]
            for text, name in names.items()]
    rows += [["peak memory, MB", report["peak_rss_mb"], reference["peak_rss_mb_tree"], ""],
             ["ms to load a faceset of 1000", report["ms_to_load_1000_faces"], "", ""]]
    return markdown_table(["Samples", "FaceLab", "reference, recorded", "ratio"], rows)


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
             figures.get("image_cpu_ms_by_reference_ms", "")]
            for name, figures in report["rows"].items()]
    rows.append(["writing as PNG", report["png_encode_ms"], report["png_encode_cpu_ms"], "", ""])
    return markdown_table(["Image work per frame: mode/colour transfer", "ms", "CPU ms",
                           "ms by the reference's", "CPU ms by the reference's ms"], rows)


RENDERERS: Mapping[str, Callable[[Report], str]] = MappingProxyType({
    "extract": extract_tables,
    "sampler": sampler_tables,
    "train": train_tables,
    "merge": merge_tables,
})
"""Benchmark -> report to tables, in the order they are run."""
