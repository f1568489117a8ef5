"""The saved model that a merge uses."""

from typing import NamedTuple

from core.report import Reporter
from facelib.types import Predictor
from mainscripts.merging.options import MergeFiles
from mainscripts.model_kind import DEFAULT_KIND, saved_kind
from models.registry import known_kind, label


class MergeModel(NamedTuple):
    """A swap, ready to use: `name` with its kind, `generation` that was loaded."""

    predictor: Predictor
    name: str
    generation: int


def load_model(files: MergeFiles, reporter: Reporter) -> MergeModel:
    """Loads the newest readable generation.

    Raises:
        ModelNotFound, CheckpointError: There is no readable model.
        UsageError: Models of several kinds have the name.
        OptionError, DeviceError: The GPUs are none.
    """
    from models.loading import restore_swap  # TensorFlow: too heavy for --help
    from models.store import ModelStore

    if files.gpus is not None:
        from leras.devices import strategy

        strategy(files.gpus)
    kind = kind_of(files)
    store = ModelStore(files.model_dir, kind, files.name)
    saved = store.require()
    for problem in store.generations.problems:
        reporter.warning(problem)
    return MergeModel(restore_swap(kind, saved).predictor(), f"{files.name}_{label(kind)}",
                      saved.number)


def kind_of(files: MergeFiles) -> str:
    """The kind of the model that is meant.

    Raises:
        UsageError: Models of several kinds have the name.
    """
    if files.model is not None:
        return known_kind(files.model)
    return saved_kind(files.model_dir, files.name) or DEFAULT_KIND
