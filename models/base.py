"""What the trainer and the merger need of a model."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from facelib.types import Predictor
from models.options import TrainingOptions
from models.side import Side
from samplelib.recipe import SampleRecipe
from samplelib.sampler import Batch


class SwapModel(ABC):
    """Networks, their losses and their optimizer; no files, no windows, no loop.

    Constructors build and initialise from `options.seed`; a saved model is loaded afterwards.
    """

    options_type: ClassVar[type[TrainingOptions]]

    @abstractmethod
    def recipe(self, side: Side) -> SampleRecipe:
        """The samples that one side trains on."""

    def needs_new_batch(self, iteration: int) -> bool:
        """Whether `iteration` (from 1) trains on new samples or on those of the one before."""
        return True

    @abstractmethod
    def train_step(self, iteration: int, batches: Mapping[Side, Batch],
                   rate_scale: float = 1.0) -> dict[str, float]:
        """Makes one iteration; returns the mean loss of each side by its name.

        Args:
            iteration: From 1.
            batches: Samples of each side.
            rate_scale: Factor of the learning rate.
        """

    @abstractmethod
    def preview(self, batches: Mapping[Side, Batch]) -> list[dict[str, np.ndarray]]:
        """One row of (R, R, 3) float32 BGR pictures by title for each face of the batches."""

    @abstractmethod
    def predictor(self) -> Predictor:
        """The swap: dst faces in, src's faces with dst's expression out."""

    @abstractmethod
    def state(self) -> dict[str, dict[str, np.ndarray]]:
        """Everything that a saved generation holds: file stem -> name -> array."""

    @abstractmethod
    def load_state(self, state: Mapping[str, Mapping[str, np.ndarray]]) -> None:
        """Takes back what `state` gave.

        Raises:
            KeyError, ValueError: naming what does not fit this model.
        """
