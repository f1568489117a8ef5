"""Pictures made of pictures: text, lines, checkerboards, tiles and the loss chart, as arrays.

Everything here works on (H, W, 3) uint8 BGR canvases and needs no window.
"""

import itertools
from collections.abc import Sequence

import cv2
import numpy as np

WHITE = (255, 255, 255)
TEXT = (225, 225, 225)
GRID = (70, 70, 70)
BACKGROUND = (26, 26, 26)
TEXT_WEIGHT = 500  # between regular (400) and bold (700): thin strokes fade at small sizes


def as_canvas(image: np.ndarray) -> np.ndarray:
    """A picture as new (H, W, 3) uint8 BGR pixels that may be drawn on.

    Args:
        image: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4, alpha dropped); uint8, or float in [0, 1]
            (values outside are clipped, NaN becomes black).

    Raises:
        ValueError: Another shape.
    """
    if image.ndim == 2:
        image = image[..., np.newaxis]
    if image.ndim != 3 or image.shape[2] not in (1, 3, 4):
        raise ValueError(f"a picture of shape {image.shape} cannot be drawn")
    image = image[..., :3]
    if image.dtype != np.uint8:
        finite = np.nan_to_num(np.asarray(image, np.float32), nan=0.0, posinf=1.0, neginf=0.0)
        image = np.rint(np.clip(finite, 0.0, 1.0) * 255.0).astype(np.uint8)
    height, width = image.shape[:2]
    return np.array(np.broadcast_to(image, (height, width, 3)))


def text_size(text: str, height: int = 14) -> tuple[int, int]:
    """(width, height) in pixels that `put_text` needs for `text` at this font height."""
    unwrapped = (0, 1 << 24)
    _, top, width, box_height = cv2.getTextSize(
        (0, 0), text, (0, 0), cv2.FontFace("sans"), height, TEXT_WEIGHT, wrap=unwrapped
    )
    return int(width) + 1, max(int(top + box_height), 0) + height


def put_text(
    canvas: np.ndarray,
    text: str,
    position: tuple[float, float],
    *,
    height: int = 14,
    color: tuple[int, int, int] = TEXT,
    outline: tuple[int, int, int] | None = None,
) -> np.ndarray:
    """Writes one line of antialiased text on the canvas, in place.

    Args:
        canvas: (H, W, 3) uint8 BGR, changed in place. Text outside it is cut off.
        text: Characters that the font lacks show as question marks.
        position: (x, y) of the upper left corner of the text, in pixels.
        height: Font height in pixels.
        color: BGR.
        outline: BGR of a one pixel outline that keeps text readable on any picture.

    Returns:
        The canvas.
    """
    font = cv2.FontFace("sans")
    x, y = round(position[0]), round(position[1]) + height
    around = ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (1, -1), (-1, 1), (1, 1))
    strokes = [(dx, dy, outline) for dx, dy in around] if outline is not None else []
    unwrapped = (-(1 << 24), 1 << 24)
    for dx, dy, stroke in [*strokes, (0, 0, color)]:
        origin = (x + dx, y + dy)
        cv2.putText(canvas, text, origin, stroke, font, height, TEXT_WEIGHT, wrap=unwrapped)
    return canvas


