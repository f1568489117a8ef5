"""Keeps the log lines of native libraries away from the user.

TensorFlow 2.21 writes some lines while it is imported that TF_CPP_MIN_LOG_LEVEL does not stop
(its logging is not set up yet). They go straight to file descriptor 2, past `sys.stderr`.
"""

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from types import ModuleType

# Abseil's lines: severity, month and day, then the time ("I0000 00:00:1795 12 port.cc:153] ...").
# Fatal ones (F) are kept.
LOG_LINE = re.compile(rb"[IWE][0-9]{4} [0-9]|WARNING: All log messages before absl::InitializeLog")
# The same for awk, with the lines that follow the first one of an entry. What says why a process
# crashes comes through.
SIEVE = r"""
/^[IWE][0-9][0-9][0-9][0-9] [0-9]/ || /^WARNING: All log messages/ { drop = 1 }
/^(F[0-9][0-9][0-9][0-9] |terminate |Fatal |\*\*\*|free\()/ { drop = 0 }
!drop { print; fflush() }
"""
_STDERR = 2


def quiet_import(package: str) -> None:
    """Makes the first import of a package, whenever it comes, drop its native log lines."""
    if package not in sys.modules:
        sys.meta_path.insert(0, _QuietFinder(package))


@contextlib.contextmanager
def native_log_dropped() -> Iterator[None]:
    """While inside, log lines written to file descriptor 2 vanish; all else comes out at the end.

    After an exception everything comes out, since the lines may say why.
    """
    try:
        console = os.dup(_STDERR)
    except OSError:  # a program without a console
        yield
        return
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), _STDERR)
        drop = False
        try:
            yield
            drop = True
        finally:
            if sys.stderr is not None:
                sys.stderr.flush()
            os.dup2(console, _STDERR)
            os.close(console)
            caught.seek(0)
            lines = [line for line in caught if not (drop and LOG_LINE.match(line))]
            _write_all(b"".join(lines))


def hide_native_log() -> None:
    """From now on, log lines written to file descriptor 2 vanish at once; all else passes.

    For the rest of the process, which is why `sys.stderr` gets a way of its own. Another process
    sieves the lines, so that what a crash says last is not lost. Where there is no `awk`, nothing
    changes.
    """
    try:
        console = os.dup(_STDERR)
        sieve = subprocess.Popen(["awk", SIEVE], stdin=subprocess.PIPE, stdout=console,
                                 stderr=subprocess.DEVNULL,
                                 start_new_session=True)  # Ctrl-C is not for it
    except OSError:  # no console, or no awk
        return
    sys.stderr = open(console, "w", buffering=1, errors="backslashreplace")
    os.dup2(sieve.stdin.fileno(), _STDERR)
    sieve.stdin.close()
    sieve.returncode = 0  # it ends by itself, with this process


def _write_all(data: bytes) -> None:
    while data:
        data = data[os.write(_STDERR, data):]


class _QuietFinder(importlib.abc.MetaPathFinder):
    """Stands first in sys.meta_path until the package is asked for, then steps aside."""

    def __init__(self, package: str):
        self._package = package

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self._package:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _QuietLoader(spec.loader)
        return spec


class _QuietLoader(importlib.abc.Loader):
    """Runs a package's own loader with its log dropped, and gives the module back to it."""

    def __init__(self, loader: importlib.abc.Loader):
        self._loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = module.__spec__.loader = self._loader
        with native_log_dropped():
            self._loader.exec_module(module)
