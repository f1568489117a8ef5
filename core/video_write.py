"""Writes BGR pictures as a video, with the times and the sound of another one if wanted."""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc

from core.errors import DiskFull, VideoError, is_disk_full
from core.paths import atomic_path
from core.video_audio import AudioCopier
from core.video_color import BT709_MATRIX, to_yuv
from core.video_read import read_timeline
from core.video_types import Timeline, open_video, reason, video_stream

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
PLAIN_TAGS = frozenset(  # others need the QuickTime "mdta" form
    "title artist album comment description copyright date genre encoder show synopsis".split()
)
RGB_MATRIX = 0

# x264's code for AVX-512 reads memory that nobody wrote: the same pictures give other videos from
# run to run (seen in the build of av 18.1). Up to AVX2 they are always the same, as fast.
AVX512F = 13  # OpenCV's number for it
UP_TO_AVX2 = "asm=MMX2,SSE2Fast,SSSE3,SSE4.2,AVX,FMA3,BMI2,AVX2"


class VideoWriter:
    """Encodes H.264; the file appears under its name only when it is complete.

    With a `reference` every frame gets the time of the frame of the same index there, the last
    one its duration too, and all sound tracks are copied packet by packet (`notes` tells where
    that was impossible). Writing another number of frames than the reference has is an error.
    Reference times before 0 s stay; a late start of the whole file (MPEG-TS) becomes 0 s.

    Lossy video is yuv420p, BT.709, limited range, which every player shows. Where a side is odd
    it is yuv444p, since 4:2:0 stores colour per 2 x 2 pixels and cannot hold such sizes; some
    hardware players refuse that profile. `lossless` stores RGB (libx264rgb, H.264 High 4:4:4
    Predictive), so that the same bytes come back.

    Example:
        with VideoWriter("result.mp4", width=960, height=540, reference="dst.mp4") as writer:
            for image in images:
                writer.write(image)

    Args:
        path: Target: .mp4, .m4v, .mov or .mkv (which rounds times to milliseconds). An existing
            file is replaced when the new one is complete.
        width: Pixels.
        height: Pixels.
        frame_rate: Frames per second; needed without `reference`, not allowed with it.
        reference: Video whose times and sound the result takes over.
        span: (first, end) indices of the reference's frames that the result is made of, `end` not
            included; the first one then starts at 0 s. None is all of them.
        crf: Constant quality 0..51, lower is better; 16 is hard to tell from the input.
        preset: x264 speed, "ultrafast" .. "veryslow".
        bitrate: Bits per second; replaces `crf`.
        lossless: Whether every byte must come back; of 8 bits only.
        deep: Whether 10 bits a colour are kept.
        audio: Whether the reference's sound is copied.
        metadata: Tags of the file, such as {"title": ...}.

    Attributes:
        notes: What the user should know about the result, filled while writing.
        n_written: Frames given to `write` so far.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        width: int,
        height: int,
        frame_rate: Fraction | float | None = None,
        reference: str | Path | None = None,
        span: tuple[int, int] | None = None,
        crf: int = 16,
        preset: str = "medium",
        bitrate: int | None = None,
        lossless: bool = False,
        deep: bool = False,
        audio: bool = True,
        metadata: Mapping[str, str] | None = None,
    ):
        if (frame_rate is None) == (reference is None):
            raise ValueError("give either frame_rate or reference")
        if frame_rate is not None and not frame_rate > 0:
            raise ValueError(f"frame_rate must be positive, not {frame_rate}")
        if deep and lossless:
            raise ValueError("lossless video has 8 bits a colour; choose deep or lossless")
        if Path(path).suffix.lower() not in CONTAINERS:
            raise VideoError(f"{path}: cannot write this kind of video; "
                             f"use one of {', '.join(CONTAINERS)}")
        self.path = Path(path)
        self.notes: list[str] = []
        self.n_written = 0
        self._size = (width, height)
        self._rate = None if frame_rate is None else _as_fraction(frame_rate)
        self._reference, self._span = reference, span
        self._copies_audio = audio
        self._metadata = dict(metadata or {})
        self._encoding = Encoding(crf, preset, bitrate, lossless, deep)
        self._timeline: Timeline | None = None
        self._shift = 0
        self._container = self._stream = self._audio = None
        self._context = self._session()

    def __enter__(self) -> "VideoWriter":
        self._context.__enter__()
        return self

    def __exit__(self, error_type, error, trace) -> bool | None:
        """Completes the file, or removes what was written if the block failed.

        Raises:
            VideoError: Nothing was written, or another number of frames than the reference has.
        """
        return self._context.__exit__(error_type, error, trace)

    def write(self, image: np.ndarray) -> None:
        """Appends one frame.

        Args:
            image: (height, width, 3) BGR, uint8, or uint16 for `deep` video.

        Raises:
            ValueError: Another shape or dtype.
            VideoError: FFmpeg cannot encode or write it.
            DiskFull: No space is left.
        """
        width, height = self._size
        kind = np.dtype(np.uint16 if self._encoding.deep else np.uint8)
        if image.shape != (height, width, 3) or image.dtype != kind:
            raise ValueError(f"frame must be {(height, width, 3)} {kind}, "
                             f"not {image.shape} {image.dtype}")
        index = self.n_written
        self.n_written += 1
        if self._timeline is not None and index >= len(self._timeline.pts):
            return  # counted only; `_finish` refuses the file and names both counts
        frame = self._encoding.frame(image)
        frame.time_base = self._time_base
        frame.pts = index if self._timeline is None else self._timeline.pts[index] - self._shift
        with ffmpeg_errors(self.path):
            self._mux(self._stream.encode(frame))

    @contextlib.contextmanager
    def _session(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            source = None
            if self._reference is not None:
                self._timeline = read_timeline(self._reference)
                if self._span is not None:
                    self._timeline = self._timeline.part(*self._span)
                source = stack.enter_context(open_video(self._reference))
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary = stack.enter_context(atomic_path(self.path))
            with ffmpeg_errors(self.path):
                self._container = open_container(temporary, self.path.suffix,
                                                 self._metadata)
            stack.callback(self._container.close)
            with ffmpeg_errors(self.path):
                self._add_streams(source)
            yield
            with ffmpeg_errors(self.path):
                self._finish()

    def _add_streams(self, source: av.container.InputContainer | None) -> None:
        """Adds the video stream, shaped after the reference, and the sound tracks."""
        start, end, aspect, rate = Fraction(0), None, None, self._rate
        if source is not None:
            start, end = self._source_times(source)
            reference = video_stream(source)
            rate = reference.average_rate or _average_rate(self._timeline)
            aspect = _upright_aspect(reference, self._size)
        self._time_base = 1 / rate if self._timeline is None else self._timeline.time_base
        self._shift = int(start / self._time_base)
        self._stream = self._encoding.add_stream(self._container, self._size, rate)
        self._stream.codec_context.time_base = self._stream.time_base = self._time_base
        if aspect is not None:
            self._stream.codec_context.sample_aspect_ratio = aspect
        if source is not None and self._copies_audio:
            self._audio = AudioCopier(source, self._container, start, end)
            self.notes.extend(self._audio.notes)
        if source is not None and source.streams.subtitles:
            self.notes.append("subtitles of the reference are not copied")

    def _source_times(self, source: av.container.InputContainer
                      ) -> tuple[Fraction, Fraction | None]:
        """Seconds of the reference that become time 0, and those where its part ends."""
        if self._span is None:
            return late_start(source), None
        start = self._timeline.pts[0] * self._timeline.time_base
        return start, start + self._timeline.duration_seconds

    def _mux(self, packets: list[av.Packet]) -> None:
        for packet in packets:
            if self._timeline is None:
                packet.duration = 1
            else:
                index = self._timeline.index_of(packet.pts + self._shift)
                packet.duration = self._timeline.durations[index]
            due = Fraction(packet.dts * packet.time_base)
            self._container.mux(packet)
            if self._audio is not None:
                self._audio.copy_until(due)

    def _finish(self) -> None:
        if self._timeline is not None and self.n_written != len(self._timeline.pts):
            raise VideoError(
                f"{self.path}: {self.n_written} frames were written, but {self._reference} has "
                f"{len(self._timeline.pts)}; nothing was saved. Give one frame for each frame there"
            )
        if self.n_written == 0:
            raise VideoError(f"{self.path}: no frame was written, so nothing was saved")
        self._mux(self._stream.encode(None))
        if self._audio is not None:
            self._audio.finish()
        self._container.close()


@dataclasses.dataclass(frozen=True)
class Encoding:
    """How pictures become H.264; see `VideoWriter`."""

    crf: float
    preset: str
    bitrate: int | None
    lossless: bool
    deep: bool = False

    def add_stream(
        self, container: av.container.OutputContainer, size: tuple[int, int], rate: Fraction
    ) -> av.video.stream.VideoStream:
        """Adds the video stream for pictures of `size` (width, height)."""
        options = {"preset": self.preset}
        if cv2.checkHardwareSupport(AVX512F):
            options["x264-params"] = UP_TO_AVX2
        if self.lossless:
            options["qp"] = "0"
        elif self.bitrate is None:
            options["crf"] = str(self.crf)
        codec = "libx264rgb" if self.lossless else "libx264"
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height = size
        context = stream.codec_context
        if self.lossless:
            stream.pix_fmt, context.colorspace = "bgr24", RGB_MATRIX
            context.color_range = ColorRange.JPEG
        else:
            stream.pix_fmt = self._yuv(size)
            context.colorspace, context.color_range = BT709_MATRIX, ColorRange.MPEG
            if self.bitrate is not None:
                stream.bit_rate = self.bitrate
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        return stream

    def frame(self, image: np.ndarray) -> av.VideoFrame:
        """(H, W, 3) BGR, uint8 or uint16 if deep -> frame in the stream's pixel format."""
        if self.lossless:
            return av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24")
        return to_yuv(image, self._yuv(image.shape[:2]))

    def _yuv(self, size: tuple[int, int]) -> str:
        sampling = "yuv444p" if size[0] % 2 or size[1] % 2 else "yuv420p"
        return f"{sampling}10le" if self.deep else sampling


