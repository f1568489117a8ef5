"""`models`: what is saved, and moving models between names, folders, programs and resolutions."""

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from core.errors import CheckpointError, UsageError
from core.option_spec import OptionSpec
from core.options import add_arguments, given, option, resolve
from core.paths import format_bytes
from core.prompt import Prompter, SilentPrompter
from core.report import Reporter
from mainscripts import models_files as files
from mainscripts import models_finders as finders
from mainscripts import models_networks as networks
from mainscripts.command import read_config, require
from mainscripts.models_import import ImportOptions, import_model

if TYPE_CHECKING:
    from models.catalog import Entry

SHOWN_LOSSES = 100


@dataclass(frozen=True)
class FolderOptions:
    """Where the models are."""

    model_dir: Path | None = option(None, ask=True, help="Folder of all models.")


@dataclass(frozen=True)
class ModelOptions(FolderOptions):
    """Which model."""

    kind: str | None = option(None, help="Its kind, where several models have the name.")


@dataclass(frozen=True)
class RenameOptions(ModelOptions):
    """Which model, and its new name."""

    new_name: str | None = option(None, ask=True, help="The new name.")


@dataclass(frozen=True)
class DeleteOptions(ModelOptions):
    """Which model, and whether to ask."""

    yes: bool = option(
        False, help="Ask nothing and remove it for good; without it, it goes to the trash folder.")


def list_models(options: FolderOptions, target: None, reporter: Reporter,
                prompter: Prompter) -> None:
    """One line for each model, the one saved last first."""
    from models.catalog import entries

    found = entries(options.model_dir)
    if not found:
        reporter.info(f"{options.model_dir}: no models yet; `train` makes one")
        return
    rows = [("NAME", "KIND", "ITERATION", "SIDE", "ARCHITECTURE", "SIZE", "SAVED")]
    rows += [(entry.name, entry.kind, _shown(entry.iteration), _shown(entry.resolution),
              _shown(entry.architecture), format_bytes(entry.n_bytes), _shown_time(entry.saved))
             for entry in found]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
             for row in rows]
    reporter.info(lines[0])
    for entry, line in zip(found, lines[1:], strict=True):
        reporter.event("model", message=line, **_facts(entry))
        for problem in entry.problems:
            reporter.warning(problem)


def show_model(options: ModelOptions, target: str, reporter: Reporter,
               prompter: Prompter) -> None:
    """Everything about one model, with the checksums of all its generations verified.

    Raises:
        CheckpointError: None of its generations can be read.
    """
    from models.catalog import backups_of, find
    from models.store import ModelStore

    entry = find(options.model_dir, target, options.kind)
    generations, backups = _verified(entry.folder), backups_of(entry)
    store = ModelStore(options.model_dir, entry.kind, entry.name)
    saved = store.require()
    losses = {name: saved.progress.history.recent(name, SHOWN_LOSSES)
              for name in saved.progress.history.names}
    rows = {"folder": entry.folder, "kind": entry.kind, "architecture": _shown(entry.architecture),
            "iteration": saved.progress.iteration, "time": f"{saved.progress.seconds / 3600:.1f} h",
            "losses": _shown_losses(losses),
            "size": format_bytes(entry.n_bytes), "saved": _shown_time(entry.saved)}
    lines = [entry.name, *(f"  {name:<13} {value}" for name, value in rows.items())]
    lines += ["  generations", *(f"    {name:<12} {state}" for name, state in generations.items())]
    lines += ["  backups"] * bool(backups)
    lines += [f"    {name:<12} {_shown(backup.iteration)} iterations, {_shown_time(backup.saved)}"
              for name, backup in backups.items()]
    lines += ["  options", *(f"    {name:<22} {value}" for name, value in saved.options.items())]
    reporter.event("model_info", message="\n".join(lines),
                   **_facts(entry), seconds=saved.progress.seconds, losses=losses,
                   options=saved.options, generations=generations,
                   backups={name: backup.iteration for name, backup in backups.items()})
    for problem in store.generations.problems:
        reporter.warning(problem)


def rename_model(options: RenameOptions, target: str, reporter: Reporter,
                 prompter: Prompter) -> None:
    """Gives a model another name."""
    from models.catalog import find, rename

    require(options, "new_name")
    entry = find(options.model_dir, target, options.kind)
    folder = rename(entry, options.new_name)
    reporter.event("renamed", message=f"{entry.folder} is now {folder}", name=options.new_name,
                   model_kind=entry.kind, folder=str(folder))


