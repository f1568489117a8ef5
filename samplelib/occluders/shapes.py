"""Outlines and surfaces of occluders; `samplelib.occluders.layer` tells the conventions."""

import cv2
import numpy as np

from samplelib.occluders.layer import FINE

_FRACTION_BITS = 4  # corners are drawn to 1/16 pixel


def polygon(side: int, points: np.ndarray) -> np.ndarray:
    """(S, S) cover of a filled outline."""
    canvas = np.zeros((FINE * side, FINE * side), np.uint8)
    cv2.fillPoly(canvas, [_pixels(side, points)], 255, cv2.LINE_AA, _FRACTION_BITS)
    return _averaged(canvas, side)


def stroke(side: int, points: np.ndarray, width: float, *, is_closed: bool = False) -> np.ndarray:
    """(S, S) cover of a line along some points, with round ends.

    Args:
        side: Of the picture.
        points: (n, 2).
        width: In sides.
        is_closed: Whether the last point is joined to the first.
    """
    canvas = np.zeros((FINE * side, FINE * side), np.uint8)
    cv2.polylines(canvas, [_pixels(side, points)], is_closed, 255,
                  max(round(width * FINE * side), 1), cv2.LINE_AA, _FRACTION_BITS)
    return _averaged(canvas, side)


def taper(side: int, start: np.ndarray, end: np.ndarray, start_width: float,
          end_width: float) -> np.ndarray:
    """(S, S) cover of a straight limb with round ends of two widths."""
    n_discs = 2 + int(8 * np.linalg.norm(end - start) / min(start_width, end_width))
    steps = np.linspace(0, 1, n_discs)[:, np.newaxis]
    centres = start + (end - start) * steps
    radii = (start_width + (end_width - start_width) * steps[:, 0]) / 2
    canvas = np.zeros((FINE * side, FINE * side), np.uint8)
    for centre, radius in zip(_pixels(side, centres), radii, strict=True):
        cv2.circle(canvas, centre.tolist(),
                   int(radius * FINE * side * 2**_FRACTION_BITS), 255, -1, cv2.LINE_AA,
                   _FRACTION_BITS)
    return _averaged(canvas, side)


def ellipse(centre: np.ndarray, radii: np.ndarray, *, power: float = 2.0,
            turn: float = 0.0) -> np.ndarray:
    """(64, 2) points of an ellipse; a larger power makes it a rectangle with round corners.

    Args:
        centre, radii: (2,).
        power: Of the superellipse.
        turn: Radians.
    """
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    unit = np.stack([np.cos(angles), np.sin(angles)], -1)
    points = np.sign(unit) * np.abs(unit)**(2 / power) * radii
    cos, sin = np.cos(turn), np.sin(turn)
    return centre + points @ np.array([(cos, sin), (-sin, cos)])


def blob(centre: np.ndarray, radius: float, rng: np.random.Generator) -> np.ndarray:
    """(64, 2) points of a random closed curve around a centre."""
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    radii = np.ones(64)
    for wave in range(1, 5):
        radii += rng.normal(0, 0.3 / wave) * np.cos(wave * angles + rng.uniform(0, 2 * np.pi))
    return centre + radius * np.clip(radii, 0.3, 2)[:, np.newaxis] * np.stack(
        [np.cos(angles), np.sin(angles)], -1)


def curve(points: np.ndarray, n: int = 24) -> np.ndarray:
    """(n, 2) points of the Bezier curve with these control points, of which there may be any."""
    share = np.linspace(0, 1, n)[:, np.newaxis]
    points = np.repeat(np.asarray(points, float)[:, np.newaxis], n, axis=1)
    while len(points) > 1:
        points = points[:-1] * (1 - share) + points[1:] * share
    return points[0]


def rounded(cover: np.ndarray, depth: float) -> np.ndarray:
    """(S, S) light of a surface that bends away at its edge: 1 inside, less along the outline.

    Args:
        cover: (S, S).
        depth: Sides from the edge to where it is flat.
    """
    inside = cv2.distanceTransform((cover > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    share = np.clip(inside / max(depth * cover.shape[0], 1), 0, 1)
    return 0.45 + 0.55 * np.sqrt(share * (2 - share))


def grain(side: int, rng: np.random.Generator, coarse: float, strength: float) -> np.ndarray:
    """(S, S, 1) random light and shade around 1.

    Args:
        side: Of the picture.
        coarse: Size of its spots, in sides.
        strength: Standard deviation.
    """
    cells = max(int(1 / coarse), 2)
    noise = rng.normal(0, strength, (min(cells, side), min(cells, side))).astype(np.float32)
    return 1 + cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC)[..., np.newaxis]


def flat(side: int, color: np.ndarray) -> np.ndarray:
    """(S, S, 3) of one colour."""
    return np.broadcast_to(np.asarray(color, np.float32), (side, side, 3))


def _pixels(side: int, points: np.ndarray) -> np.ndarray:
    """(n, 2) int32 for OpenCV's drawing in the large canvas."""
    scaled = (np.asarray(points) * FINE * side - 0.5) * 2**_FRACTION_BITS
    return np.rint(np.clip(scaled, -2**20, 2**20)).astype(np.int32)


def _averaged(canvas: np.ndarray, side: int) -> np.ndarray:
    return cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
