"""Colours of a shot without flicker: what a new face is fitted to, voted for by frames around.

A colour transfer gives each predicted face the colours of its own dst face. Those change when the
light does, which is wanted; but they also change when the mask lets a strand of hair in for a
frame. Three opinions on a frame's colours tell the two apart:

1. the dst face as measured;
2. the predicted face as measured, moved by how much dst and prediction differ in the frames around;
3. the dst face as in the frames around.

Light and expression show in 1 and 2, a slip of the mask or of dst in 1 alone, a slip of the model
in 2 alone. The median of the three, number by number, follows what two of them see.

All functions are pure, so the result depends neither on the order of work nor on its workers.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from core.imaging.color_statistics import (
    LEAST_VARIANCE,
    ColorStatistics,
    color_statistics,
    monge_kantorovich_map,
)
from facelib.face_type import FaceType
from merger.color_transfer import COLOR_TRANSFERS
from merger.faces import FaceToMerge, checked_face
from merger.modes import HIST_MATCH_MODES
from merger.options import MergeOptions, puts_in
from merger.paste import paste_transform
from merger.square import mask_in_square, surroundings_in_square

WINDOW_DEVIATIONS = 2.0
"""Standard deviations of the weights from a frame to the end of its window."""


_LOOKED_AT = ("mode", "mask_mode", "mask_units", "erode_mask", "blur_mask", "color_transfer",
              "masked_hist_match")
"""Options that `measure_colors` depends on."""


class FaceColors(NamedTuple):
    """Colours of one face in one frame: of the `dst` face and of the `predicted` one."""

    dst: ColorStatistics
    predicted: ColorStatistics


def needs_colors(options: MergeOptions) -> bool:
    """Whether a merge looks at the colours of the frames around."""
    fits_colors = options.color_transfer != "none" or options.mode in HIST_MATCH_MODES
    return puts_in(options) and fits_colors and options.color_smoothing > 0


@lru_cache(maxsize=256)
def color_view(options: MergeOptions) -> MergeOptions:
    """Options that `measure_colors` answers alike; equal for all that look at the same colours."""
    return MergeOptions(**{name: getattr(options, name) for name in _LOOKED_AT})


def measure_colors(
    frame: np.ndarray, face: FaceToMerge, options: MergeOptions, face_type: FaceType
) -> FaceColors | None:
    """The colours that the chosen transfer looks at.

    Args:
        frame: (H, W, 3) uint8 or uint16 BGR, as it came.
        face: With its prediction and the masks that the mask mode needs.
        options: How it will be merged.
        face_type: The model's.

    Returns:
        None where the mask shows nothing inside of the frame.

    Raises:
        ValueError: The prediction is not finite, or a mask is missing or not finite.
    """
    picture, frame_to_square = checked_face(face), paste_transform(face.landmarks, face_type)
    mask_face = mask_in_square(face, frame_to_square, options)
    around = surroundings_in_square(frame, face, frame_to_square, mask_face, options, face_type,
                                    picture.shape[0], seed=0)
    weights = around.mask if _looks_at_mask(options) else around.whole
    if not weights.any():
        return None
    return FaceColors(color_statistics(around.below, weights), color_statistics(picture, weights))


def _looks_at_mask(options: MergeOptions) -> bool:
    """Whether what decides on the colours last looks at what the mask shows only."""
    if options.mode in HIST_MATCH_MODES:
        return options.masked_hist_match
    return COLOR_TRANSFERS[options.color_transfer].masked


def steady_map(around: Sequence[FaceColors | None], own: int) -> np.ndarray | None:
    """What takes a frame's dst colours to those without flicker, for `FaceToMerge.steady_map`.

    Args:
        around: Of the same person, in frames of the same shot that follow each other; None where
            there is no face.
        own: Index of the frame in question.

    Returns:
        (3, 4) float64, a colour (b, g, r, 1) to (b, g, r); None if the frame has no colours.
    """
    here = around[own]
    if here is None:
        return None
    known = [place for place, colors in enumerate(around) if colors is not None]
    dst, predicted = (np.array([_as_vector(around[place][side]) for place in known])
                      for side in (0, 1))
    weights = _weights(np.array(known) - own, max(own, len(around) - 1 - own))
    at = known.index(own)
    usual_dst, usual_difference = _medians(dst, weights), _medians(dst - predicted, weights)
    vote = np.median([dst[at], predicted[at] + usual_difference, usual_dst], axis=0)
    return monge_kantorovich_map(here.dst, _as_statistics(vote))


def _weights(distances: np.ndarray, reach: int) -> np.ndarray:
    """(N,) float64 with sum 1: a Gaussian over distances in frames."""
    weights = np.exp(-0.5 * np.square(WINDOW_DEVIATIONS * distances / max(reach, 1)))
    return weights / weights.sum()


def _medians(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted medians of (N, K) rows, interpolated: (K,) float64. A slip moves no median far."""
    order = np.argsort(rows, axis=0, kind="stable")
    shares = weights[order]
    middles = np.cumsum(shares, axis=0) - shares / 2
    values = np.take_along_axis(rows, order, axis=0)
    return np.array([np.interp(0.5, middle, column)
                     for middle, column in zip(middles.T, values.T, strict=True)])


def _as_vector(statistics: ColorStatistics) -> np.ndarray:
    """(12,) float64: the mean, and the logarithm of the covariance, in which means make sense."""
    values, axes = np.linalg.eigh(statistics.covariance)
    logarithm = (axes * np.log(np.maximum(values, LEAST_VARIANCE))) @ axes.T
    return np.concatenate([statistics.mean, logarithm.reshape(-1)])


def _as_statistics(vector: np.ndarray) -> ColorStatistics:
    values, axes = np.linalg.eigh(vector[3:].reshape(3, 3))
    return ColorStatistics(vector[:3], (axes * np.exp(values)) @ axes.T)
