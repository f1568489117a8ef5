"""What the window for setting faces by hand shows, as a picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from core.geometry import invert_affine, transform_points
from core.imaging.draw import (
    BACKGROUND,
    TEXT,
    WHITE,
    draw_polyline,
    fit_text,
    put_text,
    text_size,
)
from facelib.align import face_transform
from facelib.drawing import BOX, CROP, LANDMARKS, draw_landmarks
from facelib.face_type import FaceType
from facelib.types import FoundFace
from mainscripts.manual.keys import HELP
from mainscripts.manual.view import View

FONT_HEIGHT = 14
STRIP_HEIGHT = 48
"""Of the text above the frame, pixels; the frame begins below."""

LOCKED = (255, 255, 0)  # colours are BGR
OTHER = (150, 150, 0)
QUIET = (160, 160, 160)
NOTE = (90, 200, 250)
MARK = (255, 255, 255)

_MARGIN = 16
_LEAST_HELP_HEIGHT = 9
_ROW_HEIGHT = 22


@dataclass(frozen=True)
class Scene:
    """What there is to show; faces and places in pixels of the frame.

    Attributes:
        image: (H, W, 3) uint8 BGR, the frame.
        view: Which part of it is shown.
        title, status: Of the upper line, left and right.
        hint: What can be done next; a `note` takes its place.
        note: What just happened.
        faces: The locked ones.
        chosen: Index of the one that keys are for, or None.
        held: The one that follows the mouse, or None.
        square: (4,) float box that follows the mouse, or None.
        marked: (2,) float landmark under the mouse, or None.
        face_type: Whose crop is drawn.
        shows_help: Whether the help lies on top.
    """

    image: np.ndarray
    view: View
    title: str = ""
    status: str = ""
    hint: str = ""
    note: str = ""
    faces: Sequence[FoundFace] = ()
    chosen: int | None = None
    held: FoundFace | None = None
    square: np.ndarray | None = None
    marked: np.ndarray | None = None
    face_type: FaceType = FaceType.FULL
    shows_help: bool = False


def manual_picture(scene: Scene) -> np.ndarray:
    """Draws the window.

    Returns:
        (STRIP_HEIGHT + h, w, 3) uint8 BGR for a view of size h, w.
    """
    frame = _frame(scene)
    picture = np.concatenate([_strip(scene, frame.shape[1]), frame])
    if scene.shows_help:
        _draw_help(picture)
    return picture


def _frame(scene: Scene) -> np.ndarray:
    """The part of the frame in view with everything drawn on it."""
    height, width = scene.view.size
    canvas = cv2.warpAffine(scene.image, scene.view.image_to_view, (width, height))
    for index, face in enumerate(scene.faces):
        if index != scene.chosen:
            _draw_face(canvas, scene, face, OTHER)
    if scene.held is None and scene.chosen is not None and scene.square is None:
        _draw_face(canvas, scene, scene.faces[scene.chosen], LOCKED, crop=True)
    if scene.square is not None:
        _draw_box(canvas, scene.view, scene.square)
    if scene.held is not None:
        _draw_face(canvas, scene, scene.held, LANDMARKS, crop=True)
    if scene.marked is not None:
        (x, y), = transform_points(scene.marked[np.newaxis], scene.view.image_to_view)
        cv2.circle(canvas, (round(float(x) * 16), round(float(y) * 16)), 6 * 16, MARK, 1,
                   cv2.LINE_AA, 4)
    return canvas


def _draw_face(canvas: np.ndarray, scene: Scene, face: FoundFace, color: tuple[int, int, int],
               crop: bool = False) -> None:
    image_to_view = scene.view.image_to_view
    if crop:
        _draw_crop(canvas, scene, face)
    draw_landmarks(canvas, transform_points(face.landmarks, image_to_view), color)


def _draw_crop(canvas: np.ndarray, scene: Scene, face: FoundFace) -> None:
    """The outline of what the aligned face will show; nothing where no face fits."""
    try:
        face_to_image = invert_affine(face_transform(face.landmarks, 1, scene.face_type))
    except ValueError:
        return
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float64)
    outline = transform_points(transform_points(corners, face_to_image),
                               scene.view.image_to_view)
    draw_polyline(canvas, outline, CROP, closed=True)


def _draw_box(canvas: np.ndarray, view: View, box: np.ndarray) -> None:
    x1, y1, x2, y2 = np.asarray(box, np.float64)
    corners = np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])
    draw_polyline(canvas, transform_points(corners, view.image_to_view), BOX, closed=True)


def _strip(scene: Scene, width: int) -> np.ndarray:
    """The two lines of text."""
    strip = np.full((STRIP_HEIGHT, width, 3), BACKGROUND, np.uint8)
    status_width = text_size(scene.status, FONT_HEIGHT)[0]
    title = fit_text(scene.title, max(width - status_width - 32, 1), FONT_HEIGHT)
    put_text(strip, title, (8, 2), height=FONT_HEIGHT, color=WHITE)
    put_text(strip, scene.status, (width - 8 - status_width, 2), height=FONT_HEIGHT, color=TEXT)
    text, color = (scene.note, NOTE) if scene.note else (scene.hint, QUIET)
    help_text = "h: help"
    help_width = text_size(help_text, FONT_HEIGHT)[0]
    put_text(strip, fit_text(text, max(width - help_width - 32, 1), FONT_HEIGHT), (8, 25),
             height=FONT_HEIGHT, color=color)
    put_text(strip, help_text, (width - 8 - help_width, 25), height=FONT_HEIGHT, color=QUIET)
    return strip


def _draw_help(picture: np.ndarray) -> None:
    """Darkens the picture below the strip and writes the keys on it, in place."""
    below = picture[STRIP_HEIGHT:]
    np.multiply(below, 0.12, out=below, casting="unsafe")
    row_height = max(min(_ROW_HEIGHT, (len(below) - _MARGIN) // len(HELP)), 8)
    height = min(_help_height(below.shape[1]), row_height - 4)
    left = 2 * _MARGIN + max(text_size(keys, height)[0] for keys, _ in HELP)
    for row, (keys, text) in enumerate(HELP):
        y = _MARGIN // 2 + row * row_height
        put_text(below, keys, (_MARGIN, y), height=height, color=NOTE)
        shown = fit_text(text, max(below.shape[1] - left - _MARGIN, 1), height)
        put_text(below, shown, (left, y), height=height, color=TEXT)


def _help_height(width: int) -> int:
    """Font height at which the help is as wide as this, within limits."""
    keys, texts = ([text_size(part, FONT_HEIGHT)[0] for part in column] for column in zip(*HELP))
    fitting = FONT_HEIGHT * (width - 3 * _MARGIN) // (max(keys) + max(texts))
    return min(max(fitting, _LEAST_HELP_HEIGHT), FONT_HEIGHT)
