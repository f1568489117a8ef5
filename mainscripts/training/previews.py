"""Previews of a training: which faces they show, and the pictures that are kept of them."""

import queue
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import FaceLabError
from core.imaging.chart import loss_chart
from core.imaging.io import write_image
from mainscripts.views.facts import preview_files
from models.history import LossHistory
from models.training_data import TrainingData

if TYPE_CHECKING:
    from models.base import TrainedModel
    from samplelib.batch_stream import Batch

CHART_HEIGHT = 200
HISTORY_FOLDER = "history"
JPEG_QUALITY = 90
MOST_WAITING = 8  # sets of pictures in memory before a slow disk makes the training wait


class Previews:
    """Draws the previews of a model, always of the same faces."""

    def __init__(self, model: "TrainedModel", data: TrainingData):
        self._model, self._data = model, data
        self._batches: "dict[str, Batch] | None" = None

    def draw(self) -> dict[str, np.ndarray]:
        """Preview name -> (H, W, 3) uint8 BGR.

        Raises:
            NoFacesFound: No face of a source can be read any more.
        """
        from models.preview import preview_pictures

        if self._batches is None:
            self._batches = self._data.preview_batches(self._model)
        return preview_pictures(self._model.preview(self._batches))


def with_chart(history: LossHistory, picture: np.ndarray) -> np.ndarray:
    """The loss chart above a preview: (H, W, 3) uint8 BGR."""
    losses = {name: history.column(name) for name in history.names}
    return np.concatenate([loss_chart(losses, picture.shape[1], CHART_HEIGHT), picture])


class PreviewHistory:
    """Keeps pictures of every preview by iteration: `history/<preview>/0001200.jpg`.

    A thread writes them, so that training goes on meanwhile.
    """

    def __init__(self, folder: Path, on_problem: Callable[[str], None]):
        """
        Args:
            folder: Of the model.
            on_problem: Told once if a picture cannot be written; training goes on.
        """
        self._folder, self._on_problem = folder / HISTORY_FOLDER, on_problem
        self._waiting: queue.Queue[tuple[int, Mapping[str, np.ndarray]] | None] = queue.Queue(
            MOST_WAITING)
        self._thread = threading.Thread(target=self._work, name="preview history", daemon=True)

    def __enter__(self) -> "PreviewHistory":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._waiting.put(None)
        self._thread.join()

    def keep(self, iteration: int, previews: Mapping[str, np.ndarray]) -> None:
        """Hands the previews of an iteration over."""
        self._waiting.put((iteration, dict(previews)))

    def _work(self) -> None:
        told = False
        while (item := self._waiting.get()) is not None:
            try:
                self._write(*item)
            except (OSError, FaceLabError) as error:
                if not told:
                    self._on_problem(f"preview history: {error}; training goes on")
                told = True

    def _write(self, iteration: int, previews: Mapping[str, np.ndarray]) -> None:
        for name, file in preview_files(previews).items():
            folder = self._folder / file.removeprefix("preview_").removesuffix(".png")
            folder.mkdir(parents=True, exist_ok=True)
            write_image(folder / f"{iteration:07d}.jpg", previews[name],
                        jpeg_quality=JPEG_QUALITY)
