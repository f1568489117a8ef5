"""Sound tracks: copied packet by packet from one video into another."""

from collections.abc import Iterator
from fractions import Fraction

import av

# For the few codecs a container cannot hold. The layout is chosen by the number of channels,
# since plain PCM does not name one; AAC cannot encode an unnamed layout.
TRANSCODED_BIT_RATE = 256_000
LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 8: "7.1"}


class AudioCopier:
    """Feeds every sound track of one file into another, in step with the pictures.

    Packets go over unchanged. A codec the target container cannot hold becomes AAC, and `notes`
    says so.

    Args:
        source: Opened file to take the sound from; stays open until `finish`.
        target: Opened for writing; its header must not be written yet.
        start: Seconds of the source that become time 0 in the target.
        end: Seconds of the source up to which sound is copied; None copies all of it, also what
            begins before `start`.
    """

    def __init__(
        self,
        source: av.container.InputContainer,
        target: av.container.OutputContainer,
        start: Fraction,
        end: Fraction | None = None,
    ):
        self.notes: list[str] = []
        self._target = target
        self._start = start
        self._tracks = {}
        for stream in source.streams.audio:
            self._add_track(stream)
        self._packets = self._demux(source) if end is None else self._part(source, end)
        self._next = next(self._packets, None)

    def copy_until(self, seconds: Fraction) -> None:
        """Writes all packets that are decoded up to a time of the target."""
        while self._next is not None and _decode_time(self._next) - self._start <= seconds:
            self._write(self._next)
            self._next = next(self._packets, None)

    def finish(self) -> None:
        """Writes the rest."""
        while self._next is not None:
            self._write(self._next)
            self._next = next(self._packets, None)
        for track in self._tracks.values():
            track.finish()

    def _add_track(self, stream: av.audio.stream.AudioStream) -> None:
        if stream.codec_context is None:
            self.notes.append(f"sound track {stream.index} has an unknown codec and is left out")
            return
        name = stream.codec_context.codec.canonical_name
        try:
            track = CopiedTrack(stream, self._target, self._start)
        except ValueError:  # PyAV's word for "this container does not hold that codec"
            track = TranscodedTrack(stream, self._target, self._start)
            container = self._target.format.name
            self.notes.append(f"sound track {stream.index}: {container} cannot hold {name}, "
                              f"so it is converted to AAC")
        track.output.metadata.update(stream.metadata)
        self._tracks[stream.index] = track

    def _demux(self, source: av.container.InputContainer) -> Iterator[av.Packet]:
        if self._tracks:
            yield from (p for p in source.demux(*(source.streams[i] for i in self._tracks))
                        if p.size)

    def _part(self, source: av.container.InputContainer, end: Fraction) -> Iterator[av.Packet]:
        """Packets that begin inside; those without a time are left out."""
        return (packet for packet in self._demux(source) if packet.pts is not None
                and self._start <= packet.pts * packet.time_base < end)

    def _write(self, packet: av.Packet) -> None:
        self._tracks[packet.stream_index].write(packet)


class CopiedTrack:
    """A sound track whose packets go over as they are."""

    def __init__(self, stream, target, start: Fraction):
        self.output = target.add_stream_from_template(stream)
        self._target = target
        self._shift = int(start / stream.time_base)

    def write(self, packet: av.Packet) -> None:
        packet.stream = self.output
        if packet.pts is not None:
            packet.pts -= self._shift
        if packet.dts is not None:
            packet.dts -= self._shift
        self._target.mux(packet)

    def finish(self) -> None:
        """Nothing is held back."""


class TranscodedTrack:
    """A sound track that is decoded and encoded again as AAC."""

    def __init__(self, stream, target, start: Fraction):
        self.output = target.add_stream("aac", rate=stream.codec_context.sample_rate)
        self.output.bit_rate = TRANSCODED_BIT_RATE
        self.output.layout = LAYOUTS.get(stream.codec_context.channels, "stereo")
        self._decoder = stream.codec_context
        self._target = target
        self._shift = int(start / stream.time_base)

    def write(self, packet: av.Packet) -> None:
        for frame in self._decoder.decode(packet):
            frame.pts = None if frame.pts is None else frame.pts - self._shift
            self._target.mux(self.output.encode(frame))

    def finish(self) -> None:
        for frame in self._decoder.decode(None):
            frame.pts = None if frame.pts is None else frame.pts - self._shift
            self._target.mux(self.output.encode(frame))
        self._target.mux(self.output.encode(None))


def _decode_time(packet: av.Packet) -> Fraction:
    """Seconds at which a packet is due; packets without a time are due at once."""
    ticks = packet.dts if packet.dts is not None else packet.pts
    return Fraction(0) if ticks is None else ticks * packet.time_base
