"""S3FD's anchors: the boxes that its cells stand for, and how boxes are told by them."""

import numpy as np

STRIDES = (4, 8, 16, 32, 64, 128)
"""Pixels between the cells of each level."""

ANCHOR = 4
"""Side of an anchor in strides."""

VARIANCES = (0.1, 0.2)
"""Of a box's place and size, in anchors."""


def level_sides(side: int) -> tuple[int, ...]:
    """Cells along one side of the map of each level.

    Args:
        side: Of the network's input, pixels; at least 32.
    """
    first, second, third, fourth = (side // stride for stride in STRIDES[:4])
    fourth += 4  # fc6 pads by 3, where 1 would keep the size
    fifth = (fourth - 1) // 2 + 1
    return first, second, third, fourth, fifth, (fifth - 1) // 2 + 1


def anchors(height: int, width: int) -> np.ndarray:
    """The anchors of all levels, row by row.

    Args:
        height, width: Of the network's input, pixels.

    Returns:
        (A, 4) float64, x1, y1, x2, y2 in pixels of the input.
    """
    boxes = []
    for stride, rows, columns in zip(STRIDES, level_sides(height), level_sides(width)):
        y, x = np.mgrid[:rows, :columns].reshape(2, -1)
        centres = (np.stack([x, y], axis=1) + 0.5) * stride
        half = ANCHOR * stride / 2
        boxes.append(np.hstack([centres - half, centres + half]))
    return np.concatenate(boxes)


def encode(boxes: np.ndarray, of_anchors: np.ndarray) -> np.ndarray:
    """What the network has to say so that each anchor becomes its box.

    Args:
        boxes: (A, 4) float, x1, y1, x2, y2; with sides above 0.
        of_anchors: (A, 4).

    Returns:
        (A, 4) float32: shift of the centre in x and y, logarithm of the change in width and
        height, by the variances.
    """
    sides, own = (pair[:, 2:] - pair[:, :2] for pair in (boxes, of_anchors))
    shift = (boxes[:, :2] + boxes[:, 2:] - of_anchors[:, :2] - of_anchors[:, 2:]) / 2
    return np.hstack([shift / (VARIANCES[0] * own),
                      np.log(sides / own) / VARIANCES[1]]).astype(np.float32)
