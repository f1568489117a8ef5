"""`--preview file`: previews, chart and state as files that other programs may read any time."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.imaging.draw import BACKGROUND
from core.imaging.io import write_image
from core.paths import atomic_write
from mainscripts.views.background import BackgroundView
from mainscripts.views.curves import CurveCache, curves_picture
from mainscripts.views.facts import preview_files, status_facts
from mainscripts.views.view import TrainingStatus, ViewSetup

ALL = "preview.png"
STATUS = "status.json"
CHART_HEIGHT = 200
LEAST_WIDTH = 480
CHART_SECONDS = 10.0  # preview.png is drawn again after this time even without new previews


def open_file_view(setup: ViewSetup) -> BackgroundView:
    """The view for `--preview file`."""
    writer = StatusFiles(setup.folder)
    setup.on_info(f"previews and {STATUS} are written to {writer.folder}")
    return BackgroundView(f"previews in {writer.folder}", writer.write, setup.on_problem,
                          writer.finish).start()


class StatusFiles:
    """Writes what a status shows; every file is whole at every moment.

    `preview.png` (chart above the first preview), `preview_<name>.png` of each, and
    `status.json` (the fields of `TrainingStatus`, with the time of writing and the previews' file
    names).
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time):
        self.folder = folder
        self._clock = clock
        self._previews: dict[str, np.ndarray] = {}
        self._drawn_at = -float("inf")
        self._last: TrainingStatus | None = None
        self._curves = CurveCache()

    def write(self, status: TrainingStatus) -> None:
        """Writes the status, and the pictures if they changed or the chart is old.

        Raises:
            OSError, ImageError, DiskFull: A file cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._last = status
        if status.previews is not None:
            for name, file in preview_files(status.previews).items():
                write_image(self.folder / file, status.previews[name])
            self._previews = dict(status.previews)
        if status.previews is not None or self._clock() - self._drawn_at >= CHART_SECONDS:
            self._write_chart(status)
        self._write_status(status)

    def finish(self) -> None:
        """Draws the chart a last time, up to the last iteration."""
        if self._last is not None:
            self._write_chart(self._last)

    def _write_chart(self, status: TrainingStatus) -> None:
        write_image(self.folder / ALL, self._picture(status))
        self._drawn_at = self._clock()

    def _picture(self, status: TrainingStatus) -> np.ndarray:
        """The loss chart, above the first of the previews if there is one: (H, W, 3) uint8 BGR."""
        first = next(iter(self._previews.values()), np.empty((0, 0, 3), np.uint8))
        width = max(LEAST_WIDTH, first.shape[1])
        curves = self._curves.curves(status, 0, width)
        picture = np.full((CHART_HEIGHT + first.shape[0], width, 3), BACKGROUND, np.uint8)
        picture[:CHART_HEIGHT] = curves_picture(curves, status.losses, width, CHART_HEIGHT)
        picture[CHART_HEIGHT:, :first.shape[1]] = first
        return picture

    def _write_status(self, status: TrainingStatus) -> None:
        facts = {**status_facts(status), "written_at": self._clock(),
                 "previews": preview_files(self._previews)}
        data = json.dumps(facts, allow_nan=False, indent=1).encode()
        atomic_write(self.folder / STATUS, data, durable=False)  # a new one comes in a second
