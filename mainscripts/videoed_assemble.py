"""`videoed video-from-sequence`: a folder of images as a video."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import UsageError, VideoError
from core.imaging.io import read_image
from core.options import option
from core.paths import atomic_path, image_paths
from core.pipeline import Failed, Pipeline, Stage
from core.provenance import MIME_TYPES, ContentSigner
from core.report import Reporter
from core.video import VideoInfo, VideoWriter, find_video, probe, read_timeline
from core.video_write import CONTAINERS
from mainscripts.command import require

MEGABIT = 1_000_000
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower",
           "veryslow")


@dataclass(frozen=True)
class VideoFromSequenceOptions:
    """Which images become which video, and how."""

    input_dir: Path | None = option(None, help="Folder with the images, sorted by their numbers.")
    output_file: Path | None = option(
        None, help=f"Video to make ({', '.join(sorted(CONTAINERS))}).")
    reference_file: Path | None = option(
        None, help="Video whose times the frames get, one image for each of its frames; NAME.* "
        "takes the first file with that name.")
    include_audio: bool = option(False, help="Copies the sound of the reference.")
    ext: str | None = option(
        None, help="Takes only images with this suffix; needed if there are several kinds.")
    fps: float = option(
        25.0, low=0.01, high=1000, ask=True, when=lambda options: options.reference_file is None,
        help="Frames per second without a reference.")
    crf: float = option(16.0, low=0, high=51, help="Quality, lower is better; 16 looks like the "
                        "images.")
    bitrate: float | None = option(
        None, low=0.05, help="Megabits per second, instead of a constant quality.")
    preset: str | None = option(
        None, choices=PRESETS, help="Slower makes smaller files of the same quality; none takes "
        "medium, or veryfast for lossless video, where slow ones gain little.")
    lossless: bool = option(
        False, help="Keeps every pixel exactly (RGB in H.264; large, few players show it).")
    deep: bool = option(
        True, help="Keeps 10 bits a colour (H.264 High 10) if the images have 16 and the video is "
        "not lossless.")
    mask: bool = option(False, help="The images are masks; the file says so.")
    fill_gaps: bool = option(
        False, help="Repeats the frame before where the number of an image is missing.")
    overwrite: bool = option(False, help="Replaces the output file if it exists.")
    sign: bool = option(True, help="Signs the video with a provenance manifest (C2PA).")


@dataclass(frozen=True)
class VideoFromSequenceReport:
    """How the video came out; `info` was read back from the file."""

    output_file: Path
    info: VideoInfo
    n_images: int
    n_repeated: int
    signed: bool
    notes: tuple[str, ...]
    seconds: float


def video_from_sequence(
    options: VideoFromSequenceOptions, reporter: Reporter
) -> VideoFromSequenceReport:
    """Makes a video of a folder of images, signed unless told otherwise.

    The output file appears when everything is done; whatever fails before leaves an existing
    file as it was.

    Raises:
        UsageError: A path is missing, the output exists, or the options do not fit together.
        NoImagesFound: The folder holds no image (of that suffix).
        ImageError: An image cannot be read.
        VideoError: Sizes differ, or there is not one image for each frame of the reference.
        ProvenanceError: The result cannot be signed.
    """
    start_time = time.monotonic()
    require(options, "input_dir", "output_file")
    output = _checked_output(options)
    reference = None if options.reference_file is None else find_video(options.reference_file)
    if options.include_audio and reference is None:
        raise UsageError("--include-audio needs --reference-file; say whose sound to copy")
    images = _images(options.input_dir, options.ext)
    frames = images if reference is None else _one_per_frame(images, reference, options)
    # Before any work, so that a missing key or a full disk is not found out at the end.
    signer = ContentSigner.open() if options.sign else None
    output.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(output) as temporary:
        notes = _encode(frames, temporary, output, reference, options, reporter)
        if signer is not None:
            parent = reference if _can_be_parent(reference) else None
            signer.sign_file(temporary, title=output.name, parent=parent)
        info = probe(temporary)
        if info.n_frames != len(frames):
            raise VideoError(f"{output}: {info.n_frames} frames came out of {len(frames)} images; "
                             "nothing was saved. Try another preset or container")
    report = VideoFromSequenceReport(
        output, info, len(images), len(frames) - len(images), options.sign, notes,
        time.monotonic() - start_time)
    _tell(report, reporter)
    return report


def _checked_output(options: VideoFromSequenceOptions) -> Path:
    output = options.output_file.expanduser()
    suffix = output.suffix.lower()
    if suffix not in CONTAINERS:
        raise UsageError(f"{output}: cannot write this kind of video; use one of "
                         f"{', '.join(CONTAINERS)}")
    if options.sign and suffix not in MIME_TYPES:
        raise UsageError(f"{output}: a {suffix} file cannot be signed; use .mp4 or .mov, or add "
                         "--no-sign")
    if output.exists() and not options.overwrite:
        raise UsageError(f"{output}: exists already; add --overwrite to replace it, or choose "
                         "another name")
    return output


def _images(folder: Path, ext: str | None) -> list[Path]:
    paths = image_paths(folder.expanduser(), required=True)
    if ext is not None:
        wanted = "." + ext.lower().lstrip(".")
        chosen = [path for path in paths if path.suffix.lower() == wanted]
        if not chosen:
            kinds = ", ".join(sorted({path.suffix for path in paths}))
            raise UsageError(f"{folder}: no {wanted} images, only {kinds}; change --ext")
        return chosen
    kinds = sorted({path.suffix.lower() for path in paths})
    if len(kinds) > 1:
        raise UsageError(f"{folder}: holds images of several kinds ({', '.join(kinds)}); choose "
                         f"one with --ext {kinds[0].lstrip('.')}")
    return paths


def _one_per_frame(
    images: list[Path], reference: Path, options: VideoFromSequenceOptions
) -> list[Path]:
    """The images, one for each frame of the reference.

    Raises:
        VideoError: There are more or fewer, and no gaps are to be filled.
    """
    n_frames = len(read_timeline(reference).pts)
    if len(images) == n_frames:
        return images
    counts = f"{images[0].parent} holds {len(images)} images and {reference} {n_frames} frames"
    numbered = {int(path.stem): path for path in images if path.stem.isdecimal()}
    gaps = [number for number in range(1, n_frames + 1) if number not in numbered]
    is_gappy = len(numbered) == len(images) and len(gaps) + len(images) == n_frames
    if not is_gappy:
        raise VideoError(f"{counts}; make one image for each frame, or leave out "
                         "--reference-file and give --fps")
    if not options.fill_gaps:
        shown = ", ".join(map(str, gaps[:5])) + (", ..." if len(gaps) > 5 else "")
        raise VideoError(f"{counts}; numbers {shown} are missing. Make these images, or add "
                         "--fill-gaps to repeat the one before")
    frames, current = [], images[0]
    for number in range(1, n_frames + 1):
        current = numbered.get(number, current)
        frames.append(current)
    return frames


def _encode(
    frames: list[Path],
    temporary: Path,
    output: Path,
    reference: Path | None,
    options: VideoFromSequenceOptions,
    reporter: Reporter,
) -> tuple[str, ...]:
    """Reads images in several threads and writes the video; returns the writer's notes."""
    first = read_image(frames[0], deep=options.deep and not options.lossless)
    (height, width), deep = first.shape[:2], first.dtype == np.uint16

    def read(path: Path) -> np.ndarray:
        image = read_image(path, deep=deep)
        # A frame of 8 bits among deep ones, such as one that was drawn anew.
        return image.astype(np.uint16) * 257 if deep and image.dtype == np.uint8 else image

    stage = Stage("read", read, workers=os.cpu_count() or 1)
    source = ((path, path) for path in frames)
    with (
        reporter.progress("writing video", len(frames), "frame") as progress,
        _writer(temporary, output, (width, height), reference, deep, options) as writer,
    ):
        for path, image in Pipeline(source, [stage]):
            if isinstance(image, Failed):
                raise image.error
            if image.shape[:2] != (height, width):
                raise VideoError(
                    f"{path}: is {image.shape[1]}x{image.shape[0]}, but {frames[0].name} is "
                    f"{width}x{height}; all images must have one size")
            writer.write(image)
            progress.advance()
    return tuple(writer.notes)


