"""A line that a user types into the window."""

from collections.abc import Callable, Sequence

_LONGEST = 60


class Field:
    """What is asked for, and what has been typed so far.

    Attributes:
        question: Of the user.
        text: The answer so far.
        is_open: False once it has been answered or given up.
    """

    def __init__(self, question: str, accept: Callable[[str], None], known: Sequence[str] = ()):
        """
        Args:
            question: What to show before the answer.
            accept: Takes the answer.
            known: Answers that Tab completes.
        """
        self.question, self.text, self.is_open = question, "", True
        self._accept, self._known = accept, known

    def press(self, key: str) -> None:
        """Takes a key."""
        if key == "escape":
            self.is_open = False
        elif key == "enter":
            self.is_open = False
            if self.text.strip():
                self._accept(self.text.strip())
        elif key == "backspace":
            self.text = self.text[:-1]
        elif key == "tab":
            self.text = self._completed()
        elif key == "space" or len(key) == 1:
            self.text = (self.text + (" " if key == "space" else key))[:_LONGEST]

    def _completed(self) -> str:
        """The next of the known answers that begin as what was typed."""
        fitting = [name for name in self._known if name.startswith(self.text)]
        if self.text in self._known and len(fitting) < 2:
            fitting = list(self._known)
        if not fitting:
            return self.text
        place = fitting.index(self.text) + 1 if self.text in fitting else 0
        return fitting[place % len(fitting)]
