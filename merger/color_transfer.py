"""Colour transfers of the merger: the new face in the colours of the dst face.

The modes that end in -m, and rct, look at what the mask shows only, the others at the whole
picture. What they find is done to all of it. Moments are weighted by the mask; distributions take
the pixels where the mask has at least half of its height.

None of them spreads colours to more than `MOST_GAIN` times what they were (rct and the lightness of
mix-m: in Lab).

Convention: face and reference are (H, W, 3) float32 BGR in [0, 1] of the same size, the mask is
(H, W, 1) float32 in [0, 1].
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from core.imaging import color
from core.imaging.color_cube import ColorGrid, apply_color_table
from core.imaging.color_statistics import (
    LINEAR_DAMPING,
    MOST_GAIN,
    ColorStatistics,
    apply_color_map,
    color_statistics,
    compose_color_maps,
    limit_gain,
    linear_map,
    map_statistics,
    monge_kantorovich_map,
)
from core.imaging.distribution_transfer import random_rotations, transfer_distribution
from core.imaging.sliced_transport import masked_transport_shift, random_directions

Recolor = Callable[[np.ndarray, np.ndarray, np.ndarray, np.random.Generator], np.ndarray]
"""(face, reference, weights of the pixels, chance) -> face in new colours."""

SWATCH_SIDE = 64
"""Distributions are measured on about this many pixels squared, evenly spread over the picture."""

SMOOTHING = 1 / 8
"""How far the moves of sot-m and mix-m are smoothed, in sides of the picture."""

GRID_NODES = 17
"""Of the table that idt becomes, along each edge of the box around the face's colours."""

SLICED_STEPS, SLICED_DIRECTIONS = 10, 30
"""Of sot-m; mix-m has the directions of the training samples."""

_LAB_UNIT = np.float32([100.0, 127.0, 127.0])

SEED = 0
"""Of every face of every frame: directions drawn anew for each frame would make colours flicker."""


@dataclass(frozen=True)
class ColorTransfer:
    """One way of giving a face the colours of another.

    Attributes:
        recolor: Does it.
        masked: Whether it looks at what the mask shows only.
        by_moments: Whether mean and spread decide on the lightness, not the whole distribution.
    """

    recolor: Recolor
    masked: bool = False
    by_moments: bool = False


def transfer_color(name: str, face: np.ndarray, reference: np.ndarray, mask: np.ndarray,
                   whole: np.ndarray | None = None, seed: int = SEED) -> np.ndarray:
    """Gives a face the colours of another.

    Args:
        name: One of COLOR_TRANSFERS.
        face: The picture to change.
        reference: The colours wanted.
        mask: Of both.
        whole: (H, W, 1) float32, what counts as the whole picture; None is all of it.
        seed: Of the modes with random directions; the same seed gives the same result.

    Returns:
        (H, W, 3) float32 in [0, 1]; the face itself if the mask is empty.
    """
    if not mask.any():
        return face
    if whole is None:
        whole = np.ones_like(mask)
    transfer = COLOR_TRANSFERS[name]
    weights = mask if transfer.masked else whole
    return transfer.recolor(face, reference, weights, np.random.default_rng(seed))


def _of_core(transfer: color.Transfer) -> Recolor:
    return lambda face, reference, weights, rng: transfer(face, reference, weights, weights)


def _by_map(make_map: Callable[[ColorStatistics, ColorStatistics], np.ndarray]) -> Recolor:
    """A transfer that is one affine map of all colours."""

    def recolor(face: np.ndarray, reference: np.ndarray, weights: np.ndarray,
                rng: np.random.Generator) -> np.ndarray:
        own, wanted = (color_statistics(image, weights) for image in (face, reference))
        color_map = make_map(own, wanted)
        limit = limit_gain(own, map_statistics(color_map, own))
        return apply_color_map(face, compose_color_maps(color_map, limit))

    return recolor


