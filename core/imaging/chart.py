"""A line chart of what was measured over iterations, as a picture."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from core.imaging.draw import BACKGROUND, GRID, draw_polyline, put_text, text_size

# Told apart by people with any common kind of colour blindness (Okabe and Ito 2008), as BGR.
SERIES_COLORS = ((233, 180, 86), (0, 159, 230), (115, 158, 0), (167, 121, 204))
FONT_HEIGHT = 12
BAND_OPACITY = 0.35
LOG_FROM_RATIO = 8.0  # a curve that falls to less than 1/8 is flat on a linear axis


@dataclasses.dataclass(frozen=True)
class Columns:
    """One series reduced to what each column of the plot shows; NaN where it has no value.

    Attributes:
        position: (C,) float64, index of the column's middle value in the series.
        low: (C,) float64, the smallest value of the column.
        high: (C,) float64, the largest.
        mean: (C,) float64.
    """

    position: np.ndarray
    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray


def columns_of(values: Sequence[float] | np.ndarray, n_columns: int) -> Columns:
    """Splits a series into at most `n_columns` equal runs and reduces each one.

    Values that are not finite are left out; a run without finite values gives NaN.

    Args:
        values: (N,) numbers, oldest first.
        n_columns: Largest number of columns, at least 1.
    """
    values = np.asarray(values, np.float64)
    if not len(values):
        return Columns(*(np.empty(0) for _ in range(4)))
    n_columns = min(n_columns, len(values))
    edges = np.arange(n_columns) * len(values) // n_columns
    sizes = np.diff(np.append(edges, len(values)))
    finite = np.isfinite(values)
    known = np.where(finite, values, np.nan)
    counts = np.add.reduceat(finite.astype(np.float64), edges)
    sums = np.add.reduceat(np.where(finite, values, 0.0), edges)
    mean = np.divide(sums, counts, out=np.full(len(edges), np.nan), where=counts > 0)
    return Columns(
        position=edges + (sizes - 1) / 2,
        low=np.fmin.reduceat(known, edges),
        high=np.fmax.reduceat(known, edges),
        mean=mean,
    )


@dataclasses.dataclass(frozen=True)
class Axis:
    """A value axis: `low` is drawn at the bottom, `high` at the top (low < high)."""

    low: float
    high: float
    is_log: bool

    def fraction(self, values: np.ndarray | float) -> np.ndarray:
        """Height of the values, 0 at the bottom of the axis, 1 at the top, clipped; NaN stays."""
        values, low, high = np.asarray(values, np.float64), self.low, self.high
        if self.is_log:
            values = np.log10(np.maximum(values, self.low))
            low, high = math.log10(low), math.log10(high)
        return np.clip((values - low) / (high - low), 0.0, 1.0)

    def ticks(self, n_most: int) -> list[float]:
        """Round numbers on the axis, at most about `n_most`."""
        if not self.is_log:
            return _linear_ticks(self.low, self.high, n_most)
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for steps in ((1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
            ticks = [step * 10.0**decade for decade in decades for step in steps]
            ticks = [tick for tick in ticks if self.low <= tick <= self.high]
            if len(ticks) <= n_most:
                break
        return ticks if len(ticks) >= 2 else _linear_ticks(self.low, self.high, n_most)


def value_axis(columns: Sequence[Columns], scale: str = "auto") -> Axis:
    """The axis on which all series are seen.

    Args:
        columns: The series.
        scale: "linear", "log", or "auto": logarithmic when all values are above 0 and the curves
            span more than a factor of `LOG_FROM_RATIO`.

    Raises:
        ValueError: Another scale.
    """
    if scale not in ("auto", "linear", "log"):
        raise ValueError(f"scale must be auto, linear or log, not {scale!r}")
    lows = _finite([series.low for series in columns])
    highs = _finite([series.high for series in columns])
    means = _finite([series.mean for series in columns])
    if not len(means):
        return Axis(0.0, 1.0, is_log=False)
    if lows.min() > 0 and (scale == "log" or scale == "auto" and _falls_far(means)):
        low, high = _usual_range(lows, highs)
        return Axis(low / 1.05, high * 1.05, is_log=True)
    # A few spikes must not flatten the curve: they are cut off at twice what is usual.
    top = min(highs.max(), 2.0 * float(np.percentile(highs, 98)))
    bottom = min(lows.min(), 0.0)
    return Axis(bottom, max(top, bottom + 1e-9) * 1.05, is_log=False)


@dataclasses.dataclass(frozen=True)
class Plot:
    """The rectangle in which curves are drawn.

    Attributes:
        x1, y1, x2, y2: Its outermost pixels.
        axis: Of the values, upwards.
        n_values: Values from the left to the right side.
    """

    x1: int
    y1: int
    x2: int
    y2: int
    axis: Axis
    n_values: int

    def points(self, position: np.ndarray, values: np.ndarray) -> np.ndarray:
        """(C, 2) float64 x, y pixels of (C,) values at their (C,) positions in the series."""
        return np.stack([self.columns(position), self.rows(values)], axis=1)

    def columns(self, position: np.ndarray | float) -> np.ndarray:
        """The x pixels of positions in the series; of a single value it is the middle."""
        if self.n_values < 2:
            return np.full(np.shape(position), (self.x1 + self.x2) / 2)
        return self.x1 + np.asarray(position) / (self.n_values - 1) * (self.x2 - self.x1)

    def rows(self, values: np.ndarray | float) -> np.ndarray:
        """The y pixels of values."""
        return self.y2 - self.axis.fraction(values) * (self.y2 - self.y1)


def loss_chart(
    losses: Mapping[str, Sequence[float] | np.ndarray],
    width: int,
    height: int = 160,
    *,
    first_iteration: int = 1,
    scale: str = "auto",
) -> np.ndarray:
    """Curves of losses over iterations: mean as a line, smallest to largest as a band per column.

    The legend shows the latest values. Values that are not finite leave gaps.

    Args:
        losses: Name -> (N,) loss per iteration, oldest first; series may differ in length.
        width, height: Of the picture, in pixels; at least 160 and 80.
        first_iteration: Number of the first value; that of the last is shown as the count.
        scale: As in `value_axis`.

    Returns:
        (height, width, 3) uint8 BGR.

    Raises:
        ValueError: A picture too small, or an unknown scale.
    """
    plotted = max(width - 9 - _left_margin(), 1)
    columns = {name: columns_of(values, plotted) for name, values in losses.items()}
    n_values = max((len(values) for values in losses.values()), default=0)
    labels = {name: f"{name} {_latest(np.asarray(values, np.float64))}"
              for name, values in losses.items()}
    return columns_chart(columns, labels, n_values, width, height,
                         first_iteration=first_iteration, scale=scale)


def columns_chart(
    series: Mapping[str, Columns],
    labels: Mapping[str, str],
    n_values: int,
    width: int,
    height: int = 160,
    *,
    first_iteration: int = 1,
    scale: str = "auto",
) -> np.ndarray:
    """The chart of series that are reduced to columns already; see `loss_chart`.

    Args:
        series: Name -> columns of each series.
        labels: Name -> what the legend says of it.
        n_values: Values of the longest series before it was reduced.
        width, height: Of the picture, in pixels; at least 160 and 80.
        first_iteration: Number of the first value.
        scale: As in `value_axis`.

    Returns:
        (height, width, 3) uint8 BGR.

    Raises:
        ValueError: A picture too small, or an unknown scale.
    """
    if width < 160 or height < 80:
        raise ValueError(f"a chart needs at least 160 x 80 pixels, not {width} x {height}")
    columns = list(series.values())
    axis = value_axis(columns, scale)
    plot = Plot(_left_margin(), FONT_HEIGHT + 12, width - 10, height - FONT_HEIGHT - 10,
                axis, n_values)
    canvas = np.full((height, width, 3), BACKGROUND, np.uint8)
    _draw_value_grid(canvas, plot)
    _draw_iteration_grid(canvas, plot, first_iteration)
    _draw_curves(canvas, plot, columns)
    _draw_legend(canvas, [labels[name] for name in series],
                 first_iteration + n_values - 1 if n_values else 0, axis)
    return canvas


def _usual_range(lows: np.ndarray, highs: np.ndarray) -> tuple[float, float]:
    """The range of a logarithmic axis without the spikes; all values are above 0."""
    low = max(float(lows.min()), float(np.percentile(lows, 2)) / 4)
    high = min(float(highs.max()), float(np.percentile(highs, 98)) * 4)
    return low, max(high, 1.1 * low)


def _falls_far(means: np.ndarray) -> bool:
    """Whether curves above 0 are better seen on a logarithmic axis."""
    low, high = _usual_range(means, means)
    return high > LOG_FROM_RATIO * low


def _left_margin() -> int:
    return 8 + text_size("0.0005", FONT_HEIGHT)[0]


def _finite(arrays: Sequence[np.ndarray]) -> np.ndarray:
    joined = np.concatenate([np.empty(0), *arrays])
    return joined[np.isfinite(joined)]


def _color(index: int) -> tuple[int, int, int]:
    return SERIES_COLORS[index % len(SERIES_COLORS)]


def _linear_ticks(low: float, high: float, n_most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten between low and high, at most about `n_most`."""
    if high <= low:
        return [low]
    smallest = (high - low) / max(n_most, 1)
    power = 10.0 ** math.floor(math.log10(smallest))
    step = next(power * unit for unit in (1, 2, 5, 10) if power * unit >= smallest * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def _draw_curves(canvas: np.ndarray, plot: Plot, columns: Sequence[Columns]) -> None:
    """All bands, then all lines on top of them."""
    for index, series in enumerate(columns):
        _draw_band(canvas, plot, series, _color(index))
    for index, series in enumerate(columns):
        points = plot.points(series.position, series.mean)
        thickness = 2 if len(points) < 200 else 1
        draw_polyline(canvas, points, _color(index), thickness=thickness)


def _draw_band(
    canvas: np.ndarray, plot: Plot, series: Columns, color: tuple[int, int, int]
) -> None:
    """Fills between smallest and largest value, each run of finite columns as one polygon."""
    upper = plot.points(series.position, series.high)
    lower = plot.points(series.position, series.low)
    finite = np.isfinite(upper).all(axis=1) & np.isfinite(lower).all(axis=1)
    filled = canvas.copy()
    for run in np.split(np.arange(len(upper)), np.flatnonzero(np.diff(finite)) + 1):
        if len(run) and finite[run[0]]:
            outline = np.concatenate([upper[run], lower[run][::-1]])
            cv2.fillPoly(filled, [np.rint(outline * 16).astype(np.int32)], color, cv2.LINE_AA, 4)
    cv2.addWeighted(filled, BAND_OPACITY, canvas, 1.0 - BAND_OPACITY, 0.0, dst=canvas)


def _draw_value_grid(canvas: np.ndarray, plot: Plot) -> None:
    for tick in plot.axis.ticks(max((plot.y2 - plot.y1) // 20, 2)):
        y = round(float(plot.rows(tick)))
        cv2.line(canvas, (plot.x1, y), (plot.x2, y), GRID)
        label = f"{tick:.4g}"
        x = plot.x1 - 4 - text_size(label, FONT_HEIGHT)[0]
        put_text(canvas, label, (x, y - FONT_HEIGHT // 2 - 1), height=FONT_HEIGHT)


def _draw_iteration_grid(canvas: np.ndarray, plot: Plot, first_iteration: int) -> None:
    cv2.rectangle(canvas, (plot.x1, plot.y1), (plot.x2, plot.y2), GRID)
    if plot.n_values < 1:
        return
    width, last = plot.x2 - plot.x1, first_iteration + plot.n_values - 1
    for tick in _linear_ticks(first_iteration, last, max(width // 90, 2)):
        if tick != int(tick):
            continue
        x = round(float(plot.columns(tick - first_iteration)))
        cv2.line(canvas, (x, plot.y1), (x, plot.y2), GRID)
        label = f"{int(tick):,}"
        label_width = text_size(label, FONT_HEIGHT)[0]
        x = min(max(x - label_width // 2, 0), canvas.shape[1] - label_width)
        put_text(canvas, label, (x, plot.y2 + 3), height=FONT_HEIGHT)


def _draw_legend(
    canvas: np.ndarray, labels: Sequence[str], iteration: int, axis: Axis
) -> None:
    """Names, latest values and the iteration count, in the strip above the plot."""
    x, y = 8, 4 + FONT_HEIGHT // 2 + 1
    for index, label in enumerate(labels):
        cv2.line(canvas, (x, y), (x + 14, y), _color(index), 3, cv2.LINE_AA)
        put_text(canvas, label, (x + 20, 4), height=FONT_HEIGHT)
        x += 20 + text_size(label, FONT_HEIGHT)[0] + 16
    count = f"iteration {iteration:,}" + (", log scale" if axis.is_log else "")
    start = canvas.shape[1] - 10 - text_size(count, FONT_HEIGHT)[0]
    if start > x:  # on a narrow chart the losses matter more
        put_text(canvas, count, (start, 4), height=FONT_HEIGHT)


def _latest(values: np.ndarray) -> str:
    """The last finite value, and how many are not finite."""
    finite = values[np.isfinite(values)]
    latest = f"{finite[-1]:.4f}" if len(finite) else "-"
    n_broken = len(values) - len(finite)
    return f"{latest} ({n_broken} not finite)" if n_broken else latest
