"""Asking for the value of an option: on a console, silently, or from a prepared list."""

import sys
from collections.abc import Mapping
from typing import Any, Protocol, TextIO

from core.errors import OptionError
from core.option_spec import OptionSpec


class Prompter(Protocol):
    """Whoever answers questions about options."""

    def ask(self, spec: OptionSpec, current: Any) -> Any:
        """Returns a checked value; `current` is what holds if the user has no wish."""


class SilentPrompter:
    """Asks nobody: the current value stays."""

    def ask(self, spec: OptionSpec, current: Any) -> Any:
        """Returns `current`."""
        return current


class ScriptedPrompter:
    """Answers from a prepared table; for scripts and tests.

    Attributes:
        asked: Names of the options asked so far, in order.
    """

    def __init__(self, answers: Mapping[str, Any]):
        self.answers = dict(answers)
        self.asked: list[str] = []

    def ask(self, spec: OptionSpec, current: Any) -> Any:
        """Returns the prepared answer, or `current` if there is none or it is an empty word.

        Raises:
            OptionError: The prepared answer is outside the option's domain.
        """
        self.asked.append(spec.name)
        answer = self.answers.get(spec.name, "")
        return current if answer == "" else spec.parse(answer)


class ConsolePrompter:
    """Asks on a console, one line per question.

    Layout: `[current] Text ( domain ?:help ) : `. An empty line or the end of the input keeps the
    current value; `?` prints the help; an answer outside the domain is asked again.
    """

    def __init__(self, stdin: TextIO | None = None, stdout: TextIO | None = None):
        self._stdin = stdin
        self._stdout = stdout

    def ask(self, spec: OptionSpec, current: Any) -> Any:
        """Returns a value of the option's domain."""
        while True:
            print(prompt_line(spec, current), end="", flush=True, file=self._output())
            line = self._input().readline()
            if not line:
                print(file=self._output())  # end of input: the cursor still stands on the prompt
            answer = line.strip()
            if not answer:
                return current
            if answer == "?":
                print(spec.help, file=self._output())
                continue
            try:
                return spec.parse(answer)
            except OptionError as error:
                print(f"{spec.title} {error}", file=self._output())

    # Looked up late: the console may be redirected after this object was made.
    def _input(self) -> TextIO:
        return self._stdin or sys.stdin

    def _output(self) -> TextIO:
        return self._stdout or sys.stdout


def prompt_line(spec: OptionSpec, current: Any) -> str:
    """The question as one line, ready for the answer behind it."""
    facts = " ".join(part for part in (spec.domain(), "?:help" if spec.help else "") if part)
    hint = f" ( {facts} )" if facts else ""
    return f"[{spec.format(current)}] {spec.title}{hint} : "
