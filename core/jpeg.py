"""JPEG segments: reading and replacing application data without touching the picture.

A JPEG file is a list of segments, each `FF <marker> <length>` with a big-endian length that
counts itself, then the entropy-coded scans (ITU-T T.81, annex B). Everything here works on the
part before the first scan; scans and whatever follows them are passed on byte for byte.
"""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

APP0, APP15 = 0xE0, 0xEF
APP9 = 0xE9
SOI, EOI, SOS = 0xD8, 0xD9, 0xDA

# Markers without a length: TEM and the restart markers. They do not belong before the first
# scan, but some cameras write them there.
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
# SOF0 to SOF15, without the tables (DHT, JPG, DAC) that lie between them.
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_LARGEST_PAYLOAD = 0xFFFF - 2
_HEADER_BLOCK = 16 * 1024

# A payload too large for one segment is split; each part starts with this tag, its number
# (from 1) and the number of parts, both unsigned 16-bit big-endian.
_PART_TAG = b"\x00part"
_PART_HEAD = len(_PART_TAG) + 4


class Segment(NamedTuple):
    """One marker segment of a JPEG file.

    Attributes:
        marker: Second marker byte, for example 0xE1 for APP1.
        start: Offset of the segment's 0xFF byte.
        payload_start: Offset of the first byte after the length.
        end: Offset of the first byte after the segment.
    """

    marker: int
    start: int
    payload_start: int
    end: int


class TruncatedJpeg(ValueError):
    """The data end inside the segments that come before the picture."""


def segments(data: bytes) -> Iterator[Segment]:
    """Yields the segments up to and including the start of the first scan.

    Fill bytes (any number of 0xFF before a marker), restart intervals, stray bytes between
    segments and bytes after the end of the picture are all accepted.

    Args:
        data: A JPEG file, or its beginning up to the first scan.

    Yields:
        Segments in file order; the last one is SOS.

    Raises:
        ValueError: `data` is not a JPEG or holds no picture.
        TruncatedJpeg: `data` end before the first scan.
    """
    if data[:2] != b"\xff\xd8":
        raise ValueError("not a JPEG file")
    position = 2
    while True:
        segment = _segment_at(data, position)
        yield segment
        if segment.marker == SOS:
            return
        position = segment.end


def read_app(data: bytes, marker: int, identifier: bytes) -> bytes | None:
    """Gives the application data stored under a marker and identifier.

    Args:
        data: A JPEG file, or its beginning up to the first scan.
        marker: 0xE0 to 0xEF.
        identifier: First bytes of the segment's payload, for example `b"Exif\\0\\0"`.

    Returns:
        The bytes after the identifier; the parts in order if the payload was split; the first
        one if there are several whole ones; None if there is none.

    Raises:
        ValueError: `data` is not a JPEG, ends too early, or parts of the payload are missing.
    """
    parts: dict[int, bytes] = {}
    count = 0
    for segment in _app_segments(data, marker, identifier):
        payload = data[segment.payload_start + len(identifier):segment.end]
        if not payload.startswith(_PART_TAG) or len(payload) < _PART_HEAD:
            return payload
        number = int.from_bytes(payload[len(_PART_TAG):len(_PART_TAG) + 2], "big")
        count = int.from_bytes(payload[len(_PART_TAG) + 2:_PART_HEAD], "big")
        parts[number] = payload[_PART_HEAD:]
    if not parts:
        return None
    missing = [number for number in range(1, count + 1) if number not in parts]
    if missing:
        raise ValueError(f"part {missing[0]} of {count} of the {identifier!r} data is missing")
    return b"".join(parts[number] for number in range(1, count + 1))


def picture_size(data: bytes) -> tuple[int, int]:
    """Gives the (height, width) of the picture, before any rotation by EXIF.

    Args:
        data: A JPEG file, or its beginning up to the first scan.

    Raises:
        ValueError: `data` is not a JPEG, ends too early, or has no frame header.
    """
    for segment in segments(data):
        if segment.marker in _FRAME_HEADERS and segment.end - segment.payload_start >= 5:
            height, width = (int.from_bytes(data[at:at + 2], "big")
                             for at in (segment.payload_start + 1, segment.payload_start + 3))
            return height, width
    raise ValueError("the JPEG file has no frame header")