def _writer(
    temporary: Path,
    output: Path,
    size: tuple[int, int],
    reference: Path | None,
    deep: bool,
    options: VideoFromSequenceOptions,
) -> VideoWriter:
    made = "Masks" if options.mask else "Faces in this video were changed by a trained model;"
    return VideoWriter(
        temporary,
        width=size[0],
        height=size[1],
        frame_rate=options.fps if reference is None else None,
        reference=reference,
        audio=options.include_audio,
        crf=options.crf,
        preset=options.preset or ("veryfast" if options.lossless else "medium"),
        bitrate=None if options.bitrate is None else round(options.bitrate * MEGABIT),
        lossless=options.lossless,
        deep=deep,
        metadata={"title": output.stem, "comment": f"{made} made with FaceLab"},
    )


def _can_be_parent(reference: Path | None) -> bool:
    return reference is not None and reference.suffix.lower() in MIME_TYPES


def _tell(report: VideoFromSequenceReport, reporter: Reporter) -> None:
    for note in report.notes:
        reporter.warning(note)
    info = report.info
    reporter.event(
        "video_written",
        message=f"{report.output_file}: {info.n_frames} frames, {info.duration_seconds:.2f} s, "
        f"{len(info.audio_streams)} sound tracks" + (", signed" if report.signed else ""),
        output_file=report.output_file,
        n_frames=info.n_frames,
        n_repeated=report.n_repeated,
        duration_seconds=info.duration_seconds,
        frame_rate=float(info.frame_rate),
        width=info.width,
        height=info.height,
        n_audio_streams=len(info.audio_streams),
        signed=report.signed,
        notes=list(report.notes),
        seconds=round(report.seconds, 3),
    )
