"""Pictures of few colours."""

import numpy as np
from PIL import Image

from core.imaging.depth import from_unit

N_COLORS = 256
_FINE_BITS = 2
"""Last bits of a channel that the choice of colours does not look at."""


def reduce_colors(picture: np.ndarray, share: float) -> np.ndarray:
    """Mixes a picture with itself in 256 colours, chosen from it by median cut.

    Args:
        picture: (H, W, 3) float32 BGR in [0, 1].
        share: Of the reduced picture, in [0, 1].

    Returns:
        (H, W, 3) float32 in [0, 1].
    """
    bgr = from_unit(picture, np.uint8)
    # A film frame has tens of thousands of colours, most of them neighbours of each other: the cut
    # takes a third of the time where neighbours count as one.
    kinds = _cut(bgr >> _FINE_BITS << _FINE_BITS)
    if kinds.max() < N_COLORS - 1:
        kinds = _cut(bgr)
    return picture + np.float32(share) * (_means(picture, kinds)[kinds] - picture)


def _cut(bgr: np.ndarray) -> np.ndarray:
    """The number of each pixel's colour among those chosen, (H, W) uint8."""
    return np.asarray(Image.fromarray(np.ascontiguousarray(bgr[..., ::-1])).quantize(
        N_COLORS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE))


def _means(picture: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Mean colour of the pixels of each kind, (256, 3) float32."""
    kinds = kinds.reshape(-1)
    counts = np.bincount(kinds, minlength=N_COLORS)
    sums = [np.bincount(kinds, channel, N_COLORS) for channel in picture.reshape(-1, 3).T]
    return np.float32(np.transpose(sums) / np.maximum(counts, 1)[:, None])
