"""One sitting: from the journals of an extraction to the window and back."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from core.frames import FrameSource
from core.window import PictureWindow
from facelib.face_type import FaceType
from mainscripts.extraction.journals import Journals
from mainscripts.extraction.options import ExtractOptions
from mainscripts.extraction.records import FoundFrame
from mainscripts.manual.document import Document, FrameState
from mainscripts.manual.hand import Look
from mainscripts.manual.reading import FrameReader
from mainscripts.manual.session import Session, Shown
from mainscripts.manual.tour import Task, choose_frames
from mainscripts.manual.window import make_window, run_window

_UNREADABLE_SIZE = 360, 640


class Sitting(NamedTuple):
    """What came of it.

    `looked_at`: frames that were to be decided on; `undecided`: names of those that still are;
    `failed`: frame name -> why it cannot be read.
    """

    looked_at: int
    undecided: list[str]
    failed: dict[str, str]


def edit_by_hand(task: Task, source: FrameSource, options: ExtractOptions, journals: Journals,
                 open_look: Callable[[], Look],
                 window: Callable[[], PictureWindow] = make_window) -> Sitting:
    """Opens the window on the frames of a task that are left, if there are any.

    Args:
        task: Which frames.
        source: All frames.
        options: Of the extraction.
        journals: Say what is known, and take every edit at once.
        open_look: Builds what finds landmarks.
        window: Makes the window.

    Raises:
        DeviceError: No window can be opened.
    """
    tour = choose_frames(task, source.frames, journals, options)
    document = _document(task, source, journals, reader := FrameReader(source))
    if _undecided(document, tour) or task is Task.ALL:
        session = Session(document, tour, lambda number: _shown(reader, source, number),
                          open_look(), window_size=options.manual_window_size,
                          face_type=FaceType.parse(options.face_type))
        try:
            run_window(session, window())
        finally:
            reader.close()
    return Sitting(len(tour), _undecided(document, tour), reader.failed)


def _document(task: Task, source: FrameSource, journals: Journals,
              reader: FrameReader) -> Document:
    def load(number: int) -> FrameState:
        frame = source.frames[number]
        is_done = journals.is_pending(frame) if task is Task.DELETED_DEBUG else (
            journals.is_decided(frame))
        return FrameState(tuple(journals.faces_left(frame)), is_done)

    def note(number: int, state: FrameState) -> None:
        faces = sorted(state.faces, key=lambda face: face.area, reverse=True)
        journals.note_by_hand(source.frames[number],
                              FoundFrame(reader.signature(number), faces), state.is_done)

    return Document(source.frames, load, note)


def _shown(reader: FrameReader, source: FrameSource, number: int) -> Shown:
    image = reader.picture(number)
    if image is not None:
        return Shown(image)
    reason = reader.failed[source.frames[number].name]
    return Shown(np.zeros((*_UNREADABLE_SIZE, 3), np.uint8), f"cannot be read: {reason}")


def _undecided(document: Document, tour: Sequence[int]) -> list[str]:
    return [document.frames[number].name for number in tour
            if not document.state(number).is_done]
