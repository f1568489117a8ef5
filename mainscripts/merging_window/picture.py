"""The main screen of the merge window, as a picture."""

import cv2
import numpy as np

from core.imaging.depth import to_unit, white_level
from core.imaging.draw import BACKGROUND, GRID, TEXT, WHITE, fit_text, put_text, text_size
from mainscripts.merging_window.adjust import SPECS, applies, keys_of, words_of
from mainscripts.merging_window.layout import MARGIN, ROW_HEIGHT, SETTINGS_ROWS, Box, layout_of
from mainscripts.merging_window.sand_clock import draw_sand_clock
from mainscripts.merging_window.scene import Scene
from mainscripts.merging_window.states import State

FONT_HEIGHT = 14
CHECKER_CELL = 5
"""Pixels of the frame."""

KEY = (90, 200, 250)  # colours are BGR
QUIET = (150, 150, 150)
CHANGED = (120, 220, 140)
STATE_COLORS = {State.DONE: (110, 160, 60), State.NOT_DONE: (70, 70, 70),
                State.STALE: (60, 150, 200), State.WORKING: (220, 170, 60),
                State.FAILED: (70, 70, 220)}
STATE_WORDS = {State.DONE: "done", State.NOT_DONE: "not done", State.STALE: "to be merged again",
               State.WORKING: "working", State.FAILED: "failed"}

_PALETTE = np.array([STATE_COLORS[state] for state in State], np.uint8)
_COLUMNS = 3


def merge_picture(scene: Scene) -> np.ndarray:
    """Draws the main screen.

    Returns:
        (H, W, 3) uint8 BGR, as large as `layout.layout_of` says.
    """
    layout = layout_of(scene.image, scene.zoom)
    canvas = np.full((layout.height, layout.width, 3), BACKGROUND, np.uint8)
    _draw_strip(canvas, scene)
    if scene.image is None:
        canvas[layout.image.slices] = 0
    else:
        canvas[layout.image.slices] = _fitted(alpha_view(scene), layout.image, layout.scale,
                                              _centre(scene))
    if scene.is_working:
        draw_sand_clock(canvas[layout.image.slices])
    _draw_timeline(canvas, scene, layout.timeline)
    _draw_settings(canvas[layout.settings.slices], scene)
    return canvas


