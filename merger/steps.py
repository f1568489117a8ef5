"""What a predicted face goes through on its way into the frame, one step at a time.

A step changes a picture with the help of its surroundings, which have the same size: in the face
square the dst face, in the frame the frame's own pixels.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from core.imaging.color import histogram_match
from core.imaging.finishing import motion_blur, sharpen
from core.imaging.multiband import mask_pyramid, multiband_blend
from core.imaging.poisson import fast_side, poisson_clone
from merger.color_transfer import transfer_color

if TYPE_CHECKING:
    from merger.options import MergeOptions  # whose choices are the modes made of these steps

CLONE_FROM_MASK = 0.25
"""Where the face is shown at least this much, seamless cloning takes all of its detail; below, the
gradients fade to the frame's. Lower would drag in what lies outside the face."""

COARSEST_BAND = 8
"""Pixels along the shorter side of the region, in the coarsest band of laplacian."""

BORDER_SHARPNESS = 4.0
"""How much narrower than the mask's fade the finest band of laplacian fades."""


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What a step may look at beside the picture (h, w, 3).

    Attributes:
        below: (h, w, 3) float32 BGR in [0, 1], the dst face, or the frame where the face is pasted.
        colors: The same, freed of its flicker: what the colours are fitted to.
        mask: (h, w, 1) float32 in [0, 1].
        whole: (h, w, 1) float32 in [0, 1], what counts as the whole picture for what is not masked.
        motion: (x, y) pixels of the picture from the frame before to the one after.
        options: Of the merge.
        seed: Of all chance.
    """

    below: np.ndarray
    colors: np.ndarray
    mask: np.ndarray
    whole: np.ndarray
    motion: tuple[float, float]
    options: "MergeOptions"
    seed: int


Step = Callable[[np.ndarray, Surroundings], np.ndarray]
"""(picture (h, w, 3) float32 BGR in [0, 1], surroundings) -> the same kind of picture."""

Blend = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""(below, pasted face, mask) -> the picture with the face in it, not clipped."""


def fit_color(picture: np.ndarray, around: Surroundings) -> np.ndarray:
    """The chosen colour transfer."""
    return transfer_color(around.options.color_transfer, picture, around.colors, around.mask,
                          around.whole, around.seed)


def match_histogram(picture: np.ndarray, around: Surroundings) -> np.ndarray:
    """The distribution of values in each channel, inside the mask or of the whole picture."""
    weights = around.mask if around.options.masked_hist_match else around.whole
    top = around.options.hist_match_threshold / 255
    return histogram_match(picture, around.colors, weights, weights, top)


def blur_motion(picture: np.ndarray, around: Surroundings) -> np.ndarray:
    """The blur of a moving face, along a share of its way and at most half of the picture."""
    share = around.options.motion_blur_power / 100
    way = [share * step for step in around.motion]
    longest = max(map(abs, way)) / (picture.shape[0] / 2)
    return motion_blur(picture, tuple(step / max(longest, 1) for step in way))


def set_sharpness(picture: np.ndarray, around: Surroundings) -> np.ndarray:
    """Sharpened, or with less detail."""
    kind, amount = around.options.sharpen_mode, around.options.blursharpen_amount
    return picture if kind == "none" else sharpen(picture, kind, amount)


def clone(picture: np.ndarray, around: Surroundings) -> np.ndarray:
    """The picture's detail in the light of what is below (Poisson cloning)."""
    box = _clone_box(around.mask)
    weight = np.minimum(around.mask[box] / CLONE_FROM_MASK, 1.0)
    cloned = picture.copy()
    cloned[box] = np.clip(poisson_clone(picture[box], around.below[box], weight), 0.0, 1.0)
    return cloned


def blend_by_mask(below: np.ndarray, pasted: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """face * mask + frame * (1 - mask), equation 1 of the paper."""
    blended = pasted - below
    blended *= cv2.cvtColor(mask, cv2.COLOR_GRAY2BGR)  # three channels are faster than broadcast
    blended += below
    return blended


def blend_by_bands(below: np.ndarray, pasted: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Light fades over a wide border and detail over a thin one, all of it inside the mask."""
    # What was pasted outside of the mask, where no model is trained, must not shine in.
    shown = blend_by_mask(below, pasted, np.minimum(mask / CLONE_FROM_MASK, 1.0))
    thin = np.clip((mask - 0.5) * BORDER_SHARPNESS + 0.5, 0.0, 1.0)
    n_bands = max(float(np.log2(min(mask.shape[:2]) / COARSEST_BAND)), 0.0)
    # A band's mask is half at the border; taken as nothing there, all bands fade inwards from it.
    inwards = [np.maximum(2 * part - 1, 0.0) for part in mask_pyramid(thin, math.ceil(n_bands))]
    blended = multiband_blend(shown, below, inwards)
    if len(inwards) > n_bands + 1:  # between two numbers of bands, or a growing face would jump
        fewer = multiband_blend(shown, below, inwards[:-1])
        share = n_bands + 1 - (len(inwards) - 1)
        blended = cv2.addWeighted(blended, share, fewer, 1 - share, 0)
    return blend_by_mask(below, blended, np.minimum(2 * mask, 1.0))


def _clone_box(mask: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns that hold the mask, with a little more where that is faster to solve."""
    x, y, width, height = cv2.boundingRect((mask > 0).astype(np.uint8))
    return _grow(y, height, mask.shape[0]), _grow(x, width, mask.shape[1])


def _grow(start: int, length: int, limit: int) -> slice:
    """A range grown evenly to a fast length, but not beyond 0 and `limit`."""
    fast = min(fast_side(length + 2), limit)
    start = min(max(start - (fast - length) // 2, 0), limit - fast)
    return slice(start, start + fast)
