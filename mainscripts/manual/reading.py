"""Pictures of frames by number: forwards at the speed of the source, anywhere else by seeking."""

from collections import OrderedDict
from collections.abc import Iterator

import numpy as np

from core.frames import Frame, FrameSource, Load
from core.pipeline import FRAME_ERRORS, Failed
from core.shots import signature

N_KEPT = 8
"""Pictures in memory."""

_MOST_SKIPPED = 30
"""Frames; further on it is faster to seek than to read what lies between."""


class FrameReader:
    """Reads the frames of a source as they are asked for.

    Attributes:
        failed: Frame name -> why it cannot be read.
    """

    def __init__(self, source: FrameSource):
        self.failed: dict[str, str] = {}
        self._source = source
        self._kept: OrderedDict[int, np.ndarray] = OrderedDict()
        self._signatures: dict[int, np.ndarray] = {}
        self._coming: Iterator[tuple[str, tuple[Frame, Load] | Failed]] = iter(())
        self._next = len(source.frames)

    def picture(self, number: int) -> np.ndarray | None:
        """(H, W, 3) uint8 BGR; None where it cannot be read, with the reason in `failed`."""
        if number not in self._kept:
            image = self._read(number)
            if image is None:
                return None
            self._kept[number] = image
            self._signatures[number] = signature(image)
            if len(self._kept) > N_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(number)
        return self._kept[number]

    def signature(self, number: int) -> np.ndarray | None:
        """(9, 16, 3) uint8 of a picture, see `core.shots`; None where it cannot be read."""
        if number not in self._signatures:
            self.picture(number)
        return self._signatures.get(number)

    def close(self) -> None:
        """Lets go of the source."""
        if hasattr(self._coming, "close"):
            self._coming.close()

    def _read(self, number: int) -> np.ndarray | None:
        name = self._source.frames[number].name
        try:
            outcome = self._outcome(number)
            if isinstance(outcome, Failed):
                raise outcome.error
            return outcome[1]()
        except FRAME_ERRORS as error:
            self.failed[name] = Failed(name, error).reason
            return None

    def _outcome(self, number: int) -> tuple[Frame, Load] | Failed:
        frames = self._source.frames
        if not self._next <= number <= self._next + _MOST_SKIPPED:
            self.close()
            self._coming, self._next = self._source.read(frames[number:]), number
        wanted = frames[number].name
        for name, outcome in self._coming:
            self._next += 1
            if name == wanted:
                return outcome
        self._next = len(frames)
        raise OSError(f"{wanted} is missing in {self._source.path}")
