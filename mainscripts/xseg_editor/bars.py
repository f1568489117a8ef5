"""The buttons of the window: a picture, what it does, and its key."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QVBoxLayout, QWidget

from mainscripts.xseg_editor import keys, theme
from mainscripts.xseg_editor.icons import draw_icon

_SIZE = QSize(64, 50)
_ICON = 22
_HELD = {"points": "Ctrl", "lock": "Shift"}


class CommandButton(QAbstractButton):
    """Does a command of `keys.COMMANDS`; shows whether it is on."""

    def __init__(self, command: keys.Command, do: Callable[[str], None],
                 size: QSize = _SIZE, parent: QWidget | None = None):
        super().__init__(parent)
        self.command = command
        self.setObjectName(command.name)
        self.setFixedSize(size)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(command.caption)
        key = f"{self.key}: " if self.key else ""
        self.setToolTip(f"{key}{command.text}")
        self.is_on = False
        self.clicked.connect(lambda: do(command.name))

    @property
    def key(self) -> str:
        """What is written in the corner."""
        return self.command.keys[0] if self.command.keys else _HELD[self.command.name]

    def set_on(self, is_on: bool) -> None:
        """Shows that what the button stands for is so now, or not."""
        if is_on != self.is_on:
            self.is_on = is_on
            self.update()

    def enterEvent(self, event) -> None:
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event) -> None:
        self.update()
        super().leaveEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        is_hot = self.isEnabled() and (self.underMouse() or self.isDown())
        if self.is_on or is_hot:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.HOVER if is_hot else theme.BUTTON))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)
        if self.is_on:
            painter.setBrush(QColor(theme.ACCENT))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawRoundedRect(QRectF(1, 12, 3, self.height() - 24), 1.5, 1.5)
        self._paint_words(painter)

    def _paint_words(self, painter: QPainter) -> None:
        name = self.command.name
        plain = theme.TEXT if self.isEnabled() else theme.FAINT
        colour = theme.OUTLINES.get(name, QColor(theme.ACCENT if self.is_on else plain))
        draw_icon(painter, name, QPointF((self.width() - _ICON) / 2, 6), _ICON, colour)
        font = QFont(painter.font())
        font.setPixelSize(11)
        painter.setFont(font)
        painter.setPen(QColor(theme.TEXT if self.is_on else theme.MUTED))
        low = QRectF(0, self.height() - 19, self.width(), 15)
        painter.drawText(low, Qt.AlignmentFlag.AlignCenter, self.command.caption)
        if len(self.key) == 1:
            font.setPixelSize(10)
            painter.setFont(font)
            painter.setPen(QColor(theme.MUTED))
            painter.drawText(QRectF(self.width() - 18, 3, 14, 12), Qt.AlignmentFlag.AlignCenter,
                             self.key)


class Bar(QFrame):
    """A column of buttons in groups.

    Attributes:
        buttons: Name of the command -> its button.
    """

    def __init__(self, groups: Sequence[Sequence[str]], do: Callable[[str], None]):
        super().__init__()
        self.setObjectName("bar")
        self.buttons: dict[str, CommandButton] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 8, 6, 8)
        column.setSpacing(2)
        for place, group in enumerate(groups):
            if place:
                column.addSpacing(5)
                column.addWidget(_rule())
                column.addSpacing(5)
            for name in group:
                self.buttons[name] = CommandButton(keys.BY_NAME[name], do)
                column.addWidget(self.buttons[name])
        column.addStretch()


def _rule() -> QFrame:
    rule = QFrame()
    rule.setFixedHeight(1)
    rule.setStyleSheet(f"background: {theme.HOVER};")
    return rule
