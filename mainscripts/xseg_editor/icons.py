"""Pictures of the buttons, drawn as lines on a square of 24 units."""

import re

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

_SIDE = 24

# As in SVG: M x y moves, L x y draws a line, C a curve, Z closes; O x y r is a circle.
_LINES = {
    "include": "M5 7 L14 4 L19 12 L13 20 L4 16 Z M11 9 L11 15 M8 12 L14 12",
    "exclude": "M5 7 L14 4 L19 12 L13 20 L4 16 Z M8 12 L14 12",
    "undo": "M9 5 L4.5 9.5 L9 14 M4.5 9.5 L14 9.5 C18 9.5 20 12 20 14.5 C20 17 18 19.5 14 19.5 "
            "L9 19.5",
    "redo": "M15 5 L19.5 9.5 L15 14 M19.5 9.5 L10 9.5 C6 9.5 4 12 4 14.5 C4 17 6 19.5 10 19.5 "
            "L15 19.5",
    "delete": "M6 6 L18 18 M18 6 L6 18",
    "points": "M4 18 L10 7 L20 14 O4 18 2 O20 14 2 O10 7 2 M17 3 L17 9 M14 6 L20 6",
    "lock": "O12 12 4.5 M12 2.5 L12 8 M12 16 L12 21.5 M2.5 12 L8 12 M16 12 L21.5 12",
    "copy": "M9 8 L20 8 L20 20 L9 20 Z M15 8 L15 4 L4 4 L4 16 L9 16",
    "carry": "O6 16 3 O18 8 3 M9 14.5 L15 9.5 M3 8 L9 8 M6.5 5.5 L9 8 L6.5 10.5",
    "suggest": "M4 20 L14 10 M16 8 L17 7 M17 3 L17 4.5 M21 7 L19.5 7 M12 5 L13 6 M19 12 L18 11 "
               "M20 4 L19 5",
    "baked": "M6 6 L15 4 L20 11 L14 20 L4 15 Z",
    "stored": "M4 4 L20 4 L20 20 L4 20 Z O12 12 5",
    "overlay": "O12 12 8 M12 4 L12 20 M15 5 L15 19 M18 7 L18 17",
    "fit": "M4 9 L4 4 L9 4 M15 4 L20 4 L20 9 M20 15 L20 20 L15 20 M9 20 L4 20 L4 15",
    "panel": "M4 5 L20 5 L20 19 L4 19 Z M14 5 L14 19 M16.5 9 L17.5 9 M16.5 12 L17.5 12",
    "help": "M8.5 9 C8.5 4 15.5 4 15.5 9 C15.5 11.5 12 11.5 12 14.5 M12 18.5 L12 18.6",
    "previous": "M15 5 L8 12 L15 19",
    "next": "M9 5 L16 12 L9 19",
    "trash": "M4 7 L20 7 M9 7 L9 4 L15 4 L15 7 M6 7 L7 20 L17 20 L18 7 M10 11 L10 16 M14 11 L14 16",
}
_FILLED = {"baked"}
_DOTTED = {"exclude"}
_DISKS = ("red", "green", "blue")

_ARGUMENTS = {"M": 2, "L": 2, "C": 6, "Z": 0, "O": 3}


def has_icon(name: str) -> bool:
    """Whether there is a picture of this name."""
    return name in _LINES or name in _DISKS


def draw_icon(painter: QPainter, name: str, at: QPointF, side: float, colour: QColor) -> None:
    """Draws a picture.

    Args:
        painter: With any transform, which stays.
        name: Of a command.
        at: Its upper left corner.
        side: Pixels.
        colour: Of the lines, or of the disk of a colour.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(at)
    painter.scale(side / _SIDE, side / _SIDE)
    if name in _DISKS:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(QPointF(12, 12), 7, 7)
    else:
        pen = QPen(colour, 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap,
                   Qt.PenJoinStyle.RoundJoin)
        if name in _DOTTED:
            pen.setDashPattern([0.2, 1.9])
        painter.setPen(pen)
        painter.setBrush(colour if name in _FILLED else Qt.BrushStyle.NoBrush)
        painter.drawPath(_path(_LINES[name]))
    painter.restore()


def _path(lines: str) -> QPainterPath:
    path = QPainterPath()
    for letter, numbers in re.findall(r"([MLCZO])([^MLCZO]*)", lines):
        values = [float(number) for number in numbers.split()]
        if len(values) != _ARGUMENTS[letter]:
            raise ValueError(f"{letter}{numbers} of an icon has the wrong number of values")
        _add(path, letter, values)
    return path


def _add(path: QPainterPath, letter: str, values: list[float]) -> None:
    if letter == "M":
        path.moveTo(*values)
    elif letter == "L":
        path.lineTo(*values)
    elif letter == "C":
        path.cubicTo(*values)
    elif letter == "O":
        path.addEllipse(QPointF(*values[:2]), values[2], values[2])
    else:
        path.closeSubpath()
