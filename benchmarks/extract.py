"""Times the extraction of faces from frames, stage by stage and as the whole command.

    python -m benchmarks.extract
    python -m benchmarks.extract --clip demo/src_woman.mp4 --frames 64 --long-run 10000

Prints JSON, for 640x360 and 1280x720. A stage alone runs over all frames without the others, with
the threads it has in the command; the whole is `mainscripts.extract.extract` into an empty folder.
Its frames/s are those between its first and its last frame; those with its start stand beside.

Targets: at least 25 frames/s at 640x360 with one face, and 0.85 of the slowest stage alone; with
S3FD and 2DFAN 1.6 times what one image after the other reaches with the same networks. Where stages
share the cores, no arrangement reaches more than the cores by the CPU time of all stages together,
which may be less than the slowest stage alone; so the whole is compared with both.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.command import make_parser, print_report
from benchmarks.machine import PeakMemory, Usage, measure, reference_figures, resident_bytes
from core.frames import open_frames
from core.imaging.io import read_image, write_image
from core.pipeline import Pipeline
from core.report import SilentReporter
from core.video import read_frames
from facelib.tracks import Place
from mainscripts.extract import ExtractOptions, extract
from mainscripts.extraction.find import (
    BATCH,
    Seen,
    find_faces_of,
    find_stages,
    finding_settings,
    open_finder,
)
from mainscripts.extraction.plan import PlannedFrame, planned_frame
from mainscripts.extraction.write import ToWrite, write_stage

CLIP = Path(__file__).parents[1] / "demo" / "src_woman.mp4"
SIZES = ((640, 360), (1280, 720))
"""(width, height) of the frames."""

REFERENCE_DETECTORS = {
    (640, 360): "s3fd_net_input_320x180_for_a_640x360_frame",
    (1280, 720): "s3fd_net_input_640x360_for_a_1280x720_frame",
}
"""Size of the frames -> row of the reference's detector."""

REFERENCE_LANDMARKS = "2dfan_256"

PAPER_FRAMES, ROUNDS = 64, 3
"""Frames for S3FD and 2DFAN, and how often they are gone through, in turns with a plain loop."""


@dataclass(frozen=True)
class Frames:
    """Frames of one size as the command finds them: PNG files in a folder.

    Attributes:
        folder: Holds nothing else.
        paths: In order.
        images: The same decoded, (height, width, 3) uint8 BGR.
    """

    folder: Path
    paths: Sequence[Path]
    images: Sequence[np.ndarray]


def write_frames(clip: Path, n_frames: int, size: tuple[int, int], folder: Path) -> Frames:
    """Writes the first frames of a clip, enlarged or shrunk to (width, height) `size`."""
    folder.mkdir(parents=True)
    paths, images = [], []
    for frame in islice(read_frames(clip), n_frames):
        image = cv2.resize(frame.image, size, interpolation=cv2.INTER_CUBIC)
        paths.append(folder / f"{frame.index:05d}.png")
        images.append(image)
        write_image(paths[-1], image)
    return Frames(folder, paths, images)


def stages_alone(frames: Frames, options: ExtractOptions) -> dict[str, dict]:
    """Times each stage over all frames while the others rest; once before, uncounted.

    Args:
        frames: To work on.
        options: As the command's; faces go into its folder, which is made.
    """
    source, finder = open_frames(frames.folder), open_finder(finding_settings(options))
    options.output_dir.mkdir(parents=True)
    inputs: Sequence[tuple[str, Any]] = list(source.read(source.frames))
    figures = {}
    for stage in [*find_stages(finder), write_stage(options)]:
        if stage.name == "align and write":
            inputs = [(name, (ToWrite(_planned(seen)), seen.image)) for name, seen in inputs]
        outputs: list[tuple[str, Any]] = []
        usage = measure_warm(lambda: outputs.__setitem__(
            slice(None), Pipeline(inputs, [stage], capacity=len(inputs))))
        figures[stage.name] = per_frame(usage, len(inputs))
        inputs = outputs
    return figures


def _planned(seen: Seen) -> PlannedFrame:
    return planned_frame(seen.frame, seen.found.faces,
                         [Place(track, track) for track in range(len(seen.found.faces))])


def measure_warm(work: Callable[[], object]) -> Usage:
    """What the second run of some work takes."""
    work()
    return measure(work)


def per_frame(usage: Usage, n_frames: int) -> dict[str, float]:
    """Milliseconds per frame and frames per second."""
    return {
        "ms": round(usage.seconds / n_frames * 1e3, 2),
        "cpu_ms": round(usage.cpu_seconds / n_frames * 1e3, 2),
        "frames_per_s": round(n_frames / usage.seconds, 1),
    }


class _Clock(SilentReporter):
    """Notes when each frame was done, and the memory at every so many frames."""

    def __init__(self, memory_every: int = 0):
        super().__init__()
        self.times: list[float] = []
        self.memory_mb: dict[int, int] = {}
        self._every = memory_every

    def progress(self, title: str, total: int | None = None, unit: str = "item") -> "_Clock":
        """Counts itself."""
        return self

    def __enter__(self) -> "_Clock":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def advance(self, n: int = 1, **shown: Any) -> None:
        """One more frame is done."""
        self.times.append(time.monotonic())
        if self._every and len(self.times) % self._every == 0:
            self.memory_mb[len(self.times)] = round(resident_bytes() / 2**20)

    @property
    def frames_per_s(self) -> float:
        """From the first batch on: without what a run takes once."""
        times = self.times[min(BATCH, len(self.times) - 2):]
        return (len(times) - 1) / (times[-1] - times[0])