def fit_text(text: str, width: int, height: int = 14) -> str:
    """The text, its middle replaced by "..." if it is wider than `width` pixels."""
    kept = len(text)
    shown = text
    while kept > 1 and text_size(shown, height)[0] > width:
        kept -= 1
        shown = text[: (kept + 1) // 2] + "..." + text[len(text) - kept // 2 :]
    return shown


def draw_polyline(
    canvas: np.ndarray,
    points: np.ndarray,
    color: tuple[int, int, int],
    *,
    thickness: int = 1,
    closed: bool = False,
) -> np.ndarray:
    """Draws an antialiased line through the points, in place; points that are not finite cut it.

    A point without neighbours becomes a dot.

    Args:
        canvas: (H, W, 3) uint8 BGR, changed in place.
        points: (N, 2) x, y in pixels (pixel centres), sub-pixel.
        color: BGR.
        thickness: In pixels.
        closed: Joins the last point to the first (only when all points are finite).

    Returns:
        The canvas.
    """
    points = np.asarray(points, np.float64).reshape(-1, 2)
    finite = np.isfinite(points).all(axis=1)
    shift = 4  # OpenCV takes fixed-point coordinates with this many binary digits
    for run in np.split(np.arange(len(points)), np.flatnonzero(np.diff(finite)) + 1):
        if len(run) and finite[run[0]]:
            fixed = np.rint(points[run] * (1 << shift)).astype(np.int32)
            if len(run) == 1:
                radius = (thickness + 1) << shift
                cv2.circle(canvas, fixed[0].tolist(), radius, color, -1, cv2.LINE_AA, shift)
            cv2.polylines(
                canvas, [fixed], closed and finite.all(), color, thickness, cv2.LINE_AA, shift
            )
    return canvas


def checkerboard(
    height: int, width: int, cell: int = 8, dark: int = 96, light: int = 160
) -> np.ndarray:
    """(height, width, 3) uint8 grey checkerboard, to show what is transparent."""
    rows = np.arange(height)[:, np.newaxis] // cell
    columns = np.arange(width)[np.newaxis, :] // cell
    grey = np.where((rows + columns) % 2 == 0, dark, light).astype(np.uint8)
    return np.repeat(grey[..., np.newaxis], 3, axis=2)


def over_checkerboard(image: np.ndarray, mask: np.ndarray, cell: int = 8) -> np.ndarray:
    """(H, W, 3) uint8: the picture where the mask is 1, a checkerboard where it is 0.

    Args:
        image: As `as_canvas` takes it, (H, W, ...).
        mask: (H, W, 1) float32 in [0, 1].
        cell: Side of one field of the board, in pixels.
    """
    picture = as_canvas(image).astype(np.float32)
    board = checkerboard(*picture.shape[:2], cell).astype(np.float32)
    return np.rint(board + (picture - board) * mask).astype(np.uint8)


def tile(
    rows: Sequence[Sequence[np.ndarray]],
    *,
    gap: int = 4,
    column_labels: Sequence[str] = (),
    row_labels: Sequence[str] = (),
    label_height: int = 14,
) -> np.ndarray:
    """Pictures in rows and columns, each centred in its cell.

    Args:
        rows: Pictures as `as_canvas` takes them; rows may differ in length and sizes may differ.
        gap: Pixels between cells and around all.
        column_labels, row_labels: Text above the columns and left of the rows.
        label_height: Font height of the labels, in pixels.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        ValueError: No picture at all.
    """
    cells = [[as_canvas(image) for image in row] for row in rows]
    if not any(cells):
        raise ValueError("there is no picture to tile")
    left = max((text_size(label, label_height)[0] + gap for label in row_labels), default=0) + gap
    top = (label_height + 6 if any(column_labels) else 0) + gap
    across = _tracks([_longest(c, axis=1) for c in itertools.zip_longest(*cells)], left, gap)
    down = _tracks([_longest(row, axis=0) for row in cells], top, gap)
    canvas = np.full((down[-1][1] + gap, across[-1][1] + gap, 3), BACKGROUND, np.uint8)
    for row, (y1, y2) in zip(cells, down):
        for cell, (x1, x2) in zip(row, across):
            _paste_centred(canvas[y1:y2, x1:x2], cell)
    for label, (x1, x2) in zip(column_labels, across):
        label = fit_text(label, x2 - x1, label_height)
        x = (x1 + x2 - text_size(label, label_height)[0]) // 2
        put_text(canvas, label, (x, gap), height=label_height)
    for label, (y1, y2) in zip(row_labels, down):
        put_text(canvas, label, (gap, (y1 + y2 - label_height) // 2), height=label_height)
    return canvas


def _longest(cells: Sequence[np.ndarray | None], axis: int) -> int:
    """The largest height (axis 0) or width (axis 1) of pictures; None stands for no picture."""
    return max((cell.shape[axis] for cell in cells if cell is not None), default=0)


def _tracks(lengths: Sequence[int], start: int, gap: int) -> list[tuple[int, int]]:
    """(first, end) pixel of tracks of these lengths, one after the other with gaps between."""
    starts = itertools.accumulate(lengths[:-1], lambda at, length: at + length + gap, initial=start)
    return [(first, first + length) for first, length in zip(starts, lengths)]


def _paste_centred(cell: np.ndarray, picture: np.ndarray) -> None:
    """Puts a picture into the middle of a cell that is large enough, in place."""
    height, width = picture.shape[:2]
    y, x = (cell.shape[0] - height) // 2, (cell.shape[1] - width) // 2
    cell[y : y + height, x : x + width] = picture


def contact_sheet(
    rows: Sequence[Sequence[tuple[str, np.ndarray]]], *, gap: int = 6, label_height: int = 12
) -> np.ndarray:
    """Rows of pictures, each with its own label underneath.

    Args:
        rows: (label, picture as `as_canvas` takes it) pairs.
        gap: Pixels between cells and around all.
        label_height: Font height of the labels, in pixels.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        ValueError: No picture at all.
    """
    return tile(
        [[_with_label(label, image, label_height) for label, image in row] for row in rows],
        gap=gap,
    )


def _with_label(label: str, image: np.ndarray, height: int) -> np.ndarray:
    """The picture on top of a strip with its label, as wide as the picture."""
    picture = as_canvas(image)
    strip = np.full((height + 6, picture.shape[1], 3), BACKGROUND, np.uint8)
    shown = fit_text(label, strip.shape[1], height)
    x = max((strip.shape[1] - text_size(shown, height)[0]) // 2, 0)
    return np.vstack([picture, put_text(strip, shown, (x, 1), height=height)])
