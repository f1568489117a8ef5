"""Colours, font and style of the window."""

from pathlib import Path

import cv2
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

BACKGROUND, PANEL, BUTTON, HOVER = "#15171b", "#1c1f24", "#262a31", "#323843"
TEXT, MUTED, FAINT, ACCENT, ALERT = "#e8eaed", "#98a2ae", "#5c6672", "#5aa9ff", "#ffb454"

OUTLINES = {"red": QColor(255, 72, 72), "green": QColor(64, 224, 96), "blue": QColor(84, 140, 255)}
"""Colour of the outlines by the name of its command."""

_FAMILIES = ("Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "DejaVu Sans")
_POINT_SIZE = 10

_STYLE = f"""
* {{ color: {TEXT}; }}
QMainWindow, #canvas {{ background: {BACKGROUND}; }}
#bar, #panel, #foot {{ background: {PANEL}; }}
QToolTip {{ background: {HOVER}; color: {TEXT}; border: 1px solid {FAINT}; padding: 4px 6px; }}
QLabel {{ background: transparent; }}
#name {{ font-weight: 600; }}
#muted, #title {{ color: {MUTED}; }}
#title {{ font-weight: 600; }}
QLineEdit {{ background: {BUTTON}; border: 1px solid transparent; border-radius: 6px;
             padding: 6px 8px; selection-background-color: {ACCENT}; }}
QLineEdit:focus {{ border-color: {ACCENT}; }}
QListView {{ background: {BUTTON}; border: none; border-radius: 6px; padding: 4px; outline: 0; }}
QListView::item {{ padding: 5px 6px; border-radius: 4px; }}
QListView::item:hover {{ background: {HOVER}; }}
QListView::item:selected {{ background: {HOVER}; color: {TEXT}; }}
QScrollBar:vertical {{ background: transparent; width: 8px; }}
QScrollBar::handle:vertical {{ background: {FAINT}; border-radius: 4px; min-height: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
"""


def apply_theme(application: QApplication) -> None:
    """Makes an application dark, and its text legible wherever there is a font at all."""
    application.setStyle("Fusion")
    application.setFont(QFont(_family(), _POINT_SIZE))
    palette = QPalette(QColor(BUTTON), QColor(PANEL))
    for role, colour in {QPalette.ColorRole.WindowText: TEXT, QPalette.ColorRole.Text: TEXT,
                         QPalette.ColorRole.ButtonText: TEXT, QPalette.ColorRole.Base: BUTTON,
                         QPalette.ColorRole.Highlight: ACCENT,
                         QPalette.ColorRole.PlaceholderText: MUTED}.items():
        palette.setColor(role, QColor(colour))
    application.setPalette(palette)
    application.setStyleSheet(_STYLE)


def _family() -> str:
    """The first font there is of those that read well; OpenCV brings one for bare machines."""
    if not QFontDatabase.families():
        for path in sorted((Path(cv2.__file__).parent / "qt" / "fonts").glob("DejaVuSans*.ttf")):
            QFontDatabase.addApplicationFont(str(path))
    known = set(QFontDatabase.families())
    return next((family for family in _FAMILIES if family in known), QFont().family())
