"""Mean and covariance of a picture's colours, and the affine maps that carry one to another.

Convention: pictures are (H, W, 3) BGR, float32 in [0, 1] or uint8; masks are (H, W, 1) float32 in
[0, 1] and weight the pixels. Statistics and maps are in units of [0, 1] for both.
"""

from typing import NamedTuple

import cv2
import numpy as np

LEAST_VARIANCE = (0.5 / 255) ** 2
"""What varies less than half a grey level is noise and must not be stretched."""

MOST_GAIN = 4.0
"""How much wider `limit_gain` lets colours spread: a nearly grey face has no colour but noise."""

_LEAST_GAIN_VARIANCE = 1e-12
"""Of colours in [0, 1], what single precision leaves of a flat picture."""

LINEAR_DAMPING = 1e-5
"""Added to every variance by `linear_map`, so that flat pictures have a root to divide by."""


class ColorStatistics(NamedTuple):
    """First and second moments of colours.

    Attributes:
        mean: (3,) float64.
        covariance: (3, 3) float64, of the population.
    """

    mean: np.ndarray
    covariance: np.ndarray


def color_statistics(image: np.ndarray, mask: np.ndarray | None = None) -> ColorStatistics:
    """Takes the mean and the covariance of a picture's colours.

    Args:
        image: (H, W, 3) BGR.
        mask: Weights of the pixels, at least one of them above 0; None counts all alike.
    """
    planes = np.ones((4, image.shape[0] * image.shape[1]))  # b, g, r, 1
    scale = 1 / 255 if image.dtype == np.uint8 else 1.0
    np.multiply(image.reshape(-1, 3).T, scale, out=planes[:3])
    weighted = planes if mask is None else planes * mask.reshape(-1)
    # One matrix product, whose sums come out the same on every number of threads.
    sums = weighted @ planes.T
    mean = sums[:3, 3] / sums[3, 3]
    return ColorStatistics(mean, sums[:3, :3] / sums[3, 3] - np.outer(mean, mean))


def linear_map(face: ColorStatistics, reference: ColorStatistics) -> np.ndarray:
    """The map by symmetric square roots: turns the face's colours white, then as the reference's.

    Returns:
        (3, 4) float64, a colour (b, g, r, 1) to (b, g, r).
    """
    damping = LINEAR_DAMPING * np.eye(3)
    whiten = _power(face.covariance + damping, -0.5)
    return _about_means(_power(reference.covariance + damping, 0.5) @ whiten, face, reference)


def monge_kantorovich_map(face: ColorStatistics, reference: ColorStatistics) -> np.ndarray:
    """Of all linear maps to the reference's covariance the one that moves colours least.

    Source: Pitie and Kokaram, "The linear Monge-Kantorovitch linear colour mapping for
    example-based colour transfer", 2007.

    Returns:
        (3, 4) float64, a colour (b, g, r, 1) to (b, g, r).
    """
    linear = _least_move(face.covariance, reference.covariance, LEAST_VARIANCE)
    return _about_means(linear, face, reference)


def limit_gain(face: ColorStatistics, moved: ColorStatistics,
               most: float = MOST_GAIN) -> np.ndarray:
    """The map that takes back what a transfer spread too far, to be done after it.

    How far colours spread is read from the least linear move between both covariances: the factors
    along its axes. Those up to `most` stay as they are, so that most faces get the identity.

    Args:
        face: Before the transfer.
        moved: After it.
        most: Factor by which the standard deviation may grow in any direction.

    Returns:
        (3, 4) float64, a colour (b, g, r, 1) to (b, g, r); keeps the mean of `moved`.
    """
    linear = _least_move(face.covariance, moved.covariance, _LEAST_GAIN_VARIANCE)
    gains, axes = np.linalg.eigh(linear)
    limited = (axes * np.minimum(most / np.maximum(gains, most), 1.0)) @ axes.T
    return _about_means(limited, moved, moved)


def map_statistics(color_map: np.ndarray, statistics: ColorStatistics) -> ColorStatistics:
    """The moments of colours after a (3, 4) map, without clipping."""
    linear = color_map[:, :3]
    return ColorStatistics(linear @ statistics.mean + color_map[:, 3],
                           linear @ statistics.covariance @ linear.T)


def compose_color_maps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(3, 4): the map that does one map and then another."""
    return second[:, :3] @ first + np.column_stack([np.zeros((3, 3)), second[:, 3]])


def apply_color_map(image: np.ndarray, color_map: np.ndarray) -> np.ndarray:
    """Maps every colour of a picture.

    Args:
        image: (H, W, 3) BGR.
        color_map: (3, 4).

    Returns:
        (H, W, 3), dtype of `image`, clipped to its range.
    """
    if image.dtype != np.uint8:
        return np.clip(cv2.transform(image, color_map), 0, 1)
    bytes_map = color_map * (1, 1, 1, 255)
    # In floats: OpenCV rounds the factors themselves when it maps bytes.
    mapped = cv2.transform(image.astype(np.float32), bytes_map)
    return cv2.convertScaleAbs(np.clip(mapped, 0, 255, out=mapped))


def _about_means(linear: np.ndarray, face: ColorStatistics,
                 reference: ColorStatistics) -> np.ndarray:
    """(3, 4): the linear part, and the face's mean to the reference's."""
    return np.column_stack([linear, reference.mean - linear @ face.mean])


def _least_move(covariance: np.ndarray, wanted: np.ndarray, least: float) -> np.ndarray:
    """(3, 3): the symmetric positive map from one covariance to another."""
    root, inverse = (_power(covariance, power, least) for power in (0.5, -0.5))
    return inverse @ _power(root @ wanted @ root, 0.5) @ inverse


def _power(matrix: np.ndarray, power: float, least: float = 0.0) -> np.ndarray:
    """A power of a symmetric (3, 3) matrix, with its eigenvalues at least `least`."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.maximum(values, least) ** power) @ vectors.T
