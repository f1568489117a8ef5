"""What cameras, light and files do to a picture, drawn at random."""

import cv2
import numpy as np

from core.imaging.hsv import shift_hsv

_ROUGH_SIDE = 5
"""Nodes per side of a random slope of light."""


def random_look(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A picture as another camera might have taken it, in other light.

    Args:
        image: (H, W, 3) uint8 BGR.
        rng: Of all chance.

    Returns:
        (H, W, 3) uint8 BGR.
    """
    image = _relit(image, rng)
    if rng.random() < 0.5:
        hue, saturation = rng.uniform(-12, 12), rng.uniform(-0.25, 0.2)
        image = shift_hsv(image, hue, saturation, 0.0)
    if rng.random() < 0.15:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.35:
        image = _blurred(image, rng)
    if rng.random() < 0.3:
        noise = rng.normal(0, rng.uniform(1, 10), image.shape)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        quality = int(rng.integers(25, 95))
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return image


def _relit(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Other gamma, gain of each channel, contrast and a smooth slope of brightness."""
    levels = np.linspace(0, 1, 256)[:, np.newaxis] ** rng.uniform(0.6, 1.6)
    gain = rng.uniform(0.75, 1.25) * rng.uniform(0.88, 1.12, 3)
    levels = (levels - 0.5) * rng.uniform(0.7, 1.2) + 0.5
    table = np.clip(levels * gain * 255, 0, 255).astype(np.uint8)  # (256, 3)
    image = cv2.LUT(image, table.reshape(1, 256, 3))
    if rng.random() < 0.4:
        rough = rng.uniform(0.5, 1.3, (_ROUGH_SIDE, _ROUGH_SIDE)).astype(np.float32)
        slope = cv2.resize(rough, image.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        image = np.clip(image * slope[..., np.newaxis], 0, 255).astype(np.uint8)
    return image


def _blurred(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Out of focus, moved while it was taken, or with fewer pixels."""
    height, width = image.shape[:2]
    kind = rng.integers(3)
    if kind == 0:
        return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.6))
    if kind == 1:
        length = int(rng.integers(3, 8))
        kernel = np.zeros((length, length), np.float32)
        angle = rng.uniform(0, np.pi)
        reach = np.array([np.cos(angle), np.sin(angle)]) * (length - 1) / 2
        ends = np.rint((length - 1) / 2 + np.stack([-reach, reach])).astype(int)
        cv2.line(kernel, ends[0].tolist(), ends[1].tolist(), 1.0)
        return cv2.filter2D(image, -1, kernel / kernel.sum())
    share = rng.uniform(0.3, 0.8)
    small = cv2.resize(image, (max(int(width * share), 1), max(int(height * share), 1)),
                       interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
