"""Pictures between files and arrays: whatever the file holds, the array is upright BGR.

It has 8 bits, or on demand 16 where the file has more than 8.
"""

from pathlib import Path

import cv2
import numpy as np
import simplejpeg

from core import png
from core.errors import DiskFull, ImageError, is_disk_full
from core.jpeg import picture_size
from core.paths import atomic_write

# What OpenCV has to say about a bad file goes into our own one line.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

READ_FLAGS = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH  # BGR, upright by EXIF, depth as stored
SUBSAMPLING_444_FROM_QUALITY = 90
DEEP_SUFFIXES = (".png", ".tif", ".tiff")
"""Formats that take 16 bits per channel."""

# Measured on film frames at level 1: this filter and strategy write in half the time of OpenCV's
# own choice and read in two thirds, at the same size.
FAST_PNG = [
    cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP,
    cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE,
]

# Problems libjpeg reports when part of the picture is missing and was filled with grey.
JPEG_LOSSES = ("premature end", "bad huffman code", "unexpected end", "unsupported marker type")


def read_image(path: str | Path, *, deep: bool = False) -> np.ndarray:
    """Reads a picture of any common kind as upright BGR.

    Grey is repeated over the channels, alpha is dropped, 16-bit and float are scaled to 8 bit,
    CMYK becomes RGB and the EXIF orientation is applied. The path may hold any character.

    Args:
        path: File in any format OpenCV decodes (PNG, JPEG, WebP, TIFF, BMP, ...).
        deep: Keeps 16 bits, and scales float to 16.

    Returns:
        (H, W, 3) BGR, uint8 in [0, 255]; of deep pictures, if wanted, uint16 in [0, 65535].

    Raises:
        ImageError: The file is missing, unreadable, empty, truncated, or not a picture.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror or error}); "
                         "check the path and its permissions") from error
    return decode_image(data, str(path), deep=deep)


def decode_image(data: bytes, name: str, *, deep: bool = False) -> np.ndarray:
    """Decodes the bytes of a picture file; see `read_image`.

    Args:
        data: The whole file.
        name: What error messages call the picture.
        deep: As for `read_image`.

    Returns:
        (H, W, 3) BGR, uint8 or, if wanted, uint16.

    Raises:
        ImageError: The bytes are empty, truncated, or not a picture.
    """
    if not data:
        raise ImageError(f"{name}: the file is empty; extract or copy it again")
    try:
        if data[:2] == b"\xff\xd8":
            return _decode_jpeg(data, name)
        if data.startswith(png.SIGNATURE):
            _check_png(data, name)
        image = cv2.imdecode(np.frombuffer(data, np.uint8), READ_FLAGS)
    except cv2.error as error:
        raise ImageError(f"{name}: not a picture ({_first_line(error)}); "
                         "use another file") from error
    if image is None:
        raise ImageError(f"{name}: damaged, truncated or not a picture; extract or copy it again")
    return _at_depth(image, np.uint16 if deep and image.dtype != np.uint8 else np.uint8)


def decode_jpeg_small(data: bytes, name: str, least_side: int) -> tuple[np.ndarray, float]:
    """Decodes a JPEG no larger than needed, which takes less time the smaller it gets.

    JPEG holds pictures as cosine waves over blocks of 8 pixels; blocks are drawn with 1 to 8.

    Args:
        data: The whole file.
        name: What error messages call the picture.
        least_side: What the shorter side has to keep, in pixels.

    Returns:
        The (h, w, 3) uint8 BGR picture and its scale n/8. Whole coordinates are pixel centres, so
        x of the stored picture is `(x + 0.5) * scale - 0.5`.

    Raises:
        ImageError: As `decode_image`.
    """
    try:
        size = np.array(picture_size(data))
    except ValueError as error:
        raise ImageError(f"{name}: {error}; extract or copy it again") from error
    eighths = next((n for n in range(1, 8) if (size * n / 8).min() >= least_side), 8)
    if eighths < 8 and not _has_exif(data):
        height, width = (-(-size * eighths // 8)).tolist()
        image = _decoded_as_stored(data, name, min_height=height, min_width=width)
        if image is not None and image.shape[:2] == (height, width):
            return image, eighths / 8
    return decode_image(data, name), 1.0


def write_image(
    path: str | Path, image: np.ndarray, *, jpeg_quality: int = 95, png_compression: int = 1
) -> None:
    """Writes a picture; a crash leaves the old file or the new one, never half of one.

    Args:
        path: Target; the suffix chooses the format.
        image: See `encode_image`.
        jpeg_quality: 1..100.
        png_compression: 0 (none) .. 9 (smallest).

    Raises:
        ImageError: The suffix is no picture format, or the file cannot be written.
        DiskFull: No space is left.
    """
    path = Path(path)
    data = encode_image(
        image, path.suffix, jpeg_quality=jpeg_quality, png_compression=png_compression
    )
    try:
        atomic_write(path, data)
    except OSError as error:
        if is_disk_full(error):
            raise DiskFull(f"{path}: the disk is full; free some space and run it again") from error
        raise ImageError(f"{path}: cannot be written ({error.strerror or error}); "
                         "check that the folder exists and is writable") from error


def encode_image(
    image: np.ndarray, suffix: str, *, jpeg_quality: int = 95, png_compression: int = 1
) -> bytes:
    """Encodes a picture to the bytes of a file.

    Args:
        image: (H, W, 3) BGR, (H, W, 1) or (H, W) grey, (H, W, 4) BGRA; uint8, [0, 255], or for
            the formats of DEEP_SUFFIXES uint16, [0, 65535].
        suffix: Format as a file suffix, such as ".png" or ".jpg".
        jpeg_quality: 1..100; also used for WebP. From 90 on JPEG keeps full colour resolution
            (4:4:4), below that 4:2:0.
        png_compression: 0 (none) .. 9 (smallest); 1 takes half the time of 2 for the same size.

    Returns:
        The file.

    Raises:
        ImageError: The suffix is no picture format, or of one that has no 16 bits.
        ValueError: `image` is no picture of 8 or 16 bits.
    """
    if image.dtype not in (np.uint8, np.uint16) or image.ndim not in (2, 3) or image.size == 0:
        raise ValueError("image must be (H, W[, C]) uint8 or uint16, "
                         f"not {image.shape} {image.dtype}")
    if image.dtype == np.uint16 and suffix.lower() not in DEEP_SUFFIXES:
        raise ImageError(f"cannot write 16 bits as '{suffix}'; use .png or .tif")
    parameters = _encode_parameters(suffix.lower(), jpeg_quality, png_compression)
    try:
        encoded, data = cv2.imencode(suffix.lower(), image, parameters)
    except cv2.error as error:
        raise ImageError(f"cannot write pictures as '{suffix}' ({_first_line(error)}); "
                         "use .png or .jpg") from error
    if not encoded:
        raise ImageError(f"cannot write {image.shape} pictures as '{suffix}'; use .png or .jpg")
    return data.tobytes()


def _encode_parameters(suffix: str, jpeg_quality: int, png_compression: int) -> list[int]:
    if suffix in (".jpg", ".jpeg"):
        full_colour = jpeg_quality >= SUBSAMPLING_444_FROM_QUALITY
        sampling = (
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
            if full_colour
            else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
        )
        return [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    if suffix == ".png":
        fast = FAST_PNG if png_compression == 1 else []
        return [cv2.IMWRITE_PNG_COMPRESSION, png_compression, *fast]
    if suffix == ".webp":
        return [cv2.IMWRITE_WEBP_QUALITY, jpeg_quality]
    return []


def _check_png(data: bytes, name: str) -> None:
    """Refuses a PNG with missing or damaged picture data."""
    try:
        png.check(data)
    except ValueError as error:
        raise ImageError(f"{name}: the PNG is truncated or damaged ({error}); extract or copy it "
                         "again") from error


def _decode_jpeg(data: bytes, name: str) -> np.ndarray:
    """Refuses a JPEG with missing picture data, which OpenCV would fill with grey."""
    image = _decoded_as_stored(data, name)
    if image is not None and not _has_exif(data):
        return image
    image = cv2.imdecode(np.frombuffer(data, np.uint8), READ_FLAGS)
    if image is None:
        raise ImageError(f"{name}: damaged or not a picture; extract or copy it again")
    return _at_depth(image, np.uint8)


def _decoded_as_stored(data: bytes, name: str, **least_size: int) -> np.ndarray | None:
    """The JPEG as it is stored, for all warnings that cost no pixels; None if it is of a kind that
    only OpenCV decodes."""
    try:
        return simplejpeg.decode_jpeg(data, "BGR", strict=True, **least_size)
    except ValueError as error:
        if any(loss in str(error).lower() for loss in JPEG_LOSSES):
            raise ImageError(
                f"{name}: the JPEG is truncated or damaged ({error}); extract or copy it again"
            ) from error
    try:
        return simplejpeg.decode_jpeg(data, "BGR", strict=False, **least_size)
    except ValueError:
        return None


def _has_exif(data: bytes) -> bool:
    return b"Exif\x00\x00" in data[:65536]


def _at_depth(image: np.ndarray, dtype: type) -> np.ndarray:
    """(H, W, 3) uint8, uint16 or float [0, 1] -> (H, W, 3) of that depth, rounded."""
    if image.dtype == dtype:
        return image
    level = np.iinfo(dtype).max
    scale = level if image.dtype.kind == "f" else level / np.iinfo(image.dtype).max
    return np.clip(np.rint(np.nan_to_num(image) * scale), 0, level).astype(dtype)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
