"""Videos as upright BGR frames with their true times (PyAV; no external program)."""

import itertools
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av

from core.errors import VideoError
from core.video_color import is_deep, orientation, rotation_degrees, to_upright_bgr
from core.video_types import (
    AudioStream,
    DamagedFrame,
    Timeline,
    VideoFrame,
    VideoInfo,
    open_video,
    reason,
    video_stream,
)

logger = logging.getLogger(__name__)

REORDER_DEPTH = 16  # frames; H.264 and HEVC let a frame be shown this much later than decoded


def probe(path: str | Path) -> VideoInfo:
    """Reads what a video holds; goes through all packets once, decodes only the first frame.

    Raises:
        VideoError: Missing, unreadable, no video stream, or no frame.
    """
    timeline = read_timeline(path)
    with open_video(path) as container:
        stream = video_stream(container)
        frame = next(_decode(container, stream, True, []), None)
        if frame is None:
            raise VideoError(f"{path}: no frame can be decoded; copy or convert the video again")
        axes = orientation(frame, tagged_rotation(stream))
        sideways = axes[0, 0] == 0
        average = Fraction(len(timeline.pts)) / (timeline.duration_seconds or 1)
        return VideoInfo(
            path=Path(path),
            width=frame.height if sideways else frame.width,
            height=frame.width if sideways else frame.height,
            rotation=rotation_degrees(axes),
            frame_rate=Fraction(stream.average_rate or average),
            time_base=timeline.time_base,
            n_frames=len(timeline.pts),
            duration_seconds=float(timeline.duration_seconds),
            variable_rate=timeline.is_variable,
            codec=stream.codec_context.name,
            pixel_format=frame.format.name,
            is_deep=is_deep(frame),
            pixel_aspect=Fraction(stream.sample_aspect_ratio or 1),
            audio_streams=tuple(_audio_info(audio) for audio in container.streams.audio),
        )


def read_timestamps(path: str | Path) -> list[int]:
    """Start of every displayed frame in ticks of the stream's time base, sorted.

    Raises:
        VideoError: Missing, unreadable, no video stream, or no frame.
    """
    return list(read_timeline(path).pts)


def read_timeline(path: str | Path) -> Timeline:
    """Times of all displayed frames, from the packets where these tell, else by decoding.

    Packets do not tell when some carry no time, when times repeat, or when the video starts
    with frames that refer to something before its start (a cut recording).

    Raises:
        VideoError: Missing, unreadable, no video stream, or no frame.
    """
    with open_video(path) as container:
        stream = video_stream(container)
        time_base = stream.time_base
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        times = _packet_times(container, stream)
    if times is None:
        times = _decoded_times(path)
    if not times:
        raise VideoError(f"{path}: holds no frame; choose another video or copy it again")
    pts = [tick for tick, _ in times]
    if None in pts or any(after <= before for before, after in zip(pts, pts[1:])):
        return Timeline(1 / rate, tuple(range(len(pts))), 1, by_count=True)
    last = times[-1][1]
    if not last:  # the container does not say: as long as the one before, or one at the rate
        last = pts[-1] - pts[-2] if len(pts) > 1 else round(1 / rate / time_base)
    return Timeline(time_base, tuple(pts), max(last, 1))


def read_frames(
    path: str | Path,
    *,
    start: int = 0,
    every: int = 1,
    indices: Collection[int] | None = None,
    on_damage: Callable[[DamagedFrame], None] | None = None,
    deep: bool = False,
) -> Iterator[VideoFrame]:
    """Decodes a video to upright BGR pictures in display order.

    The colour matrix and range are those the file names; an untagged file counts as BT.709 from
    HD size on and as BT.601 below. A frame that cannot be decoded, or that the decoder itself
    marks as damaged, is left out: its index is missing in the output and `on_damage` gets a
    record. (H.264 marks all frames that build on a damaged one, up to the next key frame.)

    Args:
        path: The video.
        start: Index of the first frame wanted.
        every: Gives frames start, start + every, start + 2 * every, ...
        indices: Gives just these frames; `start` and `every` do not count then.
        on_damage: Called for each undecodable frame between the first and the last one wanted;
            default: a log warning.
        deep: Keeps more than 8 bits a colour where the video has them.

    Yields:
        VideoFrame with (H, W, 3) BGR, uint8 or, if wanted, uint16.

    Raises:
        VideoError: Missing, unreadable, no video stream, no frame, or `start` or an index past the
            end.
        ValueError: `start` is negative or `every` is not positive.
    """
    if start < 0 or every < 1:
        raise ValueError(f"start must be >= 0 and every >= 1, not {start} and {every}")
    timeline = read_timeline(path)
    if start >= len(timeline.pts):
        raise VideoError(
            f"{path}: has {len(timeline.pts)} frames, none with index {start}; start earlier"
        )
    with open_video(path) as container:
        rotation = tagged_rotation(video_stream(container))
    wanted = range(start, len(timeline.pts), every) if indices is None else frozenset(indices)
    report = on_damage or (lambda damaged: _log_damage(path, damaged))
    if not wanted:
        return
    if max(wanted) >= len(timeline.pts):
        raise VideoError(f"{path}: has {len(timeline.pts)} frames, none with index {max(wanted)}; "
                         "ask for fewer")
    for index, frame in _indexed_frames(path, timeline, min(wanted), max(wanted), report):
        if index in wanted:
            yield VideoFrame(index, timeline.pts[index],
                             to_upright_bgr(frame, rotation, deep=deep))


