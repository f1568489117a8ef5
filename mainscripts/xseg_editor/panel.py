"""Ways to other faces: a line to type in, a field of poses, and the faces that are least sure."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from mainscripts.xseg_editor import theme
from mainscripts.xseg_editor.session import Session

_WIDTH = 236
_LISTED = 100
_LEAST_YAW, _LEAST_PITCH = np.radians(15), np.radians(10)
"""What the field of poses reaches to at least, left and right, up and down."""


class JumpLine(QLineEdit):
    """Where a number or a part of a name is typed.

    Attributes:
        left: Emitted when the keys belong to the face again.
    """

    left = Signal()

    def __init__(self):
        super().__init__()
        self.setPlaceholderText("number or name …")
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
            return
        super().keyPressEvent(event)
        event.accept()  # no key that is typed here does anything else


class PoseField(QWidget):
    """A dot for each face where its head looks; a click goes to the nearest.

    Attributes:
        chosen: Emitted with the yaw and pitch that were clicked, radians.
    """

    chosen = Signal(float, float)

    def __init__(self, session: Session):
        super().__init__()
        self._session = session
        self.setFixedHeight(148)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip("Where the heads look; green: has polygons. Click to go to a face.")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        x, y = event.position().x() / self.width(), event.position().y() / self.height()
        yaw, pitch = self._reach()
        self.chosen.emit((0.5 - x) * 2 * yaw, (0.5 - y) * 2 * pitch)

    def place(self, yaw: float, pitch: float) -> QPointF:
        """Where a pose lies in the field: to the left what looks to the left of the picture."""
        return _place(yaw, pitch, self._reach(), self.width(), self.height())

    def _reach(self) -> tuple[float, float]:
        """The yaw and pitch at the borders, so that all faces lie inside."""
        poses = np.abs(self._session.scan.poses(self._session.document.names))
        yaw, pitch = np.nan_to_num(poses).max(axis=0) * 1.15
        return max(float(yaw), _LEAST_YAW), max(float(pitch), _LEAST_PITCH)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.BUTTON))
        painter.drawRoundedRect(QRectF(self.rect()), 6, 6)
        painter.setPen(QPen(QColor(theme.HOVER), 1))
        painter.drawLine(QPointF(self.width() / 2, 6), QPointF(self.width() / 2, self.height() - 6))
        painter.drawLine(QPointF(6, self.height() / 2), QPointF(self.width() - 6,
                                                                self.height() / 2))
        self._paint_dots(painter)

    def _paint_dots(self, painter: QPainter) -> None:
        names, scan = self._session.document.names, self._session.scan
        poses = scan.poses(names)
        labelled = [bool(scan.state(name).n_polygons) for name in names]
        reach, size = self._reach(), (self.width(), self.height())
        dots = {False: (QColor(theme.FAINT), 1.6), True: (theme.OUTLINES["green"], 2.6)}
        painter.setPen(Qt.PenStyle.NoPen)
        for kind, (colour, radius) in dots.items():
            painter.setBrush(colour)
            for pose, is_labelled in zip(poses, labelled, strict=True):
                if is_labelled is kind and not np.isnan(pose).any():
                    painter.drawEllipse(_place(*pose, reach, *size), radius, radius)
        pose = poses[self._session.document.number]
        if not np.isnan(pose).any():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(theme.ACCENT), 2))
            painter.drawEllipse(self.place(*pose), 5, 5)


def _place(yaw: float, pitch: float, reach: tuple[float, float], width: int,
           height: int) -> QPointF:
    return QPointF((0.5 - yaw / (2 * reach[0])) * width, (0.5 - pitch / (2 * reach[1])) * height)


class Panel(QFrame):
    """All of that in a column.

    Attributes:
        chosen: Emitted with the name of a face of the list.
        line, poses, unsure: Its parts.
    """

    chosen = Signal(str)

    def __init__(self, session: Session):
        super().__init__()
        self.setObjectName("panel")
        self.setFixedWidth(_WIDTH)
        self._session = session
        self._listed: list[str] = []
        self.line, self.poses, self.unsure = JumpLine(), PoseField(session), QListWidget()
        self.unsure.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.unsure.itemClicked.connect(lambda item: self.chosen.emit(
            item.data(Qt.ItemDataRole.UserRole)))
        self._note = _label("", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(6)
        for title, part in (("Go to", self.line), ("Poses", self.poses),
                            ("Label these next", self.unsure)):
            column.addWidget(_label(title, "title"))
            column.addWidget(part)
            column.addSpacing(8)
        column.insertWidget(column.count() - 2, self._note)
        self._note.setWordWrap(True)
        column.setStretchFactor(self.unsure, 1)
        column.addStretch()

    def follow(self) -> None:
        """Shows where the present face is, and the list as it is now."""
        if self.isHidden():
            return
        self.poses.update()
        names = self._session.unsure()[:_LISTED]
        if names != self._listed:
            self._listed = names
            self.unsure.clear()
            for name in names:
                self.unsure.addItem(self._item(name))
        self.unsure.setVisible(bool(names))
        note = self._explanation()
        self._note.setText(note)
        self._note.setVisible(bool(note))

    def _item(self, name: str) -> QListWidgetItem:
        doubt = self._session.predictions.doubts[name]
        item = QListWidgetItem(f"{name}   {100 * doubt:.1f}")
        item.setData(Qt.ItemDataRole.UserRole, name)
        item.setToolTip("How wide the doubtful border of its mask is, in per cent of its size")
        return item

    def _explanation(self) -> str:
        """Why the list is empty or short."""
        predictions = self._session.predictions
        if predictions is None:
            return "No segmenter was given that could say where it is least sure."
        if predictions.failure is not None:
            return predictions.failure
        names = [name for name in self._session.document.names
                 if not self._session.scan.state(name).n_polygons]
        n_known = sum(name in predictions.doubts for name in names)
        if not n_known:
            return "Press N: the segmenter looks at all faces and lists where it is least sure."
        return "" if n_known >= len(names) else f"seen {n_known} of {len(names)}"


def _label(text: str, name: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName(name)
    return label
