"""What all models of one network and one optimizer have in common."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np
import tensorflow as tf

from leras.batch_statistics import (
    RunningAverage,
    batch_statistics,
    running_values,
    statistics_total,
)
from leras.module import Module
from leras.optimizers.base import Optimizer
from leras.precision import PRECISIONS
from leras.train_step import Objectives, StepControl, StepResult, TrainStep
from models.base import TrainedModel
from models.inputs import is_placed
from models.options import TrainingOptions
from models.training_parts import GENERATOR, LOSS_SCALE, build_optimizer, misfit
from samplelib.batch_stream import Batch

OPTIMIZER_STEM = f"{GENERATOR}_optimizer"
AVERAGES = "averages"


class Loss(NamedTuple):
    """What a batch costs.

    Args:
        total: (N,) float32, what training lowers; reported as "loss".
        terms: Name -> (N,), what it consists of, for the log.
    """

    total: tf.Tensor
    terms: dict[str, tf.Tensor] = {}


class SingleNetworkModel(TrainedModel):
    """A network that learns from one source of samples.

    A subclass builds the network, hands it over, and says what a batch costs and what the previews
    show.

    Args:
        options: What the user chose.
        network: Drawn anew from `options.seed`.
        inputs: Array of the batch -> its spec (n, ...), with n of `training_parts.slice_size`.
        frozen: Parts of the network that keep their weights.

    Attributes:
        part: Under which name the network is saved and exchanged.
        source: Name of the source of samples.
        network: As given.
    """

    part: ClassVar[str]
    source: ClassVar[str]

    def __init__(self, options: TrainingOptions, network: Module,
                 inputs: Mapping[str, tf.TensorSpec], *, frozen: tuple[str, ...] = ()):
        self.options, self.network, self._inputs = options, network, dict(inputs)
        network.initialize(np.random.default_rng(options.seed))
        self._optimizer = build_optimizer(options, network, 0, frozen)
        running = running_values(network)
        averages = {AVERAGES: RunningAverage(running)} if running else {}
        self._step = TrainStep(
            self._objectives, {GENERATOR: self._optimizer, **averages},
            list(self._inputs.values()),
            precision=PRECISIONS[options.precision], accumulate=options.accumulate,
            jit=options.xla)

    @abstractmethod
    def loss(self, samples: Mapping[str, tf.Tensor]) -> Loss:
        """What a batch costs; traced once, with batch norms as they are while they are trained.

        Args:
            samples: Name of `inputs` -> tensor of its spec.
        """

    def place(self, batch: Batch) -> Batch:
        """
        Raises:
            TypeError: An array has another dtype than the network reads.
        """
        for name, spec in self._inputs.items():
            if batch[name].dtype != spec.dtype.as_numpy_dtype:
                raise TypeError(f"{name}: the batch holds {batch[name].dtype}, not "
                                f"{spec.dtype.name}")
        return {name: self._step.place(batch[name]) for name in self._inputs}

    def train_step(self, iteration: int, batches: Mapping[str, Batch],
                   control: StepControl = StepControl()) -> StepResult:
        batch = batches[self.source]
        placed = batch if is_placed(batch) else self.place(batch)
        return self._step.step([placed[name] for name in self._inputs], control)

    def parts(self) -> dict[str, Module]:
        return {self.part: self.network}

    def optimizers(self) -> dict[str, Optimizer]:
        return {GENERATOR: self._optimizer}

    def state(self) -> dict[str, dict[str, np.ndarray]]:
        files = {self.part: self.network.state(), OPTIMIZER_STEM: self._optimizer.state()}
        scale = self._step.state()
        return files | ({LOSS_SCALE: scale} if scale else {})

    def load_state(self, state: Mapping[str, Mapping[str, np.ndarray]]) -> list[str]:
        unknown = sorted(state.keys() - {self.part, OPTIMIZER_STEM, LOSS_SCALE})
        if unknown:
            raise KeyError(f"unknown parts: {', '.join(unknown)}")
        if self.part not in state:
            raise KeyError(f"no {self.part} is saved")
        self.network.load_state(state[self.part])
        self._step.load_state(state.get(LOSS_SCALE, {}))
        reason = misfit(self._optimizer, state.get(OPTIMIZER_STEM))
        if reason:
            self._optimizer.load_state({path: np.zeros_like(array) for path, array
                                        in self._optimizer.state().items()})
            return [f"{OPTIMIZER_STEM} starts anew: {reason}"]
        self._optimizer.load_state(state[OPTIMIZER_STEM])
        return []

    def _objectives(self, *arrays: tf.Tensor) -> Objectives:
        with batch_statistics() as moments:
            loss = self.loss(dict(zip(self._inputs, arrays, strict=True)))
        averages = {AVERAGES: statistics_total(moments)} if moments else {}
        return Objectives({GENERATOR: loss.total, **averages},
                          {"loss": loss.total, **loss.terms})
