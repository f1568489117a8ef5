"""What the trainer needs of any network that it trains, and what the merger needs of a swap.

How a network that is no swap is added, so that `train --model NAME` trains it:

1. Options, a frozen dataclass that inherits `models.options.TrainingOptions`, in a module without
   TensorFlow. Its class attribute `data` is the address of what it trains on.
2. That, a class that inherits `models.training_data.TrainingData`: which folders the user gives,
   which sources of samples they make, and which rows the previews show. No TensorFlow either.
3. The model, a class that inherits `TrainedModel`; with one network and one optimizer it is
   `models.single_network.SingleNetworkModel`, which leaves only losses and previews to write.
4. A line in both tables of `models.registry`.

Saved generations, the guard, views, previews, backups, resuming, `--dry-run` and training with many
devices need nothing more. `models.xseg`, with
`models.segmenter_data`, is a whole example.
"""

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
from samplelib.batch_stream import Batch
from samplelib.recipe import SampleRecipe


class TrainedModel(ABC):
    """Networks, their losses and their optimizers; no files, no windows, no loop.

    Constructors take the options, build for the `tf.distribute` strategy in whose scope they run
    and initialise from `options.seed`; a saved model is loaded afterwards.

    Attributes:
        options_type: The dataclass of the model's options.
        options: Those of this model.
        history_losses: Names of the losses that the history keeps.
    """

    options_type: ClassVar[type[TrainingOptions]]
    options: TrainingOptions
    history_losses: tuple[str, ...] = ("loss",)

    def place(self, batch: Batch) -> Batch:
        """Puts one source's arrays onto the devices of this process ahead of their step, from any
        thread. `train_step` takes such batches and plain ones."""
        return batch

    def needs_new_batch(self, iteration: int) -> bool:
        """Whether `iteration` (from 1) trains on new samples or on those of the one before."""
        return True

    @abstractmethod
    def train_step(self, iteration: int, batches: Mapping[str, Batch],
                   control: StepControl = StepControl()) -> StepResult:
        """Makes one iteration.

        Args:
            iteration: From 1.
            batches: Samples of each source (`TrainingData.names`): this process's share of
                `options.batch_size` of them.
            control: Rate factor, loss limit, wish to stop.

        Returns:
            Mean losses, those of `history_losses` first, then their terms; and whether the step
            was applied.
        """

    @abstractmethod
    def preview(self, batches: Mapping[str, Batch]) -> dict[str, list[PreviewRow]]:
        """Preview name -> one row of pictures for each sample of the batches.

        All rows of a preview have the same titles.
        """

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


class SwapModel(TrainedModel):
    """A model that gives a face of dst the identity of src.

    Its sources are the two sides, its losses "src" and "dst" first, then their terms ("src dssim")
    and those of the adversaries ("gan").
    """

    history_losses: tuple[str, ...] = ("src", "dst")

    @abstractmethod
    def recipe(self, side: Side) -> SampleRecipe:
        """The samples that one side trains on."""

    @abstractmethod
    def predictor(self) -> Predictor:
        """The swap: dst faces in, src's faces with dst's expression out."""
