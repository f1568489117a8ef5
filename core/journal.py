"""What a long job has finished, so that it can go on after any interruption."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.errors import UsageError
from core.paths import atomic_write


class Journal:
    """A file of JSON lines: a header that says what the job is, then a line for each item done.

    A line is written when the item's own files are complete, so an item without a line is simply
    done again. A last line cut off by a crash does not count.

    Attributes:
        done: Item -> what was noted about it.
    """

    def __init__(self, path: Path, header: Mapping[str, Any], *, replace: bool = False,
                 discard: Callable[[Mapping[str, Any]], None] | None = None):
        """Opens the journal of a job, or begins it.

        Args:
            path: The file; its folder exists.
            header: What makes results of two runs interchangeable; JSON values.
            replace: Whether to begin anew where the file belongs to another job.
            discard: Removes what the other job made; gets its `done` before that is forgotten.

        Raises:
            UsageError: The file belongs to another job; it is left as it is.
        """
        self.path = path
        self._header = json.loads(json.dumps(header))
        lines = _whole_lines(path)
        if lines and lines[0] != self._header:
            if not replace:
                raise UsageError(f"{path.parent}: holds the results of another run "
                                 f"({_differences(lines[0], self._header)}); choose another "
                                 "folder, or give --overwrite to replace them")
            if discard is not None:
                discard(_by_item(lines))
            lines = []
        self.done = _by_item(lines)
        _rewrite(path, [self._header, *self.done.values()])
        self._file = open(path, "a", encoding="utf-8")

    def add(self, item: str, **noted: Any) -> None:
        """Notes that an item is done."""
        self.done[item] = {"item": item, **noted}
        self._file.write(json.dumps(self.done[item]) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Closes the file; `done` stays."""
        self._file.close()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _whole_lines(path: Path) -> list[dict]:
    if not path.exists():
        return []
    lines = []
    for line in path.read_bytes().split(b"\n")[:-1]:
        try:
            content = json.loads(line)
        except ValueError:
            content = None
        if not isinstance(content, dict) or (lines and "item" not in content):
            break  # what follows a damaged line cannot be trusted
        lines.append(content)
    return lines


def _by_item(lines: list[dict]) -> dict[str, Any]:
    return {line["item"]: line for line in lines[1:]}


def _rewrite(path: Path, lines: list[dict]) -> None:
    """Drops a torn tail, so that what is appended starts on a line of its own."""
    text = "".join(json.dumps(line) + "\n" for line in lines)
    if not path.exists() or path.read_bytes() != text.encode():
        atomic_write(path, text.encode())


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return ", ".join(f"{name} {old.get(name)!r} instead of {new.get(name)!r}" for name in names)