def whole_command(options: ExtractOptions) -> dict[str, Any]:
    """Times the command itself, with building the networks and writing all files."""
    results, clock = [], _Clock()
    with PeakMemory() as peak:
        usage = measure(lambda: results.append(extract(options, clock)))
    [result] = results
    return {
        **per_frame(usage, result.frames),
        "frames_per_s": round(clock.frames_per_s, 1),
        "frames_per_s_with_start": round(result.frames / usage.seconds, 1),
        "faces": result.faces,
        "cpu_share_of_all_cores": round(usage.cpu_seconds / usage.seconds / os.cpu_count(), 3),
        "busy_share": busy_shares(result.stages, result.seconds),
        "peak_memory_mb": round(peak.n_bytes / 2**20),
    }


def share_of_bounds(whole: Mapping[str, float], stages: Mapping[str, Mapping[str, float]]
                    ) -> dict[str, float]:
    """The whole by the slowest stage alone, and by what the cores allow all stages together."""
    slowest = min(stage["frames_per_s"] for stage in stages.values())
    cores_allow = os.cpu_count() / sum(stage["cpu_ms"] for stage in stages.values()) * 1e3
    return {
        "slowest_stage_frames_per_s": slowest,
        "cores_allow_frames_per_s": round(cores_allow, 1),
        "whole_by_slowest_stage": round(whole["frames_per_s"] / slowest, 3),
        "whole_by_lower_bound": round(whole["frames_per_s"] / min(slowest, cores_allow), 3),
    }


def long_run(frames: Frames, n_frames: int, folder: Path) -> dict[str, Any]:
    """Memory while the same frames come again and again under new names."""
    again = folder / "long"
    again.mkdir()
    for number in range(n_frames):
        (again / f"{number + 1:05d}.png").symlink_to(frames.paths[number % len(frames.paths)])
    clock = _Clock(memory_every=max(n_frames // 10, 1))
    result = extract(ExtractOptions(input_dir=again, output_dir=folder / "long_aligned"), clock)
    return {"frames": result.frames, "faces": result.faces,
            "frames_per_s": round(clock.frames_per_s, 1), "memory_mb_at_frame": clock.memory_mb}


def paper_networks(frames: Frames, options: ExtractOptions) -> dict[str, float]:
    """S3FD and 2DFAN, in turns: in the command's pipeline, and one image after the other.

    Args:
        frames: Some of them are used.
        options: As the command's, whose detector and landmarks do not count here.
    """
    paths = frames.paths[:PAPER_FRAMES]
    source = open_frames(frames.folder)
    finder = open_finder(finding_settings(replace(options, detector="s3fd", landmarks="2dfan")))

    def one_by_one() -> None:
        for path in paths:
            image = read_image(path)
            finder.complete([image], finder.detect([image]))

    def together() -> None:
        for _ in find_faces_of(source, source.frames[:PAPER_FRAMES], finder):
            pass

    ways = {"one_by_one": one_by_one, "pipeline": together}
    for work in ways.values():
        work()
    rounds = [{name: measure(work) for name, work in ways.items()} for _ in range(ROUNDS)]
    ratios = [usages["one_by_one"].seconds / usages["pipeline"].seconds for usages in rounds]
    return {
        **{f"{name}_frames_per_s": round(len(paths) / float(np.median(
            [usages[name].seconds for usages in rounds])), 1) for name in ways},
        "pipeline_by_one_by_one": round(float(np.median(ratios)), 3),
    }


def busy_shares(stages: Mapping[str, Mapping[str, float]], seconds: float) -> dict[str, float]:
    """Time spent in each stage by the time of the run; a stage with two threads can reach 2."""
    return {name: round(stage["busy_seconds"] / seconds, 3) for name, stage in stages.items()}


def compare(size: tuple[int, int], stages: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """CPU time by that of the reference's networks at batch 1, where there is such a row."""
    reference = reference_figures()["extraction_networks"]
    pairs = {"landmarks": reference[REFERENCE_LANDMARKS]["cpu_s"]}
    if size in REFERENCE_DETECTORS:
        pairs["detect"] = reference[REFERENCE_DETECTORS[size]]["cpu_s"]
    return {f"{name}_cpu_by_reference": round(stages[name]["cpu_ms"] / 1e3 / theirs, 4)
            for name, theirs in pairs.items()}


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measures all sizes."""
    rows = {}
    with tempfile.TemporaryDirectory() as temporary:
        for size in SIZES:
            name = "x".join(map(str, size))
            folder = Path(temporary) / name
            frames = write_frames(arguments.clip, arguments.frames, size, folder / "frames")
            options = ExtractOptions(input_dir=frames.folder, output_dir=folder / "alone")
            stages = stages_alone(frames, options)
            whole = whole_command(replace(options, output_dir=folder / "aligned"))
            rows[name] = {"stages_alone": stages, "whole": whole,
                          **share_of_bounds(whole, stages), **compare(size, stages),
                          "paper_networks": paper_networks(frames, options)}
            if arguments.long_run and size == SIZES[0]:
                rows[name]["long_run"] = long_run(frames, arguments.long_run, folder)
    return {"sizes": rows, "reference": reference_figures()["extraction_networks"]}


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = make_parser(__doc__)
    parser.add_argument("--clip", type=Path, default=CLIP)
    parser.add_argument("--frames", type=int, default=240, help="of the clip's start")
    parser.add_argument("--long-run", type=int, default=0, metavar="N",
                        help="also watch the memory over so many frames")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Runs the benchmark and prints its report."""
    print_report(parse(words), run)


if __name__ == "__main__":
    main()
