"""One run of a training: the loop with its samples, saves, previews, views and console line."""

import contextlib
import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from core.errors import FaceLabError, TrainingDiverged, WorkerLost
from core.report import Progress as ProgressBar
from core.report import Reporter
from mainscripts.interrupt import StopRequest
from mainscripts.training.beginning import Beginning
from mainscripts.training.crew import Crew
from mainscripts.training.options import TrainOptions
from mainscripts.training.previews import PreviewHistory, Previews, with_chart
from mainscripts.training.saving import Saver
from mainscripts.training.watch import Watch
from mainscripts.views.view import Command, JoinedViews, TrainingView, make_view

if TYPE_CHECKING:
    from models.base import TrainedModel
    from models.pace import Iteration
    from models.store import ModelStore, Progress
    from models.trainer import Trainer
    from models.training_data import SampleSource

PREVIEW = "preview.png"
FIRST_SAVE_SECONDS = 60.0
"""When a new model is saved for the first time at the latest, so that there is something to go back
to: what goes wrong by a rate that is too high often does so in the first minutes."""

ON_REQUEST = "stopped on request"  # in a view of this process, as opposed to a signal


class Training(NamedTuple):
    """What a training run did.

    `reason`: why it ended; `iterations`, `seconds`, `losses`: over all runs (losses: mean of the
    last 100 iterations); `images`: samples of all sources that this run trained on, and
    `images_per_second`; `preview`: picture, if one is drawn.
    """

    reason: str
    iterations: int
    seconds: float
    losses: dict[str, float]
    images: int
    images_per_second: float
    preview: Path | None


@contextlib.contextmanager
def opened_view(files: TrainOptions, store: "ModelStore",
                reporter: Reporter) -> Iterator[TrainingView]:
    """The views of the user; closed however the training ends.

    Raises:
        OptionError, DeviceError: See `make_view`.
    """
    names = [files.preview, *["tensorboard"] * files.tensorboard]
    view = JoinedViews([make_view(
        name, store.folder, title=store.name, web_port=files.web_port,
        on_info=reporter.info, on_problem=reporter.warning) for name in names])
    try:
        yield view
    except FaceLabError as error:
        view.close(str(error))
        raise
    except KeyboardInterrupt:
        view.close("interrupted")
        raise
    finally:
        view.close()


