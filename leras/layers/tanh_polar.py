"""Polar pictures in which a face keeps its size and the surroundings are squeezed, not cut."""

import math

import numpy as np
import tensorflow as tf

from leras.module import Module
from leras.ops.sampling import bilinear_sample


class TanhPolar(Module):
    """RoI tanh-polar warp (Lin, Shen, Wang and Pantic, 2021); no parameters.

    Row i of the polar picture looks along the angle 360 i / H + offset degrees, clockwise from the
    right; column j reads at the distance artanh(j / W), measured in the half axes of the ellipse
    that has the area of the whole image.

    Args:
        height, width: Of the image and of the polar picture.
        offset: Degrees; 270 starts at the top.
    """

    def __init__(self, height: int, width: int, *, offset: float = 270.0, name: str | None = None):
        super().__init__(name=name)
        self._size = np.array([width, height], np.float64)
        self._offset = math.radians(offset)
        self._centre = (self._size - 1) / 2
        self._half_axes = self._size / math.sqrt(math.pi)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """(N, height, width, C) -> the polar picture, same shape and dtype; zeros outside of x."""
        width, height = self._size.astype(int)
        angle = 2 * np.pi * np.arange(height)[:, np.newaxis] / height + self._offset
        distance = np.arctanh(np.arange(width) / width)  # (W,)
        direction = np.stack([np.cos(angle), np.sin(angle)], -1)  # (H, 1, 2)
        points = self._centre + self._half_axes * distance[:, np.newaxis] * direction
        return bilinear_sample(x, points)

    def restore(self, polar: tf.Tensor) -> tf.Tensor:
        """The image of a polar picture: (N, height, width, C) -> the same shape and dtype."""
        width, height = self._size.astype(int)
        pixels = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1)  # (H, W, 2)
        along = (pixels - self._centre) / self._half_axes
        distance = np.tanh(np.hypot(along[..., 0], along[..., 1]))
        angle = np.arctan2(along[..., 1], along[..., 0]) - self._offset
        column = np.minimum(distance * width, width - 1)
        row = angle / (2 * np.pi) % 1.0 * height
        return bilinear_sample(polar, np.stack([column, row], -1), wrap_rows=True)
