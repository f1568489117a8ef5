"""The faces of a faceset with their labels, as a person edits them. Knows no window."""

import bisect
from collections.abc import Callable

from core.errors import FaceLabError
from core.paths import natural_key
from core.polygons import Polygon
from mainscripts.xseg_editor.faces import FaceFolder
from mainscripts.xseg_editor.history import Change, Edit, History, Trashed
from mainscripts.xseg_editor.labels import Labels
from samplelib.face_info import FaceInfo


class EditorError(FaceLabError):
    """Something cannot be done now; the line says what to do instead."""


class Document:
    """A faceset, one face of which is looked at.

    Every edit is in the face's file and in the history before the next one can be made; the polygon
    that is being drawn is in the history alone until it is closed.

    Attributes:
        faces: Where the files are.
        history: What was done.
        names: Of the faces that are not in the trash, in natural order; at least one.
    """

    def __init__(self, faces: FaceFolder, history: History):
        self.faces = faces
        self.history = history
        self.names = list(faces.names)
        self._infos: dict[str, FaceInfo] = {}
        self._open: dict[str, Polygon] = {}
        self._current = self.names[0]
        self._watchers: list[Callable[[str], None]] = []

    @property
    def current(self) -> str:
        """Name of the face that is looked at."""
        return self._current

    @property
    def number(self) -> int:
        """Its number, from 0."""
        return self.names.index(self._current)

    @property
    def info(self) -> FaceInfo:
        """What is known of the face that is looked at."""
        return self._infos[self._current]

    @property
    def labels(self) -> Labels:
        """Of the face that is looked at."""
        return Labels(self.info.polygons, self._open.get(self._current))

    def watch(self, watcher: Callable[[str], None]) -> None:
        """Has a function called with the name of each face whose labels or place change."""
        self._watchers.append(watcher)

    def go(self, name: str) -> None:
        """Looks at a face; what is drawn on the one before is closed first.

        Raises:
            CorruptFaceImage, OSError: Its file cannot be read; the face before stays.
        """
        info = self.faces.read(name)
        if self._current in self._infos and self._current != name:
            self.finish()
        self._current = name
        self._learn(name, info)

    def finish(self) -> None:
        """Closes what is being drawn; fewer than three points are dropped."""
        if self.labels.open is not None:
            self.set_labels(self.labels.closed())

    def set_labels(self, labels: Labels) -> None:
        """Gives the face that is looked at these labels.

        Raises:
            CorruptFaceImage, OSError: They cannot be written; the labels before stay.
        """
        edit = Change(self._current, self.labels, labels)
        if edit.before == edit.after:
            return
        self._put(edit.name, edit.after)
        self.history.add(edit)
        self._tell(edit.name)

    def undo(self) -> bool:
        """Takes the last edit back and looks at its face; False where there is none.

        Raises:
            EditorError: Its face is not as the edit left it.
            CorruptFaceImage, OSError: Its file cannot be read or written.
        """
        edit = self.history.last()
        if edit is None:
            return False
        if isinstance(edit, Trashed):
            self._bring_back(edit)
        else:
            self._step(edit, edit.after, edit.before)
        self.history.undo()
        self._tell(edit.name)
        return True

    def redo(self) -> bool:
        """Makes the edit undone last again; see `undo`."""
        edit = self.history.next()
        if edit is None:
            return False
        if isinstance(edit, Trashed):
            self._take_away(edit.name, edit.place)
        else:
            self._step(edit, edit.before, edit.after)
        self.history.redo()
        self._tell(edit.name)
        return True

    def trash(self) -> None:
        """Moves the face that is looked at to the trash and looks at the next one.

        Raises:
            EditorError: It is the last one.
            OSError: It cannot be moved.
        """
        self.finish()
        name = self._current
        place = self._take_away(name, None)
        self.history.add(Trashed(name, place))
        self._tell(name)

    def _put(self, name: str, labels: Labels) -> None:
        """Writes the polygons of a face if they changed, and remembers the open one."""
        if self._infos[name].polygons != labels.polygons:
            self._infos[name] = self.faces.write(name, labels.polygons)
        self._remember_open(name, labels.open)

    def _remember_open(self, name: str, polygon: Polygon | None) -> None:
        self._open.pop(name, None)
        if polygon is not None:
            self._open[name] = polygon

    def _learn(self, name: str, info: FaceInfo) -> None:
        """Takes in what a file says; if the history knows better, what was being drawn."""
        self._infos = {name: info}
        left = self.history.open_of(name)
        if left is not None and left.polygons == info.polygons:
            self._remember_open(name, left.open)

    def _step(self, edit: Change, wanted: Labels, labels: Labels) -> None:
        """Goes to a face and gives it labels, if it still has those that the edit left."""
        if edit.name not in self.names:
            self._forget(edit, "is gone")
        info = self.faces.read(edit.name)
        if info.polygons != wanted.polygons:
            self._forget(edit, "was changed by something else")
        self._current = edit.name
        self._infos = {edit.name: info}
        self._put(edit.name, labels)

    def _forget(self, edit: Edit, why: str) -> None:
        self.history.forget(edit.name)
        raise EditorError(f"{edit.name} {why}, so its edits cannot be undone; undo again for "
                          "those of other faces")

    def _take_away(self, name: str, place: str | None) -> str:
        if len(self.names) == 1:
            raise EditorError("this is the last face; close the editor and remove the folder")
        if name not in self.names:
            raise EditorError(f"{name} is gone; go on without it")
        number = self.names.index(name)
        following = self.names[number + 1] if number + 1 < len(self.names) else (
            self.names[number - 1])
        info = self.faces.read(following)
        place = self.faces.move_to_trash(name)
        self.names.remove(name)
        self._current = following
        self._learn(following, info)
        return place

    def _bring_back(self, edit: Trashed) -> None:
        self.finish()
        self.faces.restore(edit.place, edit.name)
        bisect.insort(self.names, edit.name, key=natural_key)
        self._current = edit.name
        self._learn(edit.name, self.faces.read(edit.name))

    def _tell(self, name: str) -> None:
        for watcher in self._watchers:
            watcher(name)
