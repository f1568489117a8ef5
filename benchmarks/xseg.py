"""Measures segmenters: how few labels are enough, and how fast training and `xseg apply` are.

    python -m benchmarks.xseg few-shot --minutes 20        labels against overlap, as a table
    python -m benchmarks.xseg apply                        batches beside one face at a time
    python -m benchmarks.xseg step                         the training step beside a plain graph's

The faces are those of a demo clip with drawn things in front of them, whose true masks are known:
hull of the landmarks without what is hidden. Labels are polygons around these masks, as a person
would draw them; the overlap (intersection over union) is that of faces without labels, which no
training has seen. The people of the clip are not among those that the starter was trained on.
"""

import argparse
import itertools
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil

from benchmarks.command import extract_whole_faces, run_facelab
from benchmarks.machine import ROOT, quiet_tensorflow, run_in_turns
from benchmarks.tables import markdown_table
from core.polygon_geometry import mask_polygons
from core.prompt import SilentPrompter
from core.report import SilentReporter
from facelib.face_type import FaceType
from facelib.protocols import FaceSegmenter
from facelib.segment_aligned import SIDE, aligned_to_square, mask_of_aligned, square_of
from mainscripts.xseg_apply import ApplyOptions, apply
from mainscripts.xseg_segmenter import find_segmenter, trained_segmenter
from samplelib.face_image import read_face, write_face
from samplelib.face_labels import known_mask, write_mask
from samplelib.occluders.layer import Place, usual_points
from samplelib.occluders.table import occlude

CLIP = ROOT / "demo" / "src_woman.mp4"
EVERY = 2
"""Frames of the clip that count one."""

LABELS = (0, 5, 15, 30, 60)
HELD_OUT = 40
SHARE_OCCLUDED = 0.7


def extracted(folder: Path) -> Path:
    """The whole faces of the clip, 256 pixels wide."""
    return extract_whole_faces(CLIP, folder / "plain", "--every", EVERY)


