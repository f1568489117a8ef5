"""Polygons for faces from those drawn on others: copied in place, or moved with the landmarks."""

import bisect
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from core.geometry import transform_points
from core.polygons import Polygon
from facelib.carry import carry_points, face_to_face
from samplelib.face_info import FaceInfo

REACH = 30
"""Frames over which polygons are carried: a second of video, in which hands move little."""


class Carried(NamedTuple):
    """Polygons for one face: its number, that of the face they come from, and they themselves."""

    target: int
    source: int
    polygons: tuple[Polygon, ...]


def copied_polygons(source: FaceInfo, target: FaceInfo) -> tuple[Polygon, ...]:
    """The polygons of a face laid over another by their alignment; shapes stay as they are.

    Raises:
        ValueError: The landmarks of one of them fit no face.
    """
    matrix = face_to_face(source.landmarks, target.landmarks)
    return tuple(Polygon(transform_points(polygon.points, matrix), polygon.is_include)
                 for polygon in source.polygons)


def moved_polygons(source: FaceInfo, target: FaceInfo) -> tuple[Polygon, ...]:
    """The polygons of a face moved as its landmarks move; shapes follow expression and turn."""
    return tuple(Polygon(carry_points(polygon.points, source.landmarks, target.landmarks),
                         polygon.is_include) for polygon in source.polygons)


def propagate(infos: Sequence[FaceInfo], reach: int = REACH) -> Iterator[Carried]:
    """Carries polygons along the tracks to faces that have none.

    Each face takes those of the labelled face of its track that is nearest in time; of two equally
    near ones, the earlier. Faces without a track or a frame number are left alone.

    Args:
        infos: All faces.
        reach: Most frames between the two faces.

    Yields:
        In order of the faces that get polygons.
    """
    labelled = defaultdict(list)
    for number, info in enumerate(infos):
        if info.polygons and _has_place(info):
            labelled[info.track].append((info.frame_index, number))
    for places in labelled.values():
        places.sort()
    for number, info in enumerate(infos):
        if info.polygons or not _has_place(info):
            continue
        source = _nearest(labelled[info.track], info.frame_index, reach)
        if source is not None:
            yield Carried(number, source, moved_polygons(infos[source], info))


def _has_place(info: FaceInfo) -> bool:
    return info.track is not None and info.frame_index is not None


def _nearest(places: Sequence[tuple[int, int]], frame: int, reach: int) -> int | None:
    """The number of the face nearest to a frame, of rising (frame, number); None if too far."""
    behind = bisect.bisect_left(places, (frame, -1))
    near = places[max(behind - 1, 0):behind + 1]
    if not near:
        return None
    found, number = min(near, key=lambda place: abs(place[0] - frame))
    return number if abs(found - frame) <= reach else None
