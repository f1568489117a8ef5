"""Microphones: a head of mesh or foam on a stick, in front of the mouth."""

import numpy as np

from samplelib.occluders.layer import Layer, Place
from samplelib.occluders.shapes import ellipse, grain, polygon, rounded, taper


def microphone(place: Place, rng: np.random.Generator) -> Layer:
    """A microphone from below, straight or at a slant."""
    centre = place.mouth + place.unit * np.array([rng.normal(0, 0.45), rng.uniform(-0.1, 0.7)])
    slant = rng.normal(0, 0.5)
    down = np.array([np.sin(slant), np.cos(slant)])
    radius = place.unit * rng.uniform(0.18, 0.42)
    head = polygon(place.side, ellipse(centre, radius * np.array([1, rng.uniform(1, 1.4)]),
                                       turn=-slant))
    stick = taper(place.side, centre + down * radius, centre + down * place.unit * 3,
                  radius * 1.1, radius * 0.8)
    head_color, stick_color = rng.uniform(0.02, 0.45, 3), np.full(3, rng.uniform(0.03, 0.4))
    if rng.random() < 0.3:
        head_color = rng.uniform(0, 1, 3)  # foam of a station's colour
    light = rounded(head, radius * 0.8)[..., None] * _mesh(place.side, radius, rng)
    picture = np.where(head[..., None] > 0.5, head_color * light,
                       stick_color * rounded(stick, radius * 0.4)[..., None])
    cover = np.maximum(head, stick)
    return Layer(np.clip(picture, 0, 1).astype(np.float32), cover[..., None])


def _mesh(side: int, radius: float, rng: np.random.Generator) -> np.ndarray:
    """(S, S, 1) light of wires that cross, or of foam."""
    if rng.random() < 0.5:
        return grain(side, rng, 0.01, 0.15)
    steps = np.arange(side) * (2 * np.pi / max(radius * side / rng.uniform(3, 7), 2.5))
    waves = np.sin(steps[None] + steps[:, None]) * np.sin(steps[None] - steps[:, None])
    return (1 + 0.5 * waves)[..., None]
