"""A clean stop on Ctrl-C or a polite kill."""

import signal


class StopRequest:
    """While inside, the first SIGINT or SIGTERM only sets `requested`; a second one interrupts.

    Outside of the main thread, where signals cannot be caught, nothing changes.

    Attributes:
        requested: Whether somebody asked to stop.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self):
        self.requested = False
        self._former = {}

    def __enter__(self) -> "StopRequest":
        self.requested = False
        for number in self.SIGNALS:
            try:
                self._former[number] = signal.signal(number, self._note)
            except ValueError:  # not the main thread
                break
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: object) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
