"""Aligned faces on disk: ordinary JPEG files with the face's data in an APP9 segment.

The pictures open in any viewer. The segment starts with `FaceLab`, a zero byte, and holds JSON
(`samplelib.face_info`), so nothing in a face file from elsewhere can run code.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from core import jpeg
from core.errors import CorruptFaceImage
from core.imaging.io import decode_image, encode_image
from core.paths import atomic_write
from facelib.pose import estimate_pose
from samplelib.face_info import FaceInfo, FaceSummary, from_json, summary_from_json, to_json

T = TypeVar("T")

SUFFIX = ".jpg"
JPEG_SUFFIXES = frozenset({".jpg", ".jpeg"})
_MARKER, _IDENTIFIER = jpeg.APP9, b"FaceLab\0"
_NEXT_STEP = "run `extract` on its frame again, or remove the file"


def write_face(path: Path | str, image: np.ndarray, info: FaceInfo,
               jpeg_quality: int = 95) -> None:
    """Writes an aligned face; the file appears whole or not at all.

    Args:
        path: Target, normally `<frame stem>_<number>.jpg`.
        image: (S, S, 3) uint8, BGR.
        info: What is known about the face.
        jpeg_quality: 1 to 100.

    Raises:
        ImageError: The picture cannot be encoded.
        OSError: The file cannot be written.
        ValueError: `info` holds a wrong shape or a number that is not finite.
    """
    encoded = encode_image(image, SUFFIX, jpeg_quality=jpeg_quality)
    atomic_write(Path(path), jpeg.with_app(encoded, _MARKER, _IDENTIFIER, to_json(info)))


def write_info(path: Path | str, info: FaceInfo) -> None:
    """Replaces the data of an aligned face; its picture stays the same byte for byte.

    Raises:
        CorruptFaceImage: The file is not a JPEG.
        OSError: The file cannot be read or written.
        ValueError: `info` holds a wrong shape or a number that is not finite.
    """
    path = Path(path)
    atomic_write(path, with_info(path.read_bytes(), info, path))


def with_info(data: bytes, info: FaceInfo, path: Path | str) -> bytes:
    """The same picture with a face's data in place of those it carries.

    Args:
        data: A whole JPEG file.
        info: What is known about the face.
        path: What error messages call it.

    Raises:
        CorruptFaceImage: The file is not a JPEG.
        ValueError: `info` holds a wrong shape or a number that is not finite.
    """
    payload = to_json(info)
    try:
        return jpeg.with_app(data, _MARKER, _IDENTIFIER, payload)
    except ValueError as error:
        raise _corrupt(path, error) from error


def read_info(path: Path | str) -> FaceInfo:
    """Reads the data of an aligned face without decoding, or even reading, its picture.

    Raises:
        CorruptFaceImage: The file is not a JPEG or carries no readable face data.
        OSError: The file cannot be read.
    """
    return _parsed(_read_payload(path), path, from_json)


def read_summary(path: Path | str) -> FaceSummary:
    """Reads what a faceset has to know of a face; a yaw that is not stored is computed.

    Raises:
        CorruptFaceImage: The file is not a JPEG or carries no readable face data.
        OSError: The file cannot be read.
    """
    payload = _read_payload(path)
    summary = _parsed(payload, path, summary_from_json)
    if summary.yaw is not None:
        return summary
    landmarks = _parsed(payload, path, from_json).landmarks
    try:
        with open(path, "rb") as stream:
            _, width = jpeg.picture_size(jpeg.read_header(stream))
        return summary._replace(yaw=estimate_pose(landmarks, width).yaw)
    except ValueError:  # landmarks that fit no pose are of use all the same
        return summary._replace(yaw=0.0)


def read_face(path: Path | str) -> tuple[np.ndarray, FaceInfo]:
    """Reads an aligned face and its data.

    Returns:
        (S, S, 3) uint8 BGR and its data.

    Raises:
        CorruptFaceImage: The file carries no readable face data.
        ImageError: The picture is damaged or cut short.
        OSError: The file cannot be read.
    """
    data = Path(path).read_bytes()
    return decode_image(data, str(path)), info_of(data, path)


def read_picture(path: Path | str) -> np.ndarray:
    """Reads the picture of an aligned face alone.

    Returns:
        (S, S, 3) uint8, BGR.

    Raises:
        ImageError: The picture is damaged or cut short.
        OSError: The file cannot be read.
    """
    return decode_image(Path(path).read_bytes(), str(path))


def info_of(data: bytes, path: Path | str) -> FaceInfo:
    """Gives the data of an aligned face from the bytes of its file.

    Args:
        data: The file, or its beginning up to the picture.
        path: What error messages call it.

    Raises:
        CorruptFaceImage: As `read_info`.
    """
    try:
        payload = jpeg.read_app(data, _MARKER, _IDENTIFIER)
    except ValueError as error:
        raise _corrupt(path, error) from error
    return _parsed(payload, path, from_json)


def _read_payload(path: Path | str) -> bytes | None:
    """Reads the face data alone from a file."""
    with open(path, "rb", buffering=0) as stream:
        try:
            return jpeg.read_app_from(stream, _MARKER, _IDENTIFIER)
        except ValueError as error:
            raise _corrupt(path, error) from error


def _parsed(payload: bytes | None, path: Path | str, parse: Callable[[bytes], T]) -> T:
    """What the face data of a file say."""
    if payload is None:
        raise _corrupt(path, "no face data in this JPEG")
    try:
        return parse(payload)
    except ValueError as error:
        raise _corrupt(path, error) from error


def _corrupt(path: Path | str, reason: object) -> CorruptFaceImage:
    return CorruptFaceImage(f"{path}: {reason}; {_NEXT_STEP}")
