"""What is said about videos: streams, frames, times; and how a file is opened."""

import bisect
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from core.errors import VideoError

VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".mpg", ".mpeg", ".ts", ".mts",
                  ".m2ts", ".wmv", ".flv", ".3gp", ".ogv", ".mxf")


@dataclass(frozen=True)
class AudioStream:
    """One sound track: FFmpeg codec name, samples per second, channels, ISO 639 language."""

    codec: str
    sample_rate: int
    channels: int
    language: str


@dataclass(frozen=True)
class VideoInfo:
    """What a video holds.

    Attributes:
        path: The file.
        width: Of the upright frame, in pixels.
        height: Of the upright frame, in pixels.
        rotation: Degrees clockwise that playing turns the stored picture: 0, 90, 180 or 270.
        frame_rate: Average frames per second.
        time_base: Seconds per tick of pts.
        n_frames: Displayed frames, counted.
        duration_seconds: From the first frame's start to the last one's end.
        variable_rate: Whether frames differ in duration by more than rounding to ticks explains.
        codec: FFmpeg name, such as "h264".
        pixel_format: FFmpeg name, such as "yuv420p".
        is_deep: Whether a colour has more than 8 bits.
        pixel_aspect: Width over height of one pixel as stored; 1 for square ones.
        audio_streams: All sound tracks.
    """

    path: Path
    width: int
    height: int
    rotation: int
    frame_rate: Fraction
    time_base: Fraction
    n_frames: int
    duration_seconds: float
    variable_rate: bool
    codec: str
    pixel_format: str
    is_deep: bool
    pixel_aspect: Fraction
    audio_streams: tuple[AudioStream, ...]


@dataclass(frozen=True)
class VideoFrame:
    """One displayed picture: index from 0, start in ticks, (H, W, 3) BGR, uint8 or uint16."""

    index: int
    pts: int
    image: np.ndarray


@dataclass(frozen=True)
class DamagedFrame:
    """A displayed frame that cannot be decoded: index from 0, start in ticks, reason."""

    index: int
    pts: int
    reason: str


@dataclass(frozen=True)
class Timeline:
    """When each displayed frame starts.

    Attributes:
        time_base: Seconds per tick.
        pts: Start of each frame in ticks, increasing.
        last_duration: Ticks that the last frame is shown.
        by_count: Whether the file has no times of display (AVI, raw streams), so that the frames
            are told apart by counting and these times come from the frame rate.
    """

    time_base: Fraction
    pts: tuple[int, ...]
    last_duration: int
    by_count: bool = False

    @property
    def durations(self) -> tuple[int, ...]:
        """Ticks from each frame's start to the next one's; the last keeps its own duration."""
        following = self.pts[1:] + (self.pts[-1] + self.last_duration,)
        return tuple(after - before for before, after in zip(self.pts, following))

    @property
    def duration_seconds(self) -> Fraction:
        """From the first frame's start to the last one's end."""
        return (self.pts[-1] + self.last_duration - self.pts[0]) * self.time_base

    def part(self, first: int, end: int) -> "Timeline":
        """The frames from `first` up to, not including, `end`; at their own times."""
        return Timeline(self.time_base, self.pts[first:end], self.durations[end - 1], self.by_count)

    @property
    def is_variable(self) -> bool:
        """Whether frames differ in duration by more than rounding to ticks explains."""
        durations = self.durations[:-1]
        return bool(durations) and max(durations) - min(durations) > 1

    def index_of(self, pts: int | None) -> int | None:
        """Index of the frame that starts at `pts`, or None."""
        if pts is None:
            return None
        index = bisect.bisect_left(self.pts, pts)
        return index if index < len(self.pts) and self.pts[index] == pts else None


def find_video(path: str | Path) -> Path:
    """Resolves `folder/name.*` to the first file with that stem; other paths stay as they are.

    Raises:
        VideoError: No file has that stem.
    """
    path = Path(path).expanduser()
    if path.suffix != ".*":
        return path
    if path.parent.is_dir():
        files = sorted(p for p in path.parent.iterdir() if p.stem == path.stem and p.is_file())
        videos = [p for p in files if p.suffix.lower() in VIDEO_SUFFIXES]
        if files:
            return (videos or files)[0]
    raise VideoError(f"{path}: no file of that name with any suffix; "
                     f"put a video named {path.stem}.mp4 (or .mov, .mkv, ...) into {path.parent}")


@contextlib.contextmanager
def open_video(path: str | Path) -> Iterator[av.container.InputContainer]:
    """Opens a file that has a video stream.

    Raises:
        VideoError: Missing, unreadable, or without a picture.
    """
    path = Path(path)
    if not path.is_file():
        raise VideoError(f"{path}: no such file; check the name of the video")
    try:
        # Tags in old code pages must not stop the pictures from being read.
        container = av.open(str(path), metadata_errors="replace")
    except (av.error.FFmpegError, OSError) as error:
        raise VideoError(
            f"{path}: cannot be opened as a video ({reason(error)}); "
            "check that it plays, or copy it again"
        ) from error
    with container:
        if not _picture_streams(container):
            raise VideoError(f"{path}: holds no video stream; choose a file with moving pictures")
        yield container


def video_stream(container: av.container.InputContainer) -> av.video.stream.VideoStream:
    """The stream meant by "the video": the first one that is no attached cover picture."""
    return _picture_streams(container)[0]


def reason(error: Exception) -> str:
    """FFmpeg's words for an error, without its number and file name."""
    return (getattr(error, "strerror", None) or str(error)).strip().rstrip(".")


def _picture_streams(container: av.container.InputContainer) -> list:
    attached = av.stream.Disposition.attached_pic
    return [s for s in container.streams.video if not s.disposition & attached and s.codec_context]
