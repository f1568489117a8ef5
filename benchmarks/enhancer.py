"""Measures what FaceEnhancer learns of one person: detail of frames that it has never seen.

    python -m benchmarks.enhancer --minutes 30
    python -m benchmarks.enhancer --minutes 30 --sheet sheet.png --folder kept

The faces are those of the src demo clip at 256 pixels. It is trained, with the command that a user
would run, on all but the last fifth of the clip. Of that fifth each face is made a quarter as
large, as it is and softened as in training, and enlarged again: by the network, and by cubic
interpolation. Inside the hull of the landmarks the results are compared with the face itself.
"""

import argparse
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import psutil
from skimage.metrics import structural_similarity

from benchmarks.command import extract_whole_faces, run_facelab
from benchmarks.machine import ROOT, quiet_tensorflow
from benchmarks.tables import markdown_table
from facelib.masks import hull_mask
from samplelib.enhancer_samples import FACTOR, spoilt
from samplelib.face_image import read_face

CLIP = ROOT / "demo" / "src_woman.mp4"
SIDE = 256
HELD_OUT = 5
"""One part of so many is held out, the last one."""

SOFTNESS = 0.5
N_SHOWN = 4
NAME = "woman"

Enlarge = Callable[[np.ndarray], np.ndarray]
"""(S, S, 3) float32 BGR in [0, 1] -> (4 S, 4 S, 3)."""


def split(folder: Path) -> tuple[Path, list[Path]]:
    """The faces to learn from, as a folder, and those held out."""
    plain = folder / "plain"
    if not plain.exists():
        extract_whole_faces(CLIP, plain, "--image-size", SIDE)
    paths = sorted(plain.glob("*.jpg"))
    first = len(paths) - len(paths) // HELD_OUT
    learned = folder / "learned"
    learned.mkdir(exist_ok=True)
    for path in paths[:first]:
        shutil.copyfile(path, learned / path.name)
    return learned, paths[first:]


def train(faces: Path, model_dir: Path, minutes: float, seed: int) -> None:
    """The command that a user would run."""
    run_facelab("train", "--model", "FaceEnhancer", "--name", NAME, "--src-dir", faces,
                "--model-dir", model_dir, "--preview", "none", "--target-minutes", minutes,
                "--lr-decay", 0.3, "--seed", seed)


def load(model_dir: Path) -> tuple[Enlarge, int]:
    """The trained network, and its iterations."""
    from models.loading import restore
    from models.store import ModelStore

    saved = ModelStore(model_dir, "FaceEnhancer", NAME).require()
    return restore("FaceEnhancer", saved).enhancer().enlarge, saved.progress.iteration


def cubic(small: np.ndarray) -> np.ndarray:
    """What a merge does without an enhancer."""
    return cv2.resize(small, None, fx=FACTOR, fy=FACTOR, interpolation=cv2.INTER_CUBIC)


def small_faces(paths: Sequence[Path], softness: float) -> list[np.ndarray]:
    """Faces a quarter as large, (64, 64, 3) float32 BGR in [0, 1], softened up to a degree."""
    found = []
    for number, path in enumerate(paths):
        levels = cv2.resize(read_face(path)[0], (SIDE // FACTOR,) * 2,
                            interpolation=cv2.INTER_AREA)
        levels = spoilt(levels, softness, np.random.default_rng((5, number)))
        found.append(levels.astype(np.float32) / 255)
    return found


def figures(enlarge: Enlarge, small: Sequence[np.ndarray], paths: Sequence[Path]
            ) -> tuple[float, float, float]:
    """Mean over the faces: absolute error in levels, structural similarity of the luma, and how
    strong edges are by those of the face itself."""
    rows = []
    for picture, path in zip(small, paths, strict=True):
        levels, info = read_face(path)
        inside = hull_mask(levels.shape[:2], info.landmarks)[..., 0] > 0.5
        made, true = (cv2.cvtColor(face, cv2.COLOR_BGR2GRAY) for face in (
            np.clip(enlarge(picture), 0, 1), levels.astype(np.float32) / 255))
        _, similar = structural_similarity(made, true, data_range=1.0, gaussian_weights=True,
                                           sigma=1.5, use_sample_covariance=False, full=True)
        rows.append((255 * np.abs(made - true)[inside].mean(), similar[inside].mean(),
                     np.abs(cv2.Laplacian(made, -1))[inside].mean()
                     / np.abs(cv2.Laplacian(true, -1))[inside].mean()))
    return tuple(np.mean(rows, axis=0).tolist())


def sheet(ways: Mapping[str, Enlarge], small: Sequence[np.ndarray], paths: Sequence[Path]
          ) -> np.ndarray:
    """Some faces, one to a row: each way, and the face itself; (H, W, 3) uint8."""
    rows = []
    for place in np.linspace(0, len(paths) - 1, N_SHOWN).round().astype(int):
        made = [np.rint(255 * np.clip(enlarge(small[place]), 0, 1)).astype(np.uint8)
                for enlarge in ways.values()]
        rows.append(np.hstack([*made, read_face(paths[place])[0]]))
    return np.vstack(rows)


def run(arguments: argparse.Namespace, folder: Path) -> str:
    """Trains, if there is time given, and compares."""
    learned, held_out = split(folder)
    if arguments.minutes:
        train(learned, folder / "model", arguments.minutes, arguments.seed)
    enhanced, iterations = load(folder / "model")
    ways = {"cubic": cubic, "FaceEnhancer": enhanced}
    rows = []
    for name, softness in (("as it is", 0.0), ("softened", SOFTNESS)):
        small = small_faces(held_out, softness)
        rows += [(name, way, *(f"{number:.3f}" for number in figures(enlarge, small, held_out)))
                 for way, enlarge in ways.items()]
    if arguments.sheet:
        cv2.imwrite(str(arguments.sheet), sheet(ways, small, held_out))
    table = markdown_table(("small face", "enlarged by", "error in levels", "structure",
                            "edges by the face's"), rows)
    return f"{table}\n{iterations} iterations, {len(held_out)} faces never seen"


def main(words: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0,
                        help="training; 0 measures what is in --folder")
    parser.add_argument("--folder", type=Path, help="keep faces and model here")
    parser.add_argument("--sheet", type=Path, help="write a picture of some faces")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(words)
    quiet_tensorflow()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        print(run(arguments, folder))
    print(f"load: {psutil.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
