"""What every iteration cost: losses and time, in arrays that grow by doubling."""

import math
from collections.abc import Mapping

import numpy as np

LARGEST = float(np.finfo(np.float32).max)


class LossHistory:
    """One float32 per iteration for each loss and for the seconds an iteration took.

    A loss that an iteration did not have, or that was no number, is NaN.
    """

    def __init__(self, names: tuple[str, ...] = ("src", "dst")):
        self.names = names
        self._columns = {name: np.empty(1024, np.float32) for name in (*names, "seconds")}
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, losses: Mapping[str, float], seconds: float) -> None:
        """Adds one iteration; losses without a column are left out."""
        if self._length == len(self._columns["seconds"]):
            self._columns = {name: np.concatenate([column, np.empty_like(column)])
                             for name, column in self._columns.items()}
        known = {**losses, "seconds": seconds}
        for name, column in self._columns.items():
            value = known.get(name, math.nan)
            column[self._length] = value if abs(value) <= LARGEST else math.nan
        self._length += 1

    def with_names(self, names: tuple[str, ...]) -> "LossHistory":
        """The same iterations with columns for these losses, then those it had besides."""
        missing = np.full(self._length, np.nan, np.float32)
        columns = {name: self._columns.get(name, missing)[:self._length]
                   for name in dict.fromkeys((*names, *self.names, "seconds"))}
        return LossHistory.from_state(columns)

    def column(self, name: str) -> np.ndarray:
        """(iterations,) float32 view of a loss or of "seconds"."""
        return self._columns[name][:self._length]

    def recent(self, name: str, n: int = 100) -> float:
        """Mean of the numbers among the last `n` values; NaN if there are none."""
        values = self.column(name)[-n:]
        values = values[np.isfinite(values)]
        return float(values.mean()) if len(values) else float("nan")

    def state(self) -> dict[str, np.ndarray]:
        """A copy of all columns, to be saved."""
        return {name: self.column(name).copy() for name in self._columns}

    @classmethod
    def from_state(cls, state: Mapping[str, np.ndarray]) -> "LossHistory":
        """Takes back what `state` gave."""
        history = cls(tuple(name for name in state if name != "seconds"))
        history._columns = {name: np.array(column, np.float32) for name, column in state.items()}
        history._length = len(state["seconds"])
        if history._length == 0:
            return cls(history.names)
        return history
