"""Compares face detectors and landmark extractors on clips and stills that none was trained on.

    python -m benchmarks.detectors
    python -m benchmarks.detectors --clips demo/dst_man.mp4 --stills photo.jpg --markdown

Nobody has marked the faces by hand, so the detectors judge each other: a face counts as visible if
two of them find it in the upright picture; a box is false if no other detector finds a face there,
or if it is a second one of the same face. Landmarks are
compared with those of the embedded teachers at their best (five samples, second pass): what own
networks learned from. Their error is in percent of the eye distance, the jaw apart, whose points
have no marks in the picture; jitter, the trembling from frame to frame, needs no truth.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from benchmarks.command import make_parser, print_report
from benchmarks.tables import markdown_table
from core.geometry import transform_points
from core.imaging.io import read_image
from core.video import read_frames, read_timeline
from facelib.align import face_transform
from facelib.detect import find_faces
from facelib.face_type import FaceType
from facelib.pose import estimate_pose
from facelib.protocols import FaceDetector, LandmarkExtractor
from facelib.registry import DETECTORS, LANDMARKERS
from facelib.smoothing import Run, eye_distances, jitter
from facelib.types import Face
from facelib.weights import IMPORTABLE, source_of

DEMO = Path(__file__).parents[1] / "demo"
CLIPS = DEMO / "src_woman.mp4", DEMO / "dst_man.mp4"
DETECTOR_NAMES = "yunet", "s3fd", "retinaface", "mtcnn"
PAIRS = ("yunet", "facemesh"), ("s3fd", "2dfan")
TURNS = {0: None, 90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180}
"""Degrees clockwise -> code of OpenCV."""

YAWS = {"under 15": (0, 15), "15 to 30": (15, 30), "over 30": (30, 91)}
"""Ranges of the yaw, degrees."""

RUN, PAUSE = 10, 40
"""Of a clip, so many frames in a row are used, then so many left out."""

NEAR = 0.4
"""Two boxes show one face if their centres are nearer than this share of the larger one's side."""


class Picture(NamedTuple):
    """A picture of a clip or a still: `clip` and `index` tell which follow each other."""

    clip: str
    index: int
    image: np.ndarray


@dataclass
class Counts:
    """What one detector found.

    Attributes:
        visible: Faces that were there, by degrees of turning.
        found: Those of them that it found.
        false: Boxes in the upright picture that no other detector confirmed, and second boxes of
            one face.
    """

    visible: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    found: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    false: int = 0


def pictures(clips: Iterable[Path], stills: Iterable[Path], n_runs: int) -> Iterator[Picture]:
    """Runs of frames spread over each clip, then the stills."""
    for clip in clips:
        n_frames = len(read_timeline(clip).pts)
        indices = [index for start in range(n_runs) for k in range(RUN)
                   if (index := start * (RUN + PAUSE) + k) < n_frames]
        for frame in read_frames(clip, indices=indices):
            yield Picture(clip.name, frame.index, frame.image)
    for still in stills:
        yield Picture(still.name, 0, read_image(still))


def same_face(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two (4,) boxes show one face."""
    sides = [np.sqrt(max(np.prod(box[2:] - box[:2]), 1)) for box in (a, b)]
    distance = np.linalg.norm((a[:2] + a[2:] - b[:2] - b[2:]) / 2)
    return bool(distance < NEAR * max(sides) and max(sides) < 2.5 * min(sides))


def visible_faces(found: Mapping[str, Sequence[Face]]) -> list[np.ndarray]:
    """(4,) boxes that at least two detectors agree on, each face once.

    The nearest boxes go together first, and each detector has one box of a face: else its second
    one, halfway beside the face, could pass for a face of its own.
    """
    names = [name for name, faces in found.items() for _ in faces]
    boxes = [face.box for faces in found.values() for face in faces]
    pairs = [(apart(boxes[a], boxes[b]), a, b) for a, b in combinations(range(len(boxes)), 2)
             if same_face(boxes[a], boxes[b])]
    of_face = {place: {place} for place in range(len(boxes))}
    for _, a, b in sorted(pairs):
        both = of_face[a] | of_face[b]
        if len({names[place] for place in both}) == len(both):
            of_face.update((place, both) for place in both)
    return [boxes[place] for place, places in of_face.items()
            if len(places) > 1 and place == min(places)]


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """By how much two (4,) boxes differ, in pixels."""
    return float(np.abs(a - b).sum())


def take_nearest(box: np.ndarray, boxes: list[np.ndarray]) -> np.ndarray | None:
    """Takes the nearest box of the same face out of `boxes`, (4,) each; None if there is none."""
    near = [place for place, other in enumerate(boxes) if same_face(box, other)]
    if not near:
        return None
    return boxes.pop(min(near, key=lambda place: apart(boxes[place], box)))


def count_false(faces: Sequence[Face], visible: Sequence[np.ndarray]) -> int:
    """Of the boxes of one picture, those that show no visible face, or one that has a box."""
    boxes = [face.box for face in faces]
    for box in visible:
        take_nearest(box, boxes)
    return len(boxes)


def turned_box(box: np.ndarray, degrees: int, shape: tuple[int, ...]) -> np.ndarray:
    """A (4,) box in the picture of (height, width, ...) `shape` turned clockwise."""
    x1, y1, x2, y2 = box
    height, width = shape[:2]
    return {0: box, 90: np.array([height - y2, x1, height - y1, x2]),
            180: np.array([width - x2, height - y2, width - x1, height - y1])}[degrees]


def count_faces(shown: Sequence[Picture], upright: Sequence[Mapping[str, Sequence[Face]]],
                detectors: Mapping[str, FaceDetector]) -> dict[str, Counts]:
    """What each detector finds of the visible faces, also in turned pictures.

    Args:
        shown: The pictures.
        upright: Detector -> its faces, of each picture as it is.
        detectors: By their names.
    """
    counts = {name: Counts() for name in detectors}
    for picture, found in zip(shown, upright, strict=True):
        visible = visible_faces(found)
        for name, faces in found.items():
            counts[name].false += count_false(faces, visible)
        for degrees, code in TURNS.items():
            turned = picture.image if code is None else cv2.rotate(picture.image, code)
            for name, detector in detectors.items():
                faces = found[name] if code is None else detector.detect([turned])[0]
                counts[name].visible[degrees] += len(visible)
                counts[name].found[degrees] += sum(
                    any(same_face(face.box, turned_box(box, degrees, picture.image.shape))
                        for face in faces) for box in visible)
    return counts


def landmarks_of(shown: Sequence[Picture], boxes: Sequence[np.ndarray | None],
                 detector: FaceDetector, landmarker: LandmarkExtractor, **settings: Any
                 ) -> list[np.ndarray | None]:
    """(68, 2) landmarks of one face of each picture, None where it is not found."""
    found = []
    for picture, box in zip(shown, boxes):
        faces = [] if box is None else find_faces([picture.image], detector, landmarker,
                                                  **settings)[0]
        found.append(next((face.landmarks for face in faces if same_face(face.box, box)), None))
    return found


def yaw_of(landmarks: np.ndarray) -> float:
    """Degrees by which a head is turned to either side."""
    image_to_face = face_transform(landmarks, 256, FaceType.FULL)
    return abs(float(np.degrees(estimate_pose(transform_points(landmarks, image_to_face),
                                              256).yaw)))


def error_figures(truth: Sequence[np.ndarray | None], found: Sequence[np.ndarray | None]
                  ) -> dict[str, Any]:
    """Mean distances by yaw in percent of the eye distance, and the number of faces."""
    both = [(a, b) for a, b in zip(truth, found) if a is not None and b is not None]
    yaws = np.array([yaw_of(a) for a, _ in both])
    figures = {}
    for name, (low, high) in YAWS.items():
        chosen = [pair for pair, yaw in zip(both, yaws) if low <= yaw < high]
        if not chosen:
            continue
        wanted, got = (np.array(points, np.float64) for points in zip(*chosen))
        distances = np.linalg.norm(got - wanted, axis=-1) / eye_distances(wanted)[:, np.newaxis]
        figures[name] = {"faces": len(chosen),
                         "points 17-67": round(100 * float(distances[:, 17:].mean()), 2),
                         "jaw": round(100 * float(distances[:, :17].mean()), 2)}
    return figures


def jitter_of(shown: Sequence[Picture], found: Sequence[np.ndarray | None]) -> float | None:
    """Percent of the eye distance; see `facelib.smoothing.jitter`."""
    by_run = defaultdict(list)
    for picture, landmarks in zip(shown, found):
        if landmarks is not None:
            by_run[picture.clip, picture.index // (RUN + PAUSE)].append((picture.index, landmarks))
    value = jitter(Run(np.array([index for index, _ in run]),
                       np.array([landmarks for _, landmarks in run]))
                   for run in by_run.values())
    return None if value is None else round(100 * value, 3)


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    shown = list(pictures(arguments.clips, arguments.stills, arguments.runs))
    names = [name for name in DETECTOR_NAMES if source_of_part(name) != "missing"]
    detectors = {name: DETECTORS.load(name)() for name in names}
    upright = [{name: detector.detect([picture.image])[0] for name, detector in detectors.items()}
               for picture in shown]
    counts = count_faces(shown, upright, detectors)
    first = [visible_faces(found) for found in upright]
    clips = [(picture, boxes[0] if boxes else None) for picture, boxes in zip(shown, first)
             if picture.clip in {clip.name for clip in arguments.clips}]
    frames, boxes = [picture for picture, _ in clips], [box for _, box in clips]
    truth = landmarks_of(frames, boxes, detectors["yunet"], LANDMARKERS.load("facemesh")(samples=5),
                         second_pass=True)
    figures = {}
    for detector, landmarker in PAIRS:
        if detector not in detectors or source_of_part(landmarker) == "missing":
            continue
        for samples in (1, 5):
            found = landmarks_of(frames, boxes, detectors[detector],
                                 LANDMARKERS.load(landmarker)(samples=samples))
            figures[f"{detector} + {landmarker}, samples {samples}"] = {
                "error": error_figures(truth, found), "jitter": jitter_of(frames, found)}
    return {"pictures": len(shown), "frames of clips": len(frames),
            "detectors": {name: {"visible": counted.visible[0], "false": counted.false, "recall": {
                degrees: round(100 * counted.found[degrees] / max(counted.visible[degrees], 1), 1)
                for degrees in TURNS}} for name, counted in counts.items()},
            "landmarks": figures}


def source_of_part(name: str) -> str:
    """Where a detector's or an extractor's weights come from; see `facelib.weights.source_of`."""
    return source_of(name) if name in IMPORTABLE else "shipped"


def tables(figures: Mapping[str, Any]) -> str:
    """The figures as Markdown."""
    rows = [[name, counted["visible"], *(f"{share} %" for share in counted["recall"].values()),
             counted["false"]] for name, counted in figures["detectors"].items()]
    recall = markdown_table(["detector", "visible faces", *(
        "recall" if not degrees else f"turned by {degrees}°" for degrees in TURNS),
        "false faces"], rows)
    rows = []
    for pair, found in figures["landmarks"].items():
        cells = [found["error"].get(name) for name in YAWS]
        rows.append([pair, *("-" if cell is None else f"{cell['points 17-67']} / {cell['jaw']}"
                             for cell in cells), found["jitter"]])
    errors = markdown_table(["landmarks", *(f"yaw {name}°" for name in YAWS), "jitter"], rows)
    return f"{recall}\n\n{errors}"


def main(words: Sequence[str] | None = None) -> None:
    """Prints the report, or its tables."""
    parser = make_parser(__doc__)
    parser.add_argument("--clips", type=Path, nargs="*", default=list(CLIPS))
    parser.add_argument("--stills", type=Path, nargs="*", default=[])
    parser.add_argument("--runs", type=int, default=6,
                        help=f"runs of {RUN} frames taken of each clip")
    parser.add_argument("--markdown", action="store_true", help="print tables instead of JSON")
    arguments = parser.parse_args(words)
    if arguments.markdown:
        print(tables(run(arguments)))
    else:
        print_report(arguments, run)


if __name__ == "__main__":
    main()
