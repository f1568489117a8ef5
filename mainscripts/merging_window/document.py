"""The settings of all frames as a person edits them, with undo. Knows no window."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from core.frames import Frame
from mainscripts.merging.frame_settings import FrameSettings, SettingsFile, WindowState
from merger.options import MergeOptions

Save = Callable[[FrameSettings, WindowState], None]


class _Edit(NamedTuple):
    """`at`: number of the frame shown; the others: frame number -> its own options or None."""

    at: int
    before: Mapping[int, MergeOptions | None]
    after: Mapping[int, MergeOptions | None]


class Document:
    """Options of frames by number, from 0; a frame without any does as the frame before it.

    Every edit is saved before the next one can be made. The first frame always has options.

    Attributes:
        frames: In order.
        at: Number of the frame shown; saved with the next edit or `save`.
    """

    def __init__(self, frames: Sequence[Frame], begun: SettingsFile, save: Save):
        """
        Args:
            frames: In order.
            begun: What an earlier sitting left, or `beginning`.
            save: Keeps all of it.
        """
        self.frames = frames
        numbers = {frame.name: number for number, frame in enumerate(frames)}
        self.at = numbers.get(begun.window.frame, 0)
        self._base, self._save = begun.settings.base, save
        self._own: list[MergeOptions | None] = [
            None if frame.name in begun.window.following else begun.settings.of(frame)
            for frame in frames]
        self._own[0] = begun.settings.of(frames[0])
        self._options = _inherited(self._own)
        self._edits: list[_Edit] = []
        self._undone: list[_Edit] = []
        self._is_saved = True

    def options(self, number: int) -> MergeOptions:
        """How a frame is merged."""
        return self._options[number]

    def base(self) -> MergeOptions:
        """What most frames began with."""
        return self._base

    def has_own(self, number: int) -> bool:
        """Whether a frame keeps its options when those before it change."""
        return self._own[number] is not None

    def set(self, number: int, options: MergeOptions) -> None:
        """Gives one frame options."""
        self._change({number: options})

    def copy(self, number: int, targets: Sequence[int]) -> None:
        """Gives other frames the options of one, whatever they have."""
        self._change({target: self._options[number] for target in targets})

    def clear_after(self, number: int) -> None:
        """Lets all frames behind one do as it does."""
        self._change({other: None for other in range(number + 1, len(self.frames))})

    def reach(self, number: int) -> None:
        """A frame that is worked on keeps what it has from the one before; no edit."""
        if self._own[number] is None:
            self._own[number] = self._options[number]
            self._is_saved = False

    def undo(self) -> int | None:
        """Takes the last edit back; gives the number of the frame it was made at, or None."""
        return self._step(self._edits, self._undone, lambda edit: edit.before)

    def redo(self) -> int | None:
        """Makes the edit that was undone last again; gives its frame's number, or None."""
        return self._step(self._undone, self._edits, lambda edit: edit.after)

    def settings(self) -> FrameSettings:
        """What a batch run does with these frames."""
        own = {frame.name: options for frame, options in zip(self.frames, self._options)
               if options != self._base}
        return FrameSettings(self._base, own)

    def window(self) -> WindowState:
        """What the next sitting begins with."""
        following = frozenset(frame.name for frame, own in zip(self.frames, self._own)
                              if own is None)
        return WindowState(self.frames[self.at].name, following)

    def save(self) -> None:
        """Keeps what has not been kept."""
        if self._is_saved:
            return
        self._save(self.settings(), self.window())
        self._is_saved = True

    def go(self, number: int) -> None:
        """Shows another frame."""
        self._is_saved = self._is_saved and number == self.at
        self.at = number

    def _change(self, wanted: Mapping[int, MergeOptions | None]) -> None:
        after = {number: own for number, own in wanted.items() if own != self._own[number]}
        if not after:
            return
        before = {number: self._own[number] for number in after}
        self._edits.append(_Edit(self.at, before, after))
        self._undone.clear()
        self._put(after)

    def _put(self, values: Mapping[int, MergeOptions | None]) -> None:
        for number, own in values.items():
            self._own[number] = own
        self._options = _inherited(self._own)
        self._is_saved = False
        self.save()

    def _step(self, source: list[_Edit], target: list[_Edit],
              wanted: Callable[[_Edit], Mapping[int, MergeOptions | None]]) -> int | None:
        if not source:
            return None
        edit = source.pop()
        target.append(edit)
        self._put(wanted(edit))
        return edit.at


def beginning(frames: Sequence[Frame], base: MergeOptions) -> SettingsFile:
    """Where nobody has set anything: all frames do as the first."""
    following = frozenset(frame.name for frame in frames[1:])
    return SettingsFile(FrameSettings(base), WindowState(None, following))


def _inherited(own: Sequence[MergeOptions | None]) -> list[MergeOptions]:
    """Options of every frame, those that follow included."""
    options, last = [], own[0]
    for value in own:
        last = last if value is None else value
        options.append(last)
    return options
