"""Files and folders: listing images, writing all or nothing, free space."""

import contextlib
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from core.errors import DiskFull, NoImagesFound, is_disk_full

_PART = re.compile(r"\.part-[0-9a-f]{12}")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


def natural_key(path: Path | str) -> tuple:
    """Sort key that counts: `frame2` before `frame10`, capitals beside small letters."""
    name = str(path)
    pieces = re.split(r"([0-9]+)", name.lower())
    # Odd pieces are the digits; the name itself decides between `A1` and `a1` or `1` and `01`.
    return tuple(int(piece) if i % 2 else piece for i, piece in enumerate(pieces)), name


def image_paths(folder: Path | str, *, required: bool = False) -> list[Path]:
    """The images directly in a folder, naturally sorted by name.

    Hidden files (unfinished writes among them) are left out. Links that lead nowhere or in a circle
    are listed: whoever reads them reports it, where leaving them out would lose a frame unseen.

    Args:
        folder: May be missing.
        required: Whether an empty list is an error.

    Raises:
        NoImagesFound: `required`, and the folder is missing or holds no image.
    """
    folder = Path(folder)
    if required and not folder.is_dir():
        raise NoImagesFound(f"{folder}: there is no such folder; check the path, or run the "
                            "step that fills it")
    names = image_names(folder)
    if required and not names:
        raise NoImagesFound(f"{folder}: there are no images in this folder; run the step that "
                            "fills it first")
    return [folder / name for name in sorted(names, key=natural_key)]


def image_names(folder: Path | str) -> list[str]:
    """The names of what `image_paths` lists, in no order; nothing where there is no folder."""
    if not os.path.isdir(folder):
        return []
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if _is_image(entry.name) and _is_file(entry)]


def cache_dir() -> Path:
    """Where FaceLab keeps what it can make again; environment variable FACELAB_CACHE_DIR wins."""
    chosen = os.environ.get("FACELAB_CACHE_DIR")
    return Path(chosen or platformdirs.user_cache_dir("FaceLab", appauthor=False)).expanduser()


def _is_image(name: str) -> bool:
    return not name.startswith(".") and name.lower().endswith(IMAGE_SUFFIXES)


def _is_file(entry: os.DirEntry) -> bool:
    try:
        return entry.is_file() or entry.is_symlink() and not os.path.exists(entry.path)
    except OSError:  # a link in a circle
        return True


@contextlib.contextmanager
def atomic_path(path: Path | str, *, durable: bool = True) -> Iterator[Path]:
    """Gives a temporary path that becomes `path` if the block ends well, and vanishes if not.

    The temporary file lies in the same folder and has the same suffix; its name starts with a
    dot. Its bytes are on the disk (fsync) before the name changes, so a crash at any moment
    leaves either the old file or the new one.

    Args:
        path: The file to make or replace.
        durable: False leaves out the fsync, which costs 5 to 50 ms: a crash of the program still
            leaves no half file, a power cut may. For files that are checked and can be made again.

    Raises:
        FileNotFoundError: The block ended without writing the file.
    """
    final = Path(os.path.realpath(path))  # a link is followed, not replaced
    temporary = final.with_name(f".part-{uuid.uuid4().hex[:12]}{final.suffix}")
    try:
        yield temporary
        if durable:
            _sync(temporary)
        os.replace(temporary, final)
    except OSError as error:
        if is_disk_full(error) and error.filename is None:
            error.filename = str(final)  # the system names no file when a write finds no room
        raise
    finally:
        temporary.unlink(missing_ok=True)
    if durable:
        sync_folder(final.parent)


def atomic_write(path: Path | str, data: bytes, *, durable: bool = True) -> None:
    """Writes a whole file or nothing; see `atomic_path`."""
    with atomic_path(path, durable=durable) as temporary:
        temporary.write_bytes(data)


def remove_parts(folder: Path | str) -> None:
    """Removes what killed processes left of `atomic_path`; only for a folder nobody writes to."""
    for path in Path(folder).glob(".part-*"):
        if _PART.fullmatch(path.stem) and path.is_file():
            path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Makes renames in a folder survive a power cut; does nothing where folders cannot sync."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_free_space(folder: Path | str, n_bytes: int) -> None:
    """Checks that a folder's disk has room; the folder itself need not exist yet.

    Raises:
        DiskFull: Fewer than `n_bytes` bytes are free.
    """
    existing = Path(folder).absolute()
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    if free < n_bytes:
        raise DiskFull(f"{folder}: {format_bytes(n_bytes)} are needed and {format_bytes(free)} are "
                       "free; free some space or choose another disk")


def format_bytes(n_bytes: float) -> str:
    """A size for people: `1.5 GB` (powers of 1024)."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if n_bytes < 1024:
            return f"{n_bytes:.0f} bytes" if unit == "bytes" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:.1f} TB"


def relative(path: Path | str, start: Path | str) -> str:
    """Where a path lies as seen from a folder, with `/`; stays true when both are moved together.

    The absolute path where there is no way from one to the other (drives of Windows).
    """
    path, start = Path(path).resolve(), Path(start).resolve()
    if path.anchor != start.anchor:
        return path.as_posix()
    return Path(os.path.relpath(path, start)).as_posix()


def sibling(folder: Path | str, suffix: str) -> Path:
    """The folder beside `folder` named with a suffix: (`aligned`, "debug") -> `aligned_debug`."""
    folder = Path(folder)
    if folder.name in ("", ".."):
        folder = Path(os.path.abspath(folder))  # "." and ".." have no name of their own
    return folder.with_name(f"{folder.name}_{suffix.lstrip('_')}")
