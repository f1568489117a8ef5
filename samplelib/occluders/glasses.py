"""Glasses: two rims with a bridge; dark lenses hide the eyes, clear ones hardly tint them."""

import numpy as np

from samplelib.occluders.layer import Layer, Place
from samplelib.occluders.shapes import ellipse, flat, grain, polygon, stroke


def glasses(place: Place, rng: np.random.Generator) -> Layer:
    """Spectacles or sunglasses, somewhat askew."""
    eyes = [place.eye(0), place.eye(1)]
    along = (eyes[1] - eyes[0]) / place.unit
    lift = np.array([-along[1], along[0]]) * place.unit * rng.normal(0.03, 0.06)
    eyes = [eye + lift for eye in eyes]
    radii = place.unit * np.array([rng.uniform(0.30, 0.46), rng.uniform(0.20, 0.38)])
    power, turn = rng.uniform(2, 5), np.arctan2(along[1], along[0]) + rng.normal(0, 0.04)
    width = place.unit * rng.uniform(0.025, 0.1)
    outlines = [ellipse(eye, radii, power=power, turn=turn) for eye in eyes]
    rims = _frame(place, eyes, outlines, along * radii[0], width, rng)
    lenses = np.maximum(*(polygon(place.side, outline) for outline in outlines))
    darkness = rng.uniform(0.85, 1.0) if rng.random() < 0.5 else rng.uniform(0, 0.2)
    return _painted(place, rims, lenses * darkness, rng)


def _frame(place: Place, eyes: list[np.ndarray], outlines: list[np.ndarray], reach: np.ndarray,
           width: float, rng: np.random.Generator) -> np.ndarray:
    """(S, S) cover of rims, bridge and what is seen of the temples."""
    lines = [stroke(place.side, outline, width, is_closed=True) for outline in outlines]
    bridge = np.stack([eyes[0] + reach, eyes[1] - reach])
    lines.append(stroke(place.side, bridge, width * 0.8))
    drop = np.array([0, place.unit * rng.uniform(-0.15, 0.1)])
    for end, way in ((eyes[0] - reach, -1), (eyes[1] + reach, 1)):
        ear = end + way * reach / np.linalg.norm(reach) * place.unit * 0.8 + drop
        lines.append(stroke(place.side, np.stack([end, ear]), width * 0.7))
    return np.maximum.reduce(lines)


def _painted(place: Place, rims: np.ndarray, lenses: np.ndarray,
             rng: np.random.Generator) -> Layer:
    frame_color = rng.uniform(0, 0.35, 3) if rng.random() < 0.7 else rng.uniform(0, 1, 3)
    glass_color = rng.uniform(0, 0.25, 3)
    # Light slides over the lenses from one side to the other.
    steps = np.linspace(-1, 1, place.side)
    slope = (1 + rng.normal(0, 0.5) * steps[None] + rng.normal(0, 0.5) * steps[:, None])
    glass = glass_color * np.clip(slope, 0.2, 2)[..., None] * grain(place.side, rng, 0.2, 0.2)
    picture = np.where(rims[..., None] > 0.5, flat(place.side, frame_color), glass)
    cover = np.maximum(rims, lenses)
    return Layer(np.clip(picture, 0, 1).astype(np.float32), cover[..., None].astype(np.float32))
