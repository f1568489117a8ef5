"""A model on disk: its options, weights, optimizer and history as one generation."""

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core.errors import CheckpointError, ModelNotFound
from core.generations import Generation, GenerationStore
from models.backups import Backups
from models.base import TrainedModel
from models.history import LossHistory
from models.options import TrainingOptions, with_new_names
from models.registry import label

FORMAT = 1


@dataclasses.dataclass
class Progress:
    """How far a training is; what the loop changes and a save keeps.

    Attributes:
        iteration: Iterations done.
        seconds: Time spent in the loop, over all runs.
        history: Losses and seconds of every iteration.
        positions: Source -> samples taken from it, so that a resumed run goes on there.
        guard_rate: Factor of the learning rate that the guard has set.
    """

    iteration: int = 0
    seconds: float = 0.0
    history: LossHistory = dataclasses.field(default_factory=LossHistory)
    positions: dict[str, int] = dataclasses.field(default_factory=dict)
    guard_rate: float = 1.0

    def go_back(self, to: "Progress") -> None:
        """Takes up iteration and history of an earlier time. Time, samples and the guard's rate
        stay: they were spent, and met."""
        self.iteration, self.history = to.iteration, to.history


class SavedModel(NamedTuple):
    """A generation, understood as a model."""

    options: dict[str, Any]
    progress: Progress
    arrays: dict[str, dict[str, np.ndarray]]
    number: int


class ModelStore:
    """The folder `<model_dir>/<name>_<kind>` of one model.

    Attributes:
        generations: Its saves.
        backups: Its backups.
    """

    def __init__(self, model_dir: Path | str, kind: str, name: str, keep: int = 3):
        self.kind, self.name = kind, name
        self.folder = Path(model_dir) / f"{name}_{label(kind)}"
        self.generations = GenerationStore(self.folder, keep)
        self.backups = Backups(self.generations)

    def load(self) -> SavedModel | None:
        """Reads the newest readable generation; None if there never was one.

        Raises:
            CheckpointError: No generation can be read, or it is of a newer format or another kind.
        """
        generation = self.generations.load()
        return None if generation is None else self._understand(generation)

    def require(self) -> SavedModel:
        """As `load`.

        Raises:
            ModelNotFound: There is none.
        """
        saved = self.load()
        if saved is None:
            raise ModelNotFound(f"{self.folder}: no saved model here; run `train` first, or name "
                                "another one with --model-dir and --name")
        return saved

    def save(self, model: TrainedModel, options: TrainingOptions, progress: Progress,
             preview_png: bytes | None = None) -> Path:
        """Writes a generation; see `GenerationStore.save` for what can go wrong."""
        state = {"format": FORMAT, "kind": self.kind, "options": dataclasses.asdict(options),
                 "iteration": progress.iteration, "seconds": progress.seconds,
                 "losses": list(progress.history.names), "positions": progress.positions,
                 "guard_rate": progress.guard_rate}
        arrays = {**model.state(), "history": progress.history.state()}
        extras = {} if preview_png is None else {"preview.png": preview_png}
        return self.generations.save(arrays, state, extras)

    def _understand(self, generation: Generation) -> SavedModel:
        state = generation.state
        if state.get("format") != FORMAT or state.get("kind") != self.kind:
            raise CheckpointError(
                f"{generation.path}: holds a {state.get('kind')} model of format "
                f"{state.get('format')}, not {self.kind} of format {FORMAT}; use the version of "
                "FaceLab that wrote it")
        arrays = dict(generation.arrays)
        # The file sorts its arrays by name; losses keep their order, and so their colours.
        columns = arrays.pop("history")
        names = state.get("losses", ("src", "dst"))
        history = LossHistory.from_state({name: columns[name] for name in (*names, "seconds")})
        progress = Progress(state["iteration"], state["seconds"], history,
                            dict(state["positions"]), state.get("guard_rate", 1.0))
        return SavedModel(with_new_names(state["options"]), progress, arrays, generation.number)
