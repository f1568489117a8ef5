"""Times merging and compares it with the reference program.

    python -m benchmarks.merge
    python -m benchmarks.merge --frames 12 --passes 3 --workers 2
    python -m benchmarks.merge --parts network

Prints JSON, in three parts: the image work, the predictions of a swap model (see
`benchmarks.merge_network`), and the whole command (see `benchmarks.merge_command`). For the image
work the frames are 642x488 cuts of the demo clip with landmarks found by the project's own
detector, and the prediction is the dst face itself, tinted and mirrored, with the hull of the
landmarks as both learned masks: the cost does not depend on what a model paints.
"""

import argparse
import os
import statistics
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.command import make_parser, print_report
from benchmarks.machine import Usage, measure, reference_figures
from core.geometry import transform_points
from core.imaging.io import encode_image
from core.video import read_frames
from facelib.align import face_transform
from facelib.detect import find_faces
from facelib.face_type import FaceType
from facelib.masks import hull_mask
from facelib.registry import DETECTORS, LANDMARKERS
from facelib.types import SwapPrediction
from merger.color_transfer import COLOR_TRANSFERS
from merger.modes import MODES
from merger.options import MergeOptions
from merger.paste import crop_for_prediction
from merger.pipeline import FaceToMerge, merge_frame
from models.quick96.options import Quick96Options

CLIP = Path(__file__).parents[1] / "demo" / "dst_man.mp4"
FRAME_SIZE = (642, 488)
"""(width, height) of the reference's frames."""


@dataclass(frozen=True, eq=False)
class Shot:
    """A frame (488, 642, 3) uint8 BGR and the (68, 2) landmarks of its one face."""

    frame: np.ndarray
    landmarks: np.ndarray


def load_shots(n_frames: int) -> list[Shot]:
    """Cuts frames out of the demo clip around its face, at the clip's own scale.

    Args:
        n_frames: How many, evenly spread over the clip.
    """
    pictures = [frame.image for frame in read_frames(CLIP)]
    picked = [pictures[i] for i in np.linspace(0, len(pictures) - 1, n_frames).round().astype(int)]
    detector, landmarker = DETECTORS.load("yunet")(), LANDMARKERS.load("facemesh")()
    found = find_faces(picked, detector, landmarker, max_faces=1)
    return [_cut(image, faces[0].landmarks) for image, faces in zip(picked, found) if faces]


def _cut(image: np.ndarray, landmarks: np.ndarray) -> Shot:
    size = np.array(FRAME_SIZE)
    most = np.array(image.shape[1::-1]) - size
    x, y = np.clip(landmarks.mean(axis=0) - size / 2, 0, most).astype(int)
    frame = image[y : y + size[1], x : x + size[0]].copy()
    return Shot(frame, landmarks - (x, y))


def stand_in_prediction(shot: Shot, face_type: FaceType, resolution: int) -> SwapPrediction:
    """What a model could give: the dst face tinted and mirrored, hulls as masks."""
    crop = crop_for_prediction(shot.frame, shot.landmarks, face_type, resolution)
    face = np.clip(crop[:, ::-1] * np.float32([1.1, 0.9, 0.85]) + np.float32(0.03), 0, 1)
    frame_to_face = face_transform(shot.landmarks, resolution, face_type)
    landmarks_face = transform_points(shot.landmarks, frame_to_face)
    hull = cv2.GaussianBlur(hull_mask((resolution,) * 2, landmarks_face), (0, 0), 1)
    hull = hull.reshape(resolution, resolution, 1)
    return SwapPrediction(face, hull, hull)


def per_item(work: Callable[[], object], n_items: int, passes: int) -> Usage:
    """Median over the passes of what one item takes; one more pass warms up."""
    work()
    usages = [measure(work) for _ in range(passes)]
    return Usage(
        statistics.median(usage.seconds for usage in usages) / n_items,
        statistics.median(usage.cpu_seconds for usage in usages) / n_items,
    )


def figures(usage: Usage, name: str) -> dict[str, float]:
    """Clock and CPU milliseconds, rounded for the report."""
    return {
        f"{name}_ms": round(usage.seconds * 1e3, 2),
        f"{name}_cpu_ms": round(usage.cpu_seconds * 1e3, 2),
    }


def image_work(
    shots: Sequence[Shot],
    predictions: Sequence[SwapPrediction],
    options: MergeOptions,
    face_type: FaceType,
    passes: int,
) -> dict[str, float]:
    """Time per frame of all that is not the network: cropping, colour, masks, blending."""

    def merge(shot: Shot, prediction: SwapPrediction) -> None:
        resolution = prediction.face.shape[0]
        crop = crop_for_prediction(shot.frame, shot.landmarks, face_type, resolution)
        merge_frame(
            shot.frame, [FaceToMerge(shot.landmarks, prediction, crop)], options, face_type
        )

    def merge_all() -> None:
        for shot, prediction in zip(shots, predictions, strict=True):
            merge(shot, prediction)

    return figures(per_item(merge_all, len(shots), passes), "image")


