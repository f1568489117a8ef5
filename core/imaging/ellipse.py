"""Erosion and dilation by large ellipses, exactly as OpenCV draws them.

A minimum over an ellipse is the minimum of those over its rows, and a minimum over a long row is
that of two overlapping halves. So the work grows with the ellipse's height, not with its area.
"""

from collections.abc import Callable

import cv2
import numpy as np

_Extreme = Callable[[np.ndarray, np.ndarray], np.ndarray]


def erode_by_ellipse(mask: np.ndarray, size: int) -> np.ndarray:
    """The smallest value inside an ellipse around each pixel.

    Args:
        mask: (H, W, 1) float32 in [0, 1]; outside of it is 0.
        size: Width and height of the ellipse in pixels (of even ones the middle is the pixel right
            of and below the centre); below 0 takes the largest value instead.

    Returns:
        (H, W, 1) float32.
    """
    if abs(size) < 2:
        return mask
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(size), abs(size)))
    before = abs(size) // 2
    padded = np.pad(mask[..., 0], ((before, abs(size) - 1 - before),) * 2)
    return _over_rows(padded, kernel, np.minimum if size > 0 else np.maximum)[..., np.newaxis]


def _over_rows(padded: np.ndarray, kernel: np.ndarray, extreme: _Extreme) -> np.ndarray:
    """(H + size - 1, W + size - 1) -> (H, W), the extreme over the kernel at each place."""
    size = len(kernel)
    height, width = (side - size + 1 for side in padded.shape)
    starts, lengths = kernel.argmax(axis=1), kernel.sum(axis=1).astype(int)
    spans = _Spans(padded, extreme)
    result = None
    for row, (start, length) in enumerate(zip(starts.tolist(), lengths.tolist(), strict=True)):
        over_row = spans.over(length)[row:row + height, start:start + width]
        result = over_row.copy() if result is None else extreme(result, over_row, out=result)
    return result


class _Spans:
    """Extremes over spans of a row, from each pixel to the right; those of 1, 2, 4, ... are kept.

    Neighbouring rows of an ellipse often have the same length, so the last one is kept too.
    """

    def __init__(self, rows: np.ndarray, extreme: _Extreme):
        self._extreme = extreme
        self._doubled = [rows]
        self._last = (1, rows)

    def over(self, length: int) -> np.ndarray:
        """(H, W - length + 1) extremes over `length` pixels, at least 1."""
        if length != self._last[0]:
            half = length.bit_length() - 1
            while len(self._doubled) <= half:
                rows, step = self._doubled[-1], 2 ** (len(self._doubled) - 1)
                self._doubled.append(self._extreme(rows[:, :-step], rows[:, step:]))
            rows, rest = self._doubled[half], length - 2**half
            both = self._extreme(rows[:, :-rest], rows[:, rest:]) if rest else rows
            self._last = (length, both)
        return self._last[1]
