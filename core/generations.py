"""Saved generations of a model: a save is there completely or not at all."""

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from core.errors import CheckpointError
from core.folder_lock import FolderLock
from core.generation_folder import (
    UnreadableGeneration,
    copy_folder,
    no_room_is_disk_full,
    read_folder,
    read_state,
    write_folder,
)
from core.paths import atomic_write, sync_folder

_CURRENT = "CURRENT"
_GENERATION = re.compile(r"gen-([0-9]{6,})")
# Leftovers of killed saves: our own folders, and the file that was to become CURRENT.
_NEW, _OLD = ".part-new-", ".part-old-"
_LEFTOVER = re.compile(r"\.part-((new|old)-gen-[0-9]+|[0-9a-f]{12})")

Result = TypeVar("Result")


class Generation(NamedTuple):
    """One save of a model, read and verified.

    `arrays`: file stem -> name -> array; `state`: as given to `save`, through JSON; `path`: its
    folder; `extras`: file name -> bytes.
    """

    number: int
    arrays: dict[str, dict[str, np.ndarray]]
    state: dict
    path: Path
    extras: dict[str, bytes]


class GenerationStore:
    """A folder that holds the last saves of one model.

    Layout: `gen-000123/{stem.h5, state.json, ...}` and the file `CURRENT`, which names the
    generation in force. A save is written beside them, forced to the disk, renamed, and only then
    named in `CURRENT`; so a crash at any moment leaves a complete generation in force.

    Attributes:
        problems: One line for every generation that had to be skipped and every oddity met, in the
            order they were met. Show them to the user.
    """

    def __init__(self, folder: Path | str, keep: int = 3):
        """Stores the arguments; touches nothing on disk.

        Args:
            folder: The model's folder; made by the first save.
            keep: How many readable generations stay, at least 1.

        Raises:
            ValueError: `keep` is less than 1.
        """
        if keep < 1:
            raise ValueError(f"at least one generation must be kept, not {keep}")
        self.folder = Path(folder)
        self.problems: list[str] = []
        self.keep = keep
        self._lock = FolderLock(self.folder)
        self._unreadable: set[int] = set()

    def lock(self) -> FolderLock:
        """The lock to hold while training: `with store.lock(): ...`. `save` takes it by itself.

        Raises:
            FolderInUse: On entry, when another process trains this model.
        """
        return self._lock

    def save(self, arrays: Mapping[str, Mapping[str, np.ndarray]], state: Mapping,
             extras: Mapping[str, bytes] | None = None) -> Path:
        """Writes the next generation and puts it in force; then removes those beyond `keep`.

        Args:
            arrays: File stem -> name -> numeric array, e.g. {"weights": {"encoder/...": ...}}.
            state: Anything JSON can hold, e.g. iteration and options.
            extras: File name -> bytes, stored beside the arrays, e.g. a preview picture.

        Returns:
            The folder of the new generation.

        Raises:
            DiskFull: There is no room; the generations from before are untouched.
            FolderInUse: Another process is writing this model.
            ValueError, TypeError: A name or value that cannot be stored.
        """
        with no_room_is_disk_full(self.folder), self._lock, self._part_removed_on_error():
            self._remove_leftovers()
            number = max([0, *self.numbers()]) + 1
            part = self.folder / f"{_NEW}{_name(number)}"
            write_folder(part, arrays, state, extras or {})
            self._put_in_force(part, number)
            self._remove_old()
            return self.folder / _name(number)

    def load(self) -> Generation | None:
        """Reads the generation in force, or the newest one that is whole.

        Every fallback is written to `problems`. Needs no lock and writes nothing.

        Returns:
            The generation, or None if nothing was ever saved here.

        Raises:
            CheckpointError: There are generations and none can be read.
        """
        if self._is_empty():
            return None
        number, contents = self._first_readable(read_folder)
        return Generation(number, contents.arrays, contents.state, self.folder / _name(number),
                          contents.extras)

    def glance(self) -> tuple[int, dict] | None:
        """Number and state of the generation that `load` gives, or almost certainly gives.

        Quick: files are only seen to be there, as long as they should be. As `load` does, it
        writes every fallback to `problems`.

        Returns:
            (number, state), or None if nothing was ever saved here.

        Raises:
            CheckpointError: There are generations and none can be read.
        """
        return None if self._is_empty() else self._first_readable(read_state)

    def backup(self, destination: Path | str) -> Path | None:
        """Copies the generation that `load` would give into another store's folder.

        Args:
            destination: A folder; afterwards `GenerationStore(destination).load()` gives the
                same generation. A generation of the same number there is replaced.

        Returns:
            The folder of the copy, or None if nothing was ever saved here.

        Raises:
            CheckpointError: There are generations and none can be read.
            DiskFull: There is no room at the destination; what was there is untouched.
            FolderInUse: Another process is writing into the destination.
        """
        if self._is_empty():
            return None
        copies = GenerationStore(destination, self.keep)
        with no_room_is_disk_full(copies.folder), copies._lock, copies._part_removed_on_error():
            copies._remove_leftovers()
            number, _ = self._first_readable(
                lambda source: copy_folder(source, copies.folder / f"{_NEW}{source.name}"))
            copies._put_in_force(copies.folder / f"{_NEW}{_name(number)}", number)
            copies._remove_leftovers()
            return copies.folder / _name(number)

    def numbers(self) -> list[int]:
        """The numbers of the generations on disk, oldest first, readable or not."""
        if not self.folder.is_dir():
            return []
        matches = (_GENERATION.fullmatch(name) for name in os.listdir(self.folder))
        return sorted(int(match[1]) for match in matches if match)

    def _is_empty(self) -> bool:
        return not self.numbers() and not (self.folder / _CURRENT).exists()

    def _first_readable(self, read: Callable[[Path], Result]) -> tuple[int, Result]:
        """Tries `read` on the generations, the one in force first, then the newest first."""
        tried: dict[int, str] = {}
        current, doubt = self._current()
        # Listed anew each time: while we read, a trainer may save and remove what we listed.
        while left := [n for n in self.numbers() if n not in tried]:
            number = current if current in left else max(left)
            try:
                result = read(self.folder / _name(number))
            except UnreadableGeneration as error:
                tried[number] = f"{_name(number)} is unreadable: {error}"
                continue
            self._note(doubt, tried, f"using {_name(number)}")
            return number, result
        self._note(doubt, tried, "nothing is left")
        reasons = "; ".join([doubt] * bool(doubt) + list(tried.values()))
        raise CheckpointError(f"{self.folder}: no saved generation can be read ({reasons}); copy a "
                              "backup into this folder, or move the folder away to start anew")

    def _note(self, doubt: str | None, tried: Mapping[int, str], outcome: str) -> None:
        lines = [doubt] * bool(doubt) + list(tried.values())
        self.problems += [f"{self.folder}: {line}; {outcome}" for line in lines]
        self._unreadable |= set(tried)

    def _current(self) -> tuple[int | None, str | None]:
        """The number CURRENT names, or None and what is wrong with CURRENT."""
        numbers = self.numbers()
        try:
            text = (self.folder / _CURRENT).read_text("utf-8").strip()
        except FileNotFoundError:
            return None, f"{_CURRENT} is missing"
        except (OSError, UnicodeDecodeError) as error:
            return None, f"{_CURRENT} cannot be read ({error})"
        match = _GENERATION.fullmatch(text)
        if not match or int(match[1]) not in numbers:
            return None, f"{_CURRENT} names '{text[:40]}', which is not there"
        return int(match[1]), None

    def _put_in_force(self, part: Path, number: int) -> None:
        """Renames a finished part and names it in CURRENT."""
        final = self.folder / _name(number)
        if final.exists():
            self._remove(number)
        os.rename(part, final)
        self._unreadable.discard(number)
        try:
            sync_folder(self.folder)
            atomic_write(self.folder / _CURRENT, f"{final.name}\n".encode())
        except BaseException:
            if self._current()[0] != number:
                os.rename(final, part)
            raise

    @contextlib.contextmanager
    def _part_removed_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            # Room for what is still there; the error itself goes on to the caller.
            with contextlib.suppress(OSError):
                self._remove_leftovers()
            raise

    def _remove_old(self) -> None:
        """Removes what is older than the `keep` newest generations not known to be damaged."""
        numbers = self.numbers()
        good = [number for number in numbers if number not in self._unreadable]
        oldest_kept = good[-self.keep:][0]
        for number in numbers:
            if number < oldest_kept:
                # Where a reader has a file open, Windows refuses; the next save tries again.
                with contextlib.suppress(OSError):
                    self._remove(number)

    def _remove(self, number: int) -> None:
        """Renames first, so that no half-removed generation ever looks like a damaged one."""
        part = self.folder / f"{_OLD}{_name(number)}"
        os.rename(self.folder / _name(number), part)
        shutil.rmtree(part)

    def _remove_leftovers(self) -> None:
        for name in os.listdir(self.folder):
            if not _LEFTOVER.fullmatch(name):
                continue
            path = self.folder / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _name(number: int) -> str:
    return f"gen-{number:06d}"
