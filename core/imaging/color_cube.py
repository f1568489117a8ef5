"""A map of colours as a table: exact at the nodes of a grid, linear between them."""

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True, eq=False)
class ColorGrid:
    """An even grid over a box of colours.

    Attributes:
        low, high: (3,) float64, corners of the box, BGR in [0, 1]; high above low.
        n_nodes: Along each edge, at least 2.
    """

    low: np.ndarray
    high: np.ndarray
    n_nodes: int

    @classmethod
    def around(cls, colors: np.ndarray, n_nodes: int) -> "ColorGrid":
        """The grid over the smallest box around (N, 3) colours in [0, 1]."""
        low, high = colors.min(axis=0), colors.max(axis=0)
        return cls(low, np.maximum(high, low + 1 / 255), n_nodes)

    def nodes(self) -> np.ndarray:
        """(n_nodes ** 3, 3) float64: the colours of the nodes, red running fastest."""
        axes = np.linspace(self.low, self.high, self.n_nodes).T
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def apply_color_table(image: np.ndarray, grid: ColorGrid, table: np.ndarray) -> np.ndarray:
    """Maps every colour of a picture through a table.

    Args:
        image: (H, W, 3) BGR, uint8 or float32 in [0, 1]; colours outside of the grid's box count as
            on its border.
        grid: Where the table knows the map.
        table: (n_nodes ** 3, 3) float, what the nodes' colours become, BGR in [0, 1].

    Returns:
        (H, W, 3), dtype of `image`, clipped to its range.
    """
    n = grid.n_nodes
    white = 255 if image.dtype == np.uint8 else 1
    scale = (n - 1) / (grid.high - grid.low)
    to_nodes = np.column_stack([np.diag(scale / white), -scale * grid.low])
    # (H, W, 3) in nodes
    place = cv2.transform(image.astype(np.float32, copy=False), to_nodes)
    blue, green, red = cv2.split(np.clip(place, 0, n - 1, out=place))
    # Slices of equal blue lie one below the other, n rows (green) by n columns (red) each.
    slices = (np.asarray(table) * white).astype(np.float32).reshape(n * n, n, 3)
    below = np.minimum(np.floor(blue), n - 2)
    row = below * n + green
    lower = cv2.remap(slices, red, row, cv2.INTER_LINEAR)
    upper = cv2.remap(slices, red, row + n, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    share = blue - below
    mapped = cv2.blendLinear(lower, upper, 1 - share, share)
    np.clip(mapped, 0, white, out=mapped)
    return cv2.convertScaleAbs(mapped) if image.dtype == np.uint8 else mapped
