"""What the actions of `models` share: reading a saved model, and saving one of a new name."""

from pathlib import Path
from typing import TYPE_CHECKING

from core.report import Reporter

if TYPE_CHECKING:
    from models.base import TrainedModel
    from models.catalog import Entry
    from models.options import TrainingOptions
    from models.store import Progress, SavedModel


def load_saved(entry: "Entry", reporter: Reporter) -> "SavedModel":
    """Reads a model; tells of every generation that had to be skipped.

    Raises:
        CheckpointError: None of its generations can be read.
    """
    from models.store import ModelStore

    store = ModelStore(entry.folder.parent, entry.kind, entry.name)
    saved = store.require()
    for problem in store.generations.problems:
        reporter.warning(problem)
    return saved


def save_new(model_dir: Path, kind: str, name: str, model: "TrainedModel",
             options: "TrainingOptions", progress: "Progress") -> Path:
    """Saves a model under a name that is not in use; gives its folder.

    Raises:
        DiskFull: There is no room; nothing stays then.
    """
    from models.catalog import removed_on_error
    from models.store import ModelStore

    store = ModelStore(model_dir, kind, name)
    with removed_on_error(store.folder):
        store.save(model, options, progress)
    return store.folder
