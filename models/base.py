"""What the trainer and the merger need of a model."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from facelib.types import Predictor
from leras.module import Module
from leras.optimizers.base import Optimizer
from leras.train_step import StepControl, StepResult
from models.options import TrainingOptions
from models.preview import PreviewRow
from models.side import Side
from samplelib.recipe import SampleRecipe
from samplelib.sampler import Batch


class SwapModel(ABC):
    """Networks, their losses and their optimizers; no files, no windows, no loop.

    Constructors take the options, build for the `tf.distribute` strategy in whose scope they run
    and initialise from `options.seed`; a saved model is loaded afterwards.

    Attributes:
        options_type: The dataclass of the model's options.
        options: Those of this model.
        history_losses: Names of the losses that the history keeps, "src" and "dst" first.
    """

    options_type: ClassVar[type[TrainingOptions]]
    options: TrainingOptions
    history_losses: tuple[str, ...] = ("src", "dst")

    @abstractmethod
    def recipe(self, side: Side) -> SampleRecipe:
        """The samples that one side trains on."""

    def place(self, batch: Batch) -> Batch:
        """Puts one side's arrays onto the devices of this process ahead of their step, from any
        thread. `train_step` takes such batches and plain ones."""
        return batch

    def needs_new_batch(self, iteration: int) -> bool:
        """Whether `iteration` (from 1) trains on new samples or on those of the one before."""
        return True

    @abstractmethod
    def train_step(self, iteration: int, batches: Mapping[Side, Batch],
                   control: StepControl = StepControl()) -> StepResult:
        """Makes one iteration.

        Args:
            iteration: From 1.
            batches: Samples of each side: this process's share of `options.batch_size` faces.
            control: Rate factor, loss limit, wish to stop.

        Returns:
            Mean losses "src" and "dst" first, then their terms ("src dssim") and those of the
            adversaries ("gan"); and whether the step was applied.
        """

    @abstractmethod
    def preview(self, batches: Mapping[Side, Batch]) -> dict[str, list[PreviewRow]]:
        """Preview name -> one row of pictures for each face of the batches.

        All rows of a preview have the same titles.
        """

    @abstractmethod
    def predictor(self) -> Predictor:
        """The swap: dst faces in, src's faces with dst's expression out."""

    @abstractmethod
    def parts(self) -> dict[str, Module]:
        """The networks by the name under which weights are exchanged, such as "encoder"."""

    @abstractmethod
    def optimizers(self) -> dict[str, Optimizer]:
        """Group -> optimizer: "generator", and each adversary's by the name of its part."""

    @abstractmethod
    def state(self) -> dict[str, dict[str, np.ndarray]]:
        """Everything that a saved generation holds: file stem -> name -> array."""

    @abstractmethod
    def load_state(self, state: Mapping[str, Mapping[str, np.ndarray]]) -> list[str]:
        """Takes back what `state` gave.

        Returns:
            A line for the user about each part that starts anew, such as a discriminator that was
            not saved or has other sizes.

        Raises:
            KeyError, ValueError: naming what does not fit this model.
        """

    def after_pretraining(self, rng: np.random.Generator) -> None:
        """Draws anew what must not remember the faces of a pretraining; nothing by default."""