def with_app(data: bytes, marker: int, identifier: bytes, payload: bytes) -> bytes:
    """Gives the same JPEG with its application data replaced or added.

    Every other byte of the file stays as it is. New data go behind the leading application
    segments, because JFIF and Exif both want to be first.

    Args:
        data: A whole JPEG file.
        marker: 0xE0 to 0xEF.
        identifier: Starts every segment written; segments that start so are replaced.
        payload: Any bytes; more than fit into one segment (about 64 kB) are split.

    Returns:
        The new file.

    Raises:
        ValueError: `data` is not a JPEG or ends too early, `marker` is no application marker,
            or `payload` is larger than 65535 segments.
    """
    if not APP0 <= marker <= APP15:
        raise ValueError(f"marker 0x{marker:02X} is not an application marker (0xE0 to 0xEF)")
    replaced = list(_app_segments(data, marker, identifier))
    position = replaced[0].start if replaced else _end_of_leading_apps(data)
    pieces, copied = [data[:position]], position
    pieces += [_segment_bytes(marker, identifier + part)
               for part in _split(payload, _LARGEST_PAYLOAD - len(identifier))]
    for segment in replaced:
        pieces.append(data[copied:segment.start])
        copied = segment.end
    pieces.append(data[copied:])
    return b"".join(pieces)


def read_header(stream: BinaryIO) -> bytes:
    """Reads a JPEG's beginning, at least up to the first scan, and little more.

    Args:
        stream: Binary file, positioned at the start of the JPEG.

    Returns:
        The bytes read; input for `read_app`.

    Raises:
        ValueError: The file is not a JPEG or ends before its picture.
    """
    data = stream.read(_HEADER_BLOCK)
    while True:
        try:
            for _ in segments(data):
                pass
            return data
        except TruncatedJpeg:
            block = stream.read(max(_HEADER_BLOCK, len(data)))
            if not block:
                raise
            data += block


def read_app_from(stream: BinaryIO, marker: int, identifier: bytes) -> bytes | None:
    """Reads the application data of a JPEG, and little more of the file.

    Args:
        stream: Binary file, positioned at the start of the JPEG.
        marker, identifier: As for `read_app`.

    Returns:
        As `read_app`. What follows the data is not looked at.

    Raises:
        ValueError: As `read_app`.
    """
    data = stream.read(_HEADER_BLOCK)
    while True:
        try:
            return read_app(data, marker, identifier)
        except TruncatedJpeg:
            block = stream.read(max(_HEADER_BLOCK, len(data)))
            if not block:
                raise
            data += block


def _segment_at(data: bytes, position: int) -> Segment:
    """Gives the first segment at or behind an offset."""
    start = data.find(b"\xff", position)
    while start >= 0:
        at = start
        while at + 1 < len(data) and data[at + 1] == 0xFF:
            at += 1
        if at + 1 >= len(data):
            break
        marker = data[at + 1]
        if marker in _BARE:
            return Segment(marker, start, at + 2, at + 2)
        if marker not in (0x00, SOI):
            return _sized_segment(data, marker, start, at + 2)
        start = data.find(b"\xff", at + 2)
    raise TruncatedJpeg("the JPEG file ends before its picture")


def _sized_segment(data: bytes, marker: int, start: int, length_at: int) -> Segment:
    """Gives a segment that carries its length at offset `length_at`."""
    if marker == EOI:
        raise ValueError("the JPEG file holds no picture")
    length = int.from_bytes(data[length_at:length_at + 2], "big")
    end = length_at + length
    if length_at + 2 > len(data) or end > len(data):
        raise TruncatedJpeg("the JPEG file ends before its picture")
    if length < 2:
        raise ValueError(f"JPEG segment 0x{marker:02X} has the impossible length {length}")
    return Segment(marker, start, length_at + 2, end)


def _app_segments(data: bytes, marker: int, identifier: bytes) -> Iterator[Segment]:
    """Yields the segments of a marker whose payload starts with the identifier."""
    for segment in segments(data):
        if segment.marker == marker and data.startswith(
                identifier, segment.payload_start, segment.end):
            yield segment


def _end_of_leading_apps(data: bytes) -> int:
    """Gives the offset behind the application segments that open the file."""
    end = 2
    for segment in segments(data):
        if not APP0 <= segment.marker <= APP15:
            break
        end = segment.end
    return end


def _split(payload: bytes, room: int) -> list[bytes]:
    """Gives the payload as it is if it fits into `room` bytes, else its numbered parts."""
    # A payload that happens to look like a part is written as one, so it reads back the same.
    if len(payload) <= room and not payload.startswith(_PART_TAG):
        return [payload]
    step = room - _PART_HEAD
    parts = [payload[at:at + step] for at in range(0, len(payload), step)]
    if len(parts) > 0xFFFF:
        raise ValueError(f"{len(payload)} bytes are too many for the segments of a JPEG")
    count = len(parts).to_bytes(2, "big")
    return [_PART_TAG + number.to_bytes(2, "big") + count + part
            for number, part in enumerate(parts, start=1)]


def _segment_bytes(marker: int, payload: bytes) -> bytes:
    """Gives one whole segment."""
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload
