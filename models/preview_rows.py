"""What the previews of a model show: rows of faces."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from facelib.face_type import FaceType
from models.networks.autoencoder import Decoded
from models.preview import PreviewRow
from models.side import Side
from samplelib.sampler import Batch


class Reconstructions(NamedTuple):
    """What a model makes of src and dst faces; arrays in (0, 1)."""

    src: Decoded
    dst: Decoded
    swap: Decoded


def swap_previews(name: str, batches: Mapping[Side, Batch], found: Reconstructions,
                  face_type: FaceType) -> dict[str, list[PreviewRow]]:
    """Two previews: the faces as they are, and as their masks show them.

    Args:
        name: Of the first one; the second is "<name> masked".
        batches: Samples with "target" and "mask", uint8.
        found: Of these faces.
        face_type: Of a head, all of the new one is shown; else only what covers dst's face.
    """
    src, dst = (in_unit_range(batches[side]["target"]) for side in Side)
    src_mask, dst_mask = (in_unit_range(batches[side]["mask"]) for side in Side)
    swap_mask = found.swap.mask * (1 if face_type == FaceType.HEAD else found.dst.mask)
    plain = {"src": src, "src again": found.src.face, "dst": dst, "dst again": found.dst.face,
             "swap": found.swap.face,
             "swap pasted": found.swap.face * swap_mask + dst * (1 - swap_mask)}
    masked = {"src": src * src_mask, "src again": found.src.face, "dst": dst * dst_mask,
              "dst again": found.dst.face * found.dst.mask, "swap": found.swap.face * swap_mask}
    return {name: rows_of(plain), f"{name} masked": rows_of(masked)}


def rows_of(columns: Mapping[str, np.ndarray]) -> list[PreviewRow]:
    """Title -> (N, R, R, 3) as N rows."""
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def in_unit_range(pictures: np.ndarray) -> np.ndarray:
    """uint8 -> float32 in [0, 1]."""
    return pictures * np.float32(1 / 255)
