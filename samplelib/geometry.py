"""How a sample is turned, moved and distorted: one draw of chance for all its outputs.

Convention: "picture" is the face at the sample's resolution before any change, "sample" the
result, "source" the stored pixels they are read from. (x, y) in pixels, whole numbers at pixel
centres. The order is warp, transform (rotation, scale, shift), flip.
"""

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.special import ndtr, ndtri

from core.geometry import compose_affine
from samplelib.recipe import SampleOptions

FLIP_PROBABILITY = 0.4
WARP_CELLS = (2, 4, 8)
"""Cells per side of the warp's grid; one of them is drawn for each sample."""
WARP_AMPLITUDE = 0.24
"""Largest displacement of a grid node along one axis, in cells."""
NOISE_LIMIT = 2.5
"""The normal noise is cut off at this many standard deviations."""


@dataclass(frozen=True, eq=False)
class Geometry:
    """The geometry of one sample; it does not depend on the resolution.

    Attributes:
        rotation: Degrees, counter-clockwise as seen, about the picture's centre.
        scale: Above 1 enlarges.
        shift: (x, y) in sides of the picture.
        is_flipped: Mirrored left to right at the end.
        warp: (n, n, 2) float64: where the nodes of an even grid over the whole picture, from
            edge to edge, are read from, as (x, y) displacements in sides; None for no warp.
    """

    rotation: float = 0.0
    scale: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    is_flipped: bool = False
    warp: np.ndarray | None = None


UNCHANGED = Geometry()


def draw_geometry(options: SampleOptions, rng: np.random.Generator) -> Geometry:
    """Draws the geometry of one sample.

    The warp comes last, so that switching it off leaves the rest as it was.
    """
    rotation, shift_x, shift_y = rng.uniform(-1, 1, 3) * (
        options.rotation, options.shift, options.shift)
    scale = rng.uniform(1 / (1 + options.scale), 1 + options.scale)
    is_flipped = rng.random() < FLIP_PROBABILITY and options.random_flip
    warp = draw_warp(rng) if options.random_warp else None
    return Geometry(rotation, scale, (shift_x, shift_y), is_flipped, warp)


def draw_warp(rng: np.random.Generator) -> np.ndarray:
    """Draws the nodes of a random warp: noise inside, none along the picture's edge.

    Returns:
        (n, n, 2) float64, displacements (x, y) in sides; n is a number of WARP_CELLS plus 1.
        Each is `WARP_AMPLITUDE * cell * z`, with z normal, cut at NOISE_LIMIT and divided by it.
    """
    n_cells = WARP_CELLS[rng.integers(len(WARP_CELLS))]
    # Inverse transform sampling of the truncated normal; x and y are independent draws.
    tail = ndtr(-NOISE_LIMIT)
    noise = ndtri(rng.uniform(tail, 1 - tail, (n_cells - 1, n_cells - 1, 2))) / NOISE_LIMIT
    warp = np.zeros((n_cells + 1, n_cells + 1, 2))
    warp[1:-1, 1:-1] = noise * (WARP_AMPLITUDE / n_cells)
    return warp


def picture_to_sample(geometry: Geometry, side: int) -> np.ndarray:
    """Gives the transform and flip (not the warp) at a resolution.

    Returns:
        (2, 3) float64.
    """
    centre = (side - 1) / 2
    angle = np.deg2rad(geometry.rotation)
    cos, sin = geometry.scale * np.cos(angle), geometry.scale * np.sin(angle)
    linear = np.array([[cos, sin], [-sin, cos]])  # y points down: this is counter-clockwise
    offset = centre - linear @ (centre, centre) + np.multiply(geometry.shift, side)
    matrix = np.column_stack([linear, offset])
    if geometry.is_flipped:
        matrix = compose_affine(matrix, [[-1, 0, side - 1], [0, 1, 0]])
    return matrix


def sampling_map(warp: np.ndarray, side: int, sample_to_picture: np.ndarray,
                 picture_to_source: np.ndarray) -> np.ndarray:
    """Gives where every pixel of a warped sample is read from.

    Args:
        warp: (n, n, 2), see `Geometry`.
        side: Resolution R of the sample.
        sample_to_picture: (2, 3) affine, the inverse of `picture_to_sample`.
        picture_to_source: (2, 3) affine.

    Returns:
        (R, R, 2) float32, (x, y) in source pixels; input for `cv2.remap`.
    """
    weights = _node_weights(side, len(warp))
    # Linear interpolation of the nodes commutes with the linear map to source pixels, so only
    # the nodes are mapped.
    nodes = (warp * side) @ np.asarray(picture_to_source)[:, :2].T
    sample_to_source = compose_affine(sample_to_picture, picture_to_source)
    steps = np.arange(side)
    places = np.empty((side, side, 2), np.float32)
    for axis, (x, y, offset) in enumerate(sample_to_source):
        displacement = (weights @ nodes[..., axis] @ weights.T).astype(np.float32)
        # OpenCV reads two channels at whole 1/32 pixels only, one channel exactly.
        displacement = cv2.warpAffine(
            displacement, sample_to_picture, (side, side),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
        displacement += (x * steps + offset).astype(np.float32)
        displacement += (y * steps).astype(np.float32)[:, None]
        places[..., axis] = displacement
    return places


@functools.lru_cache(maxsize=32)
def _node_weights(side: int, n_nodes: int) -> np.ndarray:
    """How much each node of a line counts for each pixel under linear interpolation.

    The nodes reach from edge to edge of the picture: pixel -0.5 to side - 0.5.

    Returns:
        (side, n_nodes) float64; rows sum to 1.
    """
    place = (np.arange(side) + 0.5) * ((n_nodes - 1) / side)
    return np.clip(1 - np.abs(place[:, None] - np.arange(n_nodes)), 0, None)
