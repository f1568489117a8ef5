"""Times merging and compares it with the reference program.

    python -m benchmarks.merge
    python -m benchmarks.merge --frames 12 --passes 3 --workers 2

Prints JSON. The frames are 642x488 cuts of the demo clip with landmarks found by the project's own
detector. For the image work the prediction is the dst face itself, tinted and mirrored, with the
hull of the landmarks as both learned masks: its cost does not depend on what a model paints.
"""

import argparse
import json
import os
import statistics
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.machine import Usage, calibrate, measure, reference_figures
from core.geometry import transform_points
from core.imaging.color import TRANSFERS
from core.imaging.io import encode_image
from core.video import read_frames
from facelib.align import face_transform
from facelib.detect import find_faces
from facelib.face_type import FaceType
from facelib.masks import hull_mask
from facelib.registry import DETECTORS, LANDMARKERS
from facelib.types import Predictor, SwapPrediction
from merger.modes import MODES
from merger.options import MergeOptions, needed_masks
from merger.paste import crop_for_prediction
from merger.pipeline import FaceToMerge, merge_frame

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


def network_work(
    shots: Sequence[Shot],
    predictor: Predictor,
    options: MergeOptions,
    *,
    batch_size: int,
    passes: int,
) -> dict[str, float]:
    """Time per frame of a model's predictions, with the masks that the options need only.

    Args:
        shots: One face each.
        predictor: The model to time.
        options: Decide which masks are computed.
        batch_size: Faces per call.
        passes: Repetitions, of which the median counts.
    """
    crops = np.stack(
        [
            crop_for_prediction(
                shot.frame, shot.landmarks, predictor.face_type, predictor.resolution
            )
            for shot in shots
        ]
    )
    face_mask, dst_mask = needed_masks(options)

    def predict_all() -> None:
        for start in range(0, len(crops), batch_size):
            batch = crops[start : start + batch_size]
            predictor(batch, face_mask=face_mask, dst_mask=dst_mask)

    return figures(per_item(predict_all, len(crops), passes), "network")


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


def run(arguments: argparse.Namespace) -> dict:
    """Measures everything that needs no trained model."""
    shots = load_shots(arguments.frames)
    face_type = FaceType.parse(arguments.face_type)
    predictions = [stand_in_prediction(shot, face_type, arguments.resolution) for shot in shots]
    cv2.setNumThreads(1)  # the pipeline runs whole frames side by side instead
    rows = {
        f"{mode}/{transfer}": image_work(
            shots,
            predictions,
            MergeOptions(mode=mode, color_transfer=transfer),
            face_type,
            arguments.passes,
        )
        for mode in MODES
        for transfer in TRANSFERS
    }
    compare(rows)
    return {
        "faces": len(shots),
        "face_width_px": round(float(np.mean([np.ptp(s.landmarks[:, 0]) for s in shots])), 1),
        "rows": rows,
        **png_work(shots, arguments.passes),
        "image_work_of_many_frames": utilisation(
            shots, predictions, face_type, arguments.workers, arguments.passes
        ),
    }


def parse(words: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line; the defaults are the conditions of the reference's figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=29)
    parser.add_argument("--passes", type=int, default=5, help="the median of these counts")
    parser.add_argument("--resolution", type=int, default=96, help="of the model")
    parser.add_argument("--face-type", default="f")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--no-calibration", action="store_true",
                        help="do not measure the machine itself")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> None:
    """Runs the benchmark and prints its report."""
    arguments = parse(words)
    machine = [] if arguments.no_calibration else [calibrate()]
    report = run(arguments)
    machine += [] if arguments.no_calibration else [calibrate()]
    print(json.dumps(
        {"conditions": vars(arguments), **report, "machine_before_and_after": machine}, indent=1
    ))


if __name__ == "__main__":
    main()