def _distribution(face: np.ndarray, reference: np.ndarray, weights: np.ndarray,
                  rng: np.random.Generator) -> np.ndarray:
    """Iterative distribution transfer, found on a swatch and done by a table of colours."""
    inside = _inside(weights)
    own, wanted = (_swatch(image)[inside] for image in (face, reference))
    grid = ColorGrid.around(face.reshape(-1, 3), GRID_NODES)
    table = transfer_distribution(own, wanted, random_rotations(rng), followers=grid.nodes())
    colors = own[:, np.newaxis]
    limit = limit_gain(color_statistics(colors),
                       color_statistics(apply_color_table(colors, grid, table)))
    return apply_color_table(face, grid, table @ limit[:, :3].T + limit[:, 3])


def _sliced(face: np.ndarray, reference: np.ndarray, weights: np.ndarray,
            rng: np.random.Generator) -> np.ndarray:
    directions = random_directions(rng, SLICED_STEPS, SLICED_DIRECTIONS)
    return np.clip(_transport(face, reference, weights, directions), 0.0, 1.0)


def _mix(face: np.ndarray, reference: np.ndarray, weights: np.ndarray,
         rng: np.random.Generator) -> np.ndarray:
    """Lightness as by lct, a and b of Lab as by sot-m: neither disturbs the other."""
    own, wanted = (color.bgr_to_lab(image) / _LAB_UNIT for image in (face, reference))
    lightness = _linear_channel(own[..., 0], wanted[..., 0], weights[..., 0])
    for lab in (own, wanted):
        lab[..., 0] = 0.0
    directions = random_directions(rng)
    directions[..., 0] = 0.0
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    mixed = _transport(own, wanted, weights, directions)
    mixed[..., 0] = np.clip(lightness, 0.0, 1.0)
    return color.lab_to_bgr(mixed * _LAB_UNIT)


def _linear_channel(channel: np.ndarray, reference: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """`linear_map` for one channel: (H, W) float32, not clipped."""
    means = [np.average(values, weights=weights) for values in (channel, reference)]
    variance, wanted = (np.average(np.square(values - mean), weights=weights) + LINEAR_DAMPING
                        for values, mean in zip((channel, reference), means, strict=True))
    gain = min(np.sqrt(wanted / variance), MOST_GAIN)
    return (channel - np.float32(means[0])) * np.float32(gain) + np.float32(means[1])


def _transport(face: np.ndarray, reference: np.ndarray, weights: np.ndarray,
               directions: np.ndarray) -> np.ndarray:
    """Sliced transport in any colour space, found on a swatch: (H, W, 3) float32, not clipped."""
    inside = _inside(weights)
    own = _swatch(face)
    sigma = SMOOTHING * np.sqrt(inside.size)
    shift = masked_transport_shift(own, _swatch(reference), directions, sigma, inside)
    before, after = (picture[inside][:, np.newaxis] for picture in (own, own + shift))
    limit = limit_gain(color_statistics(before), color_statistics(after))
    moved = face + cv2.resize(shift, face.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.transform(moved, limit)


def _swatch(picture: np.ndarray) -> np.ndarray:
    """Pixels evenly spread over a picture; not averaged, which would narrow their distribution."""
    height, width = picture.shape[:2]
    share = min(SWATCH_SIDE / np.sqrt(height * width), 1.0)
    size = max(round(width * share), 1), max(round(height * share), 1)
    return cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST)


def _inside(weights: np.ndarray) -> np.ndarray:
    """(h, w) bool, the pixels of a swatch that count; at least one."""
    swatch = _swatch(weights)
    return swatch >= swatch.max() / 2


COLOR_TRANSFERS: Mapping[str, ColorTransfer] = MappingProxyType({
    "none": ColorTransfer(_of_core(color.keep)),
    "rct": ColorTransfer(_of_core(color.reinhard), masked=True, by_moments=True),
    "lct": ColorTransfer(_by_map(linear_map), by_moments=True),
    "mkl": ColorTransfer(_by_map(monge_kantorovich_map), by_moments=True),
    "mkl-m": ColorTransfer(_by_map(monge_kantorovich_map), masked=True, by_moments=True),
    "idt": ColorTransfer(_distribution),
    "idt-m": ColorTransfer(_distribution, masked=True),
    "sot-m": ColorTransfer(_sliced, masked=True),
    "mix-m": ColorTransfer(_mix, masked=True, by_moments=True),
})
