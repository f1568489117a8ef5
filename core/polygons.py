"""Polygons drawn by hand, and the masks that they stand for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True, eq=False)
class Polygon:
    """An outline; what it encloses belongs to the mask, or is cut out of it.

    Attributes:
        points: (n, 2) float64, (x, y) in pixels of the picture, origin top-left; n may be 0 while
            it is drawn.
        is_include: Whether the inside belongs to the mask; else it is cut out.
    """

    points: np.ndarray
    is_include: bool = True

    def __post_init__(self):
        points = np.array(self.points, np.float64).reshape(-1, 2)
        points.setflags(write=False)
        object.__setattr__(self, "points", points)

    def __eq__(self, other: object) -> bool:
        return (isinstance(other, Polygon) and self.is_include == other.is_include
                and np.array_equal(self.points, other.points))

    __hash__ = None

    def scaled(self, factor: float) -> "Polygon":
        """The same outline in a picture of `factor` times the size."""
        return Polygon(self.points * factor, self.is_include)


def includes_first(polygons: Iterable[Polygon]) -> tuple[Polygon, ...]:
    """The order in which polygons are drawn: what is cut out comes last; stable otherwise."""
    return tuple(sorted(polygons, key=lambda polygon: not polygon.is_include))


def polygon_mask(shape: tuple[int, int], polygons: Sequence[Polygon]) -> np.ndarray:
    """Fills polygons: those that include, then those that cut out.

    Args:
        shape: (height, width) of the picture that they were drawn on.
        polygons: In its pixels; points between two pixels count for the upper left one.

    Returns:
        (height, width, 1) float32, 0 or 1.
    """
    mask = np.zeros(shape, np.uint8)
    for polygon in includes_first(polygons):
        if len(polygon.points):
            cv2.fillPoly(mask, [polygon.points.astype(np.int32)], int(polygon.is_include))
    return mask.astype(np.float32)[..., np.newaxis]
