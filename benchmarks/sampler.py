"""Times the making of training samples and compares it with the reference program.

    python -m benchmarks.sampler
    python -m benchmarks.sampler --modes none mkl --resolution 96 --outputs warped target mask

Prints JSON: a row for each mode of colour transfer, then start and memory of a small and a large
faceset. Faces are cut from the project's test pictures at random places; their landmarks are those
of the mean face, which cost the same as real ones.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks.command import make_parser, print_report
from benchmarks.machine import ROOT, Usage, measure, reference_figures
from core.imaging.io import read_image
from facelib.align import face_transform
from facelib.face_type import FaceType
from facelib.landmarks import TEMPLATE_51
from samplelib.face_image import write_face
from samplelib.face_info import FaceInfo
from samplelib.faceset import Faceset, load_faceset
from samplelib.recipe import OUTPUTS, SWAP_OUTPUTS, TRANSFER_NAMES
from samplelib.sampler import DEFAULT_CACHE_BYTES, BatchGenerator, SampleOptions, SampleRecipe

PICTURES = sorted((Path(__file__).parents[1] / "tests" / "data").glob("*.*g"))


def mean_landmarks(size: int, face_type: FaceType) -> np.ndarray:
    """(68, 2) landmarks of the mean face with a round jaw, in an aligned picture."""
    angles = np.linspace(0, np.pi, 17)
    jaw = np.stack([0.49 - 0.55 * np.cos(angles), 0.25 + 0.85 * np.sin(angles)], axis=1)
    landmarks_frame = np.concatenate([jaw, TEMPLATE_51]) * 100
    frame_to_face = face_transform(landmarks_frame, size, face_type)
    return landmarks_frame @ frame_to_face[:, :2].T + frame_to_face[:, 2]


def face_pictures(size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yields (size, size, 3) uint8 cuts out of the test pictures, for ever."""
    pictures = [read_image(path) for path in PICTURES]
    while True:
        picture = pictures[rng.integers(len(pictures))]
        side = rng.integers(150, min(picture.shape[:2]))
        y, x = (rng.integers(0, extent - side) for extent in picture.shape[:2])
        yield cv2.resize(picture[y:y + side, x:x + side], (size, size),
                         interpolation=cv2.INTER_AREA if side > size else cv2.INTER_CUBIC)


def write_faceset(folder: Path, n_faces: int, size: int, seed: int) -> Faceset:
    """Writes a faceset of full faces with all that `extract` notes, and loads it."""
    landmarks = mean_landmarks(size, FaceType.FULL)
    rng = np.random.default_rng(seed)
    pictures = face_pictures(size, rng)
    folder.mkdir()
    for number in range(n_faces):
        info = FaceInfo(
            FaceType.FULL, landmarks, source_filename=f"{number:05d}.png",
            source_rect=rng.uniform(0, 500, 4), source_landmarks=2.3 * landmarks + rng.random(2),
            image_to_face_mat=rng.random((2, 3)), source_size=(1080, 1920), frame_index=number,
            score=0.9, pose=(0.0, rng.uniform(-1, 1), 0.0))
        write_face(folder / f"{number:05d}_0.jpg", next(pictures), info)
    return load_faceset(folder)


