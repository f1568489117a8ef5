"""`train`: trains a model on two facesets until a target is reached or somebody stops it."""

import argparse
import math
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core.errors import OptionError
from core.imaging.io import encode_image
from core.options import add_arguments, divide, given, load_toml, option, resolve
from core.paths import atomic_write
from core.prompt import Prompter, SilentPrompter
from core.report import Progress as ProgressBar
from core.report import Reporter
from mainscripts.command import require
from mainscripts.interrupt import StopRequest
from models.options import TrainingOptions
from models.registry import MODEL_OPTIONS
from samplelib.faceset import Faceset, load_faceset

PREVIEW = "preview.png"
PREVIEW_FACES = 4
STOPPED = "stopped"
ALIASES = {"--training-data-src-dir": "src_dir", "--training-data-dst-dir": "dst_dir",
           "--force-model-name": "name"}


@dataclass(frozen=True)
class TrainOptions:
    """Which model is trained on what."""

    src_dir: Path | None = option(None, ask=True, help="Folder with the aligned src faces.")
    dst_dir: Path | None = option(None, ask=True, help="Folder with the aligned dst faces.")
    model_dir: Path | None = option(None, ask=True, help="Folder of all models.")
    model: str = option("Quick96", choices=MODEL_OPTIONS.names(), help="Kind of model.")
    name: str = option("new", help="Name of the model; a known one is trained further.")


class Training(NamedTuple):
    """What a training run did.

    `reason`: why it ended; `iterations`, `seconds`, `losses`: over all runs (losses: mean of the
    last 100 iterations); `images`: faces of both sides that this run trained on, and
    `images_per_second`; `preview`: picture.
    """

    reason: str
    iterations: int
    seconds: float
    losses: dict[str, float]
    images: int
    images_per_second: float
    preview: Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's flags: those of the command and those of the models."""
    add_arguments(parser, TrainOptions)
    for flag, name in ALIASES.items():
        kind = str if name == "name" else Path
        parser.add_argument(flag, dest=name, type=kind, default=argparse.SUPPRESS,
                            help=argparse.SUPPRESS)
    add_arguments(parser, MODEL_OPTIONS.load("Quick96"))


def run(arguments: argparse.Namespace, reporter: Reporter, prompter: Prompter) -> int:
    """Runs the command.

    Raises:
        KeyboardInterrupt: Training was stopped from outside, after it saved.
    """
    file = load_toml(arguments.config, arguments.command)
    model_type = MODEL_OPTIONS.load(getattr(arguments, "model", file.get("model", "Quick96")))
    of_command, of_model = divide(file, TrainOptions, model_type, source=str(arguments.config))
    options = resolve(TrainOptions, file=of_command, given=given(arguments, TrainOptions),
                      prompter=prompter)
    require(options, "src_dir", "dst_dir", "model_dir")

    def resolve_model(saved: Mapping[str, Any] | None) -> TrainingOptions:
        # A model that exists is trained on as it was; only flags and the file change it.
        return resolve(model_type, saved=saved or {}, file=of_model,
                       given=given(arguments, model_type),
                       prompter=prompter if saved is None else SilentPrompter())

    result = train_model(options, resolve_model, reporter)
    report(result, reporter)
    require_finished(result)
    return 0


def report(result: Training, reporter: Reporter) -> None:
    """Tells how far a training is."""
    losses = ", ".join(f"{name} {loss:.4f}" for name, loss in result.losses.items())
    reporter.info(f"{result.reason}: {result.iterations} iterations, "
                  f"{result.seconds / 60:.1f} minutes, losses {losses}; see {result.preview}")
    reporter.event("training", **result._asdict() | {"preview": str(result.preview)})


def require_finished(result: Training) -> None:
    """Ends the command if its training was stopped from outside; `main` says how to go on.

    Raises:
        KeyboardInterrupt: It was.
    """
    if result.reason == STOPPED:
        raise KeyboardInterrupt


def train_model(options: TrainOptions,
                resolve_model: Callable[[Mapping[str, Any] | None], TrainingOptions],
                reporter: Reporter) -> Training:
    """Trains a new model, or a saved one further.

    Args:
        options: Which model, on what.
        resolve_model: Saved options or None -> the options to train with.
        reporter: Told of everything.

    Raises:
        NoFacesFound: A faceset is empty.
        OptionError: An option that fixes the shapes of a saved model was changed.
        CheckpointError: The saved model cannot be read.
    """
    from models.store import ModelStore  # TensorFlow: too heavy for --help

    facesets = {"src": _load(options.src_dir, reporter), "dst": _load(options.dst_dir, reporter)}
    store = ModelStore(options.model_dir, options.model, options.name)
    with store.generations.lock():
        saved = store.load()
        for problem in store.generations.problems:
            reporter.warning(problem)
        model_options = resolve_model(None if saved is None else saved.options)
        if saved is not None:
            _require_same_shape(store.folder, saved.options, model_options)
        session = _Session(store, model_options, saved, facesets, reporter)
        return session.train()