def delete_model(options: DeleteOptions, target: str, reporter: Reporter,
                 prompter: Prompter) -> None:
    """Removes one model, after a question or with --yes.

    Raises:
        UsageError: Nobody said yes.
    """
    from models.catalog import delete, find, move_to_trash

    entry = find(options.model_dir, target, options.kind)
    shown = (f"{entry.folder} ({_shown(entry.iteration)} iterations, "
             f"{format_bytes(entry.n_bytes)})")
    if options.yes:
        delete(entry)
        reporter.event("deleted", message=f"deleted {shown}", folder=str(entry.folder), trash=None)
        return
    question = OptionSpec(f"Move {shown} to the trash", bool, False,
                          "It can be taken back from the trash folder by hand.", ask=True)
    if isinstance(prompter, SilentPrompter):
        raise UsageError(f"{shown} stays: nobody can be asked; say --yes to delete it for good")
    if not prompter.ask(question, False):
        reporter.info(f"{shown} stays")
        return
    trash = move_to_trash(entry)
    reporter.event("deleted", message=f"{entry.folder} is now {trash}; remove that folder to free "
                   "its space", folder=str(entry.folder), trash=str(trash))


class Action(NamedTuple):
    """One action: its options, its work, what stands behind it, and a line of help."""

    options_type: type
    work: Callable[[Any, Any, Reporter, Prompter], None]
    target: str | None
    help: str


ACTIONS = {
    "list": Action(FolderOptions, list_models, None, "Show all models of a folder."),
    "info": Action(ModelOptions, show_model, "NAME",
                   "Show a model's options, losses and generations, all checksums verified."),
    "rename": Action(RenameOptions, rename_model, "NAME", "Give a model another name."),
    "delete": Action(DeleteOptions, delete_model, "NAME", "Remove a model."),
    "resize": Action(files.ResizeOptions, files.resize_model, "NAME",
                     "Make a model of another resolution that keeps what this one learned."),
    "export-weights": Action(files.ExportWeightsOptions, files.export_weights, "NAME",
                             "Write a model's weights and options as one small .npz file."),
    "export-network": Action(finders.ExportNetworkOptions, finders.export_network, "NAME",
                             "Write or install a trained S3FD or FAN for extraction."),
    "export-dfl": Action(files.ExportDflOptions, files.export_dfl, "NAME",
                         "Write a model as files that DeepFaceLab opens."),
    "export-options": Action(files.ExportOptionsOptions, files.export_options, "NAME",
                             "Write a model's options as a TOML file for `train --config`."),
    "import": Action(ImportOptions, import_model, "PATH",
                     "Take in a DeepFaceLab model, an exported .npz file, a model's folder or a "
                     "backup; or a weight file of a network that finds faces."),
    "networks": Action(networks.NetworksOptions, networks.list_networks, None,
                       "Show the networks whose weights can be exchanged."),
    "fetch": Action(networks.FetchOptions, networks.fetch_network, "NETWORK",
                    "Download and install the official weights of a network that finds faces."),
}
IMPORT_NETWORK = Action(networks.NetworkOptions, networks.import_network, "PATH",
                        "Install a weight file of a network that finds faces.")
"""What `import` does with such a file: it goes to the user's data folder, not to the models."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the actions and their flags."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, action in ACTIONS.items():
        own = actions.add_parser(name, help=action.help, description=action.help)
        if action.target is not None:
            kind = Path if action.target == "PATH" else str
            own.add_argument("target", type=kind, metavar=action.target)
        add_arguments(own, action.options_type)
        if name == "import":
            add_arguments(own, IMPORT_NETWORK.options_type)


def run(arguments: argparse.Namespace, reporter: Reporter, prompter: Prompter) -> int:
    """Runs the chosen action."""
    action = ACTIONS[arguments.action]
    if arguments.action == "import" and networks.is_network_file(arguments.target):
        action = IMPORT_NETWORK
    # One [models] section serves all actions, so each takes only its own names from it.
    types = [known.options_type for known in (*ACTIONS.values(), IMPORT_NETWORK)]
    file = read_config(arguments, *types)[types.index(action.options_type)]
    options = resolve(action.options_type, file=file, given=given(arguments, action.options_type),
                      prompter=prompter)
    if hasattr(options, "model_dir"):
        require(options, "model_dir")
    action.work(options, getattr(arguments, "target", None), reporter, prompter)
    return 0


def _facts(entry: "Entry") -> dict[str, Any]:
    """An entry as fields of an event, whose own kind is another thing."""
    fields = entry._asdict() | {"folder": str(entry.folder), "model_kind": entry.kind}
    return {name: value for name, value in fields.items() if name != "kind"}


def _verified(folder: Path) -> dict[str, str]:
    """Generation -> "ok", or what is wrong with it."""
    from core.generation_folder import read_folder
    from core.generations import GenerationStore

    states = {}
    for number in GenerationStore(folder).numbers():
        name = f"gen-{number:06d}"
        try:
            read_folder(folder / name)
            states[name] = "ok"
        except CheckpointError as error:
            states[name] = str(error)
    return states


def _shown_losses(losses: dict[str, float]) -> str:
    known = {name: loss for name, loss in losses.items() if not math.isnan(loss)}
    return ", ".join(f"{name} {loss:.4f}" for name, loss in known.items()) or "?"


def _shown(value: Any) -> str:
    return "?" if value is None else str(value)


def _shown_time(seconds: float | None) -> str:
    return "?" if seconds is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
