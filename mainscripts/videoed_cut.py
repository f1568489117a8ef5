"""`videoed cut-video`: a part of a video, exact to the frame, with its sound."""

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from core.errors import UsageError, VideoError
from core.options import option
from core.paths import atomic_path
from core.provenance import MIME_TYPES, ContentSigner, Manifest, read_manifest
from core.report import Reporter
from core.video import Timeline, VideoWriter, find_video, probe, read_frames, read_timeline
from core.video_write import CONTAINERS
from mainscripts.command import require
from mainscripts.videoed_assemble import MEGABIT, PRESETS

_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class CutVideoOptions:
    """Which part of which video."""

    input_file: Path | None = option(
        None, help="Video; NAME.* takes the first file with that name.")
    output_file: Path | None = option(
        None, help=f"Video to make ({', '.join(sorted(CONTAINERS))}); left out, NAME_cut.mp4 "
        "beside the input.")
    from_time: str = option(
        "0", ask=True, help="Where the part begins: seconds, or hours:minutes:seconds such as "
        "0:01:30.5.")
    to_time: str | None = option(
        None, ask=True, help="Where it ends, counted alike; left out, at the end of the video.")
    audio: bool = option(True, help="Copies the sound tracks.")
    crf: float = option(16.0, low=0, high=51, help="Quality, lower is better; 16 looks like the "
                        "original.")
    bitrate: float | None = option(
        None, low=0.05, help="Megabits per second, instead of a constant quality.")
    preset: str = option("medium", choices=PRESETS, help="Slower makes smaller files.")
    lossless: bool = option(
        False, help="Keeps every pixel exactly (RGB in H.264; large, few players show it).")
    overwrite: bool = option(False, help="Replaces the output file if it exists.")


@dataclass(frozen=True)
class CutVideoReport:
    """How the part came out: frames `first` to `end` - 1 of the input."""

    output_file: Path
    first: int
    end: int
    notes: tuple[str, ...]
    signed: bool


def cut_video(options: CutVideoOptions, reporter: Reporter) -> CutVideoReport:
    """Writes the frames that begin in a stretch of time, at their own distances, with their sound.

    A video that carries a provenance manifest gives it on to its part.

    Raises:
        UsageError: A path is missing, the output exists, or a time is none.
        VideoError: The video cannot be read, or no frame begins in that time.
        ProvenanceError: The part of a signed video cannot be signed.
    """
    require(options, "input_file")
    video = find_video(options.input_file)
    output = _checked_output(video, options)
    first, end = chosen_span(read_timeline(video), options.from_time, options.to_time, video)
    manifest = _manifest_of(video)
    if manifest is not None and output.suffix.lower() not in MIME_TYPES:
        raise UsageError(f"{output}: {video.name} is signed and its part must be too, which a "
                         f"{output.suffix} file cannot; choose .mp4 or .mov")
    signer = None if manifest is None else ContentSigner.open()
    output.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(output) as temporary:
        notes = _write(video, temporary, (first, end), options, reporter)
        if signer is not None:
            signer.sign_file(temporary, title=output.name, parent=video,
                             actions=_cut_actions(manifest))
        n_frames = probe(temporary).n_frames
        if n_frames != end - first:
            raise VideoError(f"{output}: {n_frames} frames came out of {end - first}; nothing was "
                             "saved. Try another preset or container")
    report = CutVideoReport(output, first, end, notes, signer is not None)
    for note in notes:
        reporter.warning(note)
    reporter.event("video_cut", message=f"{output}: {end - first} frames, from number {first + 1} "
                   f"to {end}" + (", signed" if report.signed else ""),
                   output_file=output, first=first, end=end, signed=report.signed)
    return report


def chosen_span(timeline: Timeline, from_time: str, to_time: str | None, video: Path
                ) -> tuple[int, int]:
    """(first, end) indices of the frames that begin in a stretch of time.

    Args:
        timeline: Of the video; times count from its first frame.
        from_time: See `CutVideoOptions`.
        to_time: Not included; None is the end of the video.
        video: For messages.

    Raises:
        UsageError: A time is none, or the end is not after the beginning.
        VideoError: No frame begins in that time.
    """
    start = parse_time("--from-time", from_time)
    stop = None if to_time is None else parse_time("--to-time", to_time)
    if stop is not None and stop <= start:
        raise UsageError(f"--to-time {to_time} is not after --from-time {from_time}; give a later "
                         "one, or leave it out to go on to the end")
    # A time that is written with fewer digits than the frame's own must still mean that frame.
    slack = min(timeline.durations) * timeline.time_base / 2
    times = [(tick - timeline.pts[0]) * timeline.time_base for tick in timeline.pts]
    inside = [index for index, time in enumerate(times)
              if time >= start - slack and (stop is None or time < stop - slack)]
    if not inside:
        raise VideoError(f"{video}: no frame begins between {from_time} and {to_time or 'its end'}"
                         f"; it is {float(timeline.duration_seconds):.2f} s long")
    return inside[0], inside[-1] + 1


def parse_time(flag: str, text: str) -> Fraction:
    """Seconds of "90.5", "1:30.5" or "0:01:30.5".

    Raises:
        UsageError: Something else.
    """
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{flag} takes seconds or hours:minutes:seconds such as 0:01:30.5, not "
                         f"{text!r}")
    hours, minutes, seconds = (Fraction(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def _checked_output(video: Path, options: CutVideoOptions) -> Path:
    output = options.output_file or video.with_name(f"{video.stem}_cut.mp4")
    output = output.expanduser()
    if output.suffix.lower() not in CONTAINERS:
        raise UsageError(f"{output}: cannot write this kind of video; use one of "
                         f"{', '.join(CONTAINERS)}")
    if output.exists() and not options.overwrite:
        raise UsageError(f"{output}: exists already; add --overwrite to replace it, or choose "
                         "another name")
    if output.exists() and output.samefile(video):
        raise UsageError(f"{output}: is the input itself; choose another --output-file")
    return output


def _manifest_of(video: Path) -> Manifest | None:
    """What a video says about itself; None if it says nothing or cannot."""
    if video.suffix.lower() not in MIME_TYPES:
        return None
    manifest = read_manifest(video)
    return None if manifest.state == "missing" else manifest


def _cut_actions(manifest: Manifest) -> list[dict]:
    """Opened and cut; what the original was stays what its part is."""
    cut = {"action": "c2pa.edited", "description": "A part of the video was cut out."}
    if manifest.digital_source_type:
        cut["digitalSourceType"] = manifest.digital_source_type
    return [{"action": "c2pa.opened", "parameters": {"ingredientIds": ["parent"]}}, cut]


def _write(video: Path, target: Path, span: tuple[int, int], options: CutVideoOptions,
           reporter: Reporter) -> tuple[str, ...]:
    first, end = span
    info = probe(video)
    damaged = []
    with (
        reporter.progress("cutting video", end - first, "frame") as progress,
        VideoWriter(target, width=info.width, height=info.height, reference=video, span=span,
                    audio=options.audio, crf=options.crf, preset=options.preset,
                    bitrate=None if options.bitrate is None else round(options.bitrate * MEGABIT),
                    lossless=options.lossless) as writer,
    ):
        for frame in read_frames(video, indices=range(first, end), on_damage=damaged.append):
            if damaged:
                break
            writer.write(frame.image)
            progress.advance()
        if damaged:
            raise VideoError(f"{video}: frame {damaged[0].index + 1} cannot be decoded "
                             f"({damaged[0].reason}); cut before or after it, or copy the video "
                             "again")
    return tuple(writer.notes)