def alpha_view(scene: Scene) -> np.ndarray:
    """(H, W, 3) uint8 BGR: the picture, darker and with a checkerboard where no new face covers
    it if that is wanted; without a mask nothing does."""
    image = _as_bytes(scene.image)
    if not scene.shows_alpha or scene.mask is None:
        return image
    height, width = image.shape[:2]
    cells = np.add.outer(np.arange(height) // CHECKER_CELL, np.arange(width) // CHECKER_CELL) % 2
    board = 64.0 * cells[..., np.newaxis] * (1.0 - to_unit(scene.mask))
    return np.rint(image * np.float32(0.75) + board).astype(np.uint8)


def timeline_pixels(states: np.ndarray, width: int) -> np.ndarray:
    """(width, 3) uint8 BGR: the gravest state of the frames that share a pixel.

    Args:
        states: (N,) uint8 of `State`, N above 0.
        width: Pixels.
    """
    edges = np.arange(width + 1) * len(states) // width
    if len(states) <= width:  # every frame has a pixel or more
        return _PALETTE[states[edges[:-1]]]
    return _PALETTE[np.maximum.reduceat(states, edges[:-1])]


def _as_bytes(image: np.ndarray) -> np.ndarray:
    return cv2.convertScaleAbs(image, alpha=255 / white_level(image.dtype))


def _centre(scene: Scene) -> tuple[float, float]:
    """x and y of what zoom shows, in the frame: the middle of the new faces."""
    height, width = scene.image.shape[:2]
    if scene.mask is not None and scene.mask.shape[:2] == (height, width):
        x, y, w, h = cv2.boundingRect((scene.mask[..., 0] > 0).astype(np.uint8))
        if w:
            return x + w / 2, y + h / 2
    return width / 2, height / 2


def _fitted(image: np.ndarray, box: Box, scale: float, centre: tuple[float, float]) -> np.ndarray:
    """The part of a picture that a box has room for, (box.height, box.width, 3)."""
    height, width = image.shape[:2]
    part = min(box.width / scale, width), min(box.height / scale, height)
    x = int(np.clip(centre[0] - part[0] / 2, 0, width - part[0]))
    y = int(np.clip(centre[1] - part[1] / 2, 0, height - part[1]))
    cut = image[y: y + max(round(part[1]), 1), x: x + max(round(part[0]), 1)]
    if cut.shape[:2] == (box.height, box.width):
        return cut
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(cut, (box.width, box.height), interpolation=way)


def _draw_strip(canvas: np.ndarray, scene: Scene) -> None:
    """The two lines above the frame."""
    width = canvas.shape[1]
    state = State(int(scene.states[scene.number]))
    right = f"{STATE_WORDS[state]}   Tab: all keys   zoom {scene.zoom:.1f}"
    right_width = text_size(right, FONT_HEIGHT)[0]
    own = "" if scene.has_own else "   as the frame before"
    running = "   going on to the last frame" if scene.is_running else ""
    title = f"frame {scene.number + 1} of {scene.count}   {scene.frame.name}{own}{running}"
    put_text(canvas, fit_text(title, width - right_width - 40, FONT_HEIGHT), (MARGIN, 3),
             height=FONT_HEIGHT, color=WHITE)
    color = TEXT if state is not State.FAILED else STATE_COLORS[state]
    put_text(canvas, right, (width - MARGIN - right_width, 3), height=FONT_HEIGHT, color=color)
    text = f"{scene.question} {scene.answer}_" if scene.question else scene.note
    put_text(canvas, fit_text(text, width - 2 * MARGIN, FONT_HEIGHT) if text else "",
             (MARGIN, 26), height=FONT_HEIGHT, color=WHITE if scene.question else KEY)


def _draw_timeline(canvas: np.ndarray, scene: Scene, box: Box) -> None:
    """States of all frames, and a mark at the one shown."""
    canvas[box.slices] = timeline_pixels(scene.states, box.width)
    x = box.x + (2 * scene.number + 1) * box.width // (2 * scene.count)
    cv2.rectangle(canvas, (x - 2, box.y - 3), (x + 2, box.y + box.height + 2), (0, 0, 0), -1)
    cv2.rectangle(canvas, (x - 1, box.y - 3), (x + 1, box.y + box.height + 2), WHITE, -1)


def _draw_settings(canvas: np.ndarray, scene: Scene) -> None:
    """A table of the options that matter now, with their keys, columns first."""
    names = [name for name in SPECS if keys_of(name) and applies(scene.options, name)]
    column_width = canvas.shape[1] // _COLUMNS
    for place, name in enumerate(names[: SETTINGS_ROWS * _COLUMNS]):
        left = place // SETTINGS_ROWS * column_width
        top = place % SETTINGS_ROWS * ROW_HEIGHT
        _draw_setting(canvas, scene, name, Box(left, top, column_width, ROW_HEIGHT))
    for column in range(1, _COLUMNS):
        canvas[:, column * column_width - 6] = GRID


def _draw_setting(canvas: np.ndarray, scene: Scene, name: str, box: Box) -> None:
    keys = "` 1..7" if name == "mode" else " ".join(keys_of(name))
    spec = SPECS[name]
    value = spec.format(getattr(scene.options, name))
    is_changed = getattr(scene.options, name) != getattr(scene.base, name)
    height = FONT_HEIGHT - 1
    put_text(canvas, keys, (box.x, box.y), height=height, color=KEY)
    put_text(canvas, words_of(name), (box.x + 44, box.y), height=height, color=QUIET)
    left = 50 + text_size(words_of(name), height)[0]
    shown = fit_text(value, box.width - left - 12, height)
    put_text(canvas, shown, (box.x + left, box.y), height=height,
             color=CHANGED if is_changed else WHITE)
