"""Ways to other faces: a line to type in, a field of poses, and the faces that are least sure."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
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
from mainscripts.xseg_editor.painting import shape_of
from mainscripts.xseg_editor.session import Session

_WIDTH = 236
_LISTED = 100
_LEAST_REACH = np.radians((15, 10))
"""What the field of poses reaches to at least: yaw to both sides, pitch up and down."""


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
        self._poses = np.zeros((0, 2))
        self._is_labelled = np.zeros(0, bool)
        self._reach = _LEAST_REACH
        self._dots: QPixmap | None = None
        self.setFixedHeight(148)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip("Where the heads look; green: has polygons. Click to go to a face.")

    def follow(self) -> None:
        """Shows the poses as far as they are known now."""
        names, scan = self._session.document.names, self._session.scan
        poses = scan.poses(names)
        is_labelled = np.array([scan.state(name).n_polygons > 0 for name in names])
        if not (np.array_equal(poses, self._poses, equal_nan=True)
                and np.array_equal(is_labelled, self._is_labelled)):
            self._poses, self._is_labelled, self._dots = poses, is_labelled, None
            farthest = 1.15 * np.abs(np.nan_to_num(poses)).max(axis=0)
            self._reach = np.maximum(farthest, _LEAST_REACH)
        self.update()

    def place(self, yaw: float, pitch: float) -> QPointF:
        """Where a pose lies in the field: to the left what looks to the left of the picture."""
        return QPointF(*self._places(np.array([(yaw, pitch)]))[0].tolist())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._dots = None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        place = np.array([event.position().x(), event.position().y()])
        yaw, pitch = (0.5 - place / (self.width(), self.height())) * 2 * self._reach
        self.chosen.emit(float(yaw), float(pitch))

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._dots is None:
            self._dots = self._painted()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawPixmap(0, 0, self._dots)
        number = self._session.document.number
        if number < len(self._poses) and not np.isnan(self._poses[number]).any():
            painter.setPen(QPen(QColor(theme.ACCENT), 2))
            painter.drawEllipse(self.place(*self._poses[number]), 5, 5)

    def _painted(self) -> QPixmap:
        """The field with a dot for each face."""
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(self.size() * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(QColor(theme.PANEL))
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.BUTTON))
        painter.drawRoundedRect(QRectF(self.rect()), 6, 6)
        painter.setPen(QPen(QColor(theme.HOVER), 1))
        width, height = self.width(), self.height()
        painter.drawLine(QPointF(width / 2, 6), QPointF(width / 2, height - 6))
        painter.drawLine(QPointF(6, height / 2), QPointF(width - 6, height / 2))
        is_known = ~np.isnan(self._poses).any(axis=1)
        for colour, size, chosen in ((QColor(theme.FAINT), 3.2, is_known & ~self._is_labelled),
                                     (theme.OUTLINES["green"], 5.2, is_known & self._is_labelled)):
            painter.setPen(QPen(colour, size, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawPoints(shape_of(self._places(self._poses[chosen])))
        painter.end()
        return pixmap

    def _places(self, poses: np.ndarray) -> np.ndarray:
        """(n, 2) pixels of the field of (n, 2) yaws and pitches."""
        return (0.5 - poses / (2 * self._reach)) * (self.width(), self.height())


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
        self.poses.follow()
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
