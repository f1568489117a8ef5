"""Hands: a palm with fingers that reaches into the face."""

import numpy as np

from samplelib.occluders.layer import Layer, Place
from samplelib.occluders.shapes import grain, rounded, taper

_LENGTHS = (0.82, 1.0, 0.95, 0.75)  # of index to little finger, in middle fingers
_EDGES = (0.55, 0.9)  # of the skin's light where fingers meet
_SKINS = ((0.20, 0.28, 0.42), (0.35, 0.45, 0.62), (0.55, 0.65, 0.85), (0.70, 0.78, 0.95))


def hand(place: Place, rng: np.random.Generator) -> Layer:
    """A hand or a fist, in the skin of the face or in another one."""
    size = place.unit * rng.uniform(0.8, 1.6)
    target = place.middle + rng.normal(0, 0.5, 2) * place.unit
    # From below and from the sides more than from above.
    angle = rng.normal(-np.pi / 2, 1.0)
    ahead = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-ahead[1], ahead[0]]) * rng.choice((-1, 1))
    palm = target - ahead * size * rng.uniform(0.2, 1.0)
    parts = [taper(place.side, palm - ahead * size * 2.5, palm, size * 0.6, size * 0.85)]
    parts += _fingers(place.side, palm, ahead, across, size, rng)
    return _painted(place, parts, size, rng)


def _fingers(side: int, palm: np.ndarray, ahead: np.ndarray, across: np.ndarray, size: float,
             rng: np.random.Generator) -> list[np.ndarray]:
    """Covers of thumb and fingers; those behind come first."""
    spread, bend = rng.uniform(0.05, 0.45), rng.uniform(0.3, 1.0)
    width = size * rng.uniform(0.19, 0.26)
    parts = [taper(side, palm - across * size * 0.35,
                   palm + (ahead * rng.uniform(0.0, 0.7) - across * rng.uniform(0.5, 0.8)) * size,
                   width * 1.2, width)]
    for number, length in enumerate(_LENGTHS):
        sideways = (number - 1.5) / 1.5
        root = palm + ahead * size * 0.3 + across * sideways * size * 0.32
        way = ahead + across * (sideways * spread + rng.normal(0, 0.05))
        tip = root + way / np.linalg.norm(way) * size * length * bend
        parts.append(taper(side, root, tip, width * 1.1, width * 0.85))
    return parts


def _painted(place: Place, parts: list[np.ndarray], size: float,
             rng: np.random.Generator) -> Layer:
    """Skin over all parts, each darker along its edge."""
    color = place.skin() if rng.random() < 0.6 else np.array(_SKINS[rng.integers(len(_SKINS))])
    color = np.clip(color * rng.uniform(0.75, 1.25) + rng.normal(0, 0.03, 3), 0.05, 1)
    light = np.zeros((place.side, place.side), np.float32)
    cover = np.zeros_like(light)
    edge = rng.uniform(*_EDGES)
    for part in parts:
        surface = np.maximum(rounded(part, size * 0.12), edge)
        light = part * surface + (1 - part) * light
        cover = np.maximum(cover, part)
    shade = grain(place.side, rng, 0.15, 0.08) * grain(place.side, rng, 0.01, 0.02)
    picture = np.clip(light[..., np.newaxis] * shade * color, 0, 1)
    return Layer(picture.astype(np.float32), cover[..., np.newaxis])
