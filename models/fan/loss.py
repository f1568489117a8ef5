"""What FAN's heat maps cost."""

from collections.abc import Sequence

import tensorflow as tf

from facelib.fan_sizes import MAP_SIZE
from models.single_network import Loss

SPREAD = 1.0
"""Standard deviation of the blot that marks a landmark, cells."""

FOREGROUND = 10.0
"""How much more the middle of a blot counts than the empty rest: of the 4096 cells of a map, only
some ten belong to it."""


def heat_maps(points: tf.Tensor) -> tf.Tensor:
    """A Gaussian of height 1 around each landmark.

    Args:
        points: (N, L, 2) float32, x and y in cells; whole numbers are centres of cells.

    Returns:
        (N, 64, 64, L) float32.
    """
    cells = tf.range(MAP_SIZE, dtype=tf.float32)[tf.newaxis, :, tf.newaxis]
    x, y = (tf.exp(-tf.square(cells - points[:, tf.newaxis, :, axis]) / (2 * SPREAD**2))
            for axis in (0, 1))  # (N, 64, L) each
    return x[:, tf.newaxis] * y[:, :, tf.newaxis]


def heat_map_loss(stacks: Sequence[tf.Tensor], points: tf.Tensor) -> Loss:
    """Squared distance from the blots, weighted by 1 + FOREGROUND x blot, summed over the stacks.

    Args:
        stacks: (N, 64, 64, L) heat maps of each hourglass.
        points: (N, L, 2) float32, cells.

    Returns:
        Sums over the cells of a map, means over the landmarks; a term "stack <k>" for each.
    """
    wanted = heat_maps(points)
    weight = 1 + FOREGROUND * wanted
    terms = {f"stack {number}": tf.reduce_mean(
        tf.reduce_sum(weight * tf.square(maps - wanted), (1, 2)), 1)
        for number, maps in enumerate(stacks, 1)}
    return Loss(tf.add_n(list(terms.values())), terms)
