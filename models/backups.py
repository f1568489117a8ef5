"""Backups of a model: whole generations beside it that no later save removes."""

import os
import shutil
from pathlib import Path

from core.generations import GenerationStore
from core.paths import sync_folder

FOLDER = "backups"
MOST = 24
_NEW, _OLD = ".part-new", ".part-old"  # leftovers of killed backups begin like this


class Backups:
    """The folders `backups/01` (the newest) to `backups/24` of a model.

    Each is a model's folder of its own with one generation. A backup is complete before it gets
    its number, and numbers only move upwards: a crash at any moment leaves every backup whole and
    under one number.
    """

    def __init__(self, store: GenerationStore):
        """
        Args:
            store: Of the model; only read.
        """
        self.folder = store.folder / FOLDER
        self._store = store

    def newest(self) -> dict | None:
        """The state that the newest readable backup was saved with, or None without a backup.

        Raises:
            CheckpointError: It is damaged.
        """
        numbers = self.numbers()
        if not numbers:
            return None
        found = GenerationStore(self._path(numbers[0])).glance()
        return None if found is None else found[1]

    def numbers(self) -> list[int]:
        """Numbers of the backups, newest first."""
        if not self.folder.is_dir():
            return []
        return sorted(int(name) for name in os.listdir(self.folder)
                      if len(name) == 2 and name.isdecimal() and 1 <= int(name) <= MOST)

    def make(self) -> Path | None:
        """Copies the model as last saved to `01` and moves the others up; the 24th goes.

        Returns:
            The folder of the backup; None if the model was never saved.

        Raises:
            DiskFull: There is no room; all older backups are as they were.
            CheckpointError: No generation of the model can be read.
        """
        if not self._store.numbers():
            return None
        self.folder.mkdir(exist_ok=True)
        self._remove_leftovers()
        new = self.folder / _NEW
        try:
            self._store.backup(new)
        except BaseException:
            self._remove_leftovers()
            raise
        self._make_room()
        os.rename(new, self._path(1))
        sync_folder(self.folder)
        self._remove_leftovers()
        return self._path(1)

    def _make_room(self) -> None:
        """Moves `01` and all up to the first free number by one; only if none is free, the last
        one goes."""
        taken = set(self.numbers())
        free = next((number for number in range(1, MOST + 1) if number not in taken), None)
        if free is None:
            os.rename(self._path(MOST), self.folder / _OLD)
            free = MOST
        for number in range(free, 1, -1):
            os.rename(self._path(number - 1), self._path(number))

    def _remove_leftovers(self) -> None:
        for name in (_NEW, _OLD):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:02d}"
