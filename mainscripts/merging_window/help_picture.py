"""The help screen of the merge window: a table of all keys, as a picture."""

import functools

import numpy as np

from core.imaging.draw import BACKGROUND, GRID, TEXT, WHITE, put_text, text_size
from mainscripts.merging_window.keys import GROUPS, Group
from mainscripts.merging_window.picture import KEY, QUIET

FONT_HEIGHT = 15
TITLE = "FaceLab merge"
HINT = "Tab: to the frame"

_ROW_HEIGHT = 23
_MARGIN = 24
_GAP = 36
_COLUMNS: tuple[tuple[str, ...], ...] = (
    ("Mode", "Choices", "View"), ("Up and down",), ("Frames", "Settings of several frames"))
_LEGEND_HEIGHT = 56


@functools.cache
def help_picture() -> np.ndarray:
    """(H, W, 3) uint8 BGR; the same array each time, not to be changed."""
    by_title = {group.title: group for group in GROUPS}
    columns = [[by_title[title] for title in titles] for titles in _COLUMNS]
    widths = [max(map(_width, column)) for column in columns]
    rows = max(sum(len(group.rows) + 2 for group in column) for column in columns)
    canvas = np.full((_LEGEND_HEIGHT + rows * _ROW_HEIGHT + _MARGIN,
                      2 * _MARGIN + sum(widths) + _GAP * (len(columns) - 1), 3),
                     BACKGROUND, np.uint8)
    put_text(canvas, TITLE, (_MARGIN, 12), height=FONT_HEIGHT + 5, color=WHITE)
    put_text(canvas, HINT, (canvas.shape[1] - _MARGIN - text_size(HINT, FONT_HEIGHT)[0], 16),
             height=FONT_HEIGHT, color=QUIET)
    left = _MARGIN
    for column, width in zip(columns, widths):
        top = _LEGEND_HEIGHT
        for group in column:
            top = _draw_group(canvas, group, left, top, width)
        left += width + _GAP
    canvas.setflags(write=False)
    return canvas


def _draw_group(canvas: np.ndarray, group: Group, left: int, top: int, width: int) -> int:
    """Draws a table; returns where the next one begins."""
    put_text(canvas, group.title, (left, top), height=FONT_HEIGHT, color=WHITE)
    top += _ROW_HEIGHT
    canvas[top, left: left + width] = GRID
    indent = _keys_width(group)
    for row in group.rows:
        put_text(canvas, row.keys, (left, top + 3), height=FONT_HEIGHT, color=KEY)
        put_text(canvas, row.text, (left + indent, top + 3), height=FONT_HEIGHT, color=TEXT)
        top += _ROW_HEIGHT
    return top + _ROW_HEIGHT


def _keys_width(group: Group) -> int:
    return max(text_size(row.keys, FONT_HEIGHT)[0] for row in group.rows) + 16


def _width(group: Group) -> int:
    texts = max(text_size(row.text, FONT_HEIGHT)[0] for row in group.rows)
    return max(_keys_width(group) + texts, text_size(group.title, FONT_HEIGHT)[0])
