"""Everything done in a faceset, in a file beside its faces, so that a crash loses nothing."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from core.paths import atomic_write
from mainscripts.xseg_editor.labels import Labels, from_plain, to_plain

FILE_NAME = ".xseg_editor.jsonl"
KEPT = 2000
"""Edits that are kept from one session to the next."""


class Change(NamedTuple):
    """The labels of a face before and after an edit."""

    name: str
    before: Labels
    after: Labels


class Trashed(NamedTuple):
    """A face that was moved away, and the name it got there."""

    name: str
    place: str


Edit = Change | Trashed


class History:
    """Edits that can be undone and redone, each noted as it happens.

    The file has a line for each edit, undo and redo, so it only ever grows during a session; what
    is not needed any more is left out when it is opened again. A torn or damaged line ends it.
    """

    def __init__(self, path: Path, done: Sequence[Edit] = (), undone: Sequence[Edit] = ()):
        """
        Args:
            path: The file; opened by the first note.
            done: Edits that can be undone, in order.
            undone: Edits that can be redone, the next one last.
        """
        self._path = path
        self._done = list(done)
        self._undone = list(undone)

    @classmethod
    def load(cls, path: Path) -> "History":
        """What an earlier session left; nothing where there is none.

        Raises:
            OSError: The file cannot be read, or not be tidied.
        """
        history = cls(path)
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
        for line in lines:
            if not line.endswith(b"\n") or not history._replay(line):
                break
        del history._done[:-KEPT], history._undone[:-KEPT]
        if lines:
            history._rewrite()
        return history

    @property
    def done(self) -> tuple[Edit, ...]:
        """Edits that can be undone, in order."""
        return tuple(self._done)

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to undo."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is an edit to redo."""
        return bool(self._undone)

    def last(self) -> Edit | None:
        """The edit that `undo` would take back."""
        return self._done[-1] if self._done else None

    def next(self) -> Edit | None:
        """The edit that `redo` would make again."""
        return self._undone[-1] if self._undone else None

    def add(self, edit: Edit) -> None:
        """Notes an edit; those that were undone are gone then."""
        self._note(_plain(edit))
        self._done.append(edit)
        self._undone.clear()

    def undo(self) -> None:
        """Notes that the last edit was taken back."""
        self._note({"undo": True})
        self._undone.append(self._done.pop())

    def redo(self) -> None:
        """Notes that the edit undone last was made again."""
        self._note({"redo": True})
        self._done.append(self._undone.pop())

    def open_of(self, name: str) -> Labels | None:
        """How the last edit of a face left it; None if none is known."""
        edits = (edit for edit in reversed(self._done)
                 if isinstance(edit, Change) and edit.name == name)
        last = next(edits, None)
        return None if last is None else last.after

    def forget(self, name: str) -> None:
        """Drops all edits of a face, since somebody else has changed it."""
        self._done = [edit for edit in self._done if edit.name != name]
        self._undone = [edit for edit in self._undone if edit.name != name]
        self._rewrite()

    def _note(self, line: dict[str, Any]) -> None:
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def _rewrite(self) -> None:
        redo = [_plain(edit) for edit in reversed(self._undone)]
        lines = [*map(_plain, self._done), *redo, *[{"undo": True}] * len(redo)]
        atomic_write(self._path, "".join(json.dumps(line) + "\n" for line in lines).encode())

    def _replay(self, line: bytes) -> bool:
        """Does what a line says; False if it says nothing."""
        try:
            value = json.loads(line)
            if "undo" in value:
                self._undone.append(self._done.pop())
            elif "redo" in value:
                self._done.append(self._undone.pop())
            else:
                self._done.append(_edit(value))
                self._undone.clear()
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            return False
        return True


def _plain(edit: Edit) -> dict[str, Any]:
    if isinstance(edit, Trashed):
        return {"face": edit.name, "trashed": edit.place}
    return {"face": edit.name, "before": to_plain(edit.before), "after": to_plain(edit.after)}


def _edit(value: dict[str, Any]) -> Edit:
    if "trashed" in value:
        return Trashed(str(value["face"]), str(value["trashed"]))
    return Change(str(value["face"]), from_plain(value["before"]), from_plain(value["after"]))
