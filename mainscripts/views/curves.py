"""Loss curves small enough to be sent and drawn once a second, however long the history."""

import threading
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from core.imaging.chart import Columns, columns_chart, columns_of
from mainscripts.views.view import TrainingStatus

RANGES = (0, 5000, 10000, 50000, 100000)  # iterations shown, from the last one back; 0 is all
SECONDS = "seconds"  # the history's column with the time an iteration took


class Curves(NamedTuple):
    """What a chart shows.

    Attributes:
        first_iteration, last_iteration: At its left and right side; last < first if it is empty.
        series: Name -> at most as many columns as asked for; positions count from
            `first_iteration`.
    """

    first_iteration: int
    last_iteration: int
    series: dict[str, Columns]

    @property
    def n_values(self) -> int:
        """Iterations from left to right."""
        return self.last_iteration - self.first_iteration + 1


class CurveCache:
    """Reduces the history of one training to columns; from any thread.

    A chart looks the same until one more of its columns is full, so what was reduced last is given
    again until then: with a million iterations on a thousand columns, for a thousand iterations.
    """

    def __init__(self, n_kept: int = 16):
        """
        Args:
            n_kept: How many pairs of range and width are remembered.
        """
        self._n_kept = n_kept
        self._lock = threading.Lock()
        self._known: dict[tuple[int, int], Curves] = {}

    def curves(self, status: TrainingStatus, n_last: int, n_columns: int) -> Curves:
        """The last iterations of a status.

        Args:
            status: Its history may grow meanwhile.
            n_last: Iterations shown; 0 is all.
            n_columns: Most columns, at least 1.
        """
        key = n_last, n_columns
        with self._lock:
            known = self._known.pop(key, None)
            if known is None or _is_stale(known, status.iteration, n_columns):
                known = _reduce(status, n_last, n_columns)
            self._known[key] = known  # the one used last stands last
            while len(self._known) > self._n_kept:
                self._known.pop(next(iter(self._known)))
            return known


def _is_stale(known: Curves, iteration: int, n_columns: int) -> bool:
    n_new = iteration - known.last_iteration
    return n_new < 0 or n_new >= max(known.n_values / n_columns, 1)


def _reduce(status: TrainingStatus, n_last: int, n_columns: int) -> Curves:
    history = status.history
    n_values = min(status.history_length, status.iteration)  # it may have grown since
    start = max(n_values - n_last, 0) if n_last else 0
    first = status.iteration - n_values + start + 1
    series = {name: columns_of(history.column(name)[start:n_values], n_columns)
              for name in (*history.names, SECONDS)}
    return Curves(first, first + n_values - start - 1, series)


def curves_to_json(curves: Curves) -> dict:
    """Curves in JSON's types: numbers with five digits, None where a column has no value."""
    series = {name: {field: _rounded(values) for field, values in vars(columns).items()
                     if field != "position"} for name, columns in curves.series.items()}
    return {"first": curves.first_iteration, "last": curves.last_iteration, "series": series}


def _rounded(values: np.ndarray) -> list[float | None]:
    finite = np.isfinite(values)
    digits = np.floor(np.log10(np.abs(values), out=np.zeros(len(values)),
                               where=finite & (values != 0)))
    scale = 10.0 ** (4 - digits)
    rounded = np.rint(np.where(finite, values, 0.0) * scale) / scale
    return [value if known else None
            for value, known in zip(rounded.tolist(), finite.tolist(), strict=True)]


def curves_picture(curves: Curves, losses: Mapping[str, float], width: int,
                   height: int) -> np.ndarray:
    """The chart of losses as a picture.

    Args:
        curves: With at most as many columns as the picture is wide.
        losses: Name -> recent mean, for the legend.
        width, height: In pixels; at least 160 and 80.

    Returns:
        (height, width, 3) uint8 BGR.
    """
    series = {name: columns for name, columns in curves.series.items() if name != SECONDS}
    known = {name: loss for name, loss in losses.items() if np.isfinite(loss)}
    labels = {name: f"{name} {known[name]:.4f}" if name in known else f"{name} -"
              for name in series}
    return columns_chart(series, labels, curves.n_values, width, height,
                         first_iteration=curves.first_iteration)
