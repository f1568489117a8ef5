"""What a training tells whoever watches it, and what they may ask of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np

from core.registry import Registry
from models.history import LossHistory


class Command(StrEnum):
    """What a user may ask of a training."""

    SAVE = "save"  # save now and go on
    BACKUP = "backup"  # keep a copy of the model as last saved
    STOP = "stop"  # save, then end
    PREVIEW = "preview"  # draw the previews again


@dataclass(frozen=True)
class TrainingStatus:
    """How far a training is.

    Attributes:
        name: Of the model.
        kind: Of the model, such as "SAEHD".
        iteration: Iterations over all runs.
        history: Losses of every iteration; a view only reads it. It grows on while the view looks.
        target_iteration: Where training ends; 0 is no target.
        seconds: Time in the loop over all runs.
        iterations_per_second, images_per_second: Of late; images counts the faces of both sides.
        losses: Name -> recent mean, the losses of the history.
        terms: Name -> recent mean of what the losses are made of ("src dssim", "gan").
        data_wait_ms: Of an iteration's milliseconds, those it waited for samples, of late.
        memory_mb: Peak memory on the device, or of the process; None if unknown.
        rate_scale: Factor of the learning rate, 1.0 but for a decay or the loss guard.
        saved_at: When the model was last saved, in seconds since 1970; None before that.
        saved_iteration: Up to where that save goes.
        message: The last thing worth telling ("rolled back to iteration 1200").
        previews: Name -> (H, W, 3) uint8 BGR rows of faces without a chart; None: as before.
        history_length: Values that the history had when the status was made.
    """

    name: str
    kind: str
    iteration: int
    history: LossHistory
    target_iteration: int = 0
    seconds: float = 0.0
    iterations_per_second: float = 0.0
    images_per_second: float = 0.0
    losses: Mapping[str, float] = field(default_factory=dict)
    terms: Mapping[str, float] = field(default_factory=dict)
    data_wait_ms: float = 0.0
    memory_mb: float | None = None
    rate_scale: float = 1.0
    saved_at: float | None = None
    saved_iteration: int | None = None
    message: str = ""
    previews: Mapping[str, np.ndarray] | None = None
    history_length: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "history_length", len(self.history))


class TrainingView(Protocol):
    """Somebody who watches a training. The trainer's thread makes all calls; none blocks it."""

    def update(self, status: TrainingStatus) -> None:
        """Takes the newest state, at most some times a second. Keeps no trouble for training:
        what goes wrong in a view is told through its `on_problem`."""

    def commands(self) -> list[Command]:
        """What was asked for since the last call, oldest first."""

    def close(self, reason: str = "") -> None:
        """Shows the last state and ends; `reason` says why training ended ("target iteration").
        It returns within some seconds, whatever hangs; calling it twice does nothing more."""


class NoView:
    """Shows nothing, for servers."""

    def update(self, status: TrainingStatus) -> None:
        """Forgets it."""

    def commands(self) -> list[Command]:
        """Nobody asks."""
        return []

    def close(self, reason: str = "") -> None:
        """Nothing to end."""


class JoinedViews:
    """Several views of the same training, such as a window and TensorBoard."""

    def __init__(self, views: Iterable[TrainingView]):
        self._views = tuple(views)

    def update(self, status: TrainingStatus) -> None:
        """Tells all."""
        for view in self._views:
            view.update(status)

    def commands(self) -> list[Command]:
        """What any of them was asked."""
        return [command for view in self._views for command in view.commands()]

    def close(self, reason: str = "") -> None:
        """Ends all."""
        for view in self._views:
            view.close(reason)


@dataclass(frozen=True)
class ViewSetup:
    """What a view is made from.

    Attributes:
        folder: Of the model, for those that write files.
        title: Of a window or page: the model's name.
        web_port: Of the web page; 0 takes any free port.
        on_info: Told where the view is to be found (an address, a folder).
        on_problem: Told once of each thing that went wrong; training goes on.
    """

    folder: Path
    title: str = "FaceLab training"
    web_port: int = 0
    on_info: Callable[[str], None] = lambda message: None
    on_problem: Callable[[str], None] = lambda message: None


VIEWS = Registry("training view", {
    "window": "mainscripts.views.window_view:open_window_view",
    "web": "mainscripts.views.web_view:open_web_view",
    "file": "mainscripts.views.file_view:open_file_view",
    "none": "mainscripts.views.view:open_no_view",
    "tensorboard": "mainscripts.views.tensorboard_view:open_tensorboard_view",
})
PREVIEW_CHOICES = ("window", "web", "file", "none")  # of --preview; --tensorboard comes beside it


def open_no_view(setup: ViewSetup) -> NoView:
    """The view for `--preview none`."""
    return NoView()


def make_view(name: str, folder: Path, *, title: str = "FaceLab training", web_port: int = 0,
              on_info: Callable[[str], None] = lambda message: None,
              on_problem: Callable[[str], None] = lambda message: None) -> TrainingView:
    """Makes and starts a view.

    Args:
        name: One of `VIEWS`, or your own as module:function taking a `ViewSetup`.
        folder, title, web_port, on_info, on_problem: See `ViewSetup`; the two functions are called
            from the view's own thread too.

    Raises:
        OptionError: There is no such view, or the web page's port is taken.
        DeviceError: A window is wanted and there is no display.
    """
    return VIEWS.load(name)(ViewSetup(Path(folder), title, web_port, on_info, on_problem))
