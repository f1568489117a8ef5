"""TensorBoard's event files, written without TensorFlow.

An event file is a row of TFRecords (`tf_record.py`). The data of each is an `Event` protocol
buffer (tensorflow/core/util/event.proto) with a `Summary`
(tensorflow/core/framework/summary.proto); only the few fields used here are encoded.
"""

import io
import os
import socket
import struct
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

from core.imaging.io import encode_image
from mainscripts.views.tf_record import record

# Field numbers of event.proto and summary.proto.
_WALL_TIME, _STEP, _FILE_VERSION, _SUMMARY, _SESSION_LOG = 1, 2, 3, 5, 7
_VALUE, _TAG, _SIMPLE_VALUE, _IMAGE = 1, 1, 2, 4
_IMAGE_HEIGHT, _IMAGE_WIDTH, _IMAGE_COLORSPACE, _IMAGE_ENCODED = 1, 2, 3, 4
_RGB = 3
_STATUS, _START = 1, 1  # of a SessionLog

JPEG_QUALITY = 95  # a PNG would be five times as large, and TensorBoard keeps all of them


class EventFile:
    """A new event file in a folder; each call appends one event and hands it to the system."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time):
        """
        Args:
            folder: Of one run, as TensorBoard lists it; made at the first event.
            clock: Seconds since 1970.
        """
        self._clock = clock
        self._folder = folder
        self._file: io.FileIO | None = None

    def add_start(self, step: int) -> None:
        """Says that training starts before this step: what was written of it and of later ones
        (by a run that was killed, or before a roll-back) is void.

        Raises:
            OSError: The file cannot be written.
        """
        self._append(step, _bytes(_SESSION_LOG, _integer(_STATUS, _START)), None)

    def add_scalars(self, step: int, values: Mapping[str, float], at: float | None = None) -> None:
        """Appends numbers under their tags.

        Args:
            step: Iteration.
            values: Tag -> value; "loss/src" goes under the heading "loss".
            at: Seconds since 1970; None is now.

        Raises:
            OSError: The file cannot be written.
        """
        self._append(step, _summary(_string(_TAG, tag) + _float(_SIMPLE_VALUE, value)
                                    for tag, value in values.items()), at)

    def add_images(self, step: int, images: Mapping[str, np.ndarray]) -> None:
        """Appends pictures under their tags.

        Args:
            step: Iteration.
            images: Tag -> (H, W, 3) uint8 BGR.

        Raises:
            OSError: The file cannot be written.
        """
        self._append(step, _summary(_string(_TAG, tag) + _bytes(_IMAGE, _image(image))
                                    for tag, image in images.items()), None)

    def close(self) -> None:
        """Ends the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _append(self, step: int, content: bytes, at: float | None) -> None:
        now = self._clock() if at is None else at
        if self._file is None:
            self._open(now)
        if not self._file.tell():
            self._write(_double(_WALL_TIME, now) + _string(_FILE_VERSION, "brain.Event:2"))
        self._write(_double(_WALL_TIME, now) + _integer(_STEP, step) + content)

    def _open(self, now: float) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard reads files whose name holds "tfevents", in the order of their names.
        name = f"events.out.tfevents.{now:017.6f}.{socket.gethostname()}.{os.getpid()}"
        self._file = open(self._folder / name, "ab", buffering=0)

    def _write(self, event: bytes) -> None:
        """Appends an event, or nothing of it: a reader stops at half an event for ever."""
        size, data = self._file.tell(), record(event)
        try:
            while data:
                data = data[self._file.write(data):]  # a full disk takes a part, then fails
        except OSError:
            self._file.truncate(size)
            self._file.seek(size)
            raise


def _image(image: np.ndarray) -> bytes:
    height, width = image.shape[:2]
    encoded = encode_image(image, ".jpg", jpeg_quality=JPEG_QUALITY)
    return (_integer(_IMAGE_HEIGHT, height) + _integer(_IMAGE_WIDTH, width)
            + _integer(_IMAGE_COLORSPACE, _RGB) + _bytes(_IMAGE_ENCODED, encoded))


def _summary(values: Iterable[bytes]) -> bytes:
    return _bytes(_SUMMARY, b"".join(_bytes(_VALUE, value) for value in values))


def _varint(number: int) -> bytes:
    """Seven bits a byte, lowest first, the top bit set on all but the last."""
    pieces = bytearray()
    while number > 0x7F:
        pieces.append(number & 0x7F | 0x80)
        number >>= 7
    pieces.append(number)
    return bytes(pieces)


def _integer(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _double(field: int, number: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", number)


def _bytes(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _string(field: int, text: str) -> bytes:
    return _bytes(field, text.encode())


def _float(field: int, number: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", number)
