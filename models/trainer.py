"""The training loop: no window, no file, no question."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from core.errors import TrainingDiverged
from models.base import SwapModel
from models.side import Side
from models.store import Progress
from samplelib.sampler import Batch, BatchGenerator


class Iteration(NamedTuple):
    """What one iteration gave: losses by name, its seconds, and how many of them it waited for
    samples."""

    losses: dict[str, float]
    seconds: float
    data_seconds: float


@dataclass
class Every:
    """Calls `action` when `seconds` have passed since its last call; counted from the start."""

    seconds: float
    action: Callable[[], None]
    last: float | None = None

    def tick(self, now: float) -> None:
        """Calls the action if it is due."""
        if self.last is None:
            self.last = now
        if now - self.last >= self.seconds:
            self.action()
            self.last = now


@dataclass(frozen=True)
class Limits:
    """When training ends by itself; 0 is no limit.

    Attributes:
        iteration: Iterations over all runs.
        minutes: Time in the loop over all runs.
        decay: Share of the way, at its end, over which the learning rate falls to zero.
    """

    iteration: int = 0
    minutes: float = 0.0
    decay: float = 0.0

    def reached(self, progress: Progress) -> str | None:
        """Says which limit is reached, if one is."""
        if self.iteration and progress.iteration >= self.iteration:
            return "target iteration"
        if self.minutes and progress.seconds >= self.minutes * 60:
            return "target time"
        return None

    def rate_scale(self, progress: Progress) -> float:
        """Factor of the learning rate: 1, and in the decaying share half a cosine down to 0."""
        shares = [progress.iteration / self.iteration if self.iteration else 0.0,
                  progress.seconds / (self.minutes * 60) if self.minutes else 0.0]
        left = 1.0 - min(max(shares), 1.0)
        if left >= self.decay:
            return 1.0
        return (1.0 - math.cos(math.pi * left / self.decay)) / 2


def train(model: SwapModel, generators: Mapping[Side, BatchGenerator], progress: Progress,
          limits: Limits, *, on_iteration: Callable[[Iteration], None],
          periodic: tuple[Every, ...] = (), should_stop: Callable[[], bool] = lambda: False,
          clock: Callable[[], float] = time.monotonic) -> str:
    """Trains until a limit is reached or somebody asks to stop.

    Args:
        model: Changed in place.
        generators: Endless samples of each side.
        progress: Changed in place after every iteration.
        limits: See `Limits`.
        on_iteration: Told of every iteration.
        periodic: Actions by time, such as saving and showing previews.
        should_stop: Asked before every iteration.
        clock: Seconds that only grow.

    Returns:
        Why it ended: "target iteration", "target time" or "stopped".

    Raises:
        TrainingDiverged: A loss is not finite; `progress` then does not count that iteration.
    """
    samples, last = _Samples(generators), clock()
    while (reason := limits.reached(progress)) is None:
        if should_stop():
            return "stopped"
        iteration = progress.iteration + 1
        start = clock()
        batches = samples.batches(renewed=model.needs_new_batch(iteration))
        data_seconds = clock() - start
        losses = model.train_step(iteration, batches, limits.rate_scale(progress))
        _require_finite(losses, iteration)
        now = clock()
        seconds, last = now - last, now
        is_kept = not model.needs_new_batch(iteration + 1)
        _advance(progress, losses, seconds, samples.positions(is_kept))
        on_iteration(Iteration(losses, seconds, data_seconds))
        for action in periodic:
            action.tick(now)
    return reason


class _Samples:
    """The batches in use, and where in the facesets they begin."""

    def __init__(self, generators: Mapping[Side, BatchGenerator]):
        self._generators = generators
        self._starts: dict[Side, int] = {}
        self._batches: dict[Side, Batch] = {}

    def batches(self, renewed: bool) -> dict[Side, Batch]:
        """The batch of each side; the next one if `renewed`, or if there is none yet."""
        if renewed or not self._batches:
            for side, generator in self._generators.items():
                self._starts[side] = generator.position
                self._batches[side] = generator.next_batch()
        return self._batches

    def positions(self, kept: bool) -> dict[str, int]:
        """Side -> where a run that goes on from here begins; `kept`: with these batches again."""
        return {side.value: self._starts[side] if kept else generator.position
                for side, generator in self._generators.items()}


def _advance(progress: Progress, losses: dict[str, float], seconds: float,
             positions: dict[str, int]) -> None:
    progress.iteration += 1
    progress.seconds += seconds
    progress.history.append(losses, seconds)
    progress.positions = positions


def _require_finite(losses: Mapping[str, float], iteration: int) -> None:
    if not all(math.isfinite(loss) for loss in losses.values()):
        raise TrainingDiverged(
            f"the loss is no longer a number at iteration {iteration}; the last saved generation "
            "is whole: run `train` again with a lower --learning-rate to go on from it")
