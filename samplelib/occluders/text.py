"""Text: subtitles, captions and logos that stand over a face."""

import cv2
import numpy as np

from samplelib.occluders.layer import FINE, Layer, Place
from samplelib.occluders.shapes import flat

_LETTERS = "ABCDEFGHIJKLMNOPRSTUVWXYZabcdefghijklmnoprstuvwxyz0123456789 .!?"
_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX,
          cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX)


def text(place: Place, rng: np.random.Generator) -> Layer:
    """A line of random letters, mostly with a dark outline, sometimes on a box."""
    side = FINE * place.side
    words = "".join(rng.choice(list(_LETTERS), rng.integers(4, 16)))
    font, scale = int(rng.choice(_FONTS)), rng.uniform(0.4, 1.5) * side / 256
    width = max(round(scale * rng.uniform(1.5, 4)), 1)
    (length, height), _ = cv2.getTextSize(words, font, scale, width)
    x = int(side * place.middle[0] - length * rng.uniform(0.2, 0.8))
    y = int(side * (place.middle[1] + rng.uniform(-1.3, 1.5) * place.unit))
    letters, around = np.zeros((side, side), np.uint8), np.zeros((side, side), np.uint8)
    cv2.putText(letters, words, (x, y), font, scale, 255, width, cv2.LINE_AA)
    if rng.random() < 0.3:
        margin = height // 2
        cv2.rectangle(around, (x - margin, y - height - margin), (x + length + margin, y + margin),
                      255, -1)
    elif rng.random() < 0.7:
        cv2.putText(around, words, (x, y), font, scale, 255, 3 * width, cv2.LINE_AA)
    return _painted(place.side, _small(letters, place.side), _small(around, place.side), rng)


def _painted(side: int, letters: np.ndarray, around: np.ndarray,
             rng: np.random.Generator) -> Layer:
    color = rng.uniform(0.7, 1.0, 3) if rng.random() < 0.6 else rng.uniform(0, 1, 3)
    back = rng.uniform(0, 0.2, 3) if color.mean() > 0.5 else rng.uniform(0.8, 1, 3)
    picture = letters * flat(side, color) + (1 - letters) * flat(side, back)
    return Layer(picture.astype(np.float32), np.maximum(letters, around))


def _small(canvas: np.ndarray, side: int) -> np.ndarray:
    small = cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32)[..., None] / 255
