"""What is drawn on one face, as it stands at a moment."""

from typing import Any, NamedTuple

from core.polygons import Polygon, includes_first
from samplelib.segmentation_json import polygons_from_json, polygons_to_json

FEWEST_POINTS = 3
"""Of a closed polygon."""


class Labels(NamedTuple):
    """The closed polygons, which are in the face's file, and the one that is being drawn, if any.

    Never changed in place, so that earlier states can come back.
    """

    polygons: tuple[Polygon, ...] = ()
    open: Polygon | None = None

    def with_point(self, point: tuple[float, float], is_include: bool) -> "Labels":
        """Adds a point to the open polygon, or begins one."""
        before = [] if self.open is None else self.open.points.tolist()
        return self._replace(open=Polygon([*before, point], is_include))

    def closed(self) -> "Labels":
        """Closes the open polygon; one of too few points is dropped."""
        if self.open is None or len(self.open.points) < FEWEST_POINTS:
            return self._replace(open=None)
        return Labels(includes_first([*self.polygons, self.open]))

    def replaced(self, index: int, polygon: Polygon) -> "Labels":
        """Puts a polygon in the place of another; of too few points, only takes that away."""
        kept = [polygon] if len(polygon.points) >= FEWEST_POINTS else []
        return self._replace(polygons=includes_first(
            [*self.polygons[:index], *kept, *self.polygons[index + 1:]]))

    def without(self, index: int) -> "Labels":
        """Takes a polygon away."""
        return self._replace(polygons=self.polygons[:index] + self.polygons[index + 1:])


def to_plain(labels: Labels) -> dict[str, Any]:
    """As JSON values."""
    opened = () if labels.open is None else (labels.open,)
    return {"polygons": polygons_to_json(labels.polygons), "open": polygons_to_json(opened)}


def from_plain(value: Any) -> Labels:
    """What `to_plain` gave.

    Raises:
        KeyError, TypeError, ValueError: It is something else.
    """
    opened = polygons_from_json(value["open"])
    return Labels(polygons_from_json(value["polygons"]), opened[0] if opened else None)
