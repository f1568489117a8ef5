"""Measures how much merged faces flicker beside the clip that they are merged into.

    python -m benchmarks.merge_flicker --model-dir demo_workspace/model --name demo

Prints JSON: for each mode and colour transfer the change from frame to frame of the colours on the
face, as a multiple of the clip's own; merged frame by frame, and with the frames around. The
colours are mean and deviation of L, a and b of Lab inside the hull of the landmarks, the change
their root mean square.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from benchmarks.command import make_parser, print_report
from benchmarks.machine import quiet_tensorflow
from benchmarks.merge import CLIP, Shot, transfers_of
from core.imaging.color import bgr_to_lab
from core.video import read_frames
from facelib.detect import find_faces
from facelib.face_type import FaceType
from facelib.masks import hull_mask
from facelib.registry import DETECTORS, LANDMARKERS
from facelib.types import Predictor
from merger.color_memory import measure_colors, needs_colors, steady_map
from merger.modes import MODES
from merger.options import MergeOptions
from merger.paste import crop_for_prediction
from merger.pipeline import FaceToMerge, merge_frame, prediction_of

BATCH = 8
RIM = 15
"""Pixels of the hull's border that are left out: there the frame shows through."""


def load_shots(n_frames: int) -> list[Shot]:
    """The first frames of the demo clip with their one face."""
    pictures = [frame.image for frame in islice(read_frames(CLIP), n_frames)]
    detector, landmarker = DETECTORS.load("yunet")(), LANDMARKERS.load("facemesh")()
    found = find_faces(pictures, detector, landmarker, max_faces=1)
    return [Shot(picture, faces[0].landmarks) for picture, faces in zip(pictures, found)]


def predict(shots: Sequence[Shot], predictor: Predictor) -> list[FaceToMerge]:
    """What a model makes of the faces."""
    crops = [crop_for_prediction(shot.frame, shot.landmarks, predictor.face_type,
                                 predictor.resolution) for shot in shots]
    batches = [predictor(np.stack(crops[start:start + BATCH]))
               for start in range(0, len(crops), BATCH)]
    return [FaceToMerge(shot.landmarks, prediction_of(batches[i // BATCH], i % BATCH), crops[i])
            for i, shot in enumerate(shots)]


def steadied(shots: Sequence[Shot], faces: Sequence[FaceToMerge], options: MergeOptions,
             face_type: FaceType) -> list[FaceToMerge]:
    """The same faces with what the frames around say of their colours."""
    if not needs_colors(options):
        return list(faces)
    colors = [measure_colors(shot.frame, face, options, face_type)
              for shot, face in zip(shots, faces, strict=True)]
    reach = options.color_smoothing
    return [replace(face, steady_map=steady_map(colors[max(i - reach, 0):i + reach + 1],
                                                min(i, reach)))
            for i, face in enumerate(faces)]


def change(pictures: Sequence[np.ndarray], shots: Sequence[Shot]) -> float:
    """Root mean square of what the colours on the face change by from frame to frame, in Lab."""
    rows = np.array([_colors(picture, shot.landmarks)
                     for picture, shot in zip(pictures, shots, strict=True)])
    return float(np.sqrt(np.square(np.diff(rows, axis=0)).mean()))


def _colors(picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    hull = cv2.erode(hull_mask(picture.shape[:2], landmarks), np.ones((RIM, RIM))) > 0
    pixels = bgr_to_lab(np.float32(picture / 255))[hull]
    return np.concatenate([pixels.mean(axis=0), pixels.std(axis=0)])


def run(arguments: argparse.Namespace) -> dict:
    """Measures every mode and colour transfer."""
    quiet_tensorflow()
    from models.loading import restore
    from models.store import ModelStore

    store = ModelStore(arguments.model_dir, arguments.model, arguments.name)
    predictor = restore(arguments.model, store.require()).predictor()
    shots = load_shots(arguments.frames)
    faces = predict(shots, predictor)
    own = change([shot.frame for shot in shots], shots)
    rows = {}
    for mode, transfer in ((mode, transfer) for mode in MODES for transfer in transfers_of(mode)
                           if transfer != "none"):
        options = MergeOptions(mode=mode, color_transfer=transfer)
        around = steadied(shots, faces, options, predictor.face_type)
        rows[f"{mode}/{transfer}"] = {
            name: round(change([merge_frame(shot.frame, [face], options, predictor.face_type).image
                                for shot, face in zip(shots, some, strict=True)], shots) / own, 3)
            for name, some in (("alone", faces), ("with_frames_around", around))}
    return {"own_change_in_lab": round(own, 4), "rows": rows}


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = make_parser(__doc__)
    parser.add_argument("--model-dir", type=Path, required=True)
    parser.add_argument("--model", default="Quick96")
    parser.add_argument("--name", default="demo")
    parser.add_argument("--frames", type=int, default=120, help="of the clip, from its start")
    return parser.parse_args(words)


if __name__ == "__main__":
    print_report(parse(), run)
