"""The keys and what the mouse does, over the face."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QWidget

from mainscripts.xseg_editor import keys, theme

_COLUMNS = 2


class HelpCard(QFrame):
    """All commands in a table; a click hides it."""

    def __init__(self, parent: QWidget):
        super().__init__(parent)
        self.setObjectName("help_card")
        self.setStyleSheet(f"#help_card {{ background: {theme.PANEL}; border-radius: 12px; "
                           f"border: 1px solid {theme.FAINT}; }}")
        grid = QGridLayout(self)
        grid.setContentsMargins(24, 20, 24, 20)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(5)
        rows = [(", ".join(command.keys).replace("`", "` (backquote)"), command.text)
                for command in keys.COMMANDS if command.keys]
        rows += keys.MOUSE
        n_rows = -(-len(rows) // _COLUMNS)
        for place, (what, text) in enumerate(rows):
            column, row = divmod(place, n_rows)
            key = QLabel(what)
            key.setStyleSheet(f"color: {theme.ACCENT}; font-size: 12px;")
            told = QLabel(text)
            told.setWordWrap(True)
            told.setStyleSheet("font-size: 12px;")
            grid.addWidget(key, row, 2 * column, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(told, row, 2 * column + 1, Qt.AlignmentFlag.AlignTop)
        for column in range(_COLUMNS):
            grid.setColumnStretch(2 * column + 1, 1)
        self.hide()

    def toggle(self) -> None:
        """Shows it in the middle of its window, or hides it."""
        self.setVisible(self.isHidden())
        area = self.parentWidget().rect()
        self.resize(min(area.width() - 40, 1120), min(area.height() - 40, 620))
        self.move(area.center() - self.rect().center())
        self.raise_()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.hide()
