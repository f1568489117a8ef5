"""Pictures of few colours."""

import numpy as np
from PIL import Image

from core.imaging.depth import from_unit

N_COLORS = 256


def reduce_colors(picture: np.ndarray, share: float) -> np.ndarray:
    """Mixes a picture with itself in 256 colours, chosen from it by median cut.

    Args:
        picture: (H, W, 3) float32 BGR in [0, 1].
        share: Of the reduced picture, in [0, 1].

    Returns:
        (H, W, 3) float32 in [0, 1].
    """
    rgb = np.ascontiguousarray(from_unit(picture, np.uint8)[..., ::-1])
    reduced = Image.fromarray(rgb).quantize(
        N_COLORS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few = np.asarray(reduced.convert("RGB"))[..., ::-1] * np.float32(1 / 255)
    return picture + np.float32(share) * (few - picture)
