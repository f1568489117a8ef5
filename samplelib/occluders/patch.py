"""Patches: a random piece of another picture, such as a shoulder or a thing that nobody drew."""

import cv2
import numpy as np

from samplelib.occluders.layer import Layer, Place
from samplelib.occluders.shapes import blob, grain, polygon, rounded


def patch(place: Place, rng: np.random.Generator) -> Layer:
    """A blob with what another picture shows, turned and recoloured, or with plain cloth."""
    centre = place.middle + rng.normal(0, 0.9, 2) * place.unit
    outline = blob(centre, place.unit * rng.uniform(0.25, 0.9), rng)
    cover = polygon(place.side, outline)
    if rng.random() < 0.4:
        picture = rng.uniform(0.05, 0.95, 3) * grain(place.side, rng, 0.02, 0.06)
        picture = picture * grain(place.side, rng, 0.2, 0.2)
    else:
        picture = _turned(place.other, rng) * rng.uniform(0.6, 1.3, 3)
    if rng.random() < 0.5:
        picture = picture * rounded(cover, 0.1)[..., None]
    return Layer(np.clip(picture, 0, 1).astype(np.float32), cover[..., None])


def _turned(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture, turned and moved at random, larger."""
    side = picture.shape[0]
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(0, 360),
                                     rng.uniform(1.0, 2.5))
    matrix[:, 2] += rng.normal(0, 0.25 * side, 2)
    return cv2.warpAffine(picture, matrix, (side, side), flags=cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_REFLECT)
