"""What there is to show of a sitting."""

from dataclasses import dataclass

import numpy as np

from core.frames import Frame
from merger.options import MergeOptions


@dataclass(frozen=True, eq=False)
class Scene:
    """The main screen.

    Attributes:
        frame: Which frame is shown; `number` is its place from 0, of `count`.
        image: (H, W, 3) uint8 or uint16 BGR, its newest result, or the frame as it came; None if
            neither is at hand.
        mask: (H, W, 1) of the same depth, what new faces cover; None as long as there is no result.
        options: How the frame is merged.
        base: What most frames began with.
        states: (N,) uint8, `State` of every frame.
        has_own: Whether the frame keeps its options when those of the frames before change.
        is_working: Whether the result is not the one that is wanted yet.
        is_running: Whether it goes on by itself.
        shows_alpha: Whether the mask is shown as a checkerboard.
        zoom: How much larger than it fits.
        note: What just happened.
        question, answer: What is being typed; no question if nothing is.
    """

    frame: Frame
    number: int
    count: int
    image: np.ndarray | None
    mask: np.ndarray | None
    options: MergeOptions
    base: MergeOptions
    states: np.ndarray
    has_own: bool = True
    is_working: bool = False
    is_running: bool = False
    shows_alpha: bool = False
    zoom: float = 1.0
    note: str = ""
    question: str = ""
    answer: str = ""
