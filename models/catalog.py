"""The models in a folder: listing, renaming and removing them without building any."""

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import CheckpointError, ModelNotFound, UsageError
from core.generations import GenerationStore
from core.option_spec import did_you_mean
from core.paths import sync_folder
from models.backups import FOLDER as BACKUPS
from models.backups import Backups
from models.dense_maps import FIXED_ARCHITECTURES
from models.registry import MODEL_OPTIONS, label

TRASH = ".trash"
_DELETED = ".deleted"
_FORBIDDEN = re.compile(r'[/\\:*?"<>|\x00-\x1f]')
_MAX_NAME_BYTES = 120


class Entry(NamedTuple):
    """What a glance at a model's folder shows.

    `iteration`, `resolution`, `architecture`, `saved` (seconds since 1970): None where the folder
    does not say; `n_bytes`: of everything in it; `problems`: lines about damage.
    """

    name: str
    kind: str
    folder: Path
    iteration: int | None
    resolution: int | None
    architecture: str | None
    saved: float | None
    n_bytes: int
    problems: tuple[str, ...]


def entries(model_dir: Path) -> list[Entry]:
    """All models of a folder, the one saved last first, unreadable ones at the end."""
    found = [_entry(folder) for folder in _model_folders(model_dir)]
    return sorted(found, key=lambda entry: (-(entry.saved or 0.0), entry.name, entry.kind))


def entry_of(folder: Path) -> Entry:
    """What a glance at one folder shows: a model's, or one of its backups, which has its name."""
    folder = Path(folder).resolve()
    entry = _entry(folder)
    if folder.parent.name != BACKUPS:
        return entry
    return entry._replace(name=_name_of(folder.parent.parent, entry.kind))


def backups_of(entry: Entry) -> dict[str, Entry]:
    """The backups of a model by the names of their folders, the newest first."""
    folders = [entry.folder / BACKUPS / f"{number:02d}"
               for number in Backups(GenerationStore(entry.folder)).numbers()]
    return {folder.name: entry_of(folder) for folder in folders}


def find(model_dir: Path, name: str, kind: str | None = None) -> Entry:
    """The model of a name.

    Args:
        model_dir: Folder of all models.
        name: Its name, or the name of its folder (`new_SAEHD`).
        kind: Needed where models of two kinds have that name.

    Raises:
        ModelNotFound: There is none.
        UsageError: There are several.
    """
    known = entries(model_dir)
    found = [entry for entry in known if name in (entry.name, entry.folder.name)
             and kind in (None, entry.kind)]
    exact = [entry for entry in found if entry.folder.name == name]
    found = exact if len(exact) == 1 else found
    if not found:
        of_kind = f" of kind {kind}" if kind else ""
        names = [entry.name for entry in known]
        raise ModelNotFound(f"{model_dir}: there is no model named {name!r}{of_kind}"
                            f"{did_you_mean(name, names)}; see `models list`")
    if len(found) > 1:
        kinds = ", ".join(sorted(entry.kind for entry in found))
        raise UsageError(f"{model_dir}: {name!r} names models of several kinds ({kinds}); say "
                         "which with --kind")
    return found[0]


def new_folder(model_dir: Path, name: str, kind: str) -> Path:
    """The folder of a model that does not exist yet.

    Raises:
        UsageError: No model can have this name, or one has it.
    """
    _check_name(name)
    folder = Path(model_dir) / f"{name}_{label(kind)}"
    if folder.exists():
        raise UsageError(f"{folder} exists; choose another name")
    return folder


@contextmanager
def removed_on_error(folder: Path) -> Iterator[None]:
    """Removes what was begun in a new model's folder if the block fails."""
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def rename(entry: Entry, name: str) -> Path:
    """Gives a model another name, at once or not at all; returns its new folder.

    Raises:
        UsageError: No model can have this name, or one has it.
        FolderInUse: Another process works on the model.
    """
    target = new_folder(entry.folder.parent, name, entry.kind)
    _move(entry.folder, target)
    return target


def move_to_trash(entry: Entry) -> Path:
    """Moves a model into the folder `.trash` beside it; returns where it lies now.

    Raises:
        FolderInUse: Another process works on the model.
    """
    trash = entry.folder.parent / TRASH
    trash.mkdir(exist_ok=True)
    stamp = time.strftime("%Y-%m-%d_%H-%M-%S")
    target = _unused(trash / f"{entry.folder.name}.{stamp}")
    _move(entry.folder, target)
    return target


def delete(entry: Entry) -> None:
    """Removes a model for good.

    Raises:
        FolderInUse: Another process works on the model.
    """
    # Renamed first: an interrupted removal must not leave what looks like a damaged model.
    hidden = _unused(entry.folder.with_name(f"{_DELETED}-{entry.folder.name}"))
    _move(entry.folder, hidden)
    shutil.rmtree(hidden)


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder; files that vanish meanwhile count nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except FileNotFoundError:
                continue
    return total


def _model_folders(model_dir: Path) -> Iterator[Path]:
    if not Path(model_dir).is_dir():
        raise ModelNotFound(f"{model_dir}: there is no such folder; check --model-dir")
    for folder in sorted(Path(model_dir).iterdir()):
        if folder.name.startswith(".") or not folder.is_dir():
            continue
        if (folder / "CURRENT").exists() or GenerationStore(folder).numbers():
            yield folder


def _entry(folder: Path) -> Entry:
    store = GenerationStore(folder)
    state, saved, problems = {}, None, []
    try:
        number, state = store.glance()
        saved = (folder / f"gen-{number:06d}" / "state.json").stat().st_mtime
    except (CheckpointError, FileNotFoundError) as error:
        problems = [str(error)]
    kind = _text(state.get("kind")) or _kind_in_name(folder.name)
    options = state.get("options") if isinstance(state.get("options"), dict) else {}
    architecture = FIXED_ARCHITECTURES.get(kind) or _text(options.get("archi"))
    return Entry(_name_of(folder, kind), kind, folder, state.get("iteration"),
                 options.get("resolution"), architecture, saved, size_of(folder),
                 tuple(problems or store.problems))


def _name_of(folder: Path, kind: str) -> str:
    return folder.name.removesuffix(f"_{label(kind)}")


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _kind_in_name(name: str) -> str:
    known = [kind for kind in MODEL_OPTIONS.names() if name.endswith(f"_{kind}")]
    return known[0] if known else name.rpartition("_")[2]


def _check_name(name: str) -> None:
    if (not name or name != name.strip() or name.startswith(".") or name.endswith(".")
            or _FORBIDDEN.search(name) or len(name.encode()) > _MAX_NAME_BYTES):
        raise UsageError(f"{name!r} cannot be a model's name: no slashes, colons, quotes or other "
                         "signs that file systems forbid, no dot or space at its ends, and not "
                         f"longer than {_MAX_NAME_BYTES} bytes")


def _unused(path: Path) -> Path:
    candidates = [path, *(path.with_name(f"{path.name}-{n}") for n in range(2, 1000))]
    return next(candidate for candidate in candidates if not candidate.exists())


def _move(folder: Path, target: Path) -> None:
    with _locked_while_moving(folder):
        os.rename(folder, target)
    sync_folder(target.parent)
    if target.parent != folder.parent:
        sync_folder(folder.parent)


@contextmanager
def _locked_while_moving(folder: Path) -> Iterator[None]:
    lock = GenerationStore(folder).lock()
    if os.name == "nt":  # a folder with an open file in it cannot be renamed there
        with lock:
            pass
        yield
        return
    with lock:
        yield
