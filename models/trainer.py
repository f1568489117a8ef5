"""The training loop: no window, no file, no question."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from leras.train_step import StepControl
from models.base import TrainedModel
from models.guard import LossGuard
from models.pace import Iteration
from models.store import Progress
from models.training_data import SampleSource
from samplelib.batch_stream import Batch

TARGET_ITERATION, TARGET_TIME, STOPPED = "target iteration", "target time", "stopped"


@dataclass
class Every:
    """Calls `action` when `seconds` have passed since its last call, counted from the start; for
    the first time after `first` seconds, if that is given."""

    seconds: float
    action: Callable[[], None]
    first: float | None = None
    last: float | None = None

    def tick(self, now: float) -> None:
        """Calls the action if it is due."""
        if self.last is None:
            self.last = now if self.first is None else now - self.seconds + self.first
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
        if self.is_last_iteration(progress):
            return TARGET_ITERATION
        return TARGET_TIME if self.is_time_up(progress) else None

    def is_last_iteration(self, progress: Progress) -> bool:
        """Whether all iterations are done; all processes of a training see that alike."""
        return bool(self.iteration) and progress.iteration >= self.iteration

    def is_time_up(self, progress: Progress) -> bool:
        """Whether all minutes have passed, by this process's clock."""
        return bool(self.minutes) and progress.seconds >= self.minutes * 60

    def rate_scale(self, progress: Progress) -> float:
        """Factor of the learning rate: 1, and in the decaying share half a cosine down to 0."""
        shares = [progress.iteration / self.iteration if self.iteration else 0.0,
                  progress.seconds / (self.minutes * 60) if self.minutes else 0.0]
        left = 1.0 - min(max(shares), 1.0)
        if left >= self.decay:
            return 1.0
        return (1.0 - math.cos(math.pi * left / self.decay)) / 2


def _nothing_saved() -> Progress:
    raise TypeError("this training cannot go back: it was given no way to")


@dataclass(frozen=True)
class Surroundings:
    """What the loop tells and asks.

    Attributes:
        on_iteration: Told of every iteration.
        on_message: Told a line for the user.
        should_stop: Asked before every iteration whether somebody here wants to stop.
        is_shared: Whether other processes train along: then all end after the same iteration.
        roll_back: Loads the last saved model into the model, on all processes, and gives how far
            it was; raises TrainingDiverged if there is none.
        clock: Seconds that only grow.
    """

    on_iteration: Callable[[Iteration], None] = lambda iteration: None
    on_message: Callable[[str], None] = lambda message: None
    should_stop: Callable[[], bool] = lambda: False
    is_shared: bool = False
    roll_back: Callable[[], Progress] = _nothing_saved
    clock: Callable[[], float] = time.monotonic


@dataclass
class Trainer:
    """Trains a model until a limit is reached or somebody asks to stop.

    Attributes:
        model: Changed in place.
        sources: Endless samples by the names that the model knows.
        progress: Changed in place after every iteration.
        limits: See `Limits`.
        guard: Follows every step.
        around: See `Surroundings`.
        periodic: Actions by time, such as saving and showing previews.
    """

    model: TrainedModel
    sources: Mapping[str, SampleSource]
    progress: Progress
    limits: Limits
    guard: LossGuard
    around: Surroundings = Surroundings()
    periodic: tuple[Every, ...] = ()
    _last: float = field(default=0.0, init=False)

    def train(self) -> str:
        """Runs the loop.

        Returns:
            Why it ended: "target iteration", "target time" or "stopped".

        Raises:
            TrainingDiverged: The guard gives up.
            WorkerLost: Another process of the training is gone.
        """
        samples = _Samples(self.sources)
        self._last = self.around.clock()
        while not self.limits.is_last_iteration(self.progress):
            wish = self._wish()
            if wish is not None and not self.around.is_shared:
                return wish
            if self._iterate(samples, wants_stop=wish is not None):
                return wish or self._wish() or STOPPED
        return TARGET_ITERATION

    def _wish(self) -> str | None:
        """Why this process would like to end."""
        if self.limits.is_time_up(self.progress):
            return TARGET_TIME
        return STOPPED if self.around.should_stop() else None

    def _iterate(self, samples: "_Samples", wants_stop: bool) -> bool:
        """Makes one iteration; gives whether all processes agreed to end after it."""
        model, clock = self.model, self.around.clock
        number = self.progress.iteration + 1
        start = clock()
        batches = samples.batches(renewed=model.needs_new_batch(number))
        data_seconds = clock() - start
        rate = self.limits.rate_scale(self.progress) * self.guard.rate_scale
        result = model.train_step(
            number, batches, StepControl(rate, self.guard.loss_limit, wants_stop))
        judgement = self.guard.follow(number, result)
        now = clock()
        iteration = Iteration(number, result, rate, now - self._last, data_seconds)
        self._last = now
        self._advance(iteration, samples.positions(kept=not model.needs_new_batch(number + 1)))
        if judgement.message:
            self.around.on_message(judgement.message)
        if judgement.roll_back:
            self._roll_back()
            samples.forget()
        self.around.on_iteration(iteration)
        for action in self.periodic:
            action.tick(now)
        return result.stop_agreed

    def _advance(self, iteration: Iteration, positions: dict[str, int]) -> None:
        progress = self.progress
        progress.iteration = iteration.number
        progress.seconds += iteration.seconds
        progress.history.append(iteration.result.losses, iteration.seconds)
        progress.positions = positions
        progress.guard_rate = self.guard.rate_scale

    def _roll_back(self) -> None:
        self.progress.go_back(self.around.roll_back())
        self.guard.rolled_back()
        self.around.on_message(f"went back to iteration {self.progress.iteration}")


class _Samples:
    """The batches in use, and where in their sources they begin."""

    def __init__(self, sources: Mapping[str, SampleSource]):
        self._sources = sources
        self._starts: dict[str, int] = {}
        self._batches: dict[str, Batch] = {}

    def batches(self, renewed: bool) -> dict[str, Batch]:
        """The batch of each source; the next one if `renewed`, or if there is none yet."""
        if renewed or not self._batches:
            for name, source in self._sources.items():
                self._starts[name] = source.position
                self._batches[name] = source.next_batch()
        return self._batches

    def positions(self, kept: bool) -> dict[str, int]:
        """Source -> where a run that goes on from here begins; `kept`: with these batches again."""
        return {str(name): self._starts[name] if kept else source.position
                for name, source in self._sources.items()}

    def forget(self) -> None:
        """Lets the next iteration begin with new batches."""
        self._batches = {}
