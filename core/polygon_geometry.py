"""Which point or edge of an outline is meant, and outlines of masks."""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from core.geometry import polygon_area
from core.polygons import Polygon, includes_first


class NearestPoint(NamedTuple):
    """A corner of an outline: its index, and its distance in pixels."""

    index: int
    distance: float


class NearestEdge(NamedTuple):
    """An edge of an outline.

    Attributes:
        index: Of the corner it begins at.
        projection: (2,) float64, its place that is nearest to what was asked for.
        distance: From there, pixels.
    """

    index: int
    projection: np.ndarray
    distance: float


def nearest_point(points: np.ndarray, at: np.ndarray) -> NearestPoint:
    """The corner nearest to a place.

    Args:
        points: (n, 2) float, n >= 1.
        at: (2,) float.
    """
    distances = np.linalg.norm(points - np.asarray(at, np.float64), axis=1)
    index = int(distances.argmin())
    return NearestPoint(index, float(distances[index]))


def nearest_edge(points: np.ndarray, at: np.ndarray) -> NearestEdge:
    """The edge of a closed outline nearest to a place.

    Args:
        points: (n, 2) float, n >= 1; the last corner is joined with the first.
        at: (2,) float.
    """
    points, at = np.asarray(points, np.float64), np.asarray(at, np.float64)
    along = np.roll(points, -1, axis=0) - points
    lengths = np.maximum((along ** 2).sum(axis=1), 1e-12)
    shares = np.clip(((at - points) * along).sum(axis=1) / lengths, 0, 1)
    projections = points + shares[:, np.newaxis] * along
    distances = np.linalg.norm(projections - at, axis=1)
    index = int(distances.argmin())
    return NearestEdge(index, projections[index], float(distances[index]))


def mask_polygons(mask: np.ndarray, *, tolerance: float = 1.0,
                  least_share: float = 0.002) -> tuple[Polygon, ...]:
    """Simplified outlines of a mask: what it covers, and cut out of that its holes.

    An island inside a hole is lost, since all that is cut out is cut out last.

    Args:
        mask: (H, W, 1) float32; above 0.5 is inside.
        tolerance: How far an outline may leave the mask's, pixels.
        least_share: Smaller parts and holes are left out, as a share of the picture.

    Returns:
        In pixels of the mask; none where it is empty.
    """
    binary = (mask[..., 0] > 0.5).astype(np.uint8)
    least_area = max(least_share * binary.size, 3.0)
    outer, holes = [], []
    for outline, is_hole in _outlines(binary):
        simple = cv2.approxPolyDP(outline, tolerance, closed=True)[:, 0].astype(np.float64)
        if len(simple) >= 3 and polygon_area(simple) >= least_area:
            (holes if is_hole else outer).append(Polygon(simple, not is_hole))
    return includes_first([*outer, *holes])


def _outlines(binary: np.ndarray) -> Iterator[tuple[np.ndarray, bool]]:
    """(n, 1, 2) int32 outlines, and whether each goes around a hole."""
    # The outline of a hole runs on pixels of the mask, which must stay; so holes are looked for
    # as parts of what the mask leaves open.
    for part, is_hole in ((binary, False), (_holes(binary), True)):
        outlines, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        for outline in outlines:
            yield outline, is_hole


def _holes(binary: np.ndarray) -> np.ndarray:
    """What is open and cannot be reached from the border of the picture, as 0 and 1."""
    outside = np.pad(binary, 1)
    cv2.floodFill(outside, None, (0, 0), 1)
    return 1 - outside[1:-1, 1:-1]
