"""A lock on a folder that dies with the process that holds it."""

import contextlib
import os
import socket
from pathlib import Path

from core.errors import FolderInUse

if os.name == "nt":
    import msvcrt
else:
    import fcntl

# Windows locks byte ranges and makes them unreadable: lock a byte behind the text.
_LOCKED_BYTE = 4096


class FolderLock:
    """Keeps a second process, or a second object in this one, from writing into a folder.

    The operating system holds the lock and frees it when the process ends, however it ends; so the
    `LOCK` file a killed process leaves behind locks nothing. Its text only serves the message.

    Use as a context manager; the same object may be entered again while it holds the lock.
    """

    def __init__(self, folder: Path):
        """Stores the folder; nothing is locked yet.

        Args:
            folder: The folder to lock; made on entry if missing.
        """
        self._folder = Path(folder)
        self._file = None
        self._depth = 0

    def __enter__(self) -> "FolderLock":
        """Takes the lock.

        Raises:
            FolderInUse: Another process or object holds it.
        """
        if self._depth == 0:
            self._acquire()
        self._depth += 1
        return self

    def __exit__(self, *exception: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._file.close()  # closing frees the lock
            self._file = None

    def _acquire(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / "LOCK"
        file = open(path, "a+b", buffering=0)
        try:
            _lock(file.fileno())
        except (BlockingIOError, PermissionError) as error:
            file.seek(0)
            holder = file.read(_LOCKED_BYTE).decode("utf-8", "replace").strip() or "another process"
            file.close()
            raise FolderInUse(f"{self._folder} is being written by {holder}; "
                              "stop it first, or choose another folder or model") from error
        with contextlib.suppress(OSError):  # a full disk; only the message needs the text
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        self._file = file


def _lock(descriptor: int) -> None:
    """Locks an open file without waiting; raises BlockingIOError or PermissionError if held."""
    if os.name == "nt":
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        # flock and not lockf: it also keeps two objects of one process apart.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
