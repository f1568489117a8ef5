"""`--tensorboard`: losses, speed and previews as event files for TensorBoard."""

import time
from collections.abc import Callable

import numpy as np

from mainscripts.views.background import BackgroundView
from mainscripts.views.event_file import EventFile
from mainscripts.views.view import TrainingStatus, ViewSetup

FOLDER = "tensorboard"
SECONDS = 10.0  # between scalars


def open_tensorboard_view(setup: ViewSetup) -> BackgroundView:
    """The view for `--tensorboard`."""
    folder = setup.folder / FOLDER
    setup.on_info(f"for TensorBoard: tensorboard --logdir {folder}")
    writer = StatusEvents(EventFile(folder))
    return BackgroundView(f"events in {folder}", writer.write, setup.on_problem,
                          writer.finish).start()


class StatusEvents:
    """Writes statuses as events: scalars every `SECONDS`, previews whenever they are new.

    Losses are means over the iterations since the last event, so no spike is lost between two.
    """

    def __init__(self, events: EventFile, clock: Callable[[], float] = time.monotonic):
        self._events = events
        self._clock = clock
        self._written_at = -float("inf")
        self._n_written: int | None = None  # iterations of the history that events tell of
        self._unwritten: TrainingStatus | None = None
        self._iteration: int | None = None  # of the last status

    def write(self, status: TrainingStatus) -> None:
        """Writes what is due.

        Raises:
            OSError: The event file cannot be written.
        """
        if self._iteration is None or status.iteration < self._iteration:
            self._events.add_start(status.iteration)  # TensorBoard drops what a lost run did
        self._iteration = status.iteration
        if status.previews is not None:
            images = {f"preview/{name}": picture for name, picture in status.previews.items()}
            self._events.add_images(status.iteration, images)
        self._unwritten = status
        if self._clock() - self._written_at >= SECONDS:
            self._write_scalars(status)

    def finish(self) -> None:
        """Writes what was not due yet, and ends the file."""
        if self._unwritten is not None:
            self._write_scalars(self._unwritten)
        self._events.close()

    def _write_scalars(self, status: TrainingStatus) -> None:
        scalars = {f"loss/{name}": loss for name, loss in self._mean_losses(status).items()}
        scalars |= {f"term/{name}": value for name, value in status.terms.items()}
        scalars |= {"speed/iterations per second": status.iterations_per_second,
                    "speed/images per second": status.images_per_second,
                    "speed/data wait ms": status.data_wait_ms,
                    "training/learning rate scale": status.rate_scale}
        if status.memory_mb is not None:
            scalars["speed/memory MB"] = status.memory_mb
        self._events.add_scalars(status.iteration, scalars)
        self._written_at, self._n_written = self._clock(), status.history_length
        self._unwritten = None

    def _mean_losses(self, status: TrainingStatus) -> dict[str, float]:
        """Means over the iterations since the last event; recent ones if there were none."""
        losses = dict(status.losses)
        first = self._n_written
        for name in status.history.names:
            values = status.history.column(name)[first:status.history_length]
            values = values[np.isfinite(values)] if first is not None else ()
            if len(values):
                losses[name] = float(values.mean())
        return losses
