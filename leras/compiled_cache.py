"""Steps that XLA compiled for a CPU stay on the disk: the next process of the same step loads them.

TensorFlow keeps such files, one for each compiled function, but it ends a training with an error
when one of them is damaged, and would run machine code of another processor. So each file gets a
seal (its checksum, in a file beside it) once the step has run, files without a good seal are
removed before TensorFlow sees them, and every kind of processor has a folder of its own.
"""

import contextlib
import importlib.metadata
import os
import platform
import re
import shutil
import zlib
from pathlib import Path

from core.paths import atomic_write

VARIABLE = "TF_XLA_FLAGS"
FLAG = "--tf_xla_persistent_cache_directory="
ONLY_CPU = "--tf_xla_persistent_cache_device_types=CPU"
MOST_BYTES = 256 * 2**20  # of all files of a folder; the oldest go first
ROOM = 2**30  # bytes that must be free: TensorFlow ends a training when it cannot write such a file
SUFFIX, SEAL = ".pb", ".crc"


def keep_compiled(folder: Path) -> None:
    """From now on this process loads from a folder what it has, and adds to it what is compiled.

    For a whole program, before anything is compiled. Where the folder cannot be used, or the user
    has chosen another one in TF_XLA_FLAGS, nothing happens.

    Args:
        folder: Is made; may hold what earlier processes compiled.
    """
    chosen = os.environ.get(VARIABLE, "")
    if FLAG in chosen or chosen and not chosen.startswith("--"):  # else it names a file of flags
        return
    place = folder / _kind_of_machine(chosen)
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Only a folder of one's own: its files are run as machine code.
        if not _is_own(place) or shutil.disk_usage(place).free < ROOM:
            return
        _remove_unsealed(place)
        _remove_oldest(place)
    except OSError:  # of another user, on a full disk, ...: do without
        return
    quote = '"' if "'" in str(place) else "'"
    if quote in str(place):
        return
    os.environ[VARIABLE] = f"{chosen} {FLAG}{quote}{place}{quote} {ONLY_CPU}".strip()


def seal_compiled() -> None:
    """Seals what has been compiled since `keep_compiled`; call it once it has run."""
    ours = re.search(f"{FLAG}(['\"])(.*?)\\1 {ONLY_CPU}", os.environ.get(VARIABLE, ""))
    if ours is not None:
        with contextlib.suppress(OSError):
            for path in Path(ours[2]).glob("*" + SUFFIX):
                if not path.with_suffix(SEAL).exists():
                    atomic_write(path.with_suffix(SEAL), _checksum(path), durable=False)


def _kind_of_machine(flags: str) -> str:
    """A name that is the same only where the same machine code is made and runs."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        features = sorted({line for line in lines if line.startswith(("flags", "Features"))})
    except OSError:
        features = [platform.processor()]
    facts = [platform.system(), platform.machine(), *features, flags,
             os.environ.get("XLA_FLAGS", "")]
    digest = zlib.crc32("\n".join(facts).encode())
    return f"tensorflow-{importlib.metadata.version('tensorflow')}-{digest:08x}"


def _is_own(folder: Path) -> bool:
    return not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()


def _checksum(path: Path) -> bytes:
    return b"%08x\n" % zlib.crc32(path.read_bytes())


def _remove_unsealed(folder: Path) -> None:
    """Removes damaged files, and those of processes that were killed while they compiled."""
    for path in folder.iterdir():
        seal = path.with_suffix(SEAL)
        is_good = path.suffix == SEAL and path.with_suffix(SUFFIX).exists() or (
            path.suffix == SUFFIX and seal.exists() and seal.read_bytes() == _checksum(path))
        if not is_good:
            path.unlink(missing_ok=True)


def _remove_oldest(folder: Path) -> None:
    n_bytes = 0
    for path in sorted(folder.glob("*" + SUFFIX), key=lambda path: path.stat().st_mtime)[::-1]:
        n_bytes += path.stat().st_size
        if n_bytes > MOST_BYTES:
            path.unlink(missing_ok=True)
            path.with_suffix(SEAL).unlink(missing_ok=True)