class Session:
    """One run. The chief saves and shows; other processes of a training only train along."""

    def __init__(self, crew: Crew, store: "ModelStore", beginning: Beginning, model: "TrainedModel",
                 files: TrainOptions, view: TrainingView, reporter: Reporter):
        """
        Args:
            crew: The processes of the training.
            store: Of the model; only the chief uses it.
            beginning: What the run starts from.
            model: Built and loaded.
            files: Options of the command.
            view: Open.
            reporter: Told of everything.
        """
        self._crew, self._store, self._model = crew, store, model
        self._begin, self._files, self._reporter = beginning, files, reporter
        self._view = view
        self._options, self._progress = beginning.options, beginning.progress
        self._images_of_step = self._options.batch_size * len(beginning.data.names)
        self._start = self._progress.iteration, self._progress.seconds
        self._draws = crew.is_chief and (files.preview != "none" or files.tensorboard)
        self._drawn_first = False
        self._pictures: Mapping[str, np.ndarray] = {}
        self._previews = Previews(model, beginning.data)
        self._history: PreviewHistory | None = None
        self._saver = Saver(store, model, self._options, self._progress, self._saved_picture,
                            reporter)
        self._watch: Watch | None = None
        self._asked_to_stop = False

    def run(self) -> Training:
        """Trains until a limit is reached or somebody asks to stop, and saves.

        Raises:
            TrainingDiverged: The guard gives up; nothing is saved then.
            WorkerLost: Another process is gone; the chief has saved all iterations.
            DiskFull: There is no room for the last save.
        """
        with ExitStack() as stack:
            sources = {name: stack.enter_context(source)
                       for name, source in self._sources().items()}
            stop = stack.enter_context(StopRequest())
            bar = stack.enter_context(self._reporter.progress(
                "train", self._options.target_iteration or None, "it"))
            self._watch = self._make_watch(bar)
            if self._crew.is_chief and self._options.write_preview_history:
                self._history = stack.enter_context(
                    PreviewHistory(self._store.folder, self._reporter.warning))
            self._watch.start()
            reason = self._train(sources, stop)
            if self._asked_to_stop and not stop.requested:
                reason = ON_REQUEST
            self._view.close(reason)
        self._crew.wait()
        return self._result(reason)

    def _train(self, sources: "Mapping[str, SampleSource]", stop: StopRequest) -> str:
        """Runs the loop and the last save."""
        from models.memory import exhaustion_reported

        try:
            with exhaustion_reported():
                reason = self._trainer(sources, stop).train()
        except WorkerLost:
            self._save_at_end()  # the last whole iteration
            raise
        self._save_at_end()
        return reason

    def _trainer(self, sources: "Mapping[str, SampleSource]", stop: StopRequest) -> "Trainer":
        from models.guard import LossGuard
        from models.trainer import Every, Limits, Surroundings, Trainer

        options = self._options
        self._guard = LossGuard(options.guard_limit, is_on=options.guard,
                                rate_scale=self._progress.guard_rate)
        periodic = ()
        if self._crew.is_chief:
            between = options.save_minutes * 60
            is_new = self._progress.iteration == 0
            periodic = (Every(between, self._save_if_well,
                              min(between, FIRST_SAVE_SECONDS) if is_new else None),
                        Every(options.preview_seconds, self._draw))
        around = Surroundings(
            on_iteration=self._follow, on_message=self._say,
            should_stop=lambda: stop.requested or self._asked_to_stop,
            is_shared=self._crew.is_shared, roll_back=self._roll_back)
        return Trainer(self._model, sources, self._progress,
                       Limits(options.target_iteration, options.target_minutes, options.lr_decay),
                       self._guard, around, periodic)

    def _sources(self) -> "dict[str, SampleSource]":
        from models.training_data import Share

        first_row, n_rows = self._crew.rows(self._options.batch_size)
        return self._begin.data.sources(self._model, Share(
            first_row, n_rows, self._progress.positions,
            lambda problem: self._reporter.warning(f"{problem.path}: {problem.reason}")))

    def _make_watch(self, bar: ProgressBar) -> Watch:
        from models.memory import memory_mb

        return Watch(self._store.name, self._begin.kind, self._progress, bar, self._view,
                     target_iteration=self._options.target_iteration,
                     images=self._images_of_step,
                     memory_mb=memory_mb)

    def _follow(self, iteration: "Iteration") -> None:
        """After every iteration: tells of it, draws what is due, does what the user asked for."""
        self._watch.follow(iteration)
        if self._draws and not self._drawn_first:
            self._draw()
        every = self._options.preview_history_iterations
        if self._history is not None and self._progress.iteration % every == 0:
            self._draw()
            self._history.keep(self._progress.iteration, self._pictures)
        for command in self._watch.commands():
            self._obey(command)

    def _obey(self, command: Command) -> None:
        if command is Command.STOP:
            self._asked_to_stop = True
            self._watch.message = "saving, then stopping"
        elif command is Command.PREVIEW:
            self._draw()
        elif command is Command.SAVE:
            self._save()
        elif command is Command.BACKUP:
            self._watch.message = self._saver.backup()
        self._watch.tell()

    def _say(self, message: str) -> None:
        self._reporter.warning(message)
        self._watch.message = message

    def _draw(self) -> None:
        """Draws the previews and shows them."""
        if not (self._draws or self._history is not None):
            return
        self._drawn_first = True
        self._pictures = self._previews.draw()
        self._watch.tell(self._pictures)
        is_file = self._files.preview == "file"
        self._reporter.event("preview", iteration=self._progress.iteration,
                             path=str(self._store.folder / PREVIEW) if is_file else None)

    def _saved_picture(self) -> np.ndarray | None:
        """What is saved with the model: the loss chart above the first preview."""
        if not self._draws:
            return None
        self._draw()
        return with_chart(self._progress.history, next(iter(self._pictures.values())))

    def _save_if_well(self) -> None:
        """The regular save; while the guard has trouble, older saves are the better ones."""
        if not self._guard.is_troubled:
            self._save()

    def _save(self) -> None:
        problem = self._saver.try_save()
        self._watch.message = problem or f"saved at iteration {self._progress.iteration}"
        self._note_save()

    def _save_at_end(self) -> None:
        if self._crew.is_chief and self._progress.iteration > self._start[0]:
            self._saver.save()
            self._note_save()
            self._watch.tell()

    def _note_save(self) -> None:
        self._watch.saved_at = self._saver.saved_at
        self._watch.saved_iteration = self._saver.saved_iteration

    def _roll_back(self) -> "Progress":
        """Loads the last saved generation, on all processes."""
        from models.history import LossHistory
        from models.store import Progress

        saved = self._store.load() if self._crew.is_chief else None
        told = self._crew.agree({"iteration": saved.progress.iteration if saved else None})
        if told["iteration"] is None:
            raise TrainingDiverged(
                f"training diverged at iteration {self._progress.iteration}, before anything was "
                "saved; run `train` again with a lower --learning-rate or --clip-gradients 1")
        names = self._progress.history.names
        if saved is None:
            self._crew.share_state(self._model)
            return Progress(told["iteration"], history=LossHistory(names))
        self._model.load_state(saved.arrays)
        self._crew.share_state(self._model)
        saved.progress.history = saved.progress.history.with_names(names)
        return saved.progress

    def _result(self, reason: str) -> Training:
        progress = self._progress
        iterations, seconds = (progress.iteration - self._start[0],
                               progress.seconds - self._start[1])
        images = max(iterations, 0) * self._images_of_step
        preview = self._store.folder / PREVIEW
        return Training(
            reason, progress.iteration, progress.seconds,
            {name: _or_zero(progress.history.recent(name)) for name in progress.history.names},
            images, images / seconds if seconds else 0.0, preview if self._draws else None)


def _or_zero(value: float) -> float:
    return 0.0 if math.isnan(value) else value
