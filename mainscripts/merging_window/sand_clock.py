"""The sign that the picture is not the one that is wanted yet."""

import cv2
import numpy as np

SIDE = 64
GLASS = (235, 235, 235)  # colours are BGR
SAND = (90, 200, 250)

_SHADE = 0.35
_SHIFT = 4


def draw_sand_clock(canvas: np.ndarray) -> None:
    """Draws it over the upper left corner, in place.

    Args:
        canvas: (H, W, 3) uint8 BGR; what does not fit is cut off.
    """
    corner = canvas[:SIDE, :SIDE]
    np.multiply(corner, _SHADE, out=corner, casting="unsafe")
    top, waist, bottom = 12, 32, 52
    _fill(corner, [(25, 23), (39, 23), (32, waist)], SAND)
    _fill(corner, [(32, waist + 6), (44, bottom), (20, bottom)], SAND)
    _line(corner, [(32, waist), (32, bottom - 6)], SAND)
    for outline in ([(19, top), (45, top), (34, waist), (45, bottom), (19, bottom), (30, waist)],):
        _line(corner, [*outline, outline[0]], GLASS, 2)
    for y in (top - 3, bottom + 3):
        _line(corner, [(15, y), (49, y)], GLASS, 4)


def _fixed(points: list[tuple[float, float]]) -> np.ndarray:
    return np.rint(np.array(points) * (1 << _SHIFT)).astype(np.int32)


def _fill(canvas: np.ndarray, points: list[tuple[float, float]], color: tuple[int, int, int]
          ) -> None:
    cv2.fillPoly(canvas, [_fixed(points)], color, cv2.LINE_AA, _SHIFT)


def _line(canvas: np.ndarray, points: list[tuple[float, float]], color: tuple[int, int, int],
          thickness: int = 1) -> None:
    cv2.polylines(canvas, [_fixed(points)], False, color, thickness, cv2.LINE_AA, _SHIFT)
