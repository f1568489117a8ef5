"""Making one picture's colours like another's.

Convention: pictures are (H, W, 3) float32 BGR in [0, 1] (sRGB); masks are (H, W, 1) float32 in
[0, 1] and weight the pixels that statistics are taken from.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import cv2
import numpy as np

from core.imaging.color_statistics import MOST_GAIN

Transfer = Callable[
    [np.ndarray, np.ndarray, np.ndarray | None, np.ndarray | None], np.ndarray
]  # (face, reference, face_mask, reference_mask) -> face

LEVELS = 256

_LEAST_DEVIATION = 0.5
"""In Lab units, about one grey level: what varies less is noise and must not be stretched."""

_LEAST_COUNT = 1e-3
"""Of pixels: less on a grey level is what sharing out leaves of rounding."""

_LAB_LOW = np.float32([0.0, -127.0, -127.0])
_LAB_HIGH = np.float32([100.0, 127.0, 127.0])


def bgr_to_lab(image: np.ndarray) -> np.ndarray:
    """CIE L*a*b* (D65, sRGB primaries), by OpenCV's tables: within 0.6 of the exact values.

    Args:
        image: (H, W, 3) float32 BGR in [0, 1].

    Returns:
        (H, W, 3) float32: L in [0, 100], a and b about [-127, 127].
    """
    return cv2.cvtColor(image, cv2.COLOR_BGR2LAB)


def lab_to_bgr(lab: np.ndarray) -> np.ndarray:
    """The inverse of `bgr_to_lab`; colours outside sRGB are clipped to [0, 1]."""
    return np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2BGR), 0.0, 1.0)


class LabStatistics(NamedTuple):
    """Mean and population standard deviation of the Lab channels; two (3,) float64 arrays."""

    mean: np.ndarray
    deviation: np.ndarray


def lab_statistics(lab: np.ndarray, mask: np.ndarray | None = None) -> LabStatistics:
    """Statistics of an (H, W, 3) float32 Lab picture, weighted by an (H, W, 1) mask."""
    if mask is None:
        return LabStatistics(*(part.reshape(3) for part in cv2.meanStdDev(lab)))
    pixels, weights = lab.reshape(-1, 3), mask.reshape(-1)
    total = weights.sum(dtype=np.float64)
    mean = (weights @ pixels / total).astype(np.float32)
    variance = weights @ np.square(pixels - mean) / total
    return LabStatistics(mean.astype(np.float64), np.sqrt(variance, dtype=np.float64))


def match_lab(lab: np.ndarray, face: LabStatistics, reference: LabStatistics) -> np.ndarray:
    """Gives a Lab picture of the face's statistics those of the reference.

    Args:
        lab: (H, W, 3) float32.
        face: Measured on it, or on what it is a part of.
        reference: What it should have; no channel is spread by more than `MOST_GAIN`.

    Returns:
        (H, W, 3) float32, inside the range of Lab.
    """
    gain = reference.deviation / np.maximum(face.deviation, _LEAST_DEVIATION)
    gain = np.minimum(gain, MOST_GAIN)
    matrix = np.column_stack([np.diag(gain), reference.mean - face.mean * gain])
    # Channel by channel: NumPy is slow at clipping rows of three values to three limits.
    channels = [np.clip(channel, low, high) for channel, low, high in
                zip(cv2.split(cv2.transform(lab, matrix)), _LAB_LOW, _LAB_HIGH, strict=True)]
    return cv2.merge(channels)


def keep(
    face: np.ndarray,
    reference: np.ndarray,
    face_mask: np.ndarray | None = None,
    reference_mask: np.ndarray | None = None,
) -> np.ndarray:
    """The face itself: no colour transfer."""
    return face


def reinhard(
    face: np.ndarray,
    reference: np.ndarray,
    face_mask: np.ndarray | None = None,
    reference_mask: np.ndarray | None = None,
) -> np.ndarray:
    """Gives the face the mean and the spread of the reference in every Lab channel.

    Source: Reinhard et al., "Color transfer between images", 2001, eq. 10 to 12; in CIE Lab.

    Args:
        face: (H, W, 3) float32 BGR in [0, 1], the picture to change (all of it is changed).
        reference: (H', W', 3) float32 BGR in [0, 1].
        face_mask: (H, W, 1) float32 weights of the face's pixels; None counts all. Where it is 0, a
            pixel has no influence.
        reference_mask: (H', W', 1), the same for the reference.

    Returns:
        (H, W, 3) float32 in [0, 1]; the face itself if one of the masks is empty.
    """
    if _is_empty(face_mask) or _is_empty(reference_mask):
        return face
    face_lab = bgr_to_lab(face)
    return lab_to_bgr(match_lab(face_lab, lab_statistics(face_lab, face_mask),
                                lab_statistics(bgr_to_lab(reference), reference_mask)))


TRANSFERS: Mapping[str, Transfer] = MappingProxyType({"none": keep, "rct": reinhard})


def histogram_match(
    face: np.ndarray,
    reference: np.ndarray,
    face_mask: np.ndarray | None = None,
    reference_mask: np.ndarray | None = None,
    top: float = 1.0,
) -> np.ndarray:
    """Gives every BGR channel of the face the reference's distribution of values.

    Each value moves to the reference's value of the same quantile (Gonzalez and Woods, "Digital
    Image Processing", histogram specification), found on 256 grey levels and interpolated between.

    Args:
        face: (H, W, 3) float32 BGR in [0, 1], the picture to change (all of it is changed).
        reference: (H', W', 3) float32 BGR in [0, 1].
        face_mask: (H, W, 1) float32; pixels from 0.5 on count. None counts all.
        reference_mask: (H', W', 1), the same for the reference.
        top: Quantile of the reference that the face's brightest pixels get; all others in
            proportion. Below 1 the reference's highlights are left out.

    Returns:
        (H, W, 3) float32 in [0, 1]; the face itself if one of the masks has no pixel from 0.5 on.
    """
    counts = _histograms(face, face_mask)
    wanted_counts = _histograms(reference, reference_mask)
    if not counts.any() or not wanted_counts.any():
        return face
    matched = np.empty_like(face)
    for channel in range(3):
        levels, quantiles = _quantiles(counts[channel])
        wanted_levels, wanted_quantiles = _quantiles(wanted_counts[channel])
        targets = np.interp(top * quantiles, wanted_quantiles, wanted_levels)
        # Values beyond those counted (they lie outside the mask) keep their distance to the end.
        values = face[..., channel]
        counted = np.clip(values, levels[0], levels[-1])
        matched[..., channel] = np.interp(counted, levels, targets) + (values - counted)
    return np.clip(matched, 0.0, 1.0, out=matched)


def _is_empty(mask: np.ndarray | None) -> bool:
    return mask is not None and not mask.any()


def _histograms(image: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """(3, 256) float64, counts per grey level and channel of pixels whose mask is at least 0.5.

    A value between two levels is shared out to both, so that the counts follow the least change.
    """
    pixels = image.reshape(-1, 3) if mask is None else image[mask[..., 0] >= 0.5]
    places = np.clip(pixels.T * np.float32(LEVELS - 1), 0, LEVELS - 1)
    below = places.astype(np.intp)
    shares = places - below
    counts = np.zeros((3, LEVELS + 1))
    for row, levels, share in zip(counts, below, shares, strict=True):
        above = np.bincount(levels, share, LEVELS)
        row[:LEVELS] = np.bincount(levels, minlength=LEVELS) - above
        row[1:] += above
    return counts[:, :LEVELS]


def _quantiles(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levels in [0, 1] that occur, and the share of pixels up to each one."""
    levels = np.flatnonzero(counts > _LEAST_COUNT)
    return levels / (LEVELS - 1), np.cumsum(counts[levels], dtype=np.float64) / counts.sum()
