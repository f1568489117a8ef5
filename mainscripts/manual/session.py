"""Setting faces by hand: what keys and the mouse do. Knows no window."""

import bisect
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from core.window_mouse import MouseEvent
from facelib.face_type import FaceType
from mainscripts.manual.document import Document
from mainscripts.manual.hand import Hand, Look, Mode, Point
from mainscripts.manual.keys import HINTS
from mainscripts.manual.neighbours import copied, interpolated, nearest_with_faces
from mainscripts.manual.picture import STRIP_HEIGHT, Scene
from mainscripts.manual.sight import Sight
from mainscripts.manual.texts import count, status, title

LETTERS = {"<": ",", ">": ".", "left": ",", "right": ".", "delete": "x", "=": "+", "_": "-"}
"""Key -> the one it is another name of."""


class Shown(NamedTuple):
    """A frame's picture, (H, W, 3) uint8 BGR; `problem` says why it is only a dark one."""

    image: np.ndarray
    problem: str = ""


class Session:
    """One sitting at the frames.

    Attributes:
        is_finished: Whether the user is done.
        needs_drawing: Whether `scene` shows something new.
        number: Of the frame, from 0 in the document.
        hand: What the mouse does in it.
    """

    def __init__(self, document: Document, tour: Sequence[int], picture: Callable[[int], Shown],
                 look: Look, *, window_size: int, face_type: FaceType):
        """
        Args:
            document: What is edited.
            tour: Numbers of the frames to go through, rising; others can be visited.
            picture: Gives the picture of a frame.
            look: Finds the landmarks in a square.
            window_size: As in `view.fitted_view`.
            face_type: Whose crop is drawn.
        """
        self.hand = Hand(document, look)
        self.is_finished, self.needs_drawing = False, True
        self.number, self._shown = tour[0], Shown(np.zeros((1, 1, 3), np.uint8))
        self._document, self._tour, self._picture = document, tour, picture
        self._sight, self._face_type = Sight(self.hand, window_size), face_type
        self._note, self._typed, self._shows_help = "", "", False
        self._moves = {
            "q": self._finish, "h": self._toggle_help, "z": self._toggle_enlarged,
            ",": partial(self._step, -1), ".": partial(self._step, 1),
            "home": partial(self.go, tour[0]), "end": partial(self.go, tour[-1]),
            "u": self._undo, "r": self._redo}
        self._edits = {
            "enter": self._accept, "space": self._skip, "n": self._begin_face,
            "tab": self.hand.choose_next, "x": self._remove, "c": partial(self._copy, -1),
            "v": partial(self._copy, 1), "i": self._interpolate, "a": self.hand.toggle_accurate,
            "+": partial(self.hand.resize, 1), "-": partial(self.hand.resize, -1),
            "escape": self.hand.settle}

    def start(self) -> None:
        """Shows the first frame that nobody has decided on, or the first of all."""
        self.go(next((number for number in self._tour
                      if not self._document.state(number).is_done), self._tour[0]))

    def go(self, number: int) -> None:
        """Shows a frame."""
        self.number = number
        self._shown = self._picture(number)
        self._note, self._typed = self._shown.problem, ""
        self._sight.enter(self._shown.image.shape[:2])
        self.hand.enter(number, self._shown.image)
        self.needs_drawing = True

    def press(self, key: str | None) -> None:
        """Does what a key is for."""
        if key is None:
            return
        key = LETTERS.get(key.lower(), key.lower())
        if self._is_typing(key):
            return
        action = self._moves.get(key) or (not self._shown.problem and self._edits.get(key))
        if action:
            self._note = self._shown.problem
            action()
            self.needs_drawing = True

    def mouse(self, event: MouseEvent) -> None:
        """Does what the mouse asks for; places in pixels of the whole picture."""
        self._sight.pointer = event.x, event.y - STRIP_HEIGHT
        self.needs_drawing = True
        if self._shown.problem:
            return
        point = self._sight.point()
        if event.kind != "move":
            self._note = ""
        if event.kind == "move":
            self.hand.move(point)
        elif event.kind == "wheel":
            self.hand.resize(event.steps)
        elif event.kind == "left up":
            self.hand.release(point)
        elif not self._sight.is_inside:  # in the strip of text
            return
        elif event.kind == "left down":
            self._press_left(point)
        elif event.kind == "right down":
            self.hand.draw(point)

    def tick(self) -> None:
        """Finds the landmarks where the square is now; call it once for all events at hand."""
        if not self._shown.problem:
            self.hand.look()

    def scene(self) -> Scene:
        """What there is to show now."""
        self.needs_drawing = False
        hand = self.hand
        has_square = hand.mode is Mode.SQUARE and not self._shown.problem
        return Scene(
            self._shown.image, self._sight.view(),
            title=title(self._document, self._tour, self.number), status=status(hand),
            hint=HINTS[hand.mode.value],
            note=f"go to frame {self._typed}" if self._typed else self._note,
            faces=hand.faces, chosen=hand.chosen, held=hand.held,
            square=hand.square.box if has_square else None, marked=self._sight.marked(),
            face_type=self._face_type, shows_help=self._shows_help)

    def _press_left(self, point: Point) -> None:
        was_square = self.hand.mode is Mode.SQUARE
        self._note = self.hand.press(point, self._sight.reach)
        if self.hand.mode is Mode.SQUARE and not was_square:
            self._sight.hold_square()

    # -- what keys do ---------------------------------------------------------------------------

    def _is_typing(self, key: str) -> bool:
        """Takes the digits of a frame's number and the keys that end it."""
        if len(key) == 1 and key in "0123456789":
            self._typed += key
        elif self._typed and key == "backspace":
            self._typed = self._typed[:-1]
        elif self._typed and key == "enter":
            self._go_to_typed()
        elif self._typed and key == "escape":
            self._typed = ""
        else:
            self._typed = ""
            return False
        self.needs_drawing = True
        return True

    def _go_to_typed(self) -> None:
        wanted, self._typed = self._typed, ""
        numbers = {frame.index + 1: number for number, frame in enumerate(self._document.frames)}
        if int(wanted) in numbers:
            self.go(numbers[int(wanted)])
        else:
            self._note = f"there is no frame {wanted}; the last one is {max(numbers)}"

    def _step(self, step: int) -> None:
        place = (bisect.bisect_right(self._tour, self.number) if step > 0
                 else bisect.bisect_left(self._tour, self.number) - 1)
        if 0 <= place < len(self._tour):
            self.go(self._tour[place])
        else:
            self.hand.settle()
            self._note = "this is the last frame; q finishes" if step > 0 else (
                "this is the first frame")

    def _accept(self) -> None:
        problem = self.hand.place()
        if problem:
            self._note = problem
            return
        self._document.accept(self.number)
        self._step(1)

    def _skip(self) -> None:
        n_faces = len(self.hand.faces)
        self._document.set_faces(self.number, ())
        self.hand.settle()
        self._step(1)
        if n_faces:
            self._note = f"{count(n_faces, 'face')} removed; u brings them back"

    def _begin_face(self) -> None:
        self.hand.follow(None)
        if self._sight.is_inside:
            self.hand.move(self._sight.point())

    def _remove(self) -> None:
        if not self.hand.remove():
            self._note = "there is no locked face to remove"

    def _copy(self, step: int) -> None:
        source = self._nearest(step)
        if source is None:
            self._note = f"no frame {'before' if step < 0 else 'behind'} this one has a face"
            return
        self._take(copied(self._document.faces(source)), f"taken from {self._name(source)}")

    def _interpolate(self) -> None:
        before, after = self._nearest(-1), self._nearest(1)
        if before is None or after is None:
            self._note = "there must be a frame with a face on both sides"
            return
        here, first, last = (self._document.frames[number].index
                             for number in (self.number, before, after))
        faces = interpolated(self._document.faces(before), self._document.faces(after),
                             (here - first) / (last - first))
        self._take(faces, f"between {self._name(before)} and {self._name(after)}")

    def _nearest(self, step: int) -> int | None:
        return nearest_with_faces(self.number, step, len(self._document.frames),
                                  self._document.faces)

    def _take(self, faces: Sequence, note: str) -> None:
        self._document.set_faces(self.number, faces)
        self.hand.settle()
        self._note = note

    def _undo(self) -> None:
        self._show_edit(self._document.undo(), "undone", "there is nothing to undo")

    def _redo(self) -> None:
        self._show_edit(self._document.redo(), "made again", "there is nothing to make again")

    def _show_edit(self, number: int | None, note: str, otherwise: str) -> None:
        if number is not None:
            self.go(number)
        self._note = otherwise if number is None else note

    def _toggle_enlarged(self) -> None:
        self._sight.is_enlarged = not self._sight.is_enlarged

    def _toggle_help(self) -> None:
        self._shows_help = not self._shows_help

    def _finish(self) -> None:
        self.is_finished = True

    def _name(self, number: int) -> str:
        return self._document.frames[number].name
