"""Python, processor, memory, disk and display."""

import ctypes
import os
import platform
import shutil
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from core.paths import format_bytes
from mainscripts.checks.check import Check, ok, problem, warning

LEAST_PYTHON = (3, 11)
GIGABYTE = 1 << 30
LITTLE_DISK = 5 * GIGABYTE  # a minute of 1080p frames as PNG takes about 5 GB
LITTLE_MEMORY = 4 * GIGABYTE  # TensorFlow, a Quick96 model and a pool of workers
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def check_python(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> list[Check]:
    """Python's version and the platform."""
    text = f"Python {'.'.join(map(str, version))} on {platform.platform()}"
    if version[:2] < LEAST_PYTHON:
        return [problem("python", f"{text}; install Python {'.'.join(map(str, LEAST_PYTHON))} "
                                  "or newer")]
    return [ok("python", text)]


def check_processor() -> list[Check]:
    """How many processors this program may use."""
    # A container or `taskset` may grant fewer than the machine has.
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return [ok("processor", f"{usable} processor cores")]


def check_memory() -> list[Check]:
    """How much memory there is, within the limits of a container."""
    n_bytes = total_memory()
    if n_bytes is None:
        return [warning("memory", "the size of the memory cannot be told on this platform")]
    text = f"{format_bytes(n_bytes)} memory"
    if n_bytes < LITTLE_MEMORY:
        return [warning("memory", f"{text}; training may run out of it, at least "
                                  f"{format_bytes(LITTLE_MEMORY)} is better")]
    return [ok("memory", text)]


def total_memory() -> int | None:
    """Bytes of memory this program may use; None if unknown."""
    sizes = [_physical_memory(), *map(_cgroup_limit, CGROUP_LIMITS)]
    known = [size for size in sizes if size]
    return min(known) if known else None


def _physical_memory() -> int | None:
    if sys.platform == "win32":
        return _windows_memory()
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None


def _windows_memory() -> int | None:
    # GetPhysicallyInstalledSystemMemory gives kilobytes.
    kilobytes = ctypes.c_ulonglong()
    if not ctypes.windll.kernel32.GetPhysicallyInstalledSystemMemory(ctypes.byref(kilobytes)):
        return None
    return kilobytes.value * 1024


def _cgroup_limit(path: str) -> int | None:
    try:
        text = Path(path).read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None  # "max": no limit


def check_disk(folder: Path) -> list[Check]:
    """Whether a folder can be written to, and how much room there is."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            file.write(b"FaceLab")
    except OSError as error:
        return [problem("disk", f"{folder} cannot be written to ({error.strerror}); work in "
                                "another folder or change its rights")]
    free = shutil.disk_usage(folder).free
    text = f"{format_bytes(free)} free in {folder}"
    if free < LITTLE_DISK:
        return [warning("disk", f"{text}; a minute of frames may take "
                                f"{format_bytes(LITTLE_DISK)}, so free some space")]
    return [ok("disk", text)]


def check_display() -> list[Check]:
    """Whether windows can be shown."""
    if _has_headless_opencv():
        return [warning("display", "opencv-python-headless cannot show windows; install "
                                   "opencv-python instead to see previews")]
    if sys.platform in ("win32", "darwin"):
        return [ok("display", "windows can be shown")]
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        if os.environ.get(name):
            return [ok("display", f"windows can be shown ({name}={os.environ[name]})")]
    return [warning("display", "no display (DISPLAY is not set): previews go to files; every "
                               "command works without windows")]


def _has_headless_opencv() -> bool:
    try:
        metadata.version("opencv-python-headless")
    except metadata.PackageNotFoundError:
        return False
    return True
