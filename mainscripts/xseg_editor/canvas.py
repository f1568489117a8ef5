"""The face with its outlines, under the mouse."""

import cv2
import numpy as np
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QCursor,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from core.polygons import polygon_mask
from mainscripts.xseg_editor import painting, theme
from mainscripts.xseg_editor.hand import REACH, Mode
from mainscripts.xseg_editor.session import Session
from mainscripts.xseg_editor.sight import Sight

_NO_MASK = ("No mask is stored in this face.\nRun `xseg apply` on the faceset, or draw polygons.")
_DIMMED = 0.5
"""Brightness outside the mask in the overlay."""

_NOTCH = 120  # Qt counts the wheel in eighths of a degree, 15 degrees a notch


class Canvas(QWidget):
    """Shows what a session looks at and hands the mouse on to it.

    Attributes:
        edited: Emitted after anything that the mouse has done.
        sight: Which part of the picture is shown; None until there is a size.
        is_locked: Whether the view follows the mouse while drawing; holding Shift does so too.
        edits_points: Whether clicks insert and delete points; holding Ctrl does so too.
    """

    edited = Signal()

    def __init__(self, session: Session):
        super().__init__()
        self.setObjectName("canvas")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 240)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self._session = session
        self._face = ""
        self._image: tuple[tuple, QImage | None] | None = None
        self._mouse = np.zeros(2)
        self._notches = 0
        self._pans_from: np.ndarray | None = None
        self._is_following = False
        self.sight: Sight | None = None
        self.is_locked = False
        self.edits_points = False

    @property
    def reach(self) -> float:
        """`hand.REACH` in pixels of the picture."""
        return REACH / self.sight.scale

    def follow(self) -> None:
        """Shows what the session looks at now; another face is shown whole."""
        if self._face != self._session.document.current:
            self._face = self._session.document.current
            self.fit()
        self.update()

    def fit(self) -> None:
        """Shows the whole face."""
        self.sight = Sight.fit(self._session.side, (self.width(), self.height()))
        self._session.hand.move(self.sight.to_picture(self._mouse))
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self.sight is not None:
            self.sight = self.sight.resized((self.width(), self.height()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus()
        at = _place(event)
        if event.button() is Qt.MouseButton.MiddleButton:
            self._pans_from = at
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif event.button() is Qt.MouseButton.LeftButton:
            held = event.modifiers() & Qt.KeyboardModifier.ControlModifier
            at = self._aim(at)
            self._session.perform(lambda: self._session.hand.press(
                self.sight.to_picture(at), self.reach,
                edits_points=bool(held) or self.edits_points))
            self.edited.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = _place(event)
        if self._pans_from is not None:
            self.sight = self.sight.panned(at - self._pans_from)
            self._pans_from = at
        elif self._locks(event):
            at = self._follow_mouse(at)
        else:
            self._is_following = False
        self._mouse = at
        self._session.hand.move(self.sight.to_picture(self._aim(at)))
        self._choose_cursor(event)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.MiddleButton:
            self._pans_from = None
            self._choose_cursor(event)
        elif event.button() is Qt.MouseButton.LeftButton:
            self._session.perform(self._session.hand.release)
            self.edited.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._notches += event.angleDelta().y()
        steps = int(self._notches / _NOTCH)
        self._notches -= steps * _NOTCH
        if steps:
            at = np.array([event.position().x(), event.position().y()])
            self.sight = self.sight.zoomed(steps, at)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.BACKGROUND))
        if self.sight is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.sight.scale < 4)
        corners = self.sight.to_canvas([(0, 0), (self.sight.side,) * 2])
        area = QRectF(*corners[0].tolist(), *(corners[1] - corners[0]).tolist())
        image = self._shown_image()
        if image is None:
            painter.fillRect(area, QColor(theme.PANEL))
            painting.draw_note(painter, area, _NO_MASK, QColor(theme.MUTED))
        else:
            painter.drawImage(area, image)
        if self._session.hand.view is None:
            self._paint_labels(painter)

    def _paint_labels(self, painter: QPainter) -> None:
        hand = self._session.hand
        colour = theme.OUTLINES[self._session.colour]
        hovered = hand.hovered(self.reach) if hand.mode is Mode.NONE else None
        shown = hand.shown
        for index, polygon in enumerate(shown.polygons):
            points = self.sight.to_canvas(polygon.points)
            painting.draw_polygon(painter, points, polygon, colour, is_filled=index == hovered)
            if index == hand.selected:
                painting.draw_points(painter, points, colour)
        if shown.open is not None:
            self._paint_open(painter, colour)

    def _paint_open(self, painter: QPainter, colour: QColor) -> None:
        """The polygon that is drawn, with a line to the mouse."""
        hand, polygon = self._session.hand, self._session.hand.shown.open
        points = self.sight.to_canvas(polygon.points)
        end = points[:1] if hand.closes(self.reach) else self.sight.to_canvas(hand.at)[np.newaxis]
        line = QPen(colour, 1, Qt.PenStyle.DashLine)
        painting.draw_polygon(painter, points, polygon, colour, is_open=True)
        painter.setPen(line)
        painter.drawPolyline(painting.shape_of(np.concatenate([points[-1:], end])))
        painting.draw_points(painter, points, colour)
        if hand.closes(self.reach):
            painting.draw_ring(painter, points[0], REACH, QColor(theme.TEXT))
        if self._is_following:
            painting.draw_points(painter, self._middle[np.newaxis], QColor(theme.TEXT))

    def _shown_image(self) -> QImage | None:
        """The face, dimmed outside its mask if wanted, or the mask that is looked at."""
        session, view = self._session, self._session.hand.view
        polygons = session.document.labels.polygons if view is Mode.BAKED else ()
        has_mask = view is Mode.MASK or session.has_overlay
        # The values themselves, so that none of them can go and leave its identity to another.
        key = self._face, view, polygons, has_mask and session.mask_source()
        if self._image is None or not _are_same(self._image[0], key):
            mask = session.mask() if has_mask else None
            array = self._picture(view, mask and mask[0])
            self._image = key, None if array is None else painting.to_image(array)
        return self._image[1]

    def _picture(self, view: Mode | None, mask: np.ndarray | None) -> np.ndarray | None:
        session = self._session
        if view is Mode.BAKED:
            return polygon_mask((session.side,) * 2, session.document.labels.polygons)
        if view is Mode.MASK:
            return mask
        image = session.pictures.get(self._face).image
        if mask is None:
            return image
        mask = cv2.resize(mask, image.shape[1::-1])[..., np.newaxis]
        return (image * (_DIMMED + (1 - _DIMMED) * np.clip(mask, 0, 1))).astype(np.uint8)

    def _locks(self, event: QMouseEvent) -> bool:
        held = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        return (held or self.is_locked) and self._session.hand.mode is Mode.DRAWING

    def _aim(self, at: np.ndarray) -> np.ndarray:
        """Where a click counts: under the mouse, or in the middle while the view follows it."""
        return self._middle if self._is_following else at

    @property
    def _middle(self) -> np.ndarray:
        middle = self.rect().center()
        return np.array([middle.x(), middle.y()], np.float64)

    def _follow_mouse(self, at: np.ndarray) -> np.ndarray:
        """Moves the view instead of the mouse, which goes back to the middle where the system
        allows that; returns where the mouse is then."""
        if not self._is_following:
            self.sight = self.sight.panned(self._middle - at)
        elif not np.array_equal(at, self._mouse):
            self.sight = self.sight.panned(self._mouse - at)
        self._is_following = True
        middle = self.rect().center()
        QCursor.setPos(self.mapToGlobal(middle))
        return self._middle if self.mapFromGlobal(QCursor.pos()) == middle else at

    def _choose_cursor(self, event: QMouseEvent) -> None:
        hand = self._session.hand
        if self._pans_from is not None:
            return
        is_over = hand.mode is Mode.NONE and hand.hovered(self.reach) is not None
        shapes = {Mode.BAKED: Qt.CursorShape.ArrowCursor, Mode.MASK: Qt.CursorShape.ArrowCursor,
                  Mode.EDITING: Qt.CursorShape.ArrowCursor}
        if self._is_following:
            self.setCursor(Qt.CursorShape.BlankCursor)  # a mark in the middle stands for it
            return
        self.setCursor(Qt.CursorShape.PointingHandCursor if is_over
                       else shapes.get(hand.mode, Qt.CursorShape.CrossCursor))


def _place(event: QMouseEvent) -> np.ndarray:
    return np.array([event.position().x(), event.position().y()])


def _are_same(one: tuple, other: tuple) -> bool:
    return all(a is b or (isinstance(a, str) and a == b) for a, b in zip(one, other, strict=True))
