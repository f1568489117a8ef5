"""The frames of an extraction with their faces, as a person edits them. Knows no window."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from core.frames import Frame
from facelib.types import FoundFace

HAND_SCORE = 1.0
"""Confidence of a face that a person set or corrected."""


class FrameState(NamedTuple):
    """One frame: its `faces`, and whether a person has decided on it (`is_done`).

    Never changed in place, so that earlier states can come back.
    """

    faces: tuple[FoundFace, ...] = ()
    is_done: bool = False


class _Edit(NamedTuple):
    number: int
    before: FrameState
    after: FrameState


class Document:
    """All frames by number, from 0, with edits that can be undone.

    Every edit is noted before the next one can be made; an edited frame counts as decided.

    Attributes:
        frames: In order.
    """

    def __init__(self, frames: Sequence[Frame], load: Callable[[int], FrameState],
                 note: Callable[[int, FrameState], None]):
        """
        Args:
            frames: In order.
            load: Gives what is known of a frame at first.
            note: Keeps the new state of a frame for good.
        """
        self.frames = frames
        self._load = load
        self._note = note
        self._states: dict[int, FrameState] = {}
        self._undone: list[_Edit] = []
        self._edits: list[_Edit] = []

    def state(self, number: int) -> FrameState:
        """How a frame is now."""
        if number not in self._states:
            self._states[number] = self._load(number)
        return self._states[number]

    def faces(self, number: int) -> tuple[FoundFace, ...]:
        """The faces of a frame."""
        return self.state(number).faces

    def set_faces(self, number: int, faces: Sequence[FoundFace]) -> None:
        """Gives a frame these faces, and decides on it."""
        self._change(number, FrameState(tuple(faces), True))

    def add_face(self, number: int, face: FoundFace) -> int:
        """Adds a face; returns its index."""
        self.set_faces(number, (*self.faces(number), face))
        return len(self.faces(number)) - 1

    def replace_face(self, number: int, index: int, face: FoundFace) -> None:
        """Puts a face in the place of another.

        Raises:
            IndexError: The frame has no such face.
        """
        faces = list(self.faces(number))
        faces[index] = face
        self.set_faces(number, faces)

    def remove_face(self, number: int, index: int) -> None:
        """Takes a face away.

        Raises:
            IndexError: The frame has no such face.
        """
        faces = list(self.faces(number))
        del faces[index]
        self.set_faces(number, faces)

    def accept(self, number: int) -> None:
        """Decides on a frame as it is."""
        self._change(number, self.state(number)._replace(is_done=True))

    def undo(self) -> int | None:
        """Takes the last edit back; returns the number of its frame, or None without one."""
        return self._step(self._edits, self._undone, lambda edit: edit.before)

    def redo(self) -> int | None:
        """Makes the edit that was undone last again; returns the number of its frame, or None."""
        return self._step(self._undone, self._edits, lambda edit: edit.after)

    def _change(self, number: int, state: FrameState) -> None:
        before = self.state(number)
        if state == before:
            return
        self._keep(number, state)
        self._edits.append(_Edit(number, before, state))
        self._undone.clear()

    def _step(self, source: list[_Edit], target: list[_Edit],
              wanted: Callable[[_Edit], FrameState]) -> int | None:
        if not source:
            return None
        edit = source[-1]
        self._keep(edit.number, wanted(edit))
        target.append(source.pop())
        return edit.number

    def _keep(self, number: int, state: FrameState) -> None:
        self._note(number, state)  # first: what could not be noted has not happened
        self._states[number] = state


def with_landmark(face: FoundFace, landmark: int, point: np.ndarray) -> FoundFace:
    """A face with one landmark elsewhere.

    Args:
        face: Stays as it is.
        landmark: 0 to 67.
        point: (2,) float x, y, pixels of the frame.
    """
    landmarks = face.landmarks.copy()
    landmarks[landmark] = point
    return replace(face, landmarks=landmarks, score=HAND_SCORE)
