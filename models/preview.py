"""The training preview as one picture: loss curves above rows of faces."""

from collections.abc import Sequence

import cv2
import numpy as np

from core.imaging.chart import loss_chart
from core.imaging.draw import tile
from models.history import LossHistory

TILE_SIDE = 160
CHART_HEIGHT = 200


def preview_image(rows: Sequence[dict[str, np.ndarray]], history: LossHistory) -> np.ndarray:
    """Draws the preview.

    Args:
        rows: What `SwapModel.preview` gave.
        history: For the curves.

    Returns:
        (H, W, 3) uint8 BGR.
    """
    pictures = [[_enlarged(picture) for picture in row.values()] for row in rows]
    faces = tile(pictures, column_labels=list(rows[0]))
    losses = {name: history.column(name) for name in history.names}
    chart = loss_chart(losses, faces.shape[1], CHART_HEIGHT)
    return np.concatenate([chart, faces])


def _enlarged(picture: np.ndarray) -> np.ndarray:
    picture = np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)
    return cv2.resize(picture, (TILE_SIDE, TILE_SIDE), interpolation=cv2.INTER_CUBIC)
