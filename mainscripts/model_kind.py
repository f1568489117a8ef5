"""Which kind of model a name means, where nobody says."""

from pathlib import Path

from core.errors import CheckpointError, UsageError
from core.generations import GenerationStore
from models.registry import MODELS, label

DEFAULT_KIND = "Quick96"


def saved_kind(model_dir: Path | str | None, name: str) -> str | None:
    """The kind of the saved model of a name; None if there is none.

    Raises:
        UsageError: Models of several kinds have the name.
    """
    kinds = saved_kinds(model_dir, name)
    if len(kinds) > 1:
        raise UsageError(f"{model_dir}: there are models of several kinds named {name} "
                         f"({', '.join(kinds)}); say which with --model")
    return kinds[0] if kinds else None


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


def _kind_in(folder: Path) -> str | None:
    """What kind of model a folder holds; from its name where nothing in it can be read."""
    try:
        found = GenerationStore(folder).glance()
    except CheckpointError:
        return next((kind for kind in MODELS.names() if folder.name.endswith(f"_{kind}")), None)
    return None if found is None else found[1].get("kind")
