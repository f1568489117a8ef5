"""A drawn face: landmarks of the mean face, and smooth frames that survive resampling."""

import numpy as np
import pytest

from facelib.landmarks import TEMPLATE_51


@pytest.fixture(scope="session")
def landmarks_at():
    """A function (x, y, side, degrees) -> (68, 2): the mean face, its unit square `side` wide."""

    def place(x, y, side, degrees=0.0):
        angles = np.linspace(np.pi, 0, 17)
        jaw = np.stack([0.49 + 0.62 * np.cos(angles), 0.25 + 0.8 * np.sin(angles)], axis=1)
        face = np.concatenate([jaw, TEMPLATE_51]) - 0.5
        turn = np.deg2rad(degrees)
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        return face @ rotation.T * side + (x, y)

    return place


@pytest.fixture(scope="session")
def smooth_frame():
    """A function (height, width) -> (height, width, 3) uint8 without detail or noise."""

    def draw(height, width):
        y, x = np.mgrid[:height, :width]
        waves = [np.sin(x / 60 + channel) * np.cos(y / 50 - channel) for channel in range(3)]
        return np.rint(120 + 80 * np.stack(waves, axis=-1)).astype(np.uint8)

    return draw


@pytest.fixture(scope="session")
def round_mask():
    """A function (side, radius share) -> (side, side, 1) float32 disc in the middle."""

    def draw(side, share=0.35):
        y, x = np.mgrid[:side, :side] - (side - 1) / 2
        return (np.hypot(x, y) < share * side).astype(np.float32)[..., np.newaxis]

    return draw
