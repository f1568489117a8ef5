"""Parts of a video, encoded one after the other or by different runs, put together."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import av

from core.errors import VideoError
from core.paths import atomic_path
from core.video_audio import AudioCopier
from core.video_read import read_timeline
from core.video_types import Timeline, open_video, video_stream
from core.video_write import ffmpeg_errors, late_start, open_container


class _Packet(NamedTuple):
    """A packet and the index of its frame in the whole video."""

    packet: av.Packet
    index: int


def join_parts(parts: Sequence[Path], target: Path, reference: Path, *, audio: bool = True,
               metadata: Mapping[str, str] | None = None) -> list[str]:
    """Puts parts together without encoding anything again.

    Args:
        parts: Made by `VideoWriter` with one `reference`, the same settings, and spans that follow
            each other and cover all of its frames.
        target: .mp4, .m4v, .mov or .mkv; an existing file is replaced when the new one is
            complete.
        reference: Gives the times of all frames, and the sound.
        audio: Whether its sound is copied.
        metadata: Tags of the file.

    Returns:
        What the user should know about the result.

    Raises:
        VideoError: A part cannot be read, or they hold another number of frames than the
            reference.
        DiskFull: No space is left.
    """
    timeline = read_timeline(reference)
    orders = [_display_order(part) for part in parts]
    n_frames = sum(map(len, orders))
    if n_frames != len(timeline.pts):
        raise VideoError(f"{target}: its parts hold {n_frames} frames, but {reference} has "
                         f"{len(timeline.pts)}; run the same command again")
    delay = max(place - shown for order in orders for place, shown in enumerate(order))
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(open_video(reference))
        first = stack.enter_context(open_video(parts[0]))
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = stack.enter_context(atomic_path(target))
        with ffmpeg_errors(target):
            container = open_container(temporary, target.suffix, metadata or {})
            stack.callback(container.close)
            stream = container.add_stream_from_template(video_stream(first))
            stream.time_base = timeline.time_base
            start = late_start(source)
            copier = AudioCopier(source, container, start) if audio else None
            for packet in _timed(_packets(parts, orders), timeline, delay,
                                 int(start / timeline.time_base)):
                packet.stream = stream
                due = packet.dts * packet.time_base
                container.mux(packet)
                if copier is not None:
                    copier.copy_until(due)
            if copier is not None:
                copier.finish()
            container.close()
    return [] if copier is None else copier.notes


def _display_order(part: Path) -> list[int]:
    """For each packet of a part, in its order, which of the part's frames it holds."""
    with open_video(part) as container:
        times = [packet.pts for packet in container.demux(video_stream(container)) if packet.size]
    ranks = {time: rank for rank, time in enumerate(sorted(times))}
    return [ranks[time] for time in times]


def _packets(parts: Sequence[Path], orders: Sequence[Sequence[int]]) -> Iterator[_Packet]:
    first = 0
    for part, order in zip(parts, orders, strict=True):
        with open_video(part) as container:
            packets = (packet for packet in container.demux(video_stream(container))
                       if packet.size)
            for packet, shown in zip(packets, order, strict=True):
                yield _Packet(packet, first + shown)
        first += len(order)


def _timed(packets: Iterator[_Packet], timeline: Timeline, delay: int, shift: int
           ) -> Iterator[av.Packet]:
    """Packets with the times of the whole video.

    A frame is decoded when the one `delay` places earlier in the order of display is shown: early
    enough for all parts, and never twice at one time.
    """
    durations, step = timeline.durations, min(timeline.durations)
    for place, (packet, index) in enumerate(packets):
        packet.time_base = timeline.time_base
        packet.pts = timeline.pts[index] - shift
        earlier = place - delay
        packet.dts = (timeline.pts[earlier] if earlier >= 0
                      else timeline.pts[0] + earlier * step) - shift
        packet.duration = durations[index]
        yield packet
