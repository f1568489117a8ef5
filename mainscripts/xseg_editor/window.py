"""The editor's window: bars, face, strip and panel, and the keys."""

import base64
import binascii
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QFocusEvent, QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMainWindow,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from mainscripts.xseg_editor import hints, keys
from mainscripts.xseg_editor.ahead import Ahead, Thumbnail
from mainscripts.xseg_editor.bars import Bar, CommandButton
from mainscripts.xseg_editor.canvas import Canvas
from mainscripts.xseg_editor.hand import Mode
from mainscripts.xseg_editor.help_card import HelpCard
from mainscripts.xseg_editor.key_events import KeyRepeat, key_name
from mainscripts.xseg_editor.panel import Panel
from mainscripts.xseg_editor.session import Session
from mainscripts.xseg_editor.settings import Settings, load_settings, save_settings
from mainscripts.xseg_editor.strip import Strip

_SIZE = QSize(1280, 800)
_SMALL = QSize(52, 50)
_SCAN_MS = 250


class EditorWindow(QMainWindow):
    """Shows a session and brings keys and mouse to it.

    Attributes:
        mask_ready: To be emitted, by any thread, with the name of a face whose mask is there.
        doubts_ready: To be emitted, by any thread, when more faces were looked at.
        thumbnail_ready: To be emitted, by any thread, with the name of a face.
    """

    mask_ready = Signal(str)
    doubts_ready = Signal()
    thumbnail_ready = Signal(str)

    def __init__(self, session: Session, thumbnails: Ahead[Thumbnail], settings_path: Path):
        super().__init__()
        self.session = session
        self._thumbnails = thumbnails
        self._settings_path = settings_path
        self._settings = load_settings(settings_path)
        self.canvas, self.strip, self.panel = (
            Canvas(session), Strip(session, thumbnails), Panel(session))
        self.left, self.right = (Bar(keys.LEFT_BAR, self.do), Bar(keys.RIGHT_BAR, self.do))
        self._around = {name: CommandButton(keys.BY_NAME[name], self.do, _SMALL)
                        for name in ("previous", "next", "trash")}
        self._name, self._place, self._count, self._hint = (QLabel() for _ in range(4))
        self._repeat = KeyRepeat(self)
        self._scan_timer = QTimer(self)
        self.setCentralWidget(self._layout())
        self.help = HelpCard(self)
        self._connect()
        self._restore()

    def do(self, name: str, *, shift: bool = False, ctrl: bool = False) -> None:
        """Does a command of `keys.COMMANDS`."""
        window_only = {"points": self._toggle_points, "lock": self._toggle_lock,
                       "fit": self.canvas.fit, "panel": self._toggle_panel,
                       "help": self.help.toggle, "jump": self._begin_jump}
        if name in window_only:
            window_only[name]()
        else:
            if name == "give_up":
                self.help.hide()
            self.session.command(name, shift=shift, ctrl=ctrl)
        self.follow()

    def follow(self) -> None:
        """Shows everything as it is now."""
        document, hand = self.session.document, self.session.hand
        self.canvas.follow()
        self.strip.follow()
        self.panel.follow()
        n_labelled = self.session.scan.n_labelled(document.names)
        self.setWindowTitle(f"{document.current} – {document.faces.folder.name} – XSeg editor")
        self._name.setText(document.current)
        self._place.setText(f"{document.number + 1} of {len(document.names)}")
        self._count.setText(f"{n_labelled} labelled")
        self._hint.setText(self.session.message or hints.hint(self.session))
        on = {"include": hand.is_include, "exclude": not hand.is_include,
              self.session.colour: hand.view is None, "baked": hand.view is Mode.BAKED,
              "stored": hand.view is Mode.MASK, "overlay": self.session.has_overlay,
              "points": self.canvas.edits_points, "lock": self.canvas.is_locked,
              "panel": not self.panel.isHidden(), "help": not self.help.isHidden()}
        can = {"undo": document.history.can_undo, "redo": document.history.can_redo,
               "delete": hand.mode is Mode.EDITING}
        for name, button in {**self.left.buttons, **self.right.buttons, **self._around}.items():
            button.set_on(on.get(name, False))
            button.setEnabled(can.get(name, True))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        name = key_name(event)
        is_typing = isinstance(QApplication.focusWidget(), QLineEdit)
        if event.isAutoRepeat() or name is None or is_typing:
            return
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        command = keys.command_of(name, shift=shift, ctrl=ctrl)
        if command is None:
            return
        if command.repeats:
            self._repeat.press(event.key(), lambda: self.do(command.name, shift=shift, ctrl=ctrl))
        else:
            self.do(command.name)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if not event.isAutoRepeat():
            self._repeat.release(event.key())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._repeat.release()
        super().focusOutEvent(event)

    def changeEvent(self, event) -> None:
        if event.type() is QEvent.Type.ActivationChange and not self.isActiveWindow():
            self._repeat.release()  # the key may come up where nobody tells this window
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        document = self.session.document
        self._repeat.release()
        self._scan_timer.stop()
        self.session.perform(document.finish)
        save_settings(self._settings_path, Settings(
            base64.b64encode(self.saveGeometry().data()).decode(), self.session.colour,
            not self.panel.isHidden(),
            self._settings.with_last_face(document.faces.folder, document.current)))
        super().closeEvent(event)

    def _layout(self) -> QWidget:
        middle = QWidget()
        row = QHBoxLayout(middle)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for part in (self.left, self.canvas, self.right, self.panel):
            row.addWidget(part, 1 if part is self.canvas else 0)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addWidget(middle, 1)
        column.addWidget(self._foot())
        return whole

    def _foot(self) -> QFrame:
        """Name and counts over the strip, the hint under it."""
        foot = QFrame()
        foot.setObjectName("foot")
        for label, name in ((self._name, "name"), (self._place, "muted"), (self._count, "muted"),
                            (self._hint, "muted")):
            label.setObjectName(name)
        # A long line must not make the window wider.
        self._hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        above, strip = QHBoxLayout(), QHBoxLayout()
        above.setSpacing(16)
        above.addStretch()
        for label in (self._name, self._place, self._count):
            above.addWidget(label)
        above.addStretch()
        strip.addSpacing(12 + _SMALL.width() + strip.spacing())  # as the trash on the other side
        strip.addWidget(self._around["previous"])
        strip.addWidget(self.strip, 1)
        strip.addWidget(self._around["next"])
        strip.addSpacing(12)
        strip.addWidget(self._around["trash"])
        column = QVBoxLayout(foot)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(6)
        column.addLayout(above)
        column.addLayout(strip)
        column.addWidget(self._hint)
        return foot

    def _connect(self) -> None:
        session = self.session
        self.canvas.edited.connect(self.follow)
        self.strip.chosen.connect(self._go)
        self.panel.chosen.connect(self._go)
        self.panel.poses.chosen.connect(self._go_to_pose)
        self.panel.line.returnPressed.connect(self._jump)
        self.panel.line.left.connect(self.canvas.setFocus)
        self.mask_ready.connect(self._mask_arrived)
        self.doubts_ready.connect(self.follow)
        self.thumbnail_ready.connect(lambda name: self.strip.update())
        session.document.watch(self._thumbnails.forget)
        self._scan_timer.timeout.connect(self._scanned)
        self._scan_timer.start(_SCAN_MS)

    def _restore(self) -> None:
        """As it was left the last time, as far as that is known and sound."""
        self.resize(_SIZE)
        try:
            geometry = base64.b64decode(self._settings.geometry, validate=True)
            self.restoreGeometry(QByteArray(geometry))
        except (binascii.Error, ValueError):
            self._settings = replace(self._settings, geometry="")
        if self._settings.colour in ("red", "green", "blue"):
            self.session.colour = self._settings.colour
        self.panel.setVisible(self._settings.is_panel_open)
        last = self._settings.last_face(self.session.document.faces.folder)
        names = self.session.document.names
        self.session.go(last if last in names else names[0])

    def _go(self, name: str) -> None:
        self.session.go(name)
        self.follow()

    def _go_to_pose(self, yaw: float, pitch: float) -> None:
        self.session.go_to_pose(yaw, pitch)
        self.follow()

    def _jump(self) -> None:
        if self.session.jump(self.panel.line.text()):
            self.panel.line.clear()
            self.canvas.setFocus()
        self.follow()

    def _begin_jump(self) -> None:
        self.panel.show()
        self.panel.line.setFocus()
        self.panel.line.selectAll()

    def _toggle_points(self) -> None:
        self.canvas.edits_points = not self.canvas.edits_points

    def _toggle_lock(self) -> None:
        self.canvas.is_locked = not self.canvas.is_locked

    def _toggle_panel(self) -> None:
        self.panel.setVisible(self.panel.isHidden())

    def _mask_arrived(self, name: str) -> None:
        self.session.mask_arrived(name)
        self.follow()

    def _scanned(self) -> None:
        """Counts, dots and poses go on until all faces are read."""
        if self.session.scan.is_complete:
            self._scan_timer.stop()
        self.follow()
