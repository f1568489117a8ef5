"""Seamless cloning: a picture takes another's detail and keeps its own light.

Source: Perez, Gangnet and Blake, "Poisson image editing", 2003. The equation is solved directly in
the sine basis, in which the Laplace operator of a rectangle is a multiplication.
"""

import numpy as np
from scipy import fft


def poisson_clone(
    source: np.ndarray, target: np.ndarray, source_weight: np.ndarray
) -> np.ndarray:
    """The picture whose gradients are the source's where the weight is 1, the target's where 0.

    It equals the target just outside the array (Dirichlet condition), so the surroundings decide
    its brightness and hue. Between 0 and 1 the gradients are mixed in proportion, which leaves no
    edge where the two meet.

    Args:
        source: (H, W, 3) float32.
        target: (H, W, 3) float32.
        source_weight: (H, W, 1) float32 in [0, 1].

    Returns:
        (H, W, 3) float32, not clipped.
    """
    # With result = target + change the equation is  laplace(change) = div(weight grad(difference))
    # and the change is 0 outside, which is what the sine transform (type I) takes for granted.
    waves = fft.dstn(_weighted_divergence(source - target, source_weight), type=1, axes=(1, 2))
    vertical, horizontal = (_laplace_eigenvalues(side) for side in target.shape[:2])
    waves /= vertical[:, np.newaxis] + horizontal
    change = fft.idstn(waves, type=1, axes=(1, 2), overwrite_x=True)
    return target + change.transpose(1, 2, 0)


def fast_side(side: int) -> int:
    """The next side, from this one on, that `poisson_clone` solves fast (prime ones are slow)."""
    return fft.next_fast_len(side + 1, real=True) - 1


def _weighted_divergence(difference: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """div(weight grad(difference)) by differences of neighbours, (3, H, W) float32.

    A step between two pixels has the mean of their weights; steps over the array's border have
    weight 0, since nothing is known of the difference out there.
    """
    planes = np.ascontiguousarray(difference.transpose(2, 0, 1))
    half_weight = weight[..., 0] / 2
    divergence = np.zeros(planes.shape, np.float32)
    down = np.diff(planes, axis=1)
    down *= half_weight[1:] + half_weight[:-1]
    divergence[:, :-1] += down
    divergence[:, 1:] -= down
    right = np.diff(planes, axis=2)
    right *= half_weight[:, 1:] + half_weight[:, :-1]
    divergence[:, :, :-1] += right
    divergence[:, :, 1:] -= right
    return divergence


def _laplace_eigenvalues(side: int) -> np.ndarray:
    """(side,) float32, of the second difference with zeros beyond both ends."""
    waves = np.arange(1, side + 1, dtype=np.float64)
    return (2.0 * np.cos(np.pi * waves / (side + 1)) - 2.0).astype(np.float32)
