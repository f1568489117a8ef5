"""Hair: locks and single strands that fall into the face from above or from the sides."""

import numpy as np

from samplelib.occluders.layer import Layer, Place
from samplelib.occluders.shapes import curve, grain, stroke

_COLORS = ((0.05, 0.06, 0.08), (0.10, 0.16, 0.25), (0.15, 0.28, 0.45), (0.35, 0.60, 0.78),
           (0.12, 0.22, 0.50), (0.65, 0.66, 0.68))  # black to blond, red, grey


def hair(place: Place, rng: np.random.Generator) -> Layer:
    """A few locks of many strands each, which run side by side."""
    cover = np.zeros((place.side, place.side), np.float32)
    light = np.ones_like(cover)
    for _ in range(rng.integers(1, 4)):
        way = _way(place, rng)
        n_strands, spread = rng.integers(4, 26), place.unit * rng.uniform(0.04, 0.3)
        for _ in range(n_strands):
            shifts = rng.normal(0, spread, 2) + rng.normal(0, spread * 0.3, way.shape)
            strand = stroke(place.side, curve(way + shifts),
                            place.unit * rng.uniform(0.012, 0.035))
            light = np.where(strand > 0.3, rng.uniform(0.5, 1.5), light)
            cover = np.maximum(cover, strand)
    color = np.array(_COLORS[rng.integers(len(_COLORS))]) * rng.uniform(0.7, 1.3)
    picture = color * light[..., None] * grain(place.side, rng, 0.05, 0.15)
    return Layer(np.clip(picture, 0, 1).astype(np.float32), cover[..., None])


def _way(place: Place, rng: np.random.Generator) -> np.ndarray:
    """(4, 2) control points from the scalp down, over part of the face."""
    root = place.middle + place.unit * np.array([rng.uniform(-1.6, 1.6), rng.uniform(-2.6, -1.4)])
    end = place.middle + place.unit * np.array([rng.uniform(-1.3, 1.3), rng.uniform(-0.9, 1.4)])
    bend = rng.normal(0, 0.4, (2, 2)) * place.unit
    return np.stack([root, root * 2 / 3 + end / 3 + bend[0], root / 3 + end * 2 / 3 + bend[1],
                     end])
