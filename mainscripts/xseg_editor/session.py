"""What the commands of the editor do. Knows no window."""

from collections.abc import Callable

import numpy as np

from core.errors import FaceLabError
from facelib.doubt import suggested_polygons
from mainscripts.xseg_editor.ahead import Ahead, FacePicture
from mainscripts.xseg_editor.document import Document
from mainscripts.xseg_editor.finding import (
    find_name,
    nearest_on_track,
    nearest_pose,
    previous_labelled,
)
from mainscripts.xseg_editor.hand import Hand, Mode
from mainscripts.xseg_editor.predictions import Predictions
from mainscripts.xseg_editor.scan import Scan
from samplelib.carried_labels import copied_polygons, moved_polygons
from samplelib.face_labels import stored_mask

LARGE_STEP = 5
AROUND = 5
"""Faces before and behind the present one whose pictures are kept ready."""

_FIRST_LOOK = 64
"""Faces spread over the faceset that the segmenter looks at before those between."""

EXPECTED = (FaceLabError, OSError, ValueError)


class Session:
    """A document in the hands of a person.

    Attributes:
        document: The faceset.
        hand: What the mouse edits.
        scan: States of all faces.
        pictures: Decoded faces.
        predictions: Of the segmenter; None without one.
        colour: Name of the outlines' colour.
        has_overlay: Whether the face is darkened outside its mask.
        message: What the last command has to say; empty if nothing.
    """

    def __init__(self, document: Document, scan: Scan, pictures: Ahead[FacePicture],
                 predictions: Predictions | None = None, colour: str = "green"):
        self.document = document
        self.hand = Hand(document)
        self.scan = scan
        self.pictures = pictures
        self.predictions = predictions
        self.colour = colour
        self.has_overlay = False
        self.message = ""
        self._suggestion_for: str | None = None
        self._is_ranking = False
        document.watch(self._changed)

    def perform(self, work: Callable[[], None]) -> None:
        """Does something; what is expected to go wrong becomes the message."""
        self.message = ""
        try:
            work()
        except EXPECTED as error:
            self.message = " ".join(str(error).split())

    def command(self, name: str, *, shift: bool = False, ctrl: bool = False) -> None:
        """Does what a command of `keys.COMMANDS` says; those of the window alone do nothing.

        Args:
            name: Of the command.
            shift: Whether Shift is held.
            ctrl: Whether Ctrl is held.
        """
        steps = {"previous": -1, "next": 1}
        if name in steps:
            self.perform(lambda: self._step(steps[name], shift, ctrl))
        elif name in _COMMANDS:
            self.perform(lambda: _COMMANDS[name](self))

    def go(self, name: str) -> None:
        """Looks at a face; one that cannot be read leaves the present one and says so."""
        self.perform(lambda: self._go(name))

    def jump(self, text: str) -> bool:
        """Looks at the face that a text means; False where there is none."""
        name = find_name(self.document.names, text)
        if name is None:
            self.message = f"no face is called like {text!r}; type a number or a part of a name"
            return False
        self.go(name)
        return True

    def go_to_pose(self, yaw: float, pitch: float) -> None:
        """Looks at the face turned most like this, radians."""
        names = self.document.names
        self.go(nearest_pose(self.scan.poses(names), names, yaw, pitch))

    def mask(self) -> tuple[np.ndarray, str] | None:
        """The stored mask of the face, or else the segmenter's, and which of the two it is.

        Returns:
            (S, S, 1) float32 in [0, 1]; None if there is none yet.
        """
        info = self.document.info
        if info.xseg_mask is not None:
            return stored_mask(info, self.side), f"stored, from {info.xseg_origin or 'a segmenter'}"
        if self.predictions is None:
            return None
        mask = self.predictions.mask(self.document.current)
        return None if mask is None else (mask, "the segmenter's")

    def mask_source(self) -> object | None:
        """What `mask` is made from; another object as soon as it would give something else."""
        stored = self.document.info.xseg_mask
        if stored is not None or self.predictions is None:
            return stored
        return self.predictions.mask(self.document.current)

    @property
    def side(self) -> int:
        """Of the face that is looked at, pixels."""
        return self.pictures.get(self.document.current).image.shape[0]

    def ask_for_mask(self) -> None:
        """Has the segmenter's mask made, if the face has none and one is to be seen."""
        is_seen = self.has_overlay or self.hand.mode is Mode.MASK
        if is_seen and self.predictions is not None and self.document.info.xseg_mask is None:
            self.predictions.ask(self.document.current)

    def mask_arrived(self, name: str) -> None:
        """The segmenter's mask of a face is there."""
        if name == self.document.current and self._suggestion_for == name:
            self._suggestion_for = None
            self.perform(self._suggest_now)

    def unsure(self) -> list[str]:
        """Faces without polygons whose masks are known, most unsure first."""
        if self.predictions is None:
            return []
        return self.predictions.least_sure(
            [name for name in self.document.names if not self.scan.state(name).n_polygons])

    def _go(self, name: str) -> None:
        self.pictures.get(name)  # a picture that cannot be shown keeps the present one in sight
        self.hand.let_go()
        self.document.go(name)
        self._arrived()

    def _arrived(self) -> None:
        """Another face is looked at."""
        self.hand.new_face()
        self._suggestion_for = None
        self.scan.note(self.document.current, self.document.info)
        number, names = self.document.number, self.document.names
        ahead = [number + step * sign for step in range(1, AROUND + 1) for sign in (1, -1)]
        self.pictures.want(names[place] for place in ahead if 0 <= place < len(names))
        self.ask_for_mask()

    def _step(self, direction: int, is_large: bool, is_labelled: bool) -> None:
        names, number = self.document.names, self.document.number
        if is_labelled:
            places = range(number + direction, len(names) if direction > 0 else -1, direction)
            place = next((place for place in places
                          if self.scan.state(names[place]).n_polygons), None)
            if place is None:
                self.message = "no face with polygons on this side"
                return
        else:
            place = number + direction * (LARGE_STEP if is_large else 1)
        place = min(max(place, 0), len(names) - 1)
        if place != number:
            self._go(names[place])

    def _undo(self) -> None:
        self._travel(self.document.undo, "nothing to undo")

    def _redo(self) -> None:
        self._travel(self.document.redo, "nothing to redo")

    def _travel(self, travel: Callable[[], bool], nothing: str) -> None:
        before, kind = self.document.current, self.hand.is_include
        if self.hand.is_dragging:
            return
        if not travel():
            self.message = nothing
        if self.document.current != before:
            self._arrived()
        self.hand.refresh()
        self.hand.is_include = kind

    def _trash(self) -> None:
        name = self.document.current
        self.hand.let_go()
        self.document.trash()
        self._arrived()
        self.message = f"{name} is in {self.document.faces.trash.name}; undo brings it back"

    def _set_colour(self, colour: str) -> None:
        self.colour = colour
        if self.hand.view is not None:
            self.hand.show(None)

    def _show(self, view: Mode) -> None:
        self.hand.show(None if self.hand.view is view else view)
        self.ask_for_mask()

    def _toggle_overlay(self) -> None:
        self.has_overlay = not self.has_overlay
        self.ask_for_mask()

    def _copy(self) -> None:
        source = previous_labelled(self.document, self.scan)
        if source is None:
            self.message = "no face before this one has polygons"
            return
        self._leave_view()
        self.hand.put_all(copied_polygons(source, self.document.info))

    def _carry(self) -> None:
        source = nearest_on_track(self.document, self.scan)
        if source is None:
            self.message = "no labelled face of this track is near; draw one, or copy with C"
            return
        self._leave_view()
        self.hand.put_all(moved_polygons(source, self.document.info))

    def _suggest(self) -> None:
        if self.predictions is not None and self.predictions.failure is None:
            self._suggestion_for = self.document.current
            self.message = "the segmenter looks at the face ..."
            self.predictions.ask(self.document.current)
        elif self.document.info.xseg_mask is not None:
            self._put_suggestion(stored_mask(self.document.info, self.side))
        elif self.predictions is not None:
            self.message = self.predictions.failure
        else:
            self.message = "no segmenter and no stored mask; run `xseg apply` on the faceset first"

    def _suggest_now(self) -> None:
        mask = self.predictions.mask(self.document.current)
        if mask is not None:
            self._put_suggestion(mask)
        else:
            self.message = self.predictions.failure or "the segmenter cannot read this face"

    def _put_suggestion(self, mask: np.ndarray) -> None:
        polygons = suggested_polygons(mask, self.side)
        if not polygons:
            self.message = "the segmenter sees no face here"
            return
        self._leave_view()
        self.hand.put_all(polygons)

    def _leave_view(self) -> None:
        """Shows the face itself, on which the new polygons are to be judged."""
        if self.hand.view is not None:
            self.hand.show(None)

    def _go_unsure(self) -> None:
        if self.predictions is None:
            self.message = "no segmenter looks at the faces here; start the editor with one"
            return
        if not self._is_ranking:
            self._is_ranking = True
            self._rank()
        found = [name for name in self.unsure() if name != self.document.current]
        if found:
            self._go(found[0])
        else:
            self.message = self.predictions.failure or "the segmenter looks at the faces ..."

    def _rank(self) -> None:
        """Has the segmenter look at the faces without polygons, at first at a few all over."""
        names = [name for name in self.document.names if not self.scan.state(name).n_polygons]
        stride = max(len(names) // _FIRST_LOOK, 1)
        self.predictions.rank([name for start in range(stride) for name in names[start::stride]])

    def _changed(self, name: str) -> None:
        if name == self.document.current:
            self.scan.note(name, self.document.info)


_COMMANDS: dict[str, Callable[[Session], None]] = {
    "include": lambda session: session.hand.set_kind(True),
    "exclude": lambda session: session.hand.set_kind(False),
    "undo": Session._undo,
    "redo": Session._redo,
    "delete": lambda session: session.hand.delete(),
    "copy": Session._copy,
    "carry": Session._carry,
    "suggest": Session._suggest,
    "red": lambda session: session._set_colour("red"),
    "green": lambda session: session._set_colour("green"),
    "blue": lambda session: session._set_colour("blue"),
    "baked": lambda session: session._show(Mode.BAKED),
    "stored": lambda session: session._show(Mode.MASK),
    "overlay": Session._toggle_overlay,
    "first": lambda session: session._go(session.document.names[0]),
    "last": lambda session: session._go(session.document.names[-1]),
    "trash": Session._trash,
    "unsure": Session._go_unsure,
    "close": lambda session: session.hand.close(),
    "give_up": lambda session: session.hand.give_up(),
}
