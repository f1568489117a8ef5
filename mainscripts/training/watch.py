"""What is told of a running training: the console's line, and the state that views show."""

import math
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from core.report import Progress as ProgressBar
from mainscripts.views.view import Command, TrainingStatus, TrainingView

if TYPE_CHECKING:
    from models.pace import Iteration
    from models.store import Progress

SECONDS = 0.25  # between two states told


class Watch:
    """Follows the iterations and tells of them some times a second.

    Attributes:
        message: The last thing worth telling.
    """

    def __init__(self, name: str, kind: str, progress: "Progress", bar: ProgressBar,
                 view: TrainingView, *, target_iteration: int, images: int,
                 memory_mb: Callable[[], float | None],
                 clock: Callable[[], float] = time.monotonic):
        """
        Args:
            name, kind: Of the model.
            progress: Changed by the loop.
            bar: Of the console; started.
            view: Of the user.
            target_iteration: 0 is none.
            images: Samples of all sources in one iteration, over all machines.
            memory_mb: Gives the peak of memory so far.
            clock: Seconds that only grow.
        """
        from models.pace import Pace

        self._facts = {"name": name, "kind": kind, "target_iteration": target_iteration}
        self._progress, self._bar, self._view = progress, bar, view
        self._images, self._memory_mb, self._clock = images, memory_mb, clock
        self._pace = Pace()
        self._rate_scale = 1.0
        self._told_at = -math.inf
        self._told_iteration = 0
        self.message = ""
        self.saved_at: float | None = None
        self.saved_iteration: int | None = None

    def start(self) -> None:
        """Shows where the training stands."""
        self._advance({})

    def follow(self, iteration: "Iteration") -> None:
        """Takes in one iteration."""
        self._pace.add(iteration)
        self._rate_scale = iteration.rate_scale
        if self._clock() - self._told_at >= SECONDS:
            self.tell()
        else:
            self._advance({})

    def tell(self, previews: Mapping[str, np.ndarray] | None = None) -> None:
        """Tells console and views now.

        Args:
            previews: New ones, (H, W, 3) uint8 BGR each.
        """
        status = self.status(previews)
        self._advance(console_facts(status))
        self._view.update(status)
        self._told_at = self._clock()

    def commands(self) -> list[Command]:
        """What the user asked for since the last call."""
        return self._view.commands()

    def _advance(self, facts: dict[str, Any]) -> None:
        # After a rollback, the count goes back too.
        self._bar.advance(self._progress.iteration - self._told_iteration, **facts)
        self._told_iteration = self._progress.iteration

    def status(self, previews: Mapping[str, np.ndarray] | None = None) -> TrainingStatus:
        """How far the training is, for views."""
        progress, means = self._progress, dict(self._pace.losses())
        losses = {name: means.pop(name, progress.history.recent(name))
                  for name in progress.history.names}
        losses = {name: loss for name, loss in losses.items() if not math.isnan(loss)}
        speed = self._pace.iterations_per_second
        return TrainingStatus(
            **self._facts, iteration=progress.iteration, history=progress.history,
            seconds=progress.seconds, iterations_per_second=speed,
            images_per_second=speed * self._images, losses=losses, terms=means,
            data_wait_ms=self._pace.data_wait_ms, memory_mb=self._memory_mb(),
            rate_scale=self._rate_scale, saved_at=self.saved_at,
            saved_iteration=self.saved_iteration, message=self.message, previews=previews)


def console_facts(status: TrainingStatus) -> dict[str, Any]:
    """What stands on the console's line."""
    facts: dict[str, Any] = {"it/s": round(status.iterations_per_second, 2),
                             "img/s": round(status.images_per_second, 1)}
    facts |= {name: round(value, 4) for name, value in {**status.losses, **status.terms}.items()}
    facts["wait ms"] = round(status.data_wait_ms, 1)
    if status.memory_mb is not None:
        facts["MB"] = round(status.memory_mb)
    if status.rate_scale != 1.0:
        facts["rate"] = round(status.rate_scale, 3)
    return facts