def tagged_rotation(stream: av.video.stream.VideoStream) -> int:
    """Degrees clockwise from the `rotate` tag older programs wrote; 0 without one."""
    tag = stream.metadata.get("rotate", "0")
    return int(tag) % 360 if tag.lstrip("-").isdigit() else 0


def _indexed_frames(
    path: str | Path,
    timeline: Timeline,
    start: int,
    last: int,
    report: Callable[[DamagedFrame], None],
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yields (index, decoded frame) from `start` to `last` and reports the indices left out."""
    position = start
    reasons: list[str] = []

    def report_missing(indices: Sequence[int]) -> None:
        why = reasons[-1] if reasons else "no picture came out of the decoder"
        for missing in indices:
            report(DamagedFrame(missing, timeline.pts[missing], why))
        if indices:
            reasons.clear()

    frames = _frames_by_count if timeline.by_count else _frames_by_time
    for index, frame in frames(path, timeline, start, reasons):
        if index is None or index < position:
            continue
        if frame.is_corrupt:
            reasons.append("parts of its data are missing")
            continue
        report_missing(range(position, min(index, last + 1)))
        position = index + 1
        if index <= last:
            yield index, frame
        if index >= last:
            return
    report_missing(range(position, last + 1))


def _frames_by_count(
    path: str | Path, timeline: Timeline, start: int, reasons: list[str]
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Decodes from the beginning, as only counting tells which frame is which."""
    with open_video(path) as container:
        frames = _decode(container, video_stream(container), True, reasons)
        whole = (frame for frame in frames if not frame.is_corrupt)
        yield from itertools.islice(enumerate(whole), start, len(timeline.pts))


def _frames_by_time(
    path: str | Path, timeline: Timeline, start: int, reasons: list[str]
) -> Iterator[tuple[int | None, av.VideoFrame]]:
    """Decodes from a key frame at or before `start`; the index is None for an unlisted time.

    Frame threads report an error several frames late and lose its neighbours, so the first
    error switches to decoding one frame at a time, from the last frame that came out whole.
    """
    position, careful = start, False
    while True:
        try:
            for frame in _decode_from(path, timeline, position, careful, reasons):
                index = timeline.index_of(frame.pts)
                yield index, frame
                position = max(position, index or 0)
            return
        except _DamageFound:
            careful = True


def _decode_from(
    path: str | Path, timeline: Timeline, start: int, careful: bool, reasons: list[str]
) -> Iterator[av.VideoFrame]:
    """Seeks close to `start`, and decodes from the very beginning where that overshoots."""
    anchor = start - REORDER_DEPTH
    if anchor > 0:
        with open_video(path) as container:
            stream = video_stream(container)
            frames = _decode(container, stream, careful, reasons)
            try:
                container.seek(timeline.pts[anchor], stream=stream)
                first = next(frames, None)
            except av.error.FFmpegError:  # this kind of file cannot be sought in
                first = None
            index = None if first is None else timeline.index_of(first.pts)
            if index is not None and index <= start:
                yield first
                yield from frames
                return
    with open_video(path) as container:
        yield from _decode(container, video_stream(container), careful, reasons)


def _decode(
    container: av.container.InputContainer,
    stream: av.video.stream.VideoStream,
    careful: bool,
    reasons: list[str],
) -> Iterator[av.VideoFrame]:
    """Yields decoded frames; an undecodable packet is noted in `reasons` when `careful`.

    Raises:
        _DamageFound: A packet cannot be decoded and `careful` is False.
    """
    stream.thread_type = "SLICE" if careful else "AUTO"
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            frames = [] if packet is None else packet.decode()
        except av.error.FFmpegError as error:
            if not careful:
                raise _DamageFound from error
            reasons.append(reason(error))
            continue  # if it was the file that failed, `packets` has ended now
        if packet is None:
            return
        yield from frames


def _packet_times(container, stream) -> list[tuple[int, int]] | None:
    """Sorted (pts, duration) of the displayed frames, or None if only decoding can tell."""
    times: dict[int, int] = {}
    first_key = None
    reorders = bool(stream.codec_context.has_b_frames)
    if reorders and container.format.name == "avi":  # it stores times of decoding only
        return None
    for packet in _readable_packets(container, stream):
        if first_key is None and packet.is_keyframe:
            first_key = packet.pts
        if packet.is_discard:
            continue
        if packet.pts is None or first_key is None or packet.pts < first_key:
            return None
        if packet.pts in times:
            return None
        times[packet.pts] = packet.duration or 0
    return sorted(times.items())


def _readable_packets(container, stream) -> Iterator[av.Packet]:
    """Packets with data up to the end of the file or to where it cannot be read further."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError as error:
            logger.warning("%s: not readable to its end (%s)", container.name, reason(error))
            return
        if packet is None:
            return
        if packet.size:
            yield packet


def _decoded_times(path: str | Path) -> list[tuple[int | None, int]]:
    """(pts, duration) of the frames in the order in which the decoder gives them."""
    with open_video(path) as container:
        frames = _decode(container, video_stream(container), True, [])
        return [(f.pts, f.duration or 0) for f in frames if not f.is_corrupt]


def _audio_info(stream: av.audio.stream.AudioStream) -> AudioStream:
    context = stream.codec_context
    name = context.name if context else "unknown"
    rate, channels = (context.sample_rate, context.channels) if context else (0, 0)
    return AudioStream(name, rate, channels, stream.language or "")


def _log_damage(path: str | Path, damaged: DamagedFrame) -> None:
    logger.warning(
        "%s: frame %d left out, it cannot be decoded (%s)", path, damaged.index, damaged.reason
    )


class _DamageFound(Exception):
    """Decoding with frame threads met an error; never leaves this file."""
