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
    """

    iteration: int = 0
    minutes: float = 0.0

    def reached(self, progress: Progress) -> str | None:
        """Says which limit is reached, if one is."""
        if self.iteration and progress.iteration >= self.iteration:
            return "target iteration"
        if self.minutes and progress.seconds >= self.minutes * 60:
            return "target time"
        return None


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
    batches: dict[Side, Batch] = {}
    last = clock()
    while (reason := limits.reached(progress)) is None:
        if should_stop():
            return "stopped"
        data_seconds = _renew(batches, model, generators, progress.iteration + 1, clock)
        losses = model.train_step(progress.iteration + 1, batches)
        _require_finite(losses, progress.iteration + 1)
        now = clock()
        seconds, last = now - last, now
        _advance(progress, losses, seconds, generators)
        on_iteration(Iteration(losses, seconds, data_seconds))
        for action in periodic:
            action.tick(now)
    return reason


def _renew(batches: dict[Side, Batch], model: SwapModel, generators: Mapping[Side, BatchGenerator],
           iteration: int, clock: Callable[[], float]) -> float:
    """Fetches new batches where the model wants them; returns the seconds waited."""
    start = clock()
    if not batches or model.needs_new_batch(iteration):
        for side, generator in generators.items():
            batches[side] = generator.next_batch()
    return clock() - start


def _advance(progress: Progress, losses: dict[str, float], seconds: float,
             generators: Mapping[Side, BatchGenerator]) -> None:
    progress.iteration += 1
    progress.seconds += seconds
    progress.history.append(losses, seconds)
    progress.positions = {side.value: generators[side].position for side in generators}


def _require_finite(losses: Mapping[str, float], iteration: int) -> None:
    if not all(math.isfinite(loss) for loss in losses.values()):
        raise TrainingDiverged(
            f"the loss is no longer a number at iteration {iteration}; the last saved generation "
            "is whole: run `train` again with a lower --learning-rate to go on from it")
