"""Times how long the merge window's picture takes after a key press.

    python -m benchmarks.merge_window
    python -m benchmarks.merge_window --width 1920 --height 1080

Frames of the demo clip and a model of random weights; everything but the display itself is real.
A press counts until the picture with the new settings is drawn. The predictions are at hand, as
they are after the first look at a frame.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import make_parser, print_report
from benchmarks.merge import CLIP
from benchmarks.merge_command import prepare, signing_key_in
from core.report import SilentReporter
from mainscripts.merging_window.picture import merge_picture
from mainscripts.merging_window.run import Desk, open_desk
from merger.options import MergeOptions
from models.quick96.options import Quick96Options

KEYS: Mapping[str, str] = {
    "erode and blur the mask": "wsedWSED", "face scale": "ujUJ", "mode": "1234567`1",
    "mask mode, of the swap's own": "XXXXxxxx", "colour transfer": "ccccccccc",
    "sharpen": "nyYhHnn",
    "motion blur": "rRfF", "denoise": "iIkK", "bicubic degrade": "oOlL",
    "colour degrade": "pP;:",
    "undo and redo": "wbBb", "next frame, prediction at hand": "....",
    "previous frame, done": ",,,,"}
"""What is changed -> the keys that do it, which together come back to where they began."""

_REST_SECONDS = 0.3
_POLL_SECONDS = 0.004


def time_keys(arguments: argparse.Namespace) -> dict[str, Any]:
    """Milliseconds from a key to its picture, for each group of keys."""
    options = Quick96Options(resolution=arguments.resolution)
    with (tempfile.TemporaryDirectory() as temporary, signing_key_in(Path(temporary) / "key")):
        files = prepare(Path(temporary), CLIP, arguments.frames, options,
                        (arguments.width, arguments.height))
        with open_desk(files, MergeOptions(), SilentReporter()) as desk:
            desk.session.start()
            desk.session.press("tab")
            rest(desk, 10 * _REST_SECONDS)
            figures = {name: figures_of([time_key(desk, key) for key in keys * arguments.rounds])
                       for name, keys in KEYS.items()}
            desk.finish()
    return {"milliseconds": figures}


def time_key(desk: Desk, key: str) -> float:
    """Seconds until the picture with what a key does is drawn."""
    rest(desk, _REST_SECONDS)
    start = time.perf_counter()
    desk.session.press(key)
    wait(desk, lambda: desk.session.shows_what_is_set)
    return time.perf_counter() - start


def rest(desk: Desk, seconds: float) -> None:
    """Lets the work behind the window end, and then predictions come for some time."""
    wait(desk, lambda: not desk.session.is_waiting)
    end = time.perf_counter() + seconds
    wait(desk, lambda: time.perf_counter() >= end)


def wait(desk: Desk, condition: Callable[[], bool]) -> None:
    """Does what the window does, until something holds and is drawn."""
    while True:
        desk.session.tick()
        holds = condition()
        if desk.session.needs_drawing:
            merge_picture(desk.session.scene())
        if holds:
            return
        time.sleep(_POLL_SECONDS)


def figures_of(seconds: list[float]) -> dict[str, float]:
    """Median, 95th percentile and maximum in milliseconds."""
    return {"presses": len(seconds), **{
        name: round(float(np.percentile(seconds, share)) * 1e3, 1)
        for name, share in (("median", 50), ("p95", 95), ("max", 100))}}


def main() -> None:
    """Reads the arguments and prints the report."""
    parser = make_parser(__doc__)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--resolution", type=int, default=128, help="of the model")
    parser.add_argument("--rounds", type=int, default=4)
    print_report(parser.parse_args(), time_keys)


if __name__ == "__main__":
    main()
