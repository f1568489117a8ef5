"""Keys of Qt by name, and keys that go on while they are held."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent

FIRST_MS, NEXT_MS = 300, 20
"""How long a key is held before it counts again, and between the times after that."""

_NAMES = {Qt.Key.Key_Delete: "Delete", Qt.Key.Key_Backspace: "Backspace", Qt.Key.Key_Left: "Left",
          Qt.Key.Key_Right: "Right", Qt.Key.Key_Home: "Home", Qt.Key.Key_End: "End",
          Qt.Key.Key_Return: "Return", Qt.Key.Key_Enter: "Enter", Qt.Key.Key_Escape: "Escape",
          Qt.Key.Key_F1: "F1", Qt.Key.Key_AsciiTilde: "`"}
_LAST_CHARACTER = 0xFFFF  # from there on Qt's numbers are of keys without a character


def key_name(event: QKeyEvent) -> str | None:
    """What `keys.command_of` calls the key; None for one that has no name there.

    Qt's own number of the key is a letter's capital on all systems; the system's is not.
    """
    key = event.key()
    return _NAMES.get(key) or (chr(key).upper() if 0x20 < key <= _LAST_CHARACTER else None)


class KeyRepeat(QObject):
    """Does something again and again while a key is held, at a pace of its own."""

    def __init__(self, parent: QObject):
        super().__init__(parent)
        self._key: int | None = None
        self._do: Callable[[], None] = lambda: None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._again)

    def press(self, key: int, do: Callable[[], None]) -> None:
        """Does it, and goes on until `release`."""
        self._key, self._do = key, do
        self._timer.start(FIRST_MS)
        do()

    def release(self, key: int | None = None) -> None:
        """Ends it if it is this key's, or any."""
        if key is None or key == self._key:
            self._timer.stop()

    def _again(self) -> None:
        self._timer.setInterval(NEXT_MS)
        self._do()
