"""How sure a segmenter is of a mask, and masks as polygons that a person can correct."""

import numpy as np

from core.polygon_geometry import mask_polygons
from core.polygons import Polygon

_TOLERANCE = 1 / 128
"""How far polygons may leave the mask, as a share of the side: two pixels of 256."""


def doubt(mask: np.ndarray) -> float:
    """How unsure a mask is: the width of its soft border, in shares of the size of what it covers.

    A sharp mask has about 0; one that is 0.5 all over has 1 / sqrt(0.5).

    Args:
        mask: (S, S, 1) float32 in [0, 1], as a segmenter gives it.

    Returns:
        At least 0; 0 for an empty mask as for a full one.
    """
    share = float(mask.mean())
    return float((4 * mask * (1 - mask)).mean()) / np.sqrt(share) if share > 0 else 0.0


def suggested_polygons(mask: np.ndarray, side: int) -> tuple[Polygon, ...]:
    """A mask as a few polygons, in pixels of a picture of another size.

    Args:
        mask: (S, S, 1) float32 in [0, 1].
        side: Of the aligned picture, pixels.
    """
    found = mask_polygons(mask, tolerance=max(mask.shape[0] * _TOLERANCE, 1.0))
    return tuple(polygon.scaled(side / mask.shape[0]) for polygon in found)
