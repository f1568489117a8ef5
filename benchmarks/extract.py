"""Times the extraction of faces from frames, stage by stage and as the whole command.

    python -m benchmarks.extract
    python -m benchmarks.extract --clip demo/src_woman.mp4 --frames 64

Prints JSON, for 640x360 and 1280x720. A stage alone runs over all frames without the others; the
whole is `mainscripts.extract.extract` into an empty folder, with its start and its writing. Target:
at least 15 frames/s at 640x360 with one face, everything included.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.command import make_parser, print_report
from benchmarks.machine import PeakMemory, Usage, measure, reference_figures
from core.imaging.io import read_image, write_image
from core.report import SilentReporter
from core.video import read_frames
from facelib.detect import find_faces
from facelib.face_type import FaceType
from facelib.registry import DETECTORS, LANDMARKERS
from mainscripts.extract import BATCH, ExtractOptions, align_face, extract
from samplelib.face_image import write_face

CLIP = Path(__file__).parents[1] / "demo" / "src_woman.mp4"
SIZES = ((640, 360), (1280, 720))
"""(width, height) of the frames."""

REFERENCE_DETECTORS = {
    (640, 360): "s3fd_net_input_320x180_for_a_640x360_frame",
    (1280, 720): "s3fd_net_input_640x360_for_a_1280x720_frame",
}
"""Size of the frames -> row of the reference's detector."""

REFERENCE_LANDMARKS = "2dfan_256"


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


def stages_alone(frames: Frames, options: ExtractOptions, folder: Path) -> dict[str, dict]:
    """Times each stage over all frames while the others rest; once before, uncounted.

    Args:
        frames: To work on.
        options: As the command's.
        folder: Takes the aligned faces.
    """
    detector = DETECTORS.load(options.detector)()
    landmarker = LANDMARKERS.load(options.landmarks)(samples=options.samples)
    images = frames.images
    faces = detector.detect(images)
    found = find_faces(images, detector, landmarker)
    batches = [slice(start, start + BATCH) for start in range(0, len(images), BATCH)]

    def align_and_write() -> None:
        for index, (path, image) in enumerate(zip(frames.paths, images)):
            for k, face in enumerate(found[index]):
                aligned, info = align_face(
                    image, face, options.image_size, FaceType.parse(options.face_type),
                    source_filename=path.name, frame_index=index)
                write_face(folder / f"{path.stem}_{k}.jpg", aligned, info, options.jpeg_quality)

    work: dict[str, Callable[[], object]] = {
        "decode": lambda: [read_image(path) for path in frames.paths],
        "detect": lambda: [detector.detect(images[batch]) for batch in batches],
        "landmarks": lambda: [landmarker.extract(images[batch], faces[batch])
                              for batch in batches],
        "align and write": align_and_write,
    }
    return {name: per_frame(measure_warm(stage), len(images)) for name, stage in work.items()}


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


def whole_command(options: ExtractOptions) -> dict[str, Any]:
    """Times the command itself, with building the networks and writing all files."""
    results = []
    with PeakMemory() as peak:
        usage = measure(lambda: results.append(extract(options, SilentReporter())))
    [result] = results
    return {
        **per_frame(usage, result.frames),
        "faces": result.faces,
        "cpu_share_of_all_cores": round(usage.cpu_seconds / usage.seconds / os.cpu_count(), 3),
        "busy_share": busy_shares(result.stages, result.seconds),
        "peak_memory_mb": round(peak.n_bytes / 2**20),
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
            options = ExtractOptions(input_dir=frames.folder, output_dir=folder / "aligned")
            (folder / "alone").mkdir()
            stages = stages_alone(frames, options, folder / "alone")
            rows[name] = {"stages_alone": stages, "whole": whole_command(options),
                          **compare(size, stages)}
    return {"sizes": rows, "reference": reference_figures()["extraction_networks"]}


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = make_parser(__doc__)
    parser.add_argument("--clip", type=Path, default=CLIP)
    parser.add_argument("--frames", type=int, default=128, help="of the clip's start")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Runs the benchmark and prints its report."""
    print_report(parse(words), run)


if __name__ == "__main__":
    main()