class _Session:
    """One run of the loop with its files and its console line."""

    def __init__(self, store, options: TrainingOptions, saved, facesets: Mapping[str, Faceset],
                 reporter: Reporter):
        from models.loading import build
        from models.side import Side
        from models.store import Progress

        self._store, self._options, self._reporter = store, options, reporter
        self._store.generations.keep = options.keep_generations
        self._facesets = {side: facesets[side.value] for side in Side}
        self._progress = Progress() if saved is None else saved.progress
        self._model = build(store.kind, options, saved)
        self._start = self._progress.iteration, self._progress.seconds

    def train(self) -> Training:
        from models.trainer import Every, Limits, train

        options, progress = self._options, self._progress
        with ExitStack() as stack:
            generators = {side: stack.enter_context(self._generator(side, faceset))
                          for side, faceset in self._facesets.items()}
            stop = stack.enter_context(StopRequest())
            bar = stack.enter_context(self._reporter.progress(
                "train", options.target_iteration or None, "it"))
            bar.advance(progress.iteration)
            reason = train(
                self._model, generators, progress,
                Limits(options.target_iteration, options.target_minutes, options.lr_decay),
                on_iteration=lambda iteration: self._show(bar, iteration),
                periodic=(Every(options.save_minutes * 60, self._save),
                          Every(options.preview_seconds, self._write_preview)),
                should_stop=lambda: stop.requested)
            if progress.iteration > self._start[0]:
                self._save()
        return self._result(reason)

    def _generator(self, side, faceset: Faceset):
        from samplelib.sampler import BatchGenerator

        return BatchGenerator(
            faceset, self._model.recipe(side), self._options.batch_size,
            seed=2 * self._options.seed + list(self._facesets).index(side),
            workers=self._options.workers, start_index=self._progress.positions.get(side.value, 0),
            on_problem=lambda problem: self._reporter.warning(f"{problem.path}: {problem.reason}"))

    def _show(self, bar: ProgressBar, iteration) -> None:
        losses = {name: round(self._progress.history.recent(name, 50), 4)
                  for name in self._progress.history.names}
        bar.advance(1, **losses, ms=round(iteration.seconds * 1000),
                    wait_ms=round(iteration.data_seconds * 1000))

    def _preview(self) -> np.ndarray:
        from models.preview import preview_image
        from samplelib.sampler import preview_batch

        batches = {}
        for side, faceset in self._facesets.items():
            places = np.linspace(0, len(faceset.faces) - 1, PREVIEW_FACES + 2)[1:-1]
            batches[side] = preview_batch(faceset, self._model.recipe(side), places.astype(int))
        return preview_image(self._model.preview(batches), self._progress.history)

    def _write_preview(self) -> bytes:
        png = encode_image(self._preview(), ".png")
        self._store.folder.mkdir(parents=True, exist_ok=True)
        atomic_write(self._store.folder / PREVIEW, png)
        self._reporter.event("preview", path=str(self._store.folder / PREVIEW),
                             iteration=self._progress.iteration)
        return png

    def _save(self) -> None:
        path = self._store.save(self._model, self._options, self._progress, self._write_preview())
        self._reporter.event("saved", path=str(path), iteration=self._progress.iteration)

    def _result(self, reason: str) -> Training:
        progress = self._progress
        iterations, seconds = (progress.iteration - self._start[0],
                               progress.seconds - self._start[1])
        images = iterations * self._options.batch_size * len(self._facesets)
        return Training(
            reason, progress.iteration, progress.seconds,
            {name: _or_zero(progress.history.recent(name)) for name in progress.history.names},
            images, images / seconds if seconds else 0.0, self._store.folder / PREVIEW)


def _or_zero(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def _load(folder: Path, reporter: Reporter) -> Faceset:
    faceset = load_faceset(folder)
    for path, reason in faceset.skipped:
        reporter.warning(f"{path.name}: {reason}")
    return faceset


def _require_same_shape(folder: Path, saved: Mapping[str, Any], options: TrainingOptions) -> None:
    declared = {field.name for field in fields(options)}
    for name in declared.intersection(type(options).structural):
        if name in saved and saved[name] != getattr(options, name):
            raise OptionError(
                f"{folder}: {name} is {saved[name]} in the saved model and cannot become "
                f"{getattr(options, name)}; leave it out, or start another model with --name")
