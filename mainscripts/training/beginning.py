"""What a run of a training starts from; nothing is written here."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import OptionError
from core.options import resolve
from core.report import Reporter
from mainscripts.command import require
from mainscripts.training.crew import require_same_faces
from mainscripts.training.options import TrainOptions
from models.options import TrainingOptions
from models.registry import options_type
from models.training_data import Folders, TrainingData, data_type

if TYPE_CHECKING:
    from models.store import ModelStore, Progress, SavedModel

ResolveModel = Callable[[Mapping[str, Any] | None], TrainingOptions]
"""Options of the saved model, or None for a new one -> the options to train with."""


@dataclass
class Beginning:
    """What a run starts from.

    Attributes:
        kind: Of the model.
        options: Of the model, the batch size a number.
        progress: How far the training is.
        data: What the model trains on.
        has_state: Whether the model of the chief holds more than what its seed draws.
        saved: What the chief has read; None for a new model, and on all other processes.
        leaves_pretraining: Whether the saved model was still pretraining.
    """

    kind: str
    options: TrainingOptions
    progress: "Progress"
    data: TrainingData
    has_state: bool = False
    saved: "SavedModel | None" = None
    leaves_pretraining: bool = False

    def facts(self) -> dict[str, Any]:
        """What other processes need to begin likewise, as JSON can hold it."""
        progress = self.progress
        return {"kind": self.kind, "options": asdict(self.options),
                "iteration": progress.iteration, "seconds": progress.seconds,
                "positions": progress.positions, "guard_rate": progress.guard_rate,
                "has_state": self.has_state,
                "faces": self.data.fingerprints()}


def read_beginning(kind: str, files: TrainOptions, store: "ModelStore",
                   resolve_model: ResolveModel, reporter: Reporter) -> Beginning:
    """Reads what the chief needs; the batch size may still be AUTO.

    Raises:
        NoFacesFound: A faceset is empty.
        OptionError: An option that fixes the shapes of a saved model was changed.
        CheckpointError: The saved model cannot be read.
    """
    from models.store import Progress

    saved = store.load()
    for problem in store.generations.problems:
        reporter.warning(problem)
    options = resolve_model(None if saved is None else saved.options)
    if saved is not None:
        require_same_shape(store.folder, saved.options, options)
    if saved is not None and files.start_from is not None:
        raise OptionError(f"{store.folder}: is trained already, so it cannot start from "
                          f"{files.start_from}; leave --start-from out, or give another --name")
    beginning = Beginning(kind, options, Progress(), load_data(files, options, reporter),
                          saved is not None or files.start_from is not None, saved)
    if saved is not None:
        was_pretraining = bool(saved.options.get("pretrain", False))
        beginning.leaves_pretraining = was_pretraining and not getattr(options, "pretrain", False)
        if not beginning.leaves_pretraining:
            beginning.progress = saved.progress
    return beginning


def join_beginning(facts: Mapping[str, Any], files: TrainOptions, reporter: Reporter) -> Beginning:
    """What a process starts from that is told by the chief.

    Raises:
        NoFacesFound: A faceset is empty.
        DeviceError: This machine has other faces than the chief.
    """
    from models.store import Progress

    options = resolve(options_type(facts["kind"]), saved=facts["options"])
    data = load_data(files, options, reporter)
    require_same_faces(facts["faces"], data.fingerprints())
    progress = Progress(facts["iteration"], facts["seconds"], positions=dict(facts["positions"]),
                        guard_rate=facts["guard_rate"])
    return Beginning(facts["kind"], options, progress, data, facts["has_state"])


def load_data(files: TrainOptions, options: TrainingOptions, reporter: Reporter) -> TrainingData:
    """Finds what a model trains on.

    Raises:
        UsageError: A folder is not named.
        NoFacesFound: A folder holds nothing to train on.
    """
    data = data_type(options)
    require(files, *data.needed(options))
    folders = Folders(**{field.name: getattr(files, field.name) for field in fields(Folders)})
    return data.load(folders, options, reporter.warning)


def require_same_shape(folder: Path, saved: Mapping[str, Any], options: TrainingOptions) -> None:
    """Makes sure that the options fit the saved weights.

    Raises:
        OptionError: One of the structural options differs.
    """
    declared = {field.name for field in fields(options)}
    for name in declared.intersection(type(options).structural):
        if name in saved and saved[name] != getattr(options, name):
            raise OptionError(
                f"{folder}: {name} is {saved[name]} in the saved model and cannot become "
                f"{getattr(options, name)}; leave it out, or start another model with --name")
