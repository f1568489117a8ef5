"""Which kind of model a name means, where nobody says."""

from collections.abc import Callable
from pathlib import Path

from core.errors import CheckpointError, UsageError
from core.generations import GenerationStore
from models.options import TrainingOptions
from models.registry import MODELS, label, options_type

DEFAULT_KIND = "Quick96"


def saved_kind(model_dir: Path | str | None, name: str, *,
               wanted: Callable[[str], bool] = lambda kind: True) -> str | None:
    """The kind of the saved model of a name; None if there is none.

    Args:
        model_dir: Folder of all models.
        name: Of the model.
        wanted: Kinds that count.

    Raises:
        UsageError: Models of several kinds have the name.
    """
    kinds = [kind for kind in saved_kinds(model_dir, name) if wanted(kind)]
    if len(kinds) > 1:
        raise UsageError(f"{model_dir}: there are models of several kinds named {name} "
                         f"({', '.join(kinds)}); say which with --model")
    return kinds[0] if kinds else None


def is_swap(kind: str) -> bool:
    """Whether models of a kind swap faces."""
    return options_type(kind).data == TrainingOptions.data


def saved_kinds(model_dir: Path | str | None, name: str) -> list[str]:
    """The kinds of the saved models of a name."""
    if model_dir is None or not Path(model_dir).is_dir():
        return []
    kinds = []
    for folder in sorted(Path(model_dir).iterdir()):
        if folder.is_dir() and folder.name.startswith(f"{name}_"):
            kind = _kind_in(folder)
            if kind is not None and folder.name == f"{name}_{label(kind)}":
                kinds.append(kind)
    return kinds


def names_of_kind(model_dir: Path | str | None, kind: str) -> list[str]:
    """The names of the saved models of a kind."""
    if model_dir is None or not Path(model_dir).is_dir():
        return []
    ending = f"_{label(kind)}"
    return [folder.name.removesuffix(ending) for folder in sorted(Path(model_dir).iterdir())
            if folder.is_dir() and folder.name.endswith(ending) and _kind_in(folder) == kind]


def _kind_in(folder: Path) -> str | None:
    """What kind of model a folder holds; from its name where nothing in it can be read."""
    try:
        found = GenerationStore(folder).glance()
    except CheckpointError:
        return next((kind for kind in MODELS.names() if folder.name.endswith(f"_{kind}")), None)
    return None if found is None else found[1].get("kind")
