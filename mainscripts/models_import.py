"""`models import`: a model from a file or folder, under a name that is not in use."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from core.errors import CheckpointError, ModelNotFound, UsageError
from core.options import option
from core.prompt import Prompter
from core.report import Reporter
from mainscripts.models_store import save_new


@dataclass(frozen=True)
class ImportOptions:
    """Where the model goes."""

    model_dir: Path | None = option(None, ask=True, help="Folder of all models.")
    name: str | None = option(None, help="Name of the new model; by default as it was called.")
    kind: str | None = option(
        None, help="Kind that the model must have. Needed for kinds of your own, which are code.")


class Taken(NamedTuple):
    """What was imported, and lines for the user."""

    kind: str
    name: str
    folder: Path
    notes: list[str]


def import_model(options: ImportOptions, target: Path, reporter: Reporter,
                 prompter: Prompter) -> None:
    """Takes in a model.

    Raises:
        ModelNotFound: There is no model at that path.
        UsageError: A model has that name, or the file's kind is not the wanted one.
    """
    if not target.exists():
        raise ModelNotFound(f"{target}: there is no such file or folder; check the path")
    importers: tuple[tuple[Callable, Callable], ...] = (
        (_is_weights_file, _import_weights), (_is_own_folder, _import_folder),
        (lambda path: True, _import_legacy))
    importer = next(work for fits, work in importers if fits(target))
    taken: Taken = importer(target, options)
    for note in taken.notes:
        reporter.info(note)
    reporter.event("imported", message=f"{target} is now the {taken.kind} model {taken.name} "
                   f"({taken.folder})", model_kind=taken.kind, name=taken.name,
                   folder=str(taken.folder), notes=taken.notes)


def _is_weights_file(path: Path) -> bool:
    from models.weights_file import SUFFIX

    return path.is_file() and path.suffix.lower() == SUFFIX


def _is_own_folder(path: Path) -> bool:
    from core.generations import GenerationStore

    return path.is_dir() and bool(GenerationStore(path).numbers())


def _import_weights(path: Path, options: ImportOptions) -> Taken:
    from models.weights_file import TRAINING_ONLY, read_weights_file

    weights = read_weights_file(path)
    name = options.name or path.stem
    _require_kind(path, weights.kind, options)
    _require_free(options, name, weights.kind)
    from core.options import resolve
    from models.options import with_new_names
    from models.registry import MODELS, options_type
    from models.store import Progress
    from models.transfer import transfer

    own = resolve(options_type(weights.kind), saved=with_new_names(weights.options))
    model = MODELS.load(weights.kind)(own)
    transferred = transfer(weights.parts, model)
    lacking = [line for part, line in transferred.incomplete.items() if part not in TRAINING_ONLY]
    if lacking:
        raise CheckpointError(f"{path}: does not hold the whole model ({lacking[0]}); take another "
                              "copy, or start a new model from it with `train --start-from`")
    folder = save_new(options.model_dir, weights.kind, name, model, own,
                      Progress(weights.iteration))
    return Taken(weights.kind, name, folder, [*transferred.notes, "optimizers start anew"])


def _import_folder(path: Path, options: ImportOptions) -> Taken:
    from core.generations import GenerationStore
    from models.catalog import entry_of, new_folder, removed_on_error

    entry = entry_of(path)
    name = options.name or entry.name
    _require_kind(path, entry.kind, options)
    folder = new_folder(options.model_dir, name, entry.kind)
    store = GenerationStore(path)
    with removed_on_error(folder):
        store.backup(folder)
    return Taken(entry.kind, name, folder, list(store.problems))


def _import_legacy(path: Path, options: ImportOptions) -> Taken:
    from models.legacy.files import choose_model

    files = choose_model(path, lambda model: options.kind in (None, model.kind))
    name = options.name or files.name
    _require_free(options, name, files.kind)
    from models.legacy.convert import import_model as convert

    imported = convert(files)
    folder = save_new(options.model_dir, files.kind, name, imported.model, imported.options,
                      imported.progress)
    return Taken(files.kind, name, folder, imported.notes)


def _require_kind(path: Path, kind: str, options: ImportOptions) -> None:
    """A kind of the user's own is code that would run: a file alone must not choose it."""
    from models.registry import MODELS

    if options.kind not in (None, kind):
        raise UsageError(f"{path}: holds a {kind} model, not {options.kind}; leave --kind out")
    if options.kind is None and kind not in MODELS.names():
        raise UsageError(f"{path}: holds a model of the kind {kind!r}, which is code of somebody's "
                         f"own; if you trust it, say --kind {kind}")


def _require_free(options: ImportOptions, name: str, kind: str) -> None:
    from models.catalog import new_folder

    new_folder(options.model_dir, name, kind)