def occluded(plain: Path, folder: Path) -> dict[Path, np.ndarray]:
    """The same faces with things in front of most: path -> true mask, (256, 256, 1), 0 or 1."""
    folder.mkdir(exist_ok=True)
    paths = sorted(plain.glob("*.jpg"))
    points, masks = usual_points(FaceType.WHOLE_FACE), {}
    for number, path in enumerate(paths):
        rng = np.random.default_rng((11, number))
        levels, info = read_face(path)
        image, mask = levels.astype(np.float32) / 255, known_mask(info, levels.shape[0])
        other = read_face(paths[(number + len(paths) // 2) % len(paths)])[0].astype(np.float32)
        if rng.random() < SHARE_OCCLUDED:
            image, mask = occlude(image, mask, Place(image, other / 255, points), rng)
        target = folder / path.name
        write_face(target, np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8), info)
        masks[target] = (mask > 0.5).astype(np.float32)
    return masks


def label(faces: dict[Path, np.ndarray], n_labels: int, folder: Path) -> Path:
    """A folder with some of the faces, spread over all, and polygons around their masks."""
    folder.mkdir()
    paths = list(faces)
    for place in np.linspace(0, len(paths) - 1, n_labels).round().astype(int):
        image, info = read_face(paths[place])
        write_face(folder / paths[place].name, image,
                   replace(info, polygons=mask_polygons(
                        faces[paths[place]], tolerance=0.5, least_share=1e-4)))
    return folder


def masks_of(segmenter: FaceSegmenter, paths: Sequence[Path]) -> list[np.ndarray]:
    """What a segmenter says of aligned faces, as `xseg apply` asks it."""
    squares, ways = [], []
    for path in paths:
        image, info = read_face(path)
        way = aligned_to_square(info.landmarks, image.shape[0], info.face_type,
                                segmenter.face_type)
        squares.append(square_of(image, way))
        ways.append((way, image.shape[0]))
    return [mask_of_aligned(mask, way, width, SIDE)
            for mask, (way, width) in zip(segmenter.segment(np.stack(squares)), ways, strict=True)]


def overlap(segmenter: FaceSegmenter, faces: dict[Path, np.ndarray]) -> float:
    """Mean intersection over union."""
    shares = [np.logical_and(found > 0.5, true > 0.5).sum() / np.logical_or(
        found > 0.5, true > 0.5).sum()
        for found, true in zip(masks_of(segmenter, list(faces)), faces.values(), strict=True)]
    return float(np.mean(shares))


def few_shot(arguments: argparse.Namespace) -> str:
    """Labels against overlap."""
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        faces = occluded(extracted(folder), folder / "faces")
        held_out = dict(list(faces.items())[::max(len(faces) // HELD_OUT, 1)])
        rest = {path: mask for path, mask in faces.items() if path not in held_out}
        for n_labels in arguments.labels:
            minutes = arguments.minutes if n_labels else 0
            segmenter = find_segmenter("xseg")
            if n_labels:
                labelled = label(rest, n_labels, folder / f"labels{n_labels}")
                train(labelled, folder / "models", f"few{n_labels}", minutes, arguments.seed)
                segmenter = trained_segmenter(folder / "models", f"few{n_labels}", "XSeg", 8)
            rows.append((n_labels, f"{minutes:g}", f"{overlap(segmenter, held_out):.3f}"))
            print(*rows[-1], flush=True)
    return markdown_table(("labels", "minutes", f"overlap on {len(held_out)} faces"), rows)


def train(labelled: Path, model_dir: Path, name: str, minutes: float, seed: int) -> None:
    """The command that a user would run, from the starter."""
    run_facelab("xseg", "train", "--src-dir", labelled, "--model-dir", model_dir, "--name", name,
                "--start-from", "starter", "--preview", "none", "--batch-size", 8,
                "--optimizer", "adam", "--learning-rate", 7e-4, "--lr-dropout", 1,
                "--clip-gradients", 1, "--occluders", 0.5, "--filters", 0.2, "--jaccard", 1,
                "--target-minutes", minutes, "--lr-decay", 0.7, "--seed", seed)


def compare_apply(arguments: argparse.Namespace) -> str:
    """`xseg apply` beside a loop over the same files with the same network, in turns.

    Both start with nothing but the files: loading the network counts, and so do reading and
    writing. What the one wrote, the other replaces.
    """
    with tempfile.TemporaryDirectory() as scratch:
        faces = repeated(extracted(Path(scratch)), Path(scratch) / "faces", arguments.faces)
        options = ApplyOptions(faces, yes=True, batch_size=arguments.batch_size)
        # Whole faces either way, but never what the time before has noted in the files, which
        # would be left alone.
        crops = itertools.cycle(("auto", "same"))
        turns = run_in_turns(lambda: apply(replace(options, face_type=next(crops)),
                                           SilentReporter(), SilentPrompter()),
                             lambda: mask_singly(faces), arguments.rounds)
    rows = [(name, f"{arguments.faces / usage.seconds:.1f}",
             f"{1000 * usage.cpu_seconds / arguments.faces:.1f}")
            for name, usage in (("in batches", turns.a), ("one at a time", turns.b))]
    ratio = ("ratio", f"{1 / turns.ratio:.2f}", f"{1 / turns.cpu_ratio:.2f}")
    return markdown_table(("apply", "faces/s", "CPU ms for each"), [*rows, ratio])


def repeated(faces: Path, folder: Path, n_faces: int) -> Path:
    """A folder with some faces again and again."""
    folder.mkdir()
    for number, path in zip(range(n_faces), itertools.cycle(sorted(faces.glob("*.jpg")))):
        shutil.copyfile(path, folder / f"{number:06d}_0.jpg")
    return folder


def mask_singly(faces: Path) -> None:
    """What a plain script does: read, crop, the network on one face with all cores, write."""
    segmenter = find_segmenter("xseg", batch_size=1)
    for path in sorted(faces.glob("*.jpg")):
        write_mask(path, masks_of(segmenter, [path])[0], "one at a time")


def compare_step(arguments: argparse.Namespace) -> str:
    """The training step beside the same step as a plain graph, in turns."""
    from models.xseg.model import XSegModel
    from models.xseg.options import XSegOptions

    options = XSegOptions(resolution=128, base=16, dense=256, batch_size=8)
    rng = np.random.default_rng(0)
    batch = {"image": rng.integers(0, 256, (8, 128, 128, 3)).astype(np.uint8),
             "mask": (255 * rng.integers(0, 2, (8, 128, 128, 1))).astype(np.uint8)}
    ours, plain = XSegModel(options), XSegModel(replace(options, xla=False))
    turns = run_in_turns(lambda: ours.train_step(1, {"faces": batch}),
                         lambda: plain.train_step(1, {"faces": batch}), 5 * arguments.rounds)
    rows = [(name, f"{1000 * usage.seconds:.0f}", f"{1000 * usage.cpu_seconds:.0f}")
            for name, usage in (("step", turns.a), ("plain graph", turns.b))]
    ratio = ("ratio", f"{turns.ratio:.2f}", f"{turns.cpu_ratio:.2f}")
    return markdown_table(("training", "ms", "CPU ms"), [*rows, ratio])


PARTS = {"few-shot": few_shot, "apply": compare_apply, "step": compare_step}


def main(words: Sequence[str] | None = None) -> None:
    """Prints the table of a part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--labels", type=int, nargs="+", default=list(LABELS))
    parser.add_argument("--minutes", type=float, default=20.0, help="training for each number")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--faces", type=int, default=400, help="that `apply` masks in a round")
    parser.add_argument("--batch-size", type=int, default=ApplyOptions.batch_size)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(words)
    quiet_tensorflow()
    print(PARTS[arguments.part](arguments))
    print(f"load: {psutil.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
