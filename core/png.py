"""Whether a PNG is whole, told before a decoder meets it.

OpenCV's decoder fills what is missing, or complains on the console behind our back.
"""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LENGTH_TYPE_CRC = 12  # bytes of a chunk around its data


def check(data: bytes) -> None:
    """Goes through the chunks, whose checksums cover every byte that makes the picture.

    Args:
        data: The whole file, starting with SIGNATURE. What follows its end does not count.

    Raises:
        ValueError: It is cut short or damaged; the text says how.
    """
    view, position, kind = memoryview(data), len(SIGNATURE), b""
    while kind != b"IEND":
        if len(data) < position + _LENGTH_TYPE_CRC:
            raise ValueError("its end is missing")
        length, found = struct.unpack_from(">I4s", data, position)
        if not kind and found != b"IHDR":
            raise ValueError("its header is missing")
        kind, end = found, position + _LENGTH_TYPE_CRC + length
        if end > len(data):
            raise ValueError("its end is missing")
        is_critical = kind[:1].isupper()
        checksum = struct.unpack_from(">I", data, end - 4)[0]
        if is_critical and zlib.crc32(view[position + 4 : end - 4]) != checksum:
            raise ValueError("a checksum is wrong")
        position = end
