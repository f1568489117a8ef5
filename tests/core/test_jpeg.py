"""JPEG segments, checked with files that other encoders made and other decoders read."""

import io

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core import jpeg

IDENTIFIER = b"Test\0"


def picture() -> np.ndarray:
    """(40, 56, 3) uint8 smooth colours."""
    y, x = np.mgrid[:40, :56]
    return np.dstack([x * 4, y * 6, (x + y) * 2]).astype(np.uint8)


def encoded(*parameters: int) -> bytes:
    return cv2.imencode(".jpg", picture(), parameters)[1].tobytes()


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def segment(marker: int, payload: bytes) -> bytes:
    """One segment, written by hand as T.81 says."""
    return bytes([0xFF, marker, (len(payload) + 2) >> 8, (len(payload) + 2) & 255]) + payload


BASELINE = encoded()
KINDS = {
    "baseline": BASELINE,
    "progressive": encoded(cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "restart_intervals": encoded(cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
    "trailing_bytes": BASELINE + b"\0\0after the end\xff\xd8\xff",
    "fill_bytes": BASELINE[:2] + b"\xff\xff\xff" + BASELINE[2:],
}


@pytest.mark.parametrize("data", KINDS.values(), ids=KINDS.keys())
def test_data_are_added_and_pixels_stay(data):
    changed = jpeg.with_app(data, jpeg.APP9, IDENTIFIER, b"hello")
    assert jpeg.read_app(changed, jpeg.APP9, IDENTIFIER) == b"hello"
    assert np.array_equal(pixels(changed), pixels(data))
    assert len(changed) == len(data) + 4 + len(IDENTIFIER) + 5


def test_restart_interval_picture_really_has_one():
    assert b"\xff\xdd\x00\x04" in KINDS["restart_intervals"]


def test_another_reader_finds_the_data():
    changed = jpeg.with_app(BASELINE, jpeg.APP9, IDENTIFIER, b"hello")
    assert ("APP9", IDENTIFIER + b"hello") in Image.open(io.BytesIO(changed)).applist


def test_data_come_right_behind_the_leading_application_segments():
    jfif = segment(0xE0, b"JFIF\0\x01\x01\x00\x00\x01\x00\x01\x00\x00")
    assert BASELINE.startswith(b"\xff\xd8" + jfif)
    changed = jpeg.with_app(BASELINE, jpeg.APP9, IDENTIFIER, b"x")
    rest = BASELINE[2 + len(jfif):]
    assert changed == b"\xff\xd8" + jfif + segment(0xE9, IDENTIFIER + b"x") + rest


def test_replacing_leaves_every_other_byte():
    first = jpeg.with_app(BASELINE, jpeg.APP9, IDENTIFIER, b"first" * 30_000)
    second = jpeg.with_app(first, jpeg.APP9, IDENTIFIER, b"2")
    assert second == jpeg.with_app(BASELINE, jpeg.APP9, IDENTIFIER, b"2")


def test_foreign_segments_of_the_same_marker_are_kept():
    foreign = segment(0xE9, b"Other\0data")
    data = BASELINE[:2] + foreign + BASELINE[2:]
    changed = jpeg.with_app(data, jpeg.APP9, IDENTIFIER, b"x")
    assert foreign in changed
    assert jpeg.read_app(changed, jpeg.APP9, b"Other\0") == b"data"


def test_absent_data_are_none():
    assert jpeg.read_app(BASELINE, jpeg.APP9, IDENTIFIER) is None


@pytest.mark.parametrize("size", [0, 65528, 65529, 200_000])
def test_payloads_of_all_sizes_come_back(size):
    payload = np.random.default_rng(size).bytes(size)
    changed = jpeg.with_app(BASELINE, jpeg.APP9, IDENTIFIER, payload)
    assert jpeg.read_app(changed, jpeg.APP9, IDENTIFIER) == payload
    assert np.array_equal(pixels(changed), pixels(BASELINE))


def test_the_largest_whole_payload_needs_one_segment():
    # 65535 counts the two length bytes and the five of the identifier.
    whole = jpeg.with_app(BASELINE, jpeg.APP9, IDENTIFIER, bytes(65528))
    split = jpeg.with_app(BASELINE, jpeg.APP9, IDENTIFIER, bytes(65529))
    n_segments = [sum(found.marker == jpeg.APP9 for found in jpeg.segments(data))
                  for data in (whole, split)]
    assert n_segments == [1, 2]


def test_a_missing_part_is_an_error():
    data = jpeg.with_app(BASELINE, jpeg.APP9, IDENTIFIER, bytes(200_000))
    parts = [found for found in jpeg.segments(data) if found.marker == jpeg.APP9]
    assert len(parts) == 4
    without_second = data[:parts[1].start] + data[parts[1].end:]
    with pytest.raises(ValueError, match="part 2 of 4"):
        jpeg.read_app(without_second, jpeg.APP9, IDENTIFIER)


@given(st.binary(max_size=300), st.booleans())
def test_any_payload_comes_back(payload, looks_like_a_part):
    payload = b"\0part" + payload if looks_like_a_part else payload
    changed = jpeg.with_app(BASELINE, jpeg.APP9, IDENTIFIER, payload)
    assert jpeg.read_app(changed, jpeg.APP9, IDENTIFIER) == payload


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n", b"\xff\xd8\xff\xd9"])
def test_what_holds_no_jpeg_picture_is_an_error(data):
    with pytest.raises(ValueError, match="JPEG"):
        jpeg.read_app(data, jpeg.APP9, IDENTIFIER)


@given(st.integers(0, len(BASELINE)))
def test_a_cut_file_is_an_error_or_keeps_its_data(length):
    data = jpeg.with_app(BASELINE, jpeg.APP9, IDENTIFIER, b"hello")[:length]
    try:
        header = jpeg.read_header(io.BytesIO(data))
        assert jpeg.read_app(header, jpeg.APP9, IDENTIFIER) == b"hello"
        assert b"\xff\xda" in data  # the scan has begun
    except ValueError as error:
        assert "JPEG" in str(error)


@given(st.binary(max_size=400))
def test_noise_never_breaks_the_reader(noise):
    with pytest.raises(ValueError, match="JPEG"):
        list(jpeg.segments(b"\xff\xd8" + noise.replace(b"\xda", b"")))


def test_only_application_markers_are_written():
    with pytest.raises(ValueError, match="0xDB"):
        jpeg.with_app(BASELINE, 0xDB, IDENTIFIER, b"")


def test_header_reading_stops_near_the_first_scan():
    noise = np.random.default_rng(0).integers(0, 255, (600, 600, 3), np.uint8)
    data = cv2.imencode(".jpg", noise)[1].tobytes()
    data = jpeg.with_app(data, jpeg.APP9, IDENTIFIER, bytes(30_000))
    stream = io.BytesIO(data)
    header = jpeg.read_header(stream)
    assert jpeg.read_app(header, jpeg.APP9, IDENTIFIER) == bytes(30_000)
    assert stream.tell() < 70_000 < len(data)


def test_header_of_a_cut_file_is_an_error():
    data = jpeg.with_app(BASELINE, jpeg.APP9, IDENTIFIER, bytes(30_000))
    with pytest.raises(ValueError, match="ends before its picture"):
        jpeg.read_header(io.BytesIO(data[:20_000]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_size_is_read_without_the_picture(kind):
    data = KINDS[kind]
    height, width = pixels(data).shape[:2]
    assert jpeg.picture_size(data[:data.index(b"\xff\xda") + 20]) == (height, width)


def test_a_file_without_a_frame_header_has_no_size():
    data = b"\xff\xd8" + segment(0xE0, b"JFIF") + segment(0xDA, bytes(6)) + b"\xff\xd9"
    with pytest.raises(ValueError, match="frame header"):
        jpeg.picture_size(data)
