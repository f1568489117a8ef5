"""All kinds of occluders, and faces behind some of them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from samplelib.occluders.glasses import glasses
from samplelib.occluders.hair import hair
from samplelib.occluders.hand import hand
from samplelib.occluders.layer import Layer, Place, put_over
from samplelib.occluders.microphone import microphone
from samplelib.occluders.paper import paper
from samplelib.occluders.patch import patch
from samplelib.occluders.text import text

Draw = Callable[[Place, np.random.Generator], Layer]

OCCLUDERS: Mapping[str, Draw] = MappingProxyType({
    "hand": hand, "glasses": glasses, "hair": hair, "text": text, "patch": patch,
    "microphone": microphone, "paper": paper})
"""Name -> how it is drawn; a new kind is a new row."""

_SHARES = np.array([0.3, 0.14, 0.18, 0.08, 0.16, 0.08, 0.06])
_N_THINGS = (0.7, 0.25, 0.05)  # chances of one, two and three at a time


def occlude(image: np.ndarray, mask: np.ndarray, place: Place,
            rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Puts one to three random things in front of a face.

    Args:
        image: (S, S, 3) float32 BGR in [0, 1].
        mask: (S, S, 1) float32 in [0, 1], of the visible face.
        place: Of the same face.
        rng: Fixes all.

    Returns:
        Picture and mask with the things.
    """
    names = list(OCCLUDERS)
    for _ in range(1 + rng.choice(len(_N_THINGS), p=_N_THINGS)):
        draw = OCCLUDERS[names[rng.choice(len(names), p=_SHARES)]]
        image, mask = put_over(image, mask, draw(place, rng), rng)
    return image, mask
