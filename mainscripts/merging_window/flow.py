"""Which frames are worked on and what comes of them, while a person goes through them."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mainscripts.merging_window.document import Document
from mainscripts.merging_window.states import States
from mainscripts.merging_window.tasks import Merged, Refused
from mainscripts.merging_window.work import Backstage, Loaded, Outcome, Written
from merger.options import MergeOptions

AHEAD = 12
"""Frames after the one shown whose faces are swapped before anybody asks."""

MOST_AT_ONCE = 6
"""Frames that are being merged or written."""

_KEPT_PICTURES = 16
_SAVE_SECONDS = 1.0
"""How often it is saved which frame is shown; what a person sets is saved at once."""


class Shown(NamedTuple):
    """A result to look at, and the options it was made with; `mask` is None if it was not kept."""

    image: np.ndarray
    mask: np.ndarray | None
    options: MergeOptions


class Flow:
    """From frame to frame. Call `tick` again and again; nothing here waits.

    Attributes:
        is_running: Whether it goes on by itself to the last frame.
        note: What happened, for the user; whoever shows it takes it away.
    """

    def __init__(self, document: Document, states: States, work: Backstage,
                 clock: Callable[[], float] = time.monotonic):
        """
        Args:
            document: How the frames are to be merged.
            states: How it stands with them.
            work: Does it.
            clock: Seconds that only grow.
        """
        self.is_running, self.note = False, ""
        self._document, self._states, self._work, self._clock = document, states, work, clock
        self._queue: dict[int, None] = {}
        self._sent: dict[int, MergeOptions] = {}
        self._writing: dict[int, int] = {}
        self._shown: OrderedDict[int, Shown] = OrderedDict()
        self._is_ending, self._saved_at = False, clock()

    @property
    def is_settled(self) -> bool:
        """Whether nothing is on its way, or after `end` nothing that has begun."""
        return not self._work.is_busy and (self._is_ending or not self._states.working)

    def shown(self, number: int) -> Shown | None:
        """The newest result of a frame, if it is at hand."""
        return self._shown.get(number)

    def go(self, number: int) -> None:
        """Comes to a frame."""
        self._reach(number)
        if self._states.is_left(number):
            self._queue[number] = None
        elif self._states.is_done(number) and number not in self._shown:
            self._work.load(number)

    def run(self, is_running: bool) -> None:
        """Goes on by itself from now on, or no longer."""
        self.is_running = is_running

    def end(self) -> None:
        """Begins nothing new."""
        self.is_running, self._is_ending = False, True
        self._queue.clear()
        self._work.give_up()

    def tick(self) -> bool:
        """Takes results and hands out work; tells whether there is anything new to see."""
        outcomes = self._work.poll()
        for outcome in outcomes:
            self._take(outcome)
        before = self._document.at
        if not self._is_ending:
            if self.is_running:
                self._run_on()
            self._hand_out()
        self._work.hand_out()
        if self._clock() - self._saved_at >= _SAVE_SECONDS:
            self._document.save()
            self._saved_at = self._clock()
        return bool(outcomes) or self._document.at != before

    def _take(self, outcome: Outcome) -> None:
        {Merged: self._take_merged, Written: self._take_written, Loaded: self._take_loaded,
         Refused: self._take_refused}[type(outcome)](outcome)

    def _take_merged(self, merged: Merged) -> None:
        number = merged.number
        self._show(number, Shown(merged.picture.image, merged.picture.mask, merged.options))
        if merged.options == self._document.options(number):
            self._states.replace(number)
            self._writing[number] = self._writing.get(number, 0) + 1
            self._work.write(merged)
        elif merged.options == self._sent.get(number):
            self._settle(number)  # changed meanwhile, so it comes again

    def _take_written(self, written: Written) -> None:
        number = written.number
        self._writing[number] -= 1
        if self._writing[number]:
            return  # another one is on its way into the same file
        del self._writing[number]
        self._states.take(written.merged)
        if written.merged.options == self._sent.get(number):
            self._settle(number)

    def _take_loaded(self, loaded: Loaded) -> None:
        made = self._states.made(loaded.number)
        if loaded.image is not None and made is not None:
            self._show(loaded.number, Shown(loaded.image, loaded.mask, made))
        elif not self._is_ending:
            self._states.replace(loaded.number)
            self._queue[loaded.number] = None

    def _take_refused(self, refused: Refused) -> None:
        number = refused.number
        if refused.options != self._sent.get(number):
            return
        self._states.fail(number, refused.options, refused.reason)
        self._settle(number)
        if refused.image is not None and not self._states.has_file(number):
            self._work.write_as_it_came(number, refused.image)

    def _settle(self, number: int) -> None:
        self._states.working.discard(number)
        self._sent.pop(number, None)

    def _show(self, number: int, shown: Shown) -> None:
        self._shown[number] = shown
        self._shown.move_to_end(number)
        if len(self._shown) > _KEPT_PICTURES:
            self._shown.popitem(last=False)

    def _reach(self, number: int) -> None:
        self._document.go(number)
        self._document.reach(number)

    def _run_on(self) -> None:
        """Goes to the next frame that is not done, and has those behind it begun."""
        at, end = self._document.at, len(self._document.frames)
        while at < end - 1 and not self._states.is_left(at) and at not in self._sent:
            at += 1
            self._reach(at)
        if at == end - 1 and not self._states.is_left(at):
            self.is_running = False
            self.note = "the last frame is done"
            self.go(at)
        for number in range(at, min(at + MOST_AT_ONCE, end)):
            self._document.reach(number)
            self._queue[number] = None

    def _hand_out(self) -> None:
        at = self._document.at
        for number in [at, *(number for number in self._queue if number != at)]:
            wanted = self._document.options(number)
            if number in self._sent:
                if self._sent[number] != wanted:
                    self._send(number, wanted)
            elif not self._states.is_left(number):
                self._queue.pop(number, None)
            elif len(self._sent) < MOST_AT_ONCE:
                self._send(number, wanted)
        ahead = [*range(at + 1, min(at + 1 + AHEAD, len(self._document.frames))),
                 *range(max(at - 1, 0), at)]
        self._work.prepare([(number, self._document.options(number)) for number in ahead])

    def _send(self, number: int, options: MergeOptions) -> None:
        self._sent[number] = options
        self._states.working.add(number)
        self._work.submit(number, options)
