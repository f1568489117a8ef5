"""TFRecords, TensorFlow's container of byte strings, without TensorFlow.

A record is: length (uint64, little endian), masked CRC-32C of these eight bytes, the data, masked
CRC-32C of the data.
"""

import struct

_CASTAGNOLI = 0x82F63B78  # the polynomial, lowest bit first
_ALL = 0xFFFFFFFF


def record(data: bytes) -> bytes:
    """One record."""
    length = struct.pack("<Q", len(data))
    return b"".join([length, struct.pack("<I", masked_crc(length)),
                     data, struct.pack("<I", masked_crc(data))])


def masked_crc(data: bytes) -> int:
    """CRC-32C, turned right by 15 bits plus a constant, as records store it."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & _ALL


def crc32c(data: bytes) -> int:
    """CRC-32 with Castagnoli's polynomial (RFC 3720, appendix B.4)."""
    crc = _ALL
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ _ALL


def _table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_CASTAGNOLI if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _table()
