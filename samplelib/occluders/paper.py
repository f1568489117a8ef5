"""Sheets: paper, books, screens and signs with straight edges."""

import numpy as np

from samplelib.occluders.layer import Layer, Place
from samplelib.occluders.shapes import grain, polygon, stroke


def paper(place: Place, rng: np.random.Generator) -> Layer:
    """A tilted sheet with lines of print, that hides a side or the lower part of the face."""
    angle = rng.uniform(0, 2 * np.pi)
    away = np.array([np.cos(angle), np.sin(angle)])
    size = place.unit * rng.uniform(1.0, 2.2)
    centre = place.middle + away * (size * 0.5 + place.unit * rng.uniform(-0.2, 0.7))
    turn = angle + rng.normal(0, 0.3)
    axes = np.array([(np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn))])
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * [0.5, rng.uniform(0.6, 1.0)]
    corners = corners + rng.normal(0, 0.04, (4, 2))  # seen at a slant
    outline = centre + (corners * size) @ axes
    color = rng.uniform(0.75, 1.0, 3) if rng.random() < 0.6 else rng.uniform(0, 1, 3)
    picture = color * grain(place.side, rng, 0.3, 0.08)
    if rng.random() < 0.7:
        picture = _printed(picture, outline, rng)
    cover = polygon(place.side, outline)
    return Layer(np.clip(picture, 0, 1).astype(np.float32), cover[..., None])


def _printed(picture: np.ndarray, outline: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The sheet with lines from edge to edge, some of them short."""
    side, ink = picture.shape[0], rng.uniform(0, 0.4, 3)
    for share in np.linspace(0.1, 0.9, rng.integers(4, 12)):
        left = outline[0] * (1 - share) + outline[3] * share
        right = outline[1] * (1 - share) + outline[2] * share
        ends = np.array([rng.uniform(0.05, 0.15), rng.uniform(0.4, 0.95)])[:, None]
        line = stroke(side, left + (right - left) * ends, 0.012)[..., None]
        picture = line * ink + (1 - line) * picture
    return picture
