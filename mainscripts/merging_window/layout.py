"""Where things are in the main screen, in pixels."""

from typing import NamedTuple

import numpy as np

LEAST_ZOOM, MOST_ZOOM = 0.1, 4.0
LARGEST = 1368, 700
"""Width and height that frames are shown in; larger ones are made smaller, or cut off by zoom."""

LEAST_WIDTH = 900
STRIP_HEIGHT = 50
TIMELINE_HEIGHT = 18
ROW_HEIGHT = 21
SETTINGS_ROWS = 6
MARGIN = 10

_EMPTY = 360, 640


class Box(NamedTuple):
    """A rectangle; `x`, `y` of its upper left pixel."""

    x: int
    y: int
    width: int
    height: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns in an array."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)

    def holds(self, x: int, y: int) -> bool:
        """Whether a pixel is inside."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


class Layout(NamedTuple):
    """Size (`width`, `height`) of the screen and its parts; `scale` is pixels of the screen for one
    of the frame, which may be larger than its box."""

    width: int
    height: int
    image: Box
    scale: float
    timeline: Box
    settings: Box

    def frame_at(self, x: int, count: int) -> int:
        """Number of the frame whose place on the timeline is at this column."""
        place = (x - self.timeline.x) * count // self.timeline.width
        return int(np.clip(place, 0, count - 1))


def layout_of(image: np.ndarray | None, zoom: float) -> Layout:
    """The layout for a frame.

    Args:
        image: (H, W, ...), or None if there is none yet.
        zoom: 1 shows it whole.
    """
    height, width = _EMPTY if image is None else image.shape[:2]
    scale = min(1.0, LARGEST[0] / width, LARGEST[1] / height) * zoom
    shown = (max(min(round(width * scale), LARGEST[0]), 1),
             max(min(round(height * scale), LARGEST[1]), 1))
    screen_width = max(shown[0], LEAST_WIDTH)
    image_box = Box((screen_width - shown[0]) // 2, STRIP_HEIGHT, *shown)
    timeline = Box(MARGIN, STRIP_HEIGHT + shown[1] + 8, screen_width - 2 * MARGIN,
                   TIMELINE_HEIGHT)
    settings = Box(MARGIN, timeline.y + TIMELINE_HEIGHT + 8, timeline.width,
                   ROW_HEIGHT * SETTINGS_ROWS)
    return Layout(screen_width, settings.y + settings.height + 6, image_box, scale, timeline,
                  settings)
