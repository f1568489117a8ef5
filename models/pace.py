"""What a training did of late: speed, waiting, and means of everything its steps reported."""

import math
from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from leras.train_step import StepResult

N_RECENT = 50


class Iteration(NamedTuple):
    """What one iteration gave.

    Args:
        number: From 1.
        result: Of its step.
        rate_scale: Factor of the learning rate with which it was made.
        seconds: From the end of the iteration before to its own end.
        data_seconds: How many of them it waited for samples.
    """

    number: int
    result: StepResult
    rate_scale: float
    seconds: float
    data_seconds: float


class Pace:
    """Means over the last iterations."""

    def __init__(self, n_recent: int = N_RECENT):
        self._recent: deque[Iteration] = deque(maxlen=n_recent)

    def add(self, iteration: Iteration) -> None:
        """Takes in one iteration."""
        self._recent.append(iteration)

    @property
    def iterations_per_second(self) -> float:
        """0 before the first iteration."""
        seconds = sum(iteration.seconds for iteration in self._recent)
        return len(self._recent) / seconds if seconds > 0 else 0.0

    @property
    def data_wait_ms(self) -> float:
        """Milliseconds that an iteration waited for samples."""
        return 1000 * _mean([iteration.data_seconds for iteration in self._recent] or [0.0])

    def losses(self) -> Mapping[str, float]:
        """Name -> mean of the finite values; NaN where there is none. Names and order are those of
        the last iteration."""
        if not self._recent:
            return {}
        results = [iteration.result.losses for iteration in self._recent]
        return {name: _mean([losses[name] for losses in results
                             if math.isfinite(losses.get(name, math.nan))])
                for name in results[-1]}


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan
