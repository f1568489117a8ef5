"""`videoed extract-video`: the frames of a video as numbered images."""

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import UsageError
from core.imaging.io import encode_image
from core.options import option
from core.paths import atomic_write, image_paths, require_free_space
from core.pipeline import Failed, Pipeline, Stage
from core.report import Reporter
from core.video import DamagedFrame, Timeline, find_video, probe, read_frames, read_timeline
from mainscripts.command import require, stop_if_disk_full

RECORD_NAME = "frames.json"
RECORD_VERSION = 1
FINGERPRINT_BYTES = 4 * 2**20  # of each end: headers and index, and enough of the pictures
FREE_BYTES_PER_PIXEL = {"png": 1.6, "jpg": 0.6}  # film: 0.7 to 1.3, and 0.2 to 0.5
IMAGE_ENDS = {".png": b"IEND\xaeB`\x82", ".jpg": b"\xff\xd9"}


@dataclass(frozen=True)
class ExtractVideoOptions:
    """What to take out of which video."""

    input_file: Path | None = option(
        None, help="Video; NAME.* takes the first file with that name.")
    output_dir: Path | None = option(None, help="Folder for the images; made if missing.")
    output_ext: str = option(
        "png", choices=("png", "jpg"), ask=True,
        help="Image format: png keeps every pixel, jpg takes a quarter of the space.")
    fps: float = option(
        0.0, low=0, ask=True, help="Frames per second to take; 0 takes every frame.")
    every: int = option(1, low=1, help="Takes only every Nth of these frames.")
    jpeg_quality: int = option(95, low=1, high=100, help="Quality of jpg images.")
    deep: bool = option(
        True, help="Keeps more than 8 bits a colour in png images of 16, if the video has them; "
        "they take twice the space.")
    workers: int = option(0, low=0, help="Threads that write images; 0 takes one per processor.")


@dataclass(frozen=True)
class ExtractVideoReport:
    """How an extraction went.

    Attributes:
        input_file: The video.
        output_dir: Folder with the images and `frames.json`.
        n_frames: Frames asked for.
        n_written: Images written now.
        n_kept: Images that an earlier run had written.
        damaged: Frames of the video that cannot be decoded; their numbers are left free.
        failed: Images that could not be written.
        seconds: Time it took.
    """

    input_file: Path
    output_dir: Path
    n_frames: int
    n_written: int
    n_kept: int
    damaged: tuple[DamagedFrame, ...]
    failed: tuple[Failed, ...]
    seconds: float


def extract_video(options: ExtractVideoOptions, reporter: Reporter) -> ExtractVideoReport:
    """Writes the frames of a video as 00001.png, 00002.png, ...

    The folder gets a `frames.json` that names the video, the options and the time of each image;
    running again with the same video and options writes only what is missing.

    Raises:
        UsageError: A path is missing, or the folder holds images of something else.
        VideoError: The video cannot be read.
        DiskFull: The images will not fit.
    """
    start_time = time.monotonic()
    require(options, "input_file", "output_dir")
    video = find_video(options.input_file)
    folder = options.output_dir.expanduser()
    timeline, deep = read_timeline(video), _keeps_depth(video, options)
    indices = chosen_indices(timeline, options.fps, options.every)
    record = _record(video, timeline, indices, options, deep)
    _check_folder(folder, record)
    paths = {index: folder / f"{number:05d}.{options.output_ext}"
             for number, index in enumerate(indices, 1)}
    missing = {index: path for index, path in paths.items() if not _is_complete(path)}
    _check_space(video, folder, len(missing), options.output_ext, deep)
    folder.mkdir(parents=True, exist_ok=True)
    _write_record(folder, record)
    damaged, failed = _write_images(video, missing, len(paths), options, reporter)
    if damaged:
        record["damaged"] = [int(paths[frame.index].stem) for frame in damaged]
        _write_record(folder, record)
    report = ExtractVideoReport(
        input_file=video,
        output_dir=folder,
        n_frames=len(paths),
        n_written=len(missing) - len(damaged) - len(failed),
        n_kept=len(paths) - len(missing),
        damaged=damaged,
        failed=failed,
        seconds=time.monotonic() - start_time,
    )
    _tell(report, reporter)
    return report


