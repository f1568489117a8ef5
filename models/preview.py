"""Previews as pictures: rows of faces below their titles."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from core.imaging.draw import tile

PreviewRow = dict[str, np.ndarray]
"""Title -> (R, R, 3) float32 BGR picture."""

TILE_SIDE = 160
WIDEST_TILE = 256
WIDEST = 1600  # pixels of a whole row


def preview_pictures(previews: Mapping[str, Sequence[PreviewRow]]) -> dict[str, np.ndarray]:
    """Draws every preview.

    Args:
        previews: What `TrainedModel.preview` gave.

    Returns:
        Preview name -> (H, W, 3) uint8 BGR: the rows below one another, titles above them.
    """
    return {name: preview_picture(rows) for name, rows in previews.items()}


def preview_picture(rows: Sequence[PreviewRow]) -> np.ndarray:
    """(H, W, 3) uint8 BGR of one preview."""
    titles = list(rows[0])
    side = tile_side(rows[0][titles[0]].shape[0], len(titles))
    pictures = [[_of_side(row[title], side) for title in titles] for row in rows]
    return tile(pictures, column_labels=titles)


def tile_side(resolution: int, n_columns: int) -> int:
    """How large a face is drawn: as it is, small ones enlarged, large ones shrunk to fit."""
    return min(max(resolution, TILE_SIDE), WIDEST_TILE, WIDEST // n_columns)


def _of_side(picture: np.ndarray, side: int) -> np.ndarray:
    """(R, R, 3) float32 in [0, 1] -> (side, side, 3) uint8."""
    picture = np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)
    if picture.shape[0] == side:
        return picture
    shrinks = picture.shape[0] > side
    return cv2.resize(picture, (side, side),
                      interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
