"""PNG files that are whole, cut short, and changed in one place."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from core import png


@pytest.fixture(scope="module")
def whole():
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    return cv2.imencode(".png", picture)[1].tobytes()


def test_a_whole_file_passes_with_or_without_something_behind_it(whole):
    png.check(whole)
    png.check(whole + b"\0" * 99)


def test_a_file_cut_anywhere_is_refused(whole):
    for length in range(len(png.SIGNATURE), len(whole)):
        with pytest.raises(ValueError, match="missing"):
            png.check(whole[:length])


def test_a_change_of_any_byte_of_the_picture_is_seen(whole):
    data_starts = whole.index(b"IDAT")
    for place in range(data_starts, len(whole) - 12, 7):
        damaged = bytearray(whole)
        damaged[place] ^= 16
        with pytest.raises(ValueError):
            png.check(bytes(damaged))


def test_wrong_checksums_of_comments_do_not_matter(whole):
    def chunk(kind, content, checksum):
        return struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", checksum)

    at = whole.index(b"IDAT") - 4
    png.check(whole[:at] + chunk(b"tEXt", b"a\0b", 1) + whole[at:])
    with pytest.raises(ValueError, match="checksum"):
        png.check(whole[:at] + chunk(b"PLTE", b"abc", 1) + whole[at:])
    png.check(whole[:at] + chunk(b"PLTE", b"abc", zlib.crc32(b"PLTEabc")) + whole[at:])


def test_the_header_comes_first(whole):
    with pytest.raises(ValueError, match="header"):
        png.check(png.SIGNATURE + whole[whole.index(b"IDAT") - 4 :])