def chosen_indices(timeline: Timeline, fps: float, every: int) -> list[int]:
    """Indices of the frames to take.

    Args:
        timeline: Of the video.
        fps: Takes the frames shown at 0, 1/fps, 2/fps, ... s after the first; none twice. 0: all.
        every: Takes every Nth of those.
    """
    if not fps:
        return list(range(0, len(timeline.pts), every))
    step = 1 / Fraction(fps).limit_denominator(100_000) / timeline.time_base
    chosen, due = [], Fraction(timeline.pts[0])
    for index, duration in enumerate(timeline.durations):
        end = timeline.pts[index] + duration
        if due < end:
            chosen.append(index)
            due += step * (-(-(end - due) // step))  # first step at or after the frame's end
    return chosen[::every]


def _keeps_depth(video: Path, options: ExtractVideoOptions) -> bool:
    return options.deep and options.output_ext == "png" and probe(video).is_deep


def _record(
    video: Path, timeline: Timeline, indices: list[int], options: ExtractVideoOptions, deep: bool
) -> dict[str, Any]:
    # Records of 8 bits say nothing of depth, as those of earlier versions.
    fixed = ("output_ext", "fps", "every", "jpeg_quality", *["deep"] * deep)
    return {
        "version": RECORD_VERSION,
        "source": {"name": video.name, "bytes": video.stat().st_size,
                   "content": _fingerprint(video)},
        "options": {name: getattr(options, name) for name in fixed},
        "n_source_frames": len(timeline.pts),
        "time_base": str(timeline.time_base),
        "indices": indices,
        "pts": [timeline.pts[index] for index in indices],
        "damaged": [],
    }


def _fingerprint(video: Path) -> str:
    """Tells videos apart whatever their dates, which copies and clones change."""
    with open(video, "rb") as file:
        digest = hashlib.sha256(file.read(FINGERPRINT_BYTES))
        file.seek(max(video.stat().st_size - FINGERPRINT_BYTES, 0))
        digest.update(file.read())
    return digest.hexdigest()[:16]


def _write_record(folder: Path, record: dict[str, Any]) -> None:
    lines = [f" {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
             for name, value in record.items()]
    atomic_write(folder / RECORD_NAME, ("{\n" + ",\n".join(lines) + "\n}\n").encode("utf-8"))


def _check_folder(folder: Path, record: dict[str, Any]) -> None:
    """Refuses a folder with images that are not of this extraction."""
    images = image_paths(folder)
    if not images:
        return
    advice = "choose another --output-dir, or move these images away first"
    try:
        earlier = json.loads((folder / RECORD_NAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{folder}: holds {len(images)} images that were not extracted by this "
                         f"command; {advice}") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{folder / RECORD_NAME}: not readable ({error}), so that it is unknown "
                         f"which video the images are from; {advice}") from error
    for part, words in (("source", "another video"), ("options", "this video with other options")):
        if earlier.get(part) != record[part]:
            raise UsageError(f"{folder}: holds images of {words} "
                             f"({_differences(earlier.get(part), record[part])}); {advice}")


def _differences(earlier: Any, now: dict[str, Any]) -> str:
    if not isinstance(earlier, dict):
        return "the record is incomplete"
    return ", ".join(f"{name} {earlier.get(name)!r} instead of {value!r}"
                     for name, value in {**dict.fromkeys(earlier), **now}.items()
                     if earlier.get(name) != value)


def _is_complete(path: Path) -> bool:
    """Whether an image is there with its end; this command itself never leaves half of one."""
    end = IMAGE_ENDS[path.suffix]
    try:
        with open(path, "rb") as file:
            file.seek(-len(end), os.SEEK_END)
            return file.read() == end
    except OSError:  # absent, or shorter than the end alone
        return False


def _check_space(video: Path, folder: Path, n_images: int, suffix: str, deep: bool) -> None:
    if n_images:
        info = probe(video)
        per_image = info.width * info.height * FREE_BYTES_PER_PIXEL[suffix] * (1 + 2 * deep)
        require_free_space(folder, int(n_images * per_image))


def _write_images(
    video: Path,
    missing: Mapping[int, Path],
    n_total: int,
    options: ExtractVideoOptions,
    reporter: Reporter,
) -> tuple[tuple[DamagedFrame, ...], tuple[Failed, ...]]:
    """Decodes in one thread, encodes and writes in several; returns what could not be done."""
    damaged: list[DamagedFrame] = []
    failed: list[Failed] = []

    def frames() -> Iterator[tuple[str, tuple[Path, np.ndarray]]]:
        for frame in read_frames(video, indices=missing, on_damage=damaged.append,
                                 deep=options.deep and options.output_ext == "png"):
            path = missing[frame.index]
            yield path.name, (path, frame.image)

    def write(item: tuple[Path, np.ndarray]) -> None:
        path, image = item
        data = encode_image(image, path.suffix, jpeg_quality=options.jpeg_quality)
        atomic_write(path, data, durable=False)  # a resumed run checks each image for its end

    stage = Stage("write", write, workers=options.workers or os.cpu_count() or 1)
    with reporter.progress("extracting frames", n_total, "frame") as progress:
        progress.advance(n_total - len(missing))
        for name, value in Pipeline(frames(), [stage]):
            if isinstance(value, Failed):
                stop_if_disk_full(value, options.output_dir)
                reporter.warning(f"{name}: not written ({value.reason})")
                failed.append(value)
            progress.advance()
    wanted = tuple(frame for frame in damaged if frame.index in missing)
    for frame in wanted:
        reporter.warning(f"{missing[frame.index].name}: left out, the video is damaged there "
                         f"({frame.reason})")
    return wanted, tuple(failed)


def _tell(report: ExtractVideoReport, reporter: Reporter) -> None:
    kept = f", {report.n_kept} were there already" if report.n_kept else ""
    reporter.event(
        "frames_extracted",
        message=f"{report.n_written} images written to {report.output_dir}{kept}",
        input_file=report.input_file,
        output_dir=report.output_dir,
        n_frames=report.n_frames,
        n_written=report.n_written,
        n_kept=report.n_kept,
        damaged=[frame.index for frame in report.damaged],
        failed=[failure.item for failure in report.failed],
        seconds=round(report.seconds, 3),
    )
