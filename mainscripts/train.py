"""`train`: trains a model until a target is reached or somebody stops it."""

import argparse
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import CheckpointError, FolderInUse
from core.prompt import Prompter, SilentPrompter
from core.report import Reporter
from mainscripts.command import require
from mainscripts.training import arguments as words
from mainscripts.training.beginning import (
    Beginning,
    ResolveModel,
    join_beginning,
    read_beginning,
)
from mainscripts.training.crew import Crew, assemble
from mainscripts.training.files import read_defaults, write_defaults, write_options
from mainscripts.training.options import TrainOptions
from mainscripts.training.plan import report_plan, settle_batch_size, warn_of_memory
from mainscripts.training.session import Session, Training, opened_view
from mainscripts.training.starter import load_named_start, starter_shape
from mainscripts.views.view import NoView
from models.options import TrainingOptions

if TYPE_CHECKING:
    from models.base import TrainedModel
    from models.store import ModelStore

STOPPED = "stopped"
AFTER_PRETRAINING = 1  # second word of the seed of what is drawn anew


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's flags: those of the command and those of the model's kind."""
    parser.set_defaults(kind=words.configure(parser, parser.words))


def run(arguments: argparse.Namespace, reporter: Reporter, prompter: Prompter) -> int:
    """Runs the command.

    Raises:
        KeyboardInterrupt: Training was stopped from outside, after it saved.
    """
    said = words.read(arguments, arguments.kind, prompter)
    options = said.options
    require(options, "model_dir")

    def resolve_model(saved: Mapping[str, Any] | None) -> TrainingOptions:
        # A model that exists is trained on as it was; only flags and the file change it.
        if saved is not None:
            return said.resolve_model(saved, SilentPrompter())
        known = read_defaults(options.model_dir, said.kind, reporter)
        return said.resolve_model({**known, **starter_shape(said.kind, options)}, prompter)

    if options.dry_run:
        report_plan(said.kind, options, resolve_model, reporter)
        return 0
    result = train_model(
        said.kind, options, resolve_model, reporter,
        remember=lambda made: write_defaults(options.model_dir, said.kind, made))
    report(result, reporter)
    require_finished(result)
    return 0


def report(result: Training, reporter: Reporter) -> None:
    """Tells how far a training is."""
    losses = ", ".join(f"{name} {loss:.4f}" for name, loss in result.losses.items())
    seen = f"; see {result.preview}" if result.preview else ""
    reporter.info(f"{result.reason}: {result.iterations} iterations, "
                  f"{result.seconds / 60:.1f} minutes, losses {losses}{seen}")
    reporter.event("training", **result._asdict() | {
        "preview": str(result.preview) if result.preview else None})


def require_finished(result: Training) -> None:
    """Ends the command if its training was stopped from outside; `main` says how to go on.

    Raises:
        KeyboardInterrupt: It was.
    """
    if result.reason == STOPPED:
        raise KeyboardInterrupt


def train_model(kind: str, options: TrainOptions, resolve_model: ResolveModel, reporter: Reporter,
                remember: Callable[[TrainingOptions], None] = lambda options: None) -> Training:
    """Trains a new model, or a saved one further.

    Args:
        kind: Of the model.
        options: Which model, on what, watched how.
        resolve_model: Saved options or None -> the options to train with.
        reporter: Told of everything.
        remember: Told the options of a new model, once it is built.

    Raises:
        NoFacesFound: A faceset is empty.
        OptionError: Options that no model can have, or that do not fit the saved one.
        CheckpointError: The saved model cannot be read.
        DeviceError: The devices cannot be had, or other machines have other faces.
        FolderInUse: Another process trains this model.
        TrainingDiverged, WorkerLost, DiskFull: See `Session.run`.
    """
    from leras.replicas import lost_workers_reported
    from models.store import ModelStore

    crew = assemble(options)
    store = ModelStore(options.model_dir, kind, options.name)
    with lost_workers_reported(crew.strategy), ExitStack() as stack:
        beginning = _begin(crew, kind, options, store, resolve_model, reporter, stack)
        # First the views: a port in use or a missing display is told before models are built.
        view = (stack.enter_context(opened_view(options, store, reporter)) if crew.is_chief
                else NoView())
        model = _build(crew, beginning, options, store, reporter)
        if crew.is_chief:
            store.generations.keep = beginning.options.keep_generations
            write_options(store.folder, kind, beginning.options)
            if beginning.saved is None:
                remember(beginning.options)
            if beginning.leaves_pretraining:
                store.save(model, beginning.options, beginning.progress)
        return Session(crew, store, beginning, model, options, view, reporter).run()


def _begin(crew: Crew, kind: str, options: TrainOptions, store: "ModelStore",
           resolve_model: ResolveModel, reporter: Reporter, stack: ExitStack) -> Beginning:
    """What this process starts from; the chief holds the lock of the model from here on."""
    if not crew.is_chief:
        return join_beginning(crew.agree({}), options, reporter)
    numbers = store.generations.numbers()
    beginning = read_beginning(kind, options, store, resolve_model, reporter)
    settle_batch_size(beginning, crew.n_devices, reporter)
    warn_of_memory(beginning.options, crew.n_devices, reporter)
    stack.enter_context(store.generations.lock())
    if store.generations.numbers() != numbers:
        raise FolderInUse(f"{store.folder}: another process trained this model just now; run the "
                          "command again")
    crew.agree(beginning.facts())
    return beginning


def _build(crew: Crew, beginning: Beginning, options: TrainOptions, store: "ModelStore",
           reporter: Reporter) -> "TrainedModel":
    """The model with everything that it has learned so far, on all processes."""
    from models.history import LossHistory
    from models.loading import build
    from models.memory import exhaustion_reported

    with exhaustion_reported(), crew.strategy.scope():
        model = build(beginning.kind, beginning.options, None)
    for note in _load(model, beginning, options, store) if crew.is_chief else ():
        reporter.info(note)
    if beginning.has_state:
        crew.share_state(model)
    history = beginning.progress.history
    beginning.progress.history = (history.with_names(model.history_losses) if len(history)
                                  else LossHistory(model.history_losses))
    if beginning.progress.iteration:
        reporter.info(f"{store.folder}: goes on from iteration {beginning.progress.iteration}")
    return model


def _load(model: "TrainedModel", beginning: Beginning, options: TrainOptions,
          store: "ModelStore") -> list[str]:
    """Gives the chief's model its saved state or its start; returns lines for the user."""
    if beginning.saved is None:
        if options.start_from is None:
            return []
        return load_named_start(beginning.kind, model, options)
    try:
        notes = model.load_state(beginning.saved.arrays) or []
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{store.folder}: the saved weights do not fit this model "
                              f"({error.args[0]}); use the version of FaceLab that wrote it, or "
                              "start another model with --name") from error
    if beginning.leaves_pretraining:
        model.after_pretraining(np.random.default_rng(
            [beginning.options.seed, AFTER_PRETRAINING]))
        notes.append(f"pretraining is over after {beginning.saved.progress.iteration} iterations: "
                     "what knows single faces is drawn anew, and training starts at iteration 0")
    return notes
