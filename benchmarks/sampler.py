"""Times the making of training samples and compares it with the reference program.

    python -m benchmarks.sampler
    python -m benchmarks.sampler --resolution 96 --outputs warped target mask

Prints JSON. Faces are cut from the project's test pictures at random places; their landmarks are
those of the mean face, which cost the same as real ones.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks.command import make_parser, print_report
from benchmarks.machine import PeakMemory, Usage, measure, reference_figures
from core.imaging.io import read_image
from facelib.align import face_transform
from facelib.face_type import FaceType
from facelib.landmarks import TEMPLATE_51
from samplelib.face_image import write_face
from samplelib.face_info import FaceInfo
from samplelib.faceset import Faceset, load_faceset
from samplelib.recipe import OUTPUTS
from samplelib.sampler import DEFAULT_CACHE_BYTES, BatchGenerator, SampleRecipe

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
    """Writes a faceset of full faces and loads it."""
    info = FaceInfo(FaceType.FULL, mean_landmarks(size, FaceType.FULL))
    pictures = face_pictures(size, np.random.default_rng(seed))
    for number in range(n_faces):
        write_face(folder / f"{number:05d}_0.jpg", next(pictures), info)
    return load_faceset(folder)


def time_samples(faceset: Faceset, recipe: SampleRecipe, arguments: argparse.Namespace,
                 workers: int, cache_bytes: int) -> Usage:
    """What one sample takes on average, after a first epoch that fills the cache."""
    size = arguments.batch_size
    n_batches = max(arguments.samples // size, 1)
    with BatchGenerator(faceset, recipe, size, seed=arguments.seed, workers=workers,
                        cache_bytes=cache_bytes) as batches:
        take(batches, -(-len(faceset.faces) // size) + 4)
        usage = measure(lambda: take(batches, n_batches))
    n_samples = n_batches * size
    return Usage(usage.seconds / n_samples, usage.cpu_seconds / n_samples)


def take(batches: BatchGenerator, n_batches: int) -> None:
    """Takes batches and forgets them."""
    for _ in range(n_batches):
        batches.next_batch()


def time_situations(faceset: Faceset, arguments: argparse.Namespace) -> dict:
    """Measures one recipe in the three situations of the report."""
    recipe = SampleRecipe(arguments.resolution, FaceType.FULL, tuple(arguments.outputs))
    with PeakMemory() as peak:
        alone = time_samples(faceset, recipe, arguments, 1, DEFAULT_CACHE_BYTES)
        together = time_samples(faceset, recipe, arguments, arguments.workers,
                                DEFAULT_CACHE_BYTES)
    uncached = time_samples(faceset, recipe, arguments, 1, 0)
    return {
        "cpu_ms_per_sample": round(alone.cpu_seconds * 1000, 3),
        "samples_per_s_per_core": round(1 / alone.cpu_seconds, 1),
        f"samples_per_s_{arguments.workers}_workers": round(1 / together.seconds, 1),
        "cpu_ms_per_sample_not_cached": round(uncached.cpu_seconds * 1000, 3),
        "peak_rss_mb": round(peak.n_bytes / 2**20),
    }


def ratios(figures: dict) -> dict:
    """Our figures by those of the reference; CPU time below 1 and speed above 1 are better."""
    reference = reference_figures()["sampler"]
    plain = reference["rows"]["none"]
    compared = {f"{name}_by_reference": round(figures[name] / plain["cpu_ms_per_sample"], 3)
                for name in ("cpu_ms_per_sample", "cpu_ms_per_sample_not_cached")}
    speed = "samples_per_s_2_workers"
    if speed in figures:
        compared[f"{speed}_by_reference"] = round(figures[speed] / plain[speed], 2)
    return {"reference": {"conditions": reference["what"], **plain}, **compared}


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line; the defaults are the conditions of the reference's figures."""
    parser = make_parser(__doc__)
    parser.add_argument("--face-size", type=int, default=256, help="side of the face files")
    parser.add_argument("--resolution", type=int, default=128, help="side of the samples")
    parser.add_argument("--outputs", nargs="+", default=list(OUTPUTS), choices=list(OUTPUTS))
    parser.add_argument("--faces", type=int, default=100, help="size of the faceset")
    parser.add_argument("--samples", type=int, default=1200, help="samples timed per situation")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(words)


def run(arguments: argparse.Namespace) -> dict:
    """Measures on a faceset written for it."""
    with tempfile.TemporaryDirectory() as folder:
        faceset = write_faceset(Path(folder), arguments.faces, arguments.face_size, arguments.seed)
        loading = measure(lambda: load_faceset(folder))
        figures = time_situations(faceset, arguments)
    return {**figures, "ms_to_load_1000_faces": round(loading.seconds * 1e6 / arguments.faces, 1),
            **ratios(figures)}


def main(words: Sequence[str] | None = None) -> None:
    """Runs the benchmark and prints its report."""
    print_report(parse(words), run)


if __name__ == "__main__":
    main()
