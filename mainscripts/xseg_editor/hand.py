"""What the mouse does to the labels of a face: draws, selects, drags, inserts and deletes."""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from core.polygon_geometry import nearest_edge, nearest_point
from core.polygons import Polygon
from mainscripts.xseg_editor.document import Document
from mainscripts.xseg_editor.labels import FEWEST_POINTS, Labels

REACH = 8
"""Pixels of the screen within which an outline or a point counts as hit."""


class Mode(Enum):
    """What can be done now; the value is what the status line calls it."""

    NONE = "ready"
    DRAWING = "drawing"
    EDITING = "editing"
    BAKED = "baked mask"
    MASK = "stored mask"


VIEWS = (Mode.BAKED, Mode.MASK)
"""Modes in which nothing is edited."""


@dataclass
class _Drag:
    """A point that follows the mouse.

    Attributes:
        point: Its index in the selected polygon.
        points: (n, 2) float64 of that polygon as they are shown meanwhile.
    """

    point: int
    points: np.ndarray


class Hand:
    """Edits the labels of the face a document looks at.

    Places are in pixels of the picture; `reach` is how far `REACH` is there.

    Attributes:
        document: What is edited.
        is_include: Whether the next polygon includes.
        view: A mode of VIEWS, or None while the face itself is shown.
        selected: Index of the polygon that is edited, or None.
        at: (2,) float64, where the mouse is.
    """

    def __init__(self, document: Document):
        self.document = document
        self.is_include = True
        self.view: Mode | None = None
        self.selected: int | None = None
        self.at = np.zeros(2)
        self._drag: _Drag | None = None

    @property
    def mode(self) -> Mode:
        """What can be done now."""
        if self.view is not None:
            return self.view
        if self.document.labels.open is not None:
            return Mode.DRAWING
        return Mode.NONE if self.selected is None else Mode.EDITING

    @property
    def is_dragging(self) -> bool:
        """Whether a point follows the mouse."""
        return self._drag is not None

    @property
    def shown(self) -> Labels:
        """The labels with a point that is dragged where the mouse has it."""
        labels = self.document.labels
        if self._drag is None:
            return labels
        polygons = list(labels.polygons)
        polygons[self.selected] = Polygon(self._drag.points, polygons[self.selected].is_include)
        return labels._replace(polygons=tuple(polygons))

    def new_face(self) -> None:
        """Lets go of everything, since another face is looked at."""
        self.selected, self._drag, self.is_include = None, None, True

    def refresh(self) -> None:
        """Lets go of a polygon that undoing has taken away."""
        labels, self._drag = self.document.labels, None
        if labels.open is not None or (self.selected or 0) >= len(labels.polygons):
            self.selected = None

    def show(self, view: Mode | None) -> None:
        """Shows a mask in place of the face, or the face again; ends drawing and editing."""
        self.let_go()
        if view is not None:
            self.document.finish()
        self.view = view

    def press(self, at: np.ndarray, reach: float, *, edits_points: bool = False) -> None:
        """The left button goes down.

        Args:
            at: (2,) float.
            reach: How far away something may be and count as hit.
            edits_points: Whether points are inserted and deleted rather than dragged.
        """
        self.at = np.asarray(at, np.float64)
        actions = {Mode.NONE: self._select_or_begin, Mode.DRAWING: self._draw,
                   Mode.EDITING: self._edit_point if edits_points else self._grab_or_leave}
        if self.mode in actions:
            actions[self.mode](reach)

    def move(self, at: np.ndarray) -> None:
        """The mouse is moved."""
        self.at = np.asarray(at, np.float64)
        if self._drag is not None:
            self._drag.points[self._drag.point] = self.at

    def release(self) -> None:
        """The left button comes up."""
        if self._drag is not None:
            points, self._drag = self._drag.points, None
            self._replace_selected(points)

    def hovered(self, reach: float) -> int | None:
        """The polygon that a click would select; the nearest within reach."""
        distances = [nearest_edge(polygon.points, self.at).distance
                     for polygon in self.document.labels.polygons]
        nearest = int(np.argmin(distances)) if distances else None
        return nearest if nearest is not None and distances[nearest] <= reach else None

    def closes(self, reach: float) -> bool:
        """Whether a click would close the polygon that is drawn."""
        opened = self.document.labels.open
        return (opened is not None and len(opened.points) >= FEWEST_POINTS
                and nearest_point(opened.points[:1], self.at).distance <= reach)

    def close(self) -> None:
        """Closes the polygon that is drawn, if it has enough points, and selects it."""
        opened = self.document.labels.open
        if opened is not None and len(opened.points) >= FEWEST_POINTS:
            self.document.finish()
            self.selected = self.document.labels.polygons.index(opened)

    def delete(self) -> None:
        """Takes the selected polygon away."""
        if self.mode is Mode.EDITING and self._drag is None:
            self.document.set_labels(self.document.labels.without(self.selected))
            self.selected = None

    def give_up(self) -> None:
        """Drops what is being drawn, lets go of what is selected, or shows the face again."""
        self.view = None
        if self.mode is Mode.DRAWING:
            self.document.set_labels(self.document.labels._replace(open=None))
        self.let_go()

    def let_go(self) -> None:
        """Selects nothing; a point that is dragged goes back."""
        self.selected, self._drag = None, None

    def set_kind(self, is_include: bool) -> None:
        """What the polygon in hand, or else the next one, does to the mask."""
        self.is_include = is_include
        labels = self.document.labels
        if self.mode is Mode.DRAWING:
            opened = Polygon(labels.open.points, is_include)
            self.document.set_labels(labels._replace(open=opened))
        elif self.mode is Mode.EDITING and not self.is_dragging:
            polygon = Polygon(labels.polygons[self.selected].points, is_include)
            self._put(labels, polygon)

    def put_all(self, polygons: tuple[Polygon, ...]) -> None:
        """Replaces all polygons, such as by suggestions."""
        self.let_go()
        self.document.set_labels(Labels(polygons))

    def _select_or_begin(self, reach: float) -> None:
        self.selected = self.hovered(reach)
        if self.selected is None:
            self._add_point()

    def _draw(self, reach: float) -> None:
        if self.closes(reach):
            self.close()
        else:
            self._add_point()

    def _add_point(self) -> None:
        opened = self.document.labels.open
        is_include = self.is_include if opened is None else opened.is_include
        self.document.set_labels(self.document.labels.with_point(tuple(self.at), is_include))

    def _grab_or_leave(self, reach: float) -> None:
        points = self._selected_points()
        nearest = nearest_point(points, self.at)
        if nearest.distance <= reach:
            self._drag = _Drag(nearest.index, points.copy())
        elif nearest_edge(points, self.at).distance > reach:
            self.selected = self.hovered(reach)

    def _edit_point(self, reach: float) -> None:
        points = self._selected_points()
        nearest = nearest_point(points, self.at)
        if nearest.distance <= reach:
            self._replace_selected(np.delete(points, nearest.index, axis=0))
            return
        edge = nearest_edge(points, self.at)
        if edge.distance <= reach:
            self._replace_selected(np.insert(points, edge.index + 1, edge.projection, axis=0))
        else:
            self.selected = self.hovered(reach)

    def _selected_points(self) -> np.ndarray:
        return self.document.labels.polygons[self.selected].points

    def _replace_selected(self, points: np.ndarray) -> None:
        labels = self.document.labels
        self._put(labels, Polygon(points, labels.polygons[self.selected].is_include))

    def _put(self, labels: Labels, polygon: Polygon) -> None:
        """Replaces the selected polygon; it stays selected, wherever its kind puts it."""
        changed = labels.replaced(self.selected, polygon)
        self.document.set_labels(changed)
        kept = [index for index, other in enumerate(changed.polygons) if other is polygon]
        self.selected = kept[0] if kept else None