def png_work(shots: Sequence[Shot], passes: int) -> dict[str, float]:
    """Time per frame of writing the result as PNG, without the disk."""

    def encode_all() -> None:
        for shot in shots:
            encode_image(shot.frame, ".png")

    return figures(per_item(encode_all, len(shots), passes), "png_encode")


def utilisation(
    shots: Sequence[Shot],
    predictions: Sequence[SwapPrediction],
    face_type: FaceType,
    workers: int,
    passes: int,
) -> dict[str, float]:
    """How well the image work of many frames fills several cores (defaults of the options)."""
    options = MergeOptions()

    def merge(index: int) -> None:
        face = FaceToMerge(shots[index].landmarks, predictions[index])
        merge_frame(shots[index].frame, [face], options, face_type)

    def merge_all() -> None:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(merge, range(len(shots))))

    usage = per_item(merge_all, len(shots), passes)
    return {
        "workers": workers,
        "frames_per_s": round(1 / usage.seconds, 1),
        "utilisation": round(usage.cpu_seconds / usage.seconds / workers, 3),
    }


def compare(rows: dict[str, dict[str, float]]) -> None:
    """Adds the ratio to the reference's time to every row it has too; below 1 is faster."""
    reference = reference_figures()["merge_in_process"]["rows"]
    for name, row in rows.items():
        if name in reference:
            theirs = reference[name]["image_ms"]
            row["image_ms_by_reference"] = round(row["image_ms"] / theirs, 3)
            row["image_cpu_ms_by_reference_ms"] = round(row["image_cpu_ms"] / theirs, 3)
            row["target"] = target_of(name)


def transfers_of(mode: str) -> Sequence[str]:
    """The colour transfers that a mode can have."""
    fits_colors = not (MODES[mode].keeps_frame or MODES[mode].raw)
    return tuple(COLOR_TRANSFERS) if fits_colors else ("none",)


def target_of(name: str) -> float:
    """Most of the reference's time that a row may take."""
    slow = ("sot-m", "mix-m")
    return 0.2 if name.split("/")[1] in slow else 0.5


def run_image_work(arguments: argparse.Namespace) -> dict:
    """Measures everything that needs no model."""
    shots = load_shots(arguments.frames)
    face_type = FaceType.parse(arguments.face_type)
    predictions = [stand_in_prediction(shot, face_type, arguments.resolution) for shot in shots]
    n_threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # as the reference ran: whole frames side by side
    rows = {
        f"{mode}/{transfer}": image_work(
            shots,
            predictions,
            MergeOptions(mode=mode, color_transfer=transfer),
            face_type,
            arguments.passes,
        )
        for mode in MODES
        for transfer in transfers_of(mode)
    }
    compare(rows)
    together = utilisation(shots, predictions, face_type, arguments.workers, arguments.passes)
    cv2.setNumThreads(n_threads)
    return {
        "faces": len(shots),
        "face_width_px": round(float(np.mean([np.ptp(s.landmarks[:, 0]) for s in shots])), 1),
        "rows": rows,
        **png_work(shots, arguments.passes),
        "image_work_of_many_frames": together,
    }


def run_network(arguments: argparse.Namespace) -> dict:
    """Measures the predictions of a model of the default shape."""
    from benchmarks.merge_network import time_predictions  # TensorFlow: not for --help

    return {"network": time_predictions(_model_options(arguments), arguments.passes)}


def run_command(arguments: argparse.Namespace) -> dict:
    """Measures the whole command."""
    from benchmarks.merge_command import time_command

    figures = time_command(CLIP, arguments.command_frames, _model_options(arguments))
    return {"command": figures}


def _model_options(arguments: argparse.Namespace) -> Quick96Options:
    return Quick96Options(resolution=arguments.resolution, face_type=arguments.face_type)


PARTS = {"image": run_image_work, "network": run_network, "command": run_command}


def run(arguments: argparse.Namespace) -> dict:
    """Measures the chosen parts."""
    report = {}
    for part in arguments.parts:
        report |= PARTS[part](arguments)
    if {"rows", "network"} <= set(report):
        compare_whole_frames(report)
    return report


def compare_whole_frames(report: dict) -> None:
    """Adds the CPU time of network, image work and PNG by the reference's to rows it has too."""
    reference = reference_figures()["merge_in_process"]["rows"]
    others = report["network"]["both"]["network_cpu_ms"] + report["png_encode_cpu_ms"]
    for name, row in report["rows"].items():
        if name in reference:
            whole = (others + row["image_cpu_ms"]) / 1e3
            row["frame_cpu_by_reference"] = round(whole / reference[name]["cpu_s_per_frame"], 3)


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line; the defaults are the conditions of the reference's figures."""
    parser = make_parser(__doc__)
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--frames", type=int, default=29, help="for the image work")
    parser.add_argument("--command-frames", type=int, default=48, help="for the whole command")
    parser.add_argument("--passes", type=int, default=5, help="the median of these counts")
    parser.add_argument("--resolution", type=int, default=96, help="of the model")
    parser.add_argument("--face-type", default="f")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Runs the benchmark and prints its report."""
    print_report(parse(words), run)


if __name__ == "__main__":
    main()