def time_samples(facesets: Sequence[Faceset], recipe: SampleRecipe, arguments: argparse.Namespace,
                 workers: int, cache_bytes: int) -> Usage:
    """What one sample takes on average, after a first epoch that fills the cache."""
    size = arguments.batch_size
    n_batches = max(arguments.samples // size, 1)
    with BatchGenerator(facesets[0], recipe, size, seed=arguments.seed, workers=workers,
                        cache_bytes=cache_bytes, transfer_from=facesets[1]) as batches:
        take(batches, -(-len(facesets[0].faces) // size) + 4)
        usage = measure(lambda: take(batches, n_batches))
    n_samples = n_batches * size
    return Usage(usage.seconds / n_samples, usage.cpu_seconds / n_samples)


def take(batches: BatchGenerator, n_batches: int) -> None:
    """Takes batches and forgets them."""
    for _ in range(n_batches):
        batches.next_batch()


def time_mode(mode: str, facesets: Sequence[Faceset], arguments: argparse.Namespace) -> dict:
    """Measures samples of one colour transfer with and without decoded faces at hand."""
    recipe = SampleRecipe(arguments.resolution, FaceType.FULL, tuple(arguments.outputs),
                          SampleOptions(color_transfer=mode))
    alone, uncached = (time_samples(facesets, recipe, arguments, 1, n_bytes)
                       for n_bytes in (DEFAULT_CACHE_BYTES, 0))
    together = time_samples(facesets, recipe, arguments, arguments.workers, DEFAULT_CACHE_BYTES)
    figures = {
        "cpu_ms_per_sample": round(alone.cpu_seconds * 1000, 3),
        "cpu_ms_per_sample_not_cached": round(uncached.cpu_seconds * 1000, 3),
        "samples_per_s_1_worker": round(1 / alone.seconds, 1),
        f"samples_per_s_{arguments.workers}_workers": round(1 / together.seconds, 1),
    }
    return figures | ratios(mode, figures)


def ratios(mode: str, figures: dict) -> dict:
    """Our figures by those of the reference; CPU time below 1 and speed above 1 are better."""
    reference = reference_figures()["sampler"]["rows"][mode]
    compared = {f"{name}_by_reference": round(figures[name] / reference["cpu_ms_per_sample"], 3)
                for name in ("cpu_ms_per_sample", "cpu_ms_per_sample_not_cached")}
    speed = "samples_per_s_2_workers"
    if speed in figures:
        compared[f"{speed}_by_reference"] = round(figures[speed] / reference[speed], 2)
    return {**compared, "reference": reference}


def link_faces(faceset: Faceset, folder: Path, n_faces: int) -> None:
    """Fills a folder with hard links to the faces of another, which take no room."""
    folder.mkdir()
    paths = [face.path for face in faceset.faces]
    for number in range(n_faces):
        os.link(paths[number % len(paths)], folder / f"{number:06d}_0.jpg")


def start_and_memory(folder: Path, arguments: argparse.Namespace, cache_folder: Path) -> dict:
    """Loads a faceset in processes of their own, without and with an index, and samples it."""
    words = [sys.executable, "-m", "benchmarks.sampler_memory", str(folder),
             "--resolution", str(arguments.resolution), "--samples", str(arguments.samples)]
    runs = [json.loads(subprocess.run(
        words, cwd=ROOT, check=True, capture_output=True, text=True,
        env={**os.environ, "FACELAB_CACHE_DIR": str(cache_folder)}).stdout) for _ in range(2)]
    return {"first": runs[0], "again": runs[1]}


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line; the defaults are the conditions of the reference's figures."""
    parser = make_parser(__doc__)
    parser.add_argument("--modes", nargs="+", default=list(TRANSFER_NAMES),
                        choices=list(TRANSFER_NAMES), help="colour transfers to measure")
    parser.add_argument("--face-size", type=int, default=256, help="side of the face files")
    parser.add_argument("--resolution", type=int, default=128, help="side of the samples")
    parser.add_argument("--outputs", nargs="+", default=list(SWAP_OUTPUTS), choices=list(OUTPUTS))
    parser.add_argument("--faces", type=int, default=100, help="size of the faceset")
    parser.add_argument("--many-faces", type=int, nargs="+", default=[1000, 60000],
                        help="sizes of the facesets whose start and memory are measured")
    parser.add_argument("--samples", type=int, default=1200, help="samples timed per situation")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(words)


def run(arguments: argparse.Namespace) -> dict:
    """Measures on facesets written for it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        facesets = [write_faceset(folder / side, arguments.faces, arguments.face_size,
                                  arguments.seed + number)
                    for number, side in enumerate(("src", "dst"))]
        modes = {mode: time_mode(mode, facesets, arguments) for mode in arguments.modes}
        many = {}
        for n_faces in arguments.many_faces:
            link_faces(facesets[0], folder / str(n_faces), n_faces)
            many[str(n_faces)] = start_and_memory(
                folder / str(n_faces), arguments, folder / "cache")
    return {"reference_conditions": reference_figures()["sampler"]["what"], "modes": modes,
            "many_faces": many}


def main(words: Sequence[str] | None = None) -> None:
    """Runs the benchmark and prints its report."""
    print_report(parse(words), run)


if __name__ == "__main__":
    main()
