"""How it stands with each frame: done, on its way, out of date, failed. Knows no window."""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from core.frames import Frame
from mainscripts.merging.journal import MergeJournal
from mainscripts.merging.write import FrameWriter
from mainscripts.merging_window.document import Document
from mainscripts.merging_window.tasks import Merged
from merger.options import MergeOptions


class State(IntEnum):
    """Of a frame. Where several share a pixel of the timeline, the highest is shown."""

    DONE = 0
    NOT_DONE = 1
    STALE = 2
    WORKING = 3
    FAILED = 4


class Failure(NamedTuple):
    """A frame could not be merged with `options`, for a `reason`."""

    options: MergeOptions
    reason: str


class States:
    """What is on disk, what is being made, and what the journal says of it.

    Attributes:
        working: Numbers of the frames that are being merged or written.
    """

    def __init__(self, document: Document, journal: MergeJournal, writer: FrameWriter):
        """
        Args:
            document: How the frames are to be merged.
            journal: Says how they were.
            writer: Knows which files there are.
        """
        self.working: set[int] = set()
        self._document, self._journal, self._writer = document, journal, writer
        self._failures: dict[int, Failure] = {}
        self._made: list[MergeOptions | None] = []
        self._has_file: list[bool] = []

    def read(self) -> None:
        """Finds out what earlier runs left."""
        for number, frame in enumerate(self._frames):
            made, wanted = self._journal.made_with(frame), self._document.options(number)
            # The same object where they are equal, as the timeline compares all of them often.
            self._made.append(wanted if made == wanted else made)
            self._has_file.append(self._writer.is_there(frame))

    def of(self, number: int) -> State:
        """The state of a frame."""
        if number in self.working:
            return State.WORKING
        if self.is_done(number):
            return State.DONE
        if self.failure(number) is not None:
            return State.FAILED
        return State.STALE if self._has_file[number] else State.NOT_DONE

    def is_done(self, number: int) -> bool:
        """Whether the file of a frame is as wanted."""
        made, wanted = self._made[number], self._document.options(number)
        return made is wanted or made == wanted

    def made(self, number: int) -> MergeOptions | None:
        """What the file of a frame was made with; None if there is none that counts."""
        return self._made[number]

    def has_file(self, number: int) -> bool:
        """Whether there is any file of a frame."""
        return self._has_file[number]

    def failure(self, number: int) -> Failure | None:
        """Why a frame cannot be merged as wanted; None if nobody knows that it cannot."""
        failure = self._failures.get(number)
        is_it = failure is not None and failure.options == self._document.options(number)
        return failure if is_it else None

    def is_left(self, number: int) -> bool:
        """Whether something has to be done for a frame, and can be."""
        return not self.is_done(number) and self.failure(number) is None

    def all(self) -> np.ndarray:
        """(N,) uint8, the `State` of every frame."""
        return np.fromiter(map(self.of, range(len(self._frames))), np.uint8, len(self._frames))

    def count_done(self) -> int:
        """How many frames are as wanted."""
        return sum(map(self.is_done, range(len(self._frames))))

    def failures(self) -> list[tuple[str, str]]:
        """(frame name, reason) of the frames that cannot be merged as wanted."""
        return [(frame.name, failure.reason) for number, frame in enumerate(self._frames)
                if (failure := self.failure(number)) is not None]

    def replace(self, number: int) -> None:
        """The file of a frame is about to be replaced."""
        self._journal.forget(self._frames[number])
        self._made[number] = None

    def take(self, merged: Merged) -> None:
        """The file of a frame has been written."""
        self._journal.add(self._frames[merged.number], merged.n_faces, merged.options)
        self._made[merged.number] = merged.options
        self._has_file[merged.number] = True
        self._failures.pop(merged.number, None)

    def fail(self, number: int, options: MergeOptions, reason: str) -> None:
        """A frame could not be merged."""
        self._failures[number] = Failure(options, reason)

    @property
    def _frames(self) -> Sequence[Frame]:
        return self._document.frames
