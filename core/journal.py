"""What a long job has finished, so that it can go on after any interruption."""

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from core.errors import UsageError
from core.folder_lock import FolderLock
from core.paths import atomic_write, remove_parts


class Journal:
    """A file of JSON lines: a header that says what the job is, then a line for each item done.

    A line is written when the item's own files are complete, so an item without a line is simply
    done again. A last line cut off by a crash does not count. While the journal is open its folder
    is locked, and what a killed run left unfinished there is removed.

    Attributes:
        done: Item -> what was noted about it.
    """

    def __init__(self, path: Path, header: Mapping[str, Any], *, replace: bool = False,
                 discard: Callable[[Mapping[str, Any]], None] | None = None, lock: bool = True):
        """Opens the journal of a job, or begins it.

        Args:
            path: The file; its folder exists.
            header: What makes results of two runs interchangeable; JSON values.
            replace: Whether to begin anew where the file belongs to another job.
            discard: Removes what the other job made; gets its `done` before that is forgotten.
            lock: False for a second journal in a folder that this process has locked.

        Raises:
            FolderInUse: Another process works on the folder.
            UsageError: The file belongs to another job; it is left as it is.
        """
        self.path = path
        self._header = json.loads(json.dumps(header))
        with ExitStack() as stack:
            if lock:
                stack.enter_context(FolderLock(path.parent))
            self.done = self._begin(replace, discard)
            self._file = stack.enter_context(open(path, "a", encoding="utf-8"))
            self._open = stack.pop_all()  # both stay open until `close`

    def _begin(self, replace: bool,
               discard: Callable[[Mapping[str, Any]], None] | None) -> dict[str, Any]:
        """Makes the file one of this job; returns what is done of it."""
        remove_parts(self.path.parent)
        lines = _whole_lines(self.path)
        if lines and lines[0] != self._header:
            if not replace:
                raise UsageError(f"{self.path.parent}: holds the results of another run "
                                 f"({_differences(lines[0], self._header)}); choose another "
                                 "folder, or give --overwrite to replace them")
            if discard is not None:
                discard(_by_item(lines))
            lines = []
        done = _by_item(lines)
        _rewrite(self.path, [self._header, *done.values()])
        return done

    def add(self, item: str, **noted: Any) -> None:
        """Notes that an item is done."""
        self.done[item] = {"item": item, **noted}
        self._file.write(json.dumps(self.done[item]) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Closes the file and frees the folder; `done` stays."""
        self._open.close()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_header(path: Path) -> dict[str, Any] | None:
    """What a journal is about, without opening it; None if there is none."""
    lines = _whole_lines(path)
    return lines[0] if lines else None


def read_done(path: Path) -> dict[str, Any]:
    """What a journal notes as done, item -> note, without opening it; {} if there is none."""
    return _by_item(_whole_lines(path))


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
