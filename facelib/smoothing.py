"""Steadier landmarks: smoothing over time that neither lags nor cuts corners, and its measure.

Each landmark is replaced by the value of a quadratic through its places around that moment. How
many frames the fit takes in is decided anew for every frame and part of the face: as many as agree
with the shorter fits to within the noise (Goldenshluger and Nemirovski, 1997). So a resting face
is smoothed as far as allowed, and a sharp turn, a word or the blink of an eye is left as it was.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.ndimage import median_filter, minimum_filter1d, uniform_filter1d

from facelib.landmarks import REGIONS

MOST_FRAMES = 15
"""Largest time step: with more, nothing gets steadier."""

_PARTS = (
    ("jaw",), ("right_eyebrow",), ("left_eyebrow",), ("nose_ridge", "nose_base"),
    ("right_eye",), ("left_eye",), ("outer_lips", "inner_lips"),
)
"""Regions that share one decision: many landmarks together are surer than one."""

_TOLERANCE = 3.0
"""Standard deviations by which a longer fit may differ from a shorter one."""

_SPIKE, _LEAST_SPIKE = 4.0, 0.03
"""Standard deviations, and share of the eye distance, from what both sides foretell, from which on
a place is an error."""
_SPIKE_FRAMES = 13
"""Spikes are measured by the noise of so many frames: a video that itself moves by jerks, as after
a change of its frame rate, has none."""

_LEAST_NOISE = 1e-4  # of the eye distance, so that faces that never move have a scale
_RAYLEIGH_MEDIAN = np.sqrt(2 * np.log(2))  # of the length of a vector with unit noise per axis


class Run(NamedTuple):
    """A face in frames that follow each other.

    `frames`: (T,) int, increasing, gaps allowed; `landmarks`: (T, 68, 2) float, pixels.
    """

    frames: np.ndarray
    landmarks: np.ndarray


def jitter(runs: Iterable[Run]) -> float | None:
    """How much landmarks tremble from frame to frame.

    The distance of a landmark from the middle between its places one frame before and one after,
    its median over all frames and landmarks, as the standard deviation per axis of a noise that
    has this median, in shares of the distance between the eyes' centres. Steady motion counts for
    nothing, its acceleration for little.

    Returns:
        About 0.003 for FaceMesh; None where no face is in three frames in a row.
    """
    distances = [values for run in runs for values in _bends(run)]
    if not distances:
        return None
    # The difference of second order of noise has six times its variance.
    return float(np.median(np.concatenate(distances)) / _RAYLEIGH_MEDIAN / np.sqrt(6))


def _bends(run: Run) -> Iterable[np.ndarray]:
    """(N * 68,) lengths of the second differences of three frames in a row, by eye distance."""
    frames, points = np.asarray(run.frames), np.asarray(run.landmarks, np.float64)
    whole = np.flatnonzero(frames[2:] - frames[:-2] == 2)
    if len(whole):
        bends = points[whole] - 2 * points[whole + 1] + points[whole + 2]
        sizes = eye_distances(points[whole + 1])
        yield (np.linalg.norm(bends, axis=-1) / sizes[:, np.newaxis]).ravel()


def eye_distances(landmarks: np.ndarray) -> np.ndarray:
    """Distance between the centres of the eyes, or in profiles what stands for it.

    Args:
        landmarks: (T, 68, 2) float.

    Returns:
        (T,) float64: the larger of the eyes' distance and 0.4 of the way from brows to chin.
    """
    points = np.asarray(landmarks, np.float64)
    right, left = (points[:, REGIONS[eye]].mean(axis=1) for eye in ("right_eye", "left_eye"))
    brows, chin = points[:, 17:27].mean(axis=1), points[:, 8]
    return np.maximum(np.linalg.norm(right - left, axis=-1),
                      np.linalg.norm(brows - chin, axis=-1) * 0.4)


def smooth(run: Run, n_frames: int) -> np.ndarray:
    """Landmarks without their noise.

    Args:
        run: Of one face, without a cut.
        n_frames: The time step: about so many frames before and as many after a frame count; 0
            changes nothing, from 2 on the jitter is halved.

    Returns:
        (T, 68, 2) float64.
    """
    points = np.asarray(run.landmarks, np.float64)
    if n_frames == 0 or len(points) < 4:
        return points
    places = np.asarray(run.frames) - run.frames[0]
    smoothed = points.copy()
    sizes = eye_distances(points)
    for names in _PARTS:
        part = np.concatenate([np.arange(68)[REGIONS[name]] for name in names])
        values = points[:, part].reshape(len(points), -1)
        series = _Series.on_every_frame(places, values, sizes)
        smoothed[:, part] = _smooth_series(series, n_frames)[places].reshape(-1, len(part), 2)
    return smoothed


class _Series(NamedTuple):
    """Values on every frame, missing ones included.

    `values`: (T, D); `weights`: (T,) 1, or 0 where there is no value; `noise`: (T,) standard
    deviation of a value.
    """

    values: np.ndarray
    weights: np.ndarray
    noise: np.ndarray

    @classmethod
    def on_every_frame(cls, places: np.ndarray, values: np.ndarray, sizes: np.ndarray) -> "_Series":
        """Spreads values over a line of frames, measures their noise and drops errors."""
        n_frames = places[-1] + 1
        spread, weights = np.zeros((n_frames, values.shape[1])), np.zeros(n_frames)
        spread[places], weights[places] = values, 1
        line_sizes = np.interp(np.arange(n_frames), places, sizes)
        noise, unrest = _noise(spread, weights, line_sizes)
        limits = np.maximum(_SPIKE * unrest, _LEAST_SPIKE * line_sizes)
        weights[_spikes(spread, weights, limits)] = 0
        return cls(spread, weights, noise)


def _noise(values: np.ndarray, weights: np.ndarray, sizes: np.ndarray
           ) -> tuple[np.ndarray, np.ndarray]:
    """(T,) standard deviation of a value, from all frames and from those around each.

    Measured by differences of third order, which speed and its steady change do not alter.
    """
    relative = np.zeros(len(values))
    if len(values) > 3:
        whole = np.lib.stride_tricks.sliding_window_view(weights, 4).min(axis=1) > 0
        differences = _rms(np.diff(values, 3, axis=0)) / np.sqrt(20) / sizes[1:-2]
        relative[1:-2] = np.where(whole, differences, 0)
    measured = relative[relative > 0]
    share = max(float(np.median(measured)), _LEAST_NOISE) if len(measured) else _LEAST_NOISE
    around = median_filter(relative, _SPIKE_FRAMES, mode="nearest")
    return share * sizes, np.maximum(around, share) * sizes


def _spikes(values: np.ndarray, weights: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """(T,) bool: one or two frames off by more than (T,) `limits` from where both sides lead to.

    The corner of a sharp turn is where both sides lead to, and the first frame of a jump is where
    its own side leads to; neither counts.
    """
    spikes = np.zeros(len(values), bool)
    for back, ahead in ((1, 1), (1, 2), (2, 1)):
        start, stop = back + 1, len(values) - ahead - 1
        if start >= stop:
            continue
        at = np.arange(start, stop)
        used = np.stack([at, at - back, at - back - 1, at + ahead, at + ahead + 1])
        before = _lead(values[at - back - 1], values[at - back], back)
        after = _lead(values[at + ahead + 1], values[at + ahead], ahead)
        off = np.minimum(_rms(values[at] - before), _rms(values[at] - after))
        spikes[at] |= ((weights[used].min(axis=0) > 0) & (off > limits[at])
                       & (_rms(before - after) < off / 2))
    return spikes


def _lead(earlier: np.ndarray, last: np.ndarray, steps: int) -> np.ndarray:
    """Where two places lead to at the same speed."""
    return last + steps * (last - earlier)


def _smooth_series(series: _Series, n_frames: int) -> np.ndarray:
    """(T, D): the best of fits over 1 to n_frames + 1 frames on each side."""
    kernels = [_kernel(series.weights, reach) for reach in range(1, n_frames + 2)]
    fits = [_filter(kernel, series.values) for kernel in kernels]
    usable = [kernel.any(axis=1) for kernel in kernels]
    for number in range(len(fits) - 1, -1, -1):  # where a fit lacks frames, the next longer one
        longer = fits[number + 1] if number + 1 < len(fits) else series.values
        fits[number] = np.where(usable[number][:, np.newaxis], fits[number], longer)
    chosen = _choose(fits, kernels, usable, series.noise)
    # Lengths that change by degrees, and never beyond what was found to agree.
    chosen = uniform_filter1d(minimum_filter1d(chosen, 3, mode="nearest"), 3, mode="nearest")
    below = np.floor(chosen + 1e-9).astype(int)
    above, share = np.minimum(below + 1, len(fits) - 1), (chosen - below)[:, np.newaxis]
    stack, at = np.stack(fits), np.arange(len(chosen))
    return (1 - share) * stack[below, at] + share * stack[above, at]


def _choose(fits: Sequence[np.ndarray], kernels: Sequence[np.ndarray],
            usable: Sequence[np.ndarray], noise: np.ndarray) -> np.ndarray:
    """(T,) float64 number of the longest fit that agrees with all shorter ones."""
    agrees = np.ones(len(noise), bool)
    chosen = np.zeros(len(noise))
    for number, (fit, kernel) in enumerate(zip(fits, kernels)):
        for other in range(number):
            gap = number - other
            difference = kernel.copy()
            difference[:, gap:-gap] -= kernels[other]
            allowed = _TOLERANCE * noise * np.sqrt(np.sum(difference**2, axis=1))
            agrees &= ~usable[other] | (_rms(fit - fits[other]) <= allowed)
        chosen[agrees & usable[number]] = number
    return chosen


def _kernel(weights: np.ndarray, reach: int) -> np.ndarray:
    """(T, 2 * reach + 1): what the values around each frame count in its quadratic fit.

    Rows are 0 where fewer than three values are in reach.
    """
    offsets = np.arange(-reach, reach + 1) / reach
    window = (1 - np.abs(offsets * reach / (reach + 1)) ** 3) ** 3
    around = np.lib.stride_tricks.sliding_window_view(np.pad(weights, reach), 2 * reach + 1)
    around = around * window
    powers = np.vander(offsets, 3, increasing=True)
    moments = np.einsum("tk,ka,kb->tab", around, powers, powers)
    enough = (around > 0).sum(axis=1) >= 3
    moments[~enough] = np.eye(3)
    solved = np.linalg.solve(moments, np.broadcast_to(np.eye(3)[:, :1], (len(moments), 3, 1)))
    return np.where(enough[:, np.newaxis], (solved[..., 0] @ powers.T) * around, 0)


def _filter(kernel: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(T, D): sums of the values around each frame, by its row of the kernel."""
    reach = kernel.shape[1] // 2
    padded = np.pad(values, ((reach, reach), (0, 0)))
    return sum(kernel[:, k, np.newaxis] * padded[k : k + len(values)]
               for k in range(2 * reach + 1))


def _rms(values: np.ndarray) -> np.ndarray:
    """(T,) root mean square of the rows of (T, D)."""
    return np.sqrt(np.mean(values**2, axis=-1))
