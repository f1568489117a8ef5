"""Random light and colour of a model's input."""

from typing import NamedTuple

import numpy as np


class HsvShift(NamedTuple):
    """One draw; see `core.imaging.hsv.shift_hsv`."""

    hue: float
    saturation: float
    value: float


def draw_hsv_shift(power: float, rng: np.random.Generator) -> HsvShift:
    """Draws a shift: hue up to 180 degrees times the power, the others up to half the power."""
    hue, saturation, value = rng.uniform(-power, power, 3)
    return HsvShift(180 * hue, saturation / 2, value / 2)