def open_container(path: Path, suffix: str, metadata: Mapping[str, str]
                   ) -> av.container.OutputContainer:
    """Opens a file for writing, of the kind that a suffix of `CONTAINERS` means."""
    flags = "+faststart"
    if set(metadata) - PLAIN_TAGS:
        flags += "+use_metadata_tags"
    name = CONTAINERS[suffix.lower()]
    options = {} if name == "matroska" else {"movflags": flags}
    container = av.open(str(path), "w", format=name, container_options=options)
    container.metadata.update(metadata)
    return container


def late_start(source: av.container.InputContainer) -> Fraction:
    """Seconds by which picture and sound both start after 0."""
    starts = [s.start_time * s.time_base for s in (video_stream(source), *source.streams.audio)
              if s.start_time is not None]
    return max(min(starts, default=Fraction(0)), Fraction(0))


def _as_fraction(frame_rate: Fraction | float) -> Fraction:
    """FFmpeg holds rates as two 32-bit integers; 29.97 must not become 8436116/281485."""
    return Fraction(frame_rate).limit_denominator(100_000)


def _average_rate(timeline: Timeline) -> Fraction:
    return _as_fraction(len(timeline.pts) / timeline.duration_seconds)


def _upright_aspect(
    reference: av.video.stream.VideoStream, size: tuple[int, int]
) -> Fraction | None:
    """Pixel width over height for the result: kept if the frame's shape is, else left open."""
    aspect = reference.sample_aspect_ratio
    stored = (reference.width, reference.height)
    if not aspect or aspect == 1:
        return None
    if size == stored:
        return aspect
    return 1 / aspect if size == stored[::-1] else None


@contextlib.contextmanager
def ffmpeg_errors(path: Path) -> Iterator[None]:
    """Turns FFmpeg's errors into ours."""
    try:
        yield
    except av.error.FFmpegError as error:
        if is_disk_full(error):
            raise DiskFull(f"{path}: the disk is full; free some space") from error
        raise VideoError(f"{path}: cannot be written ({reason(error)}); "
                         "check the folder and the options") from error
