"""What the C library does with memory that TensorFlow gives back. Linux with glibc; elsewhere
nothing happens.

Compiling a step leaves hundreds of megabytes of small freed pieces behind, and each step allocates
one large buffer, which glibc maps anew from the system every time: at two hundred thousand pages a
step, a fifth of its CPU time went into clearing them.
"""

import contextlib
import ctypes
import gc
import threading
from collections.abc import Iterator

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # malloc.h
TRIM_SECONDS = 0.25


@contextlib.contextmanager
def freed_memory_returned(every_seconds: float = TRIM_SECONDS) -> Iterator[None]:
    """Inside, what is freed goes back to the system every now and then, and once at the end."""
    trim = _function("malloc_trim")
    if trim is None:
        yield
        return
    done = threading.Event()

    def watch() -> None:
        while not done.wait(every_seconds):
            trim(0)

    thread = threading.Thread(target=watch, name="trim-memory", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        trim(0)


@contextlib.contextmanager
def garbage_left_alone() -> Iterator[None]:
    """Inside, Python looks for no garbage: while a graph is traced, a fifth of the time goes into
    going through all that TensorFlow has imported, again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def keep_freed_buffers() -> None:
    """From now on large buffers stay with the process once freed, for the next step to use."""
    options = _function("mallopt")
    if options is not None:
        options(M_MMAP_MAX, 0)
        options(M_TRIM_THRESHOLD, 2**31 - 1)


def _function(name: str):
    """A function of the C library, or None if it is another one."""
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):  # Windows has no library of the whole program
        return None
    # Both come from glibc; musl and macOS lack one of them or give it no effect.
    if not hasattr(library, "gnu_get_libc_version"):
        return None
    return getattr(library, name)
