"""Times the whole `merge` command: reading, predicting, merging, signing and writing."""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import cv2

from benchmarks.extract import busy_shares
from benchmarks.machine import PeakMemory, measure
from core.imaging.io import encode_image, read_image, write_image
from core.paths import image_paths
from core.provenance import ContentSigner
from core.report import SilentReporter
from core.signing_identity import DATA_DIR_VARIABLE
from core.video import read_frames
from mainscripts.extract import ExtractOptions, extract
from mainscripts.merging.job import Merging, merge
from mainscripts.merging.options import MergeFiles
from merger.options import MergeOptions
from models.quick96.model import Quick96Model
from models.quick96.options import Quick96Options
from models.store import ModelStore, Progress

MODEL = "Quick96"
NAME = "benchmark"


def time_command(clip: Path, n_frames: int, options: Quick96Options) -> dict[str, Any]:
    """Merges a model of random weights into the first frames of a clip.

    Random masks show new face all over the square, so the image work is more than usual.

    Args:
        clip: With a face in every frame.
        n_frames: How many of its frames.
        options: Shape of the model.
    """
    with tempfile.TemporaryDirectory() as temporary, signing_key_in(Path(temporary) / "key"):
        files = prepare(Path(temporary), clip, n_frames, options)
        results: list[Merging] = []
        with PeakMemory() as peak:
            usage = measure(lambda: results.append(merge(files, MergeOptions(), SilentReporter())))
        signing = measure_signing(image_paths(files.output_dir))
    [result] = results
    return {
        "frames": result.frames,
        "merged": result.merged,
        "frames_per_s": round(result.frames / usage.seconds, 2),
        "ms": round(usage.seconds / result.frames * 1e3, 2),
        "cpu_ms": round(usage.cpu_seconds / result.frames * 1e3, 2),
        "cpu_share_of_all_cores": round(usage.cpu_seconds / usage.seconds / os.cpu_count(), 3),
        "busy_share": busy_shares(result.stages, result.seconds),
        "peak_memory_mb": round(peak.n_bytes / 2**20),
        "of_that_signing": signing,
    }


def prepare(folder: Path, clip: Path, n_frames: int, options: Quick96Options,
            size: tuple[int, int] | None = None) -> MergeFiles:
    """Makes all that the command reads: frames, aligned faces, and a model never trained.

    Args:
        folder: For all of it.
        clip: With a face in every frame.
        n_frames: How many of its frames.
        options: Shape of the model.
        size: Width and height that the frames get; None leaves them.
    """
    (folder / "frames").mkdir()
    for frame in islice(read_frames(clip), n_frames):
        image = frame.image if size is None else cv2.resize(frame.image, size,
                                                            interpolation=cv2.INTER_AREA)
        write_image(folder / "frames" / f"{frame.index:05d}.png", image)
    extract(ExtractOptions(input_dir=folder / "frames", output_dir=folder / "aligned"),
            SilentReporter())
    ModelStore(folder / "models", MODEL, NAME).save(Quick96Model(options), options, Progress())
    return MergeFiles(
        input_dir=folder / "frames", aligned_dir=folder / "aligned",
        output_dir=folder / "merged", output_mask_dir=folder / "masks",
        model_dir=folder / "models", model=MODEL, name=NAME)


@contextlib.contextmanager
def signing_key_in(folder: Path) -> Iterator[None]:
    """Leaves the user's own signing key alone while inside."""
    before = os.environ.get(DATA_DIR_VARIABLE)
    os.environ[DATA_DIR_VARIABLE] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[DATA_DIR_VARIABLE]
        else:
            os.environ[DATA_DIR_VARIABLE] = before


def measure_signing(merged: Sequence[Path]) -> dict[str, float]:
    """Time per frame of signing pictures like the merged ones, from memory to memory."""
    signer = ContentSigner.open()
    pictures = [encode_image(read_image(path), ".png") for path in merged]
    signer.sign_bytes(pictures[0], "image/png")
    usage = measure(lambda: [signer.sign_bytes(picture, "image/png") for picture in pictures])
    return {"ms": round(usage.seconds / len(pictures) * 1e3, 2),
            "cpu_ms": round(usage.cpu_seconds / len(pictures) * 1e3, 2)}
