"""Training src faces in the colours of random dst faces.

A face's colours are those of its picture before any change of geometry, without a mask. What a
transfer has to know of them is taken once per face (`describe`): moments, or a swatch of pixels.
The stored picture is then recoloured once for all outputs of the sample.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np

from core.geometry import compose_affine
from core.imaging.color import bgr_to_lab, lab_statistics, lab_to_bgr, match_lab
from core.imaging.color_cube import ColorGrid, apply_color_table
from core.imaging.color_statistics import (
    ColorStatistics,
    apply_color_map,
    color_statistics,
    linear_map,
    monge_kantorovich_map,
)
from core.imaging.distribution_transfer import random_rotations, transfer_distribution
from core.imaging.sliced_transport import random_directions, transport_shift
from samplelib.prepared_face import PLANES, PreparedFace

SWATCH_SIDE = 32
"""A swatch is this many pixels squared, evenly spread over the picture. Whole pictures of 160 px
give the same idt to 44 dB and the same sot to 48 dB."""

SMOOTHING = 1 / 8
"""How far the moves of sot are smoothed, in sides of the picture."""

GRID_NODES = 9
"""Of the table that idt becomes, along each edge of the box around the face's colours."""

_SWATCH_BYTES = 3 * SWATCH_SIDE**2 + 512
_TO_UNIT = np.float32(1 / 255)


@dataclass(frozen=True)
class ColorTransfer:
    """One way of giving a face the colours of another.

    Attributes:
        describe: (face, resolution) to what it has to know of a face's colours, an array or a
            tuple of small arrays.
        recolor: (face, its description, the reference's, chance) to the face's stored picture in
            new colours, (h, w, 3) uint8.
        description_bytes: About what a description takes in memory.
    """

    describe: Callable[[PreparedFace, int], Any]
    recolor: Callable[[PreparedFace, Any, Any, np.random.Generator], np.ndarray]
    description_bytes: int = 256


def _picture(face: PreparedFace, resolution: int) -> np.ndarray:
    """(R, R, 3) uint8: the unchanged sample."""
    return cv2.warpAffine(
        face.planes["image"], face.picture_to_source, (resolution, resolution),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=PLANES["image"].border)


def _lab(picture: np.ndarray) -> np.ndarray:
    return bgr_to_lab(picture * _TO_UNIT)


def _reinhard(face: PreparedFace, own: Any, reference: Any,
              rng: np.random.Generator) -> np.ndarray:
    lab = match_lab(_lab(face.planes["image"]), own, reference)
    return cv2.convertScaleAbs(lab_to_bgr(lab), alpha=255)


def _by_map(
    make_map: Callable[[ColorStatistics, ColorStatistics], np.ndarray],
) -> ColorTransfer:
    """A transfer that is one affine map of all colours."""
    return ColorTransfer(
        lambda face, resolution: color_statistics(_picture(face, resolution)),
        lambda face, own, reference, rng: apply_color_map(
            face.planes["image"], make_map(own, reference)))


def _swatch_to_source(face: PreparedFace, resolution: int) -> np.ndarray:
    """(2, 3): from pixels of a swatch to those of the stored picture."""
    step = resolution / SWATCH_SIDE
    swatch_to_picture = [[step, 0, (step - 1) / 2], [0, step, (step - 1) / 2]]
    return compose_affine(swatch_to_picture, face.picture_to_source)


@dataclass(frozen=True, eq=False)
class Swatch:
    """Pixels of a face.

    Attributes:
        pixels: (SWATCH_SIDE, SWATCH_SIDE, 3) uint8 BGR; not averaged, which would narrow the
            distribution of their colours.
        to_source: (2, 3) float64, from its pixels to those of the stored picture.
    """

    pixels: np.ndarray
    to_source: np.ndarray

    @classmethod
    def of(cls, face: PreparedFace, resolution: int) -> "Swatch":
        """Takes the swatch of a face."""
        to_source = _swatch_to_source(face, resolution)
        pixels = cv2.warpAffine(
            face.planes["image"], to_source, (SWATCH_SIDE, SWATCH_SIDE),
            flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP, borderMode=PLANES["image"].border)
        return cls(pixels, to_source)

    def colors(self) -> np.ndarray:
        """(SWATCH_SIDE ** 2, 3) float32 in [0, 1]."""
        return self.pixels.reshape(-1, 3) * _TO_UNIT


def _distribution(face: PreparedFace, own: Swatch, reference: Swatch,
                  rng: np.random.Generator) -> np.ndarray:
    colors = own.colors()
    grid = ColorGrid.around(face.planes["image"].reshape(-1, 3) * _TO_UNIT, GRID_NODES)
    table = transfer_distribution(
        colors, reference.colors(), random_rotations(rng), followers=grid.nodes())
    return apply_color_table(face.planes["image"], grid, table)


def _sliced(face: PreparedFace, own: Swatch, reference: Swatch,
            rng: np.random.Generator) -> np.ndarray:
    shift = transport_shift(own.pixels * _TO_UNIT, reference.pixels * _TO_UNIT,
                            random_directions(rng), SMOOTHING * SWATCH_SIDE)
    image = face.planes["image"]
    shift = cv2.warpAffine(shift * 255, own.to_source, image.shape[1::-1], flags=cv2.INTER_LINEAR,
                           borderMode=cv2.BORDER_REPLICATE)
    return cv2.add(image, shift, dtype=cv2.CV_8U)


COLOR_TRANSFERS = MappingProxyType({
    "rct": ColorTransfer(
        lambda face, resolution: lab_statistics(_lab(_picture(face, resolution))), _reinhard),
    "lct": _by_map(linear_map),
    "mkl": _by_map(monge_kantorovich_map),
    "idt": ColorTransfer(Swatch.of, _distribution, _SWATCH_BYTES),
    "sot": ColorTransfer(Swatch.of, _sliced, _SWATCH_BYTES),
})
