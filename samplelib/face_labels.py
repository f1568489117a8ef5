"""Which part of an aligned face is visible: drawn by hand, made by a segmenter, or estimated.

Polygons and masks are kept in the face's file, over the whole aligned picture. Files are written
whole or not at all; the pictures in them stay the same byte for byte.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from core.errors import ImageError
from core.imaging.io import encode_image
from core.imaging.warp import resize_square
from core.polygons import Polygon, includes_first, polygon_mask
from facelib.masks import hull_mask
from samplelib.face_image import read_info, write_info
from samplelib.face_info import FaceInfo

MASK_SIDE = 256
"""Side at which masks are stored, as programs that exchange faces expect."""

_MOST_BYTES = 50_000  # of a mask that other programs read; ours are a fifth of that
_PNG_COMPRESSION = 4  # a fifth of the time of 9, and files 5 % larger


def write_polygons(path: Path | str, polygons: Sequence[Polygon]) -> FaceInfo:
    """Replaces the polygons of a face; none removes them.

    Args:
        path: Of the face.
        polygons: In pixels of the aligned picture; empty ones are left out.

    Returns:
        The face's data as they are now.

    Raises:
        CorruptFaceImage: The file carries no readable face data.
        OSError: It cannot be read or written.
    """
    kept = includes_first(polygon for polygon in polygons if len(polygon.points))
    info = replace(read_info(path), polygons=kept)
    write_info(path, info)
    return info


def write_mask(path: Path | str, mask: np.ndarray | None, origin: str | None) -> FaceInfo:
    """Replaces the mask that a segmenter made of a face; None removes it.

    Args:
        path: Of the face.
        mask: (R, R, 1) float32 in [0, 1], of the whole aligned picture.
        origin: Which segmenter made it.

    Returns, raises:
        See `write_polygons`.
    """
    encoded = None if mask is None else encode_mask(mask)
    info = replace(read_info(path), xseg_mask=encoded,
                   xseg_origin=None if mask is None else origin)
    write_info(path, info)
    return info


def encode_mask(mask: np.ndarray) -> bytes:
    """(R, R, 1) float32 in [0, 1] -> a PNG of 8 bits; where that is too large, a JPEG."""
    levels = np.rint(np.clip(mask, 0, 1) * 255).astype(np.uint8)
    data = encode_image(levels, ".png", png_compression=_PNG_COMPRESSION)
    for quality in range(100, 0, -5):
        if len(data) <= _MOST_BYTES:
            break
        data = encode_image(levels, ".jpg", jpeg_quality=quality)
    return data


def decode_mask(data: bytes, name: str = "mask") -> np.ndarray:
    """What `encode_mask` gave, of any square size: (R, R, 1) float32 in [0, 1].

    Args:
        data: A grey picture.
        name: What errors call it.

    Raises:
        ImageError: It is damaged.
    """
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
    if image is None or image.shape[0] != image.shape[1]:
        raise ImageError(f"{name}: the stored mask is damaged; run `xseg apply` on the face again")
    return image.astype(np.float32)[..., np.newaxis] / 255


def labelled_mask(info: FaceInfo, side: int) -> np.ndarray | None:
    """The mask of the polygons: (side, side, 1) float32, 0 or 1; None where there are none.

    Args:
        info: Of the face.
        side: Of the aligned picture.
    """
    return polygon_mask((side, side), info.polygons) if info.polygons else None


def known_mask(info: FaceInfo, side: int) -> np.ndarray:
    """The best that is known of the visible face: polygons, the stored mask, or the hull.

    Returns:
        (side, side, 1) float32, 0 or 1.
    """
    mask = labelled_mask(info, side)
    if mask is not None:
        return mask
    if info.xseg_mask is not None:
        return (stored_mask(info, side) > 0.5).astype(np.float32)
    return hull_mask((side, side), info.landmarks, info.eyebrows_expand_mod)


def stored_mask(info: FaceInfo, side: int) -> np.ndarray:
    """The segmenter's mask at a size: (side, side, 1) float32 in [0, 1].

    As face squares of any size do, it shares its first pixel with the aligned picture.
    """
    return resize_square(decode_mask(info.xseg_mask), side)
