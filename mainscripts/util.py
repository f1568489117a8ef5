"""`util`: facesets from and for DeepFaceLab."""

import argparse

from core.options import add_arguments, given, resolve
from core.prompt import Prompter
from core.report import Reporter
from mainscripts.command import read_config
from mainscripts.util_dfl import (
    ExportOptions,
    ImportOptions,
    export_faces,
    import_faces,
    require_all_faces,
)

ACTIONS = {
    "import-dfl": (ImportOptions, import_faces,
                   "Take faces of DeepFaceLab, from a folder or a faceset.pak."),
    "export-dfl": (ExportOptions, export_faces,
                   "Write a faceset's faces so that DeepFaceLab reads them."),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the actions and their flags."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, (options_type, _, text) in ACTIONS.items():
        add_arguments(actions.add_parser(name, help=text, description=text), options_type)


def run(arguments: argparse.Namespace, reporter: Reporter, prompter: Prompter) -> int:
    """Runs the chosen action.

    Raises:
        FramesFailed: Some faces could not be read; all others are done.
    """
    options_type, work, _ = ACTIONS[arguments.action]
    types = [action[0] for action in ACTIONS.values()]
    file = read_config(arguments, *types)[types.index(options_type)]
    options = resolve(options_type, file=file, given=given(arguments, options_type),
                      prompter=prompter)
    require_all_faces(work(options, reporter))
    return 0
