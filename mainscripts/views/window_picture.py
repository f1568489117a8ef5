"""What the training window shows, as a picture: lines of text, chart, faces, help."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from core.imaging.draw import BACKGROUND, TEXT, WHITE, fit_text, put_text, text_size
from mainscripts.views.curves import Curves, curves_picture

LINE_HEIGHT = 18
FONT_HEIGHT = 13
CHART_HEIGHT = 170
FACES_WIDTH, FACES_HEIGHT = 1800, 800  # larger previews are scaled to fit
LEAST_WIDTH = 640
QUIET = (160, 160, 160)
NOTE = (90, 200, 250)  # amber

KEY_LINES = ("Enter: save and stop   s: save   b: backup   p: new preview",
             "space: next preview   l: chart of {range}   h: help")
HELP = (
    ("Enter", "save and stop"),
    ("s", "save now and go on"),
    ("b", "keep a copy of the model as last saved"),
    ("p", "draw the previews again"),
    ("space", "next preview"),
    ("l", "iterations in the chart: all, 5,000, 10,000, 50,000, 100,000"),
    ("h", "this help"),
    ("", "Closing the window does not end training; Ctrl-C in the console saves and ends it."),
)


@dataclass
class WindowContent:
    """What there is to show.

    Attributes:
        headline: Who trains, and how far.
        curves: Of the chart; None before the first iteration.
        losses: Name -> recent mean, for the legend.
        previews: Name -> (H, W, 3) uint8 BGR.
        chosen: Which of them, counted from 0.
        n_last: Iterations of the chart; 0 is all.
        note: What a key just did.
        shows_help: Whether the help lies on top.
    """

    headline: str = ""
    curves: Curves | None = None
    losses: Mapping[str, float] = field(default_factory=dict)
    previews: Mapping[str, np.ndarray] = field(default_factory=dict)
    chosen: int = 0
    n_last: int = 0
    note: str = ""
    shows_help: bool = False


def window_picture(content: WindowContent) -> np.ndarray:
    """Draws the window.

    Returns:
        (H, W, 3) uint8 BGR; its size only depends on the previews.
    """
    faces = fitted(list(content.previews.values()), FACES_WIDTH, FACES_HEIGHT)
    width = max([LEAST_WIDTH, *(picture.shape[1] for picture in faces)])
    parts = [_text(content, width), _chart(content, width)]
    if faces:
        chosen = faces[content.chosen % len(faces)]
        parts.append(_padded(chosen, chosen.shape[0], width))
    picture = np.concatenate(parts)
    if content.shows_help:
        _draw_help(picture)
    return picture


def fitted(pictures: Sequence[np.ndarray], width: int, height: int) -> list[np.ndarray]:
    """Pictures of one size: that of the largest, made smaller if it is larger than given.

    Args:
        pictures: (H, W, 3) uint8; those of other shapes than the largest get dark borders.
        width, height: In pixels.
    """
    if not pictures:
        return []
    full = [max(picture.shape[axis] for picture in pictures) for axis in (0, 1)]
    bordered = [_padded(picture, *full) for picture in pictures]
    scale = min(height / full[0], width / full[1])
    if scale >= 1:
        return bordered
    size = max(round(full[1] * scale), 1), max(round(full[0] * scale), 1)
    return [cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in bordered]


def _text(content: WindowContent, width: int) -> np.ndarray:
    """The lines on top: how far training is, keys, which preview."""
    shown_range = f"{content.n_last:,} iterations" if content.n_last else "all iterations"
    names = list(content.previews)
    index = content.chosen % len(names) if names else 0
    preview = f'Preview: "{names[index]}" [{index + 1}/{len(names)}]' if names else "No preview yet"
    lines = [(content.headline, WHITE), (KEY_LINES[0], QUIET),
             (KEY_LINES[1].format(range=shown_range), QUIET), (preview, TEXT)]
    canvas = np.full((len(lines) * LINE_HEIGHT + 6, width, 3), BACKGROUND, np.uint8)
    for row, (line, color) in enumerate(lines):
        shown = fit_text(line, width - 16, FONT_HEIGHT)
        put_text(canvas, shown, (8, 4 + row * LINE_HEIGHT), height=FONT_HEIGHT, color=color)
    note_x = width - 8 - text_size(content.note, FONT_HEIGHT)[0]
    put_text(canvas, content.note, (note_x, 4 + 3 * LINE_HEIGHT), height=FONT_HEIGHT, color=NOTE)
    return canvas


def _chart(content: WindowContent, width: int) -> np.ndarray:
    curves = content.curves or Curves(1, 0, {})
    return curves_picture(curves, content.losses, width, CHART_HEIGHT)


def _padded(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """The picture with dark borders: at the top, in the middle from left to right."""
    left = (width - picture.shape[1]) // 2
    return cv2.copyMakeBorder(picture, 0, height - picture.shape[0], left,
                              width - picture.shape[1] - left, cv2.BORDER_CONSTANT,
                              value=BACKGROUND)


def _draw_help(picture: np.ndarray) -> None:
    """Darkens the picture and writes the keys on it, in place."""
    np.multiply(picture, 0.12, out=picture, casting="unsafe")
    put_text(picture, "Keys", (24, 20), height=18, color=WHITE)
    for row, (key, meaning) in enumerate(HELP):
        y = 56 + row * 24
        put_text(picture, key, (24, y), height=14, color=NOTE)
        x = 96 if key else 24
        put_text(picture, fit_text(meaning, picture.shape[1] - x - 8), (x, y), height=14)
