"""The faces around the present one, small."""

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from mainscripts.xseg_editor import painting, theme
from mainscripts.xseg_editor.ahead import Ahead, Thumbnail
from mainscripts.xseg_editor.session import Session

SHOWN = 9
"""Thumbnails, with the present face in the middle."""

LARGE, SMALL, GAP = 80, 64, 10
_FAINT = 0.5
_DOT = 4


class Strip(QWidget):
    """Nine thumbnails with a mark under those that have polygons.

    Attributes:
        chosen: Emitted with the name of a face that was clicked.
    """

    chosen = Signal(str)

    def __init__(self, session: Session, thumbnails: Ahead[Thumbnail]):
        super().__init__()
        self._session = session
        self._thumbnails = thumbnails
        self._images: dict[tuple[int, int], tuple[Thumbnail, QImage]] = {}
        self.setMinimumWidth(LARGE + (SHOWN - 1) * (SMALL + GAP) + GAP)
        self.setFixedHeight(LARGE + 12)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        return QSize(self.minimumWidth(), self.height())

    def follow(self) -> None:
        """Shows the faces around the present one."""
        middle = self.width() / 2
        nearest = sorted(self.places(), key=lambda place: abs(place[1].center().x() - middle))
        self._thumbnails.want(name for name, _ in nearest)
        self.update()

    def places(self) -> list[tuple[str, QRectF]]:
        """The faces that are shown, and where."""
        names, number = self._session.document.names, self._session.document.number
        half, middle = SHOWN // 2, self.width() / 2
        found = []
        for shift in range(-half, half + 1):
            if 0 <= number + shift < len(names):
                side = SMALL if shift else LARGE
                away = (LARGE + SMALL) / 2 + GAP + (abs(shift) - 1) * (SMALL + GAP) if shift else 0
                x = middle + (away if shift > 0 else -away) - side / 2
                found.append((names[number + shift], QRectF(x, (LARGE - side) / 2, side, side)))
        return found

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        for name, place in self.places():
            if place.contains(event.position()):
                self.chosen.emit(name)
                return

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        shown = {}
        for name, place in self.places():
            self._paint_face(painter, name, place, shown)
        self._images = shown

    def _paint_face(self, painter: QPainter, name: str, place: QRectF,
                    shown: dict[tuple[int, int], tuple[Thumbnail, QImage]]) -> None:
        is_current = name == self._session.document.current
        outline = QPainterPath()
        outline.addRoundedRect(place, 6, 6)
        thumbnail = self._thumbnails.find(name)
        painter.setClipPath(outline)
        painter.fillRect(place, QColor(theme.BUTTON))
        if thumbnail is not None:
            image = self._image(thumbnail, round(place.width() * self.devicePixelRatioF()), shown)
            painter.setOpacity(1 if is_current else _FAINT)
            painter.drawImage(place, image)
            painter.setOpacity(1)
        painter.setClipping(False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if is_current:
            painter.setPen(QPen(QColor(theme.ACCENT), 2))
            painter.drawRoundedRect(place, 6, 6)
        self._paint_state(painter, name, place)

    def _image(self, thumbnail: Thumbnail, side: int,
               shown: dict[tuple[int, int], tuple[Thumbnail, QImage]]) -> QImage:
        """A thumbnail at the size it is shown at, scaled once."""
        key = id(thumbnail), side
        shown[key] = self._images.get(key) or (thumbnail, painting.to_image(
            thumbnail.image).scaled(side, side, mode=Qt.TransformationMode.SmoothTransformation))
        return shown[key][1]

    def _paint_state(self, painter: QPainter, name: str, place: QRectF) -> None:
        """A full dot for polygons, a ring for a stored mask alone."""
        state = self._session.scan.state(name)
        spot = QRectF(place.center().x() - _DOT, LARGE + 3, 2 * _DOT, 2 * _DOT)
        if state.n_polygons:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.OUTLINES["green"])
            painter.drawEllipse(spot)
        elif state.has_mask:
            painter.setPen(QPen(QColor(theme.MUTED), 1.5))
            painter.drawEllipse(spot.adjusted(1, 1, -1, -1))
