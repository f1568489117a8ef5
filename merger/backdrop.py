"""The frame around the new face, brought down to the detail that a prediction has.

Convention: pictures are (H, W, 3) float32 BGR in [0, 1].
"""

import numpy as np

from core.imaging.finishing import lose_detail, repeat_median
from core.imaging.palette import reduce_colors
from merger.options import MergeOptions, puts_in

_MOST_LOSS = 101.0
"""Power of the bicubic filter that would leave nothing."""


def changes_all(options: MergeOptions) -> bool:
    """Whether pixels far from any face change too."""
    return puts_in(options) and any(
        (options.image_denoise_power, options.bicubic_degrade_power, options.color_degrade_power))


def degrade_backdrop(picture: np.ndarray, options: MergeOptions) -> np.ndarray:
    """The frame with less grain and detail, before the face is put in."""
    picture = repeat_median(picture, options.image_denoise_power / 10)
    if options.bicubic_degrade_power:
        picture = lose_detail(picture, options.bicubic_degrade_power / _MOST_LOSS)
    return picture


def degrade_colors(picture: np.ndarray, options: MergeOptions) -> np.ndarray:
    """Fewer colours, after the face is put in."""
    if not options.color_degrade_power:
        return picture
    return reduce_colors(np.clip(picture, 0.0, 1.0), options.color_degrade_power / 100)
