"""`videoed denoise-image-sequence`: less grain in images that follow each other."""

import argparse
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from core.errors import FramesFailed, UsageError
from core.imaging.io import encode_image, read_image
from core.journal import Journal
from core.options import option
from core.paths import atomic_write, image_paths, relative
from core.pipeline import Failed, Pipeline, Stage
from core.provenance import MIME_TYPES, ContentSigner, read_manifest
from core.report import Reporter
from core.video_filter import Filter, filter_pictures
from mainscripts.command import require, stop_if_disk_full

JOURNAL = "denoise.jsonl"
JPEG_QUALITY = 97

ALIASES = {"--factor": {"dest": "spatial", "type": float}}
"""Flags of other programs that mean one of ours; they work and are not shown."""


@dataclass(frozen=True)
class DenoiseOptions:
    """Which images, and how much."""

    input_dir: Path | None = option(None, help="Folder with the images, sorted by their numbers.")
    output_dir: Path | None = option(
        None, help="Folder for the results, under the same names; the images stay as they are.")
    spatial: float = option(
        4.0, low=0, high=20, ask=True, help="How much grain is smoothed within an image (non-local "
        "means); 0 is off, 4 leaves skin its texture.")
    temporal: float = option(
        5.0, low=0, high=10, ask=True, help="How far an image is averaged with the four before and "
        "after it, where they hardly differ; 0 is off.")
    overwrite: bool = option(
        False, help="Replaces results of other settings.")


@dataclass(frozen=True)
class DenoiseReport:
    """How it went: `n_written` images of this run out of `n_images`; what failed."""

    output_dir: Path
    n_images: int
    n_written: int
    failed: tuple[Failed, ...]


def add_aliases(parser: argparse.ArgumentParser) -> None:
    """Adds flags of other programs."""
    for flag, settings in ALIASES.items():
        parser.add_argument(flag, **{"default": argparse.SUPPRESS, "help": argparse.SUPPRESS,
                                     **settings})


def denoise_sequence(options: DenoiseOptions, reporter: Reporter) -> DenoiseReport:
    """Filters all images and writes those that are missing; signed ones stay signed.

    Raises:
        UsageError: A path is missing, nothing is to be done, or the folder holds other results.
        NoImagesFound: The folder holds no image.
        VideoError: Images differ in size or depth.
        DiskFull: There is no room for the results.
    """
    require(options, "input_dir", "output_dir")
    chain = filter_chain(options)
    paths = image_paths(options.input_dir, required=True)
    options.output_dir.mkdir(parents=True, exist_ok=True)
    if options.output_dir.samefile(options.input_dir):
        raise UsageError(f"{options.output_dir}: is the input itself, which is never changed; "
                         "choose another --output-dir")
    header = {"job": "denoise", **asdict(options), "output_dir": None, "overwrite": None,
              "input_dir": relative(options.input_dir, options.output_dir)}
    with Journal(options.output_dir / JOURNAL, header, replace=options.overwrite) as journal:
        todo = {path.name: path for path in paths
                if path.name not in journal.done or not (options.output_dir / path.name).exists()}
        failed = _denoise(paths, todo, chain, options, journal, reporter) if todo else []
    report = DenoiseReport(options.output_dir, len(paths), len(todo) - len(failed), tuple(failed))
    reporter.event("denoised", message=f"{report.n_written} images written to {report.output_dir}",
                   output_dir=report.output_dir, n_images=report.n_images,
                   n_written=report.n_written, failed=[failure.item for failure in failed])
    return report


def require_all_denoised(report: DenoiseReport) -> None:
    """Ends the command if an image could not be read or written.

    Raises:
        FramesFailed: One could not.
    """
    if report.failed:
        raise FramesFailed(f"{report.output_dir}: {len(report.failed)} of {report.n_images} images "
                           "failed; see the warnings, replace them and run the command again")


def filter_chain(options: DenoiseOptions) -> list[Filter]:
    """FFmpeg's filters for the settings.

    Raises:
        UsageError: Both are off.
    """
    chain = []
    if options.temporal:
        limit = f"{0.03 * options.temporal:.3f}"
        chain.append(("atadenoise", "s=9:" + ":".join(
            f"{plane}{kind}={limit}" for plane in range(3) for kind in "ab")))
    if options.spatial:
        chain.append(("nlmeans", f"s={options.spatial:g}:p=7:r=9"))
    if not chain:
        raise UsageError("--spatial 0 and --temporal 0 leave nothing to do; give one of them a "
                         "number above 0")
    return chain


def _denoise(paths: list[Path], todo: dict[str, Path], chain: list[Filter],
             options: DenoiseOptions, journal: Journal, reporter: Reporter) -> list[Failed]:
    """Sends all images through the filters, as each depends on others, and writes those to do."""
    failed: list[Failed] = []
    read_names: list[str] = []
    signer = ContentSigner.open()

    def readable() -> Iterator[np.ndarray]:
        source = ((path.name, path) for path in paths)
        stage = Stage("read", lambda path: read_image(path, deep=True),
                      workers=os.cpu_count() or 1)
        for name, image in Pipeline(source, [stage]):
            if isinstance(image, Failed):
                failed.append(image)
                reporter.warning(f"{name}: left out ({image.reason})")
            else:
                read_names.append(name)
                yield image

    def filtered() -> Iterator[tuple[str, tuple[Path, np.ndarray]]]:
        for number, image in enumerate(filter_pictures(readable(), chain)):
            name = read_names[number]
            if name in todo:
                yield name, (todo[name], image)

    write = Stage("write", lambda item: _write(*item, options.output_dir, signer), workers=2)
    with reporter.progress("denoising", len(todo), "image") as progress:
        for name, outcome in Pipeline(filtered(), [write]):
            if isinstance(outcome, Failed):
                stop_if_disk_full(outcome, options.output_dir)
                failed.append(outcome)
                reporter.warning(f"{name}: not written ({outcome.reason})")
            else:
                journal.add(name)
            progress.advance()
    return failed


def _write(source: Path, image: np.ndarray, folder: Path, signer: ContentSigner) -> None:
    target = folder / source.name
    data = encode_image(image, source.suffix, jpeg_quality=JPEG_QUALITY)
    manifest = read_manifest(source) if source.suffix.lower() in MIME_TYPES else None
    if manifest is not None and manifest.state != "missing" and manifest.digital_source_type:
        data = signer.sign_bytes(data, MIME_TYPES[source.suffix.lower()], title=source.name,
                                 source_type=manifest.digital_source_type)
    atomic_write(target, data)
