"""What happens to pictures on their way to a model: light, sharpness, size, compression.

Convention: pictures are (S, S, 3) float32 BGR in [0, 1], masks (S, S, 1) float32 in [0, 1]. The
chances and ranges are those of DeepFaceLab's training of XSeg.
"""

from collections.abc import Callable

import cv2
import numpy as np

from core.imaging.finishing import motion_blur, sharpen
from core.imaging.hsv import shift_hsv

Filter = Callable[[np.ndarray, np.random.Generator], np.ndarray]

_QUARTER = 0.25


def flared(image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light that spills from the face over the picture, and from the background: half of each."""
    for part in (mask, 1 - mask):
        if rng.random() < 0.5:
            side = image.shape[0]
            width = rng.uniform(0.25, 1.0) * side  # 64 to 256 of 256 pixels
            image = image + _wide_blur(image * part, width)
    return np.clip(image, 0, 1)


def _wide_blur(image: np.ndarray, width: float) -> np.ndarray:
    """A Gaussian blur by a kernel of `width` pixels, computed at a quarter of the size."""
    side = image.shape[0]
    small = cv2.resize(image, (max(side // 4, 8),) * 2, interpolation=cv2.INTER_AREA)
    sigma = 0.3 * ((width - 1) / 2 - 1) + 0.8  # what OpenCV takes for a kernel of that width
    soft = cv2.GaussianBlur(small, (0, 0), sigma * small.shape[0] / side,
                            borderType=cv2.BORDER_REFLECT)
    return cv2.resize(soft, (side, side), interpolation=cv2.INTER_LINEAR)


def degraded(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Colours, sharpness and size, each inside a faded circle of its own; then JPEG, at times."""
    image = in_circle(image, recolored, rng)
    if rng.random() < _QUARTER:
        image = in_circle(image, sharpened, rng)
    else:
        for blur in (moved, softened):
            if rng.random() < _QUARTER:
                image = in_circle(image, blur, rng)
    if rng.random() < _QUARTER:
        image = in_circle(image, resized, rng)
    return compressed(image, rng) if rng.random() < _QUARTER else image


def recolored(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Other hue, saturation and value, or other levels of each channel."""
    if rng.random() < 0.5:
        levels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
        hue, (saturation, value) = rng.uniform(0, 360), rng.uniform(-0.5, 0.5, 2)
        return shift_hsv(levels, hue, saturation, value).astype(np.float32) / 255
    in_black, out_black = rng.uniform(0, 0.25, (2, 3))
    in_white, out_white = 1 - rng.uniform(0, 0.25, (2, 3))
    gamma = rng.uniform(0.5, 1.5, 3)
    share = np.clip((image - in_black) / (in_white - in_black), 0, 1) ** (1 / gamma)
    return (out_black + share * (out_white - out_black)).astype(np.float32)


def sharpened(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Up to ten times the difference to the neighbourhood, or half of up to fifty times."""
    if rng.random() < 0.5:
        return sharpen(image, "box", float(rng.integers(1, 10)))
    return sharpen(image, "gaussian", float(rng.integers(1, 50)))


def moved(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blurred along a line of up to five of 256 pixels."""
    length, angle = rng.uniform(1, 5) * image.shape[0] / 256, rng.uniform(0, 2 * np.pi)
    return motion_blur(image, (length * np.cos(angle), length * np.sin(angle)))


def softened(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blurred by a Gaussian kernel of 3 to 11 pixels."""
    size = 2 * int(rng.integers(1, 6)) + 1
    return cv2.GaussianBlur(image, (size, size), 0)


def resized(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Made smaller, by up to three quarters of each side, and larger again."""
    side = image.shape[0]
    small = [side - int(share * int(0.75 * side)) for share in rng.random(2)]
    way = cv2.INTER_NEAREST if rng.random() < 0.5 else cv2.INTER_LINEAR
    return cv2.resize(cv2.resize(image, small, interpolation=way), (side, side),
                      interpolation=way)


def compressed(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As a JPEG of quality 10 to 100 shows it."""
    levels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(10, 101))])
    return cv2.imdecode(data, cv2.IMREAD_COLOR).astype(np.float32) / 255


def in_circle(image: np.ndarray, change: Filter, rng: np.random.Generator) -> np.ndarray:
    """A change that fades out around a random place."""
    share = faded_circle(image.shape[0], rng)
    return np.clip(share * change(image, rng) + (1 - share) * image, 0, 1)


def faded_circle(side: int, rng: np.random.Generator) -> np.ndarray:
    """(side, side, 1) float32: 1 inside a random circle, falling to 0 outside of it."""
    centre = rng.uniform(0, side, 2)
    inner = rng.uniform(0, side)
    width = rng.uniform(0, side - inner)
    steps = np.arange(side)
    distance = np.hypot(steps[:, None] - centre[1], steps[None] - centre[0])
    share = 1 - (distance - inner) / max(width, 1e-3)
    return np.clip(share, 0, 1).astype(np.float32)[..., None]
