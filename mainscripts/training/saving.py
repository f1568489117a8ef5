"""Saves and backups of a running training."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from core.errors import CheckpointError, DiskFull
from core.imaging.io import encode_image
from core.report import Reporter

if TYPE_CHECKING:
    from models.base import TrainedModel
    from models.options import TrainingOptions
    from models.store import ModelStore, Progress

HOUR = 3600.0  # seconds
DrawPicture = Callable[[], np.ndarray | None]


class Saver:
    """Saves one model, and backs it up.

    Attributes:
        saved_at: Time of the last save, in seconds since 1970; None before it.
        saved_iteration: Up to where it goes; None before the first save of this run.
    """

    def __init__(self, store: "ModelStore", model: "TrainedModel", options: "TrainingOptions",
                 progress: "Progress", draw_picture: DrawPicture, reporter: Reporter):
        """
        Args:
            draw_picture: Makes the picture that is saved with the model, (H, W, 3) uint8 BGR;
                may give None.
            Others: Of the training.
        """
        self._store, self._model, self._options = store, model, options
        self._progress, self._draw, self._reporter = progress, draw_picture, reporter
        self.saved_at: float | None = None
        self.saved_iteration: int | None = None

    def save(self) -> None:
        """Saves, and makes a backup if one is due.

        Raises:
            DiskFull: There is no room; all that was saved before is untouched.
        """
        picture = self._draw()
        png = None if picture is None else encode_image(picture, ".png")
        path = self._store.save(self._model, self._options, self._progress, png)
        self.saved_at, self.saved_iteration = time.time(), self._progress.iteration
        self._reporter.event("saved", path=str(path), iteration=self.saved_iteration)
        if self._is_backup_due():
            self.backup()

    def try_save(self) -> str:
        """As `save`, but a full disk is only told: training goes on and saves again later.

        Returns:
            A line on what is wrong; empty if all is well.
        """
        try:
            self.save()
            return ""
        except DiskFull as error:
            problem = f"not saved at iteration {self._progress.iteration}: {error}"
            self._reporter.warning(problem)
            return problem

    def backup(self) -> str:
        """Keeps a copy of the model as last saved.

        Returns:
            A line on what was done.
        """
        try:
            path = self._store.backups.make()
        except (DiskFull, CheckpointError) as error:
            problem = f"no backup was made: {error}"
            self._reporter.warning(problem)
            return problem
        if path is None:
            return "no backup yet: the model was never saved"
        self._reporter.event("backup", path=str(path), iteration=self.saved_iteration)
        return f"backup {path.name} made"

    def _is_backup_due(self) -> bool:
        """Whether enough hours of training have passed since the newest backup."""
        hours = self._options.autobackup_hours
        if not hours:
            return False
        try:
            newest: Mapping | None = self._store.backups.newest()
        except CheckpointError:
            return True
        since = newest.get("seconds", 0.0) if newest else 0.0
        return self._progress.seconds - since >= hours * HOUR
