"""Draws outlines, and turns arrays into pictures of Qt."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from core.polygons import Polygon

LINE_WIDTH = 2
CROSS = 4
"""Canvas pixels from the middle of a point's cross to its ends."""

HOVER_ALPHA = 72

_RIM = QColor(0, 0, 0, 150)
"""Under lines, so that they stand out on any skin."""


def to_image(array: np.ndarray) -> QImage:
    """(H, W, 3) uint8 BGR, or (H, W, 1) float32 in [0, 1] as grey, in the form that Qt scales
    fastest; the pixels are copied."""
    if array.shape[2] == 1:
        array = np.rint(np.clip(array, 0, 1) * 255).astype(np.uint8)
        kind = QImage.Format.Format_Grayscale8
    else:
        kind = QImage.Format.Format_BGR888
    array = np.ascontiguousarray(array)
    height, width, channels = array.shape
    return QImage(array.data, width, height, width * channels, kind).convertToFormat(
        QImage.Format.Format_RGB32)


def shape_of(points: np.ndarray) -> QPolygonF:
    """(n, 2) canvas places as Qt's polygon."""
    return QPolygonF([QPointF(x, y) for x, y in points.tolist()])


def draw_polygon(painter: QPainter, points: np.ndarray, polygon: Polygon, colour: QColor, *,
                 is_open: bool = False, is_filled: bool = False) -> None:
    """Draws an outline: solid if it includes, dotted if it cuts out.

    Args:
        painter: On the canvas.
        points: (n, 2) places of the polygon's points on the canvas.
        polygon: Whose they are.
        colour: Of the line.
        is_open: Whether the last point is not joined with the first.
        is_filled: Whether its inside is tinted.
    """
    shape = shape_of(points)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if is_filled:
        tint = QColor(colour)
        tint.setAlpha(HOVER_ALPHA)
        painter.setBrush(tint)
    for line, width in ((_RIM, LINE_WIDTH + 2), (colour, LINE_WIDTH)):
        pen = QPen(line, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap,
                   Qt.PenJoinStyle.RoundJoin)
        if not polygon.is_include and line is not _RIM:
            pen.setWidthF(LINE_WIDTH + 1.5)
            pen.setDashPattern([0.1, 2.2])
        painter.setPen(pen)
        (painter.drawPolyline if is_open else painter.drawPolygon)(shape)
        painter.setBrush(Qt.BrushStyle.NoBrush)


def draw_points(painter: QPainter, points: np.ndarray, colour: QColor) -> None:
    """Draws a cross at each of (n, 2) places of the canvas."""
    for line, width in ((_RIM, 3.5), (colour, 1.5)):
        painter.setPen(QPen(line, width))
        for x, y in points.tolist():
            painter.drawLine(QPointF(x - CROSS, y), QPointF(x + CROSS, y))
            painter.drawLine(QPointF(x, y - CROSS), QPointF(x, y + CROSS))


def draw_ring(painter: QPainter, at: np.ndarray, radius: float, colour: QColor) -> None:
    """Draws a circle around a place of the canvas, such as the point that closes a polygon."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(colour, 1.5))
    painter.drawEllipse(QPointF(*at.tolist()), radius, radius)


def draw_note(painter: QPainter, area: QRectF, text: str, colour: QColor) -> None:
    """Writes a line or two in the middle of an area."""
    painter.setPen(colour)
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)
