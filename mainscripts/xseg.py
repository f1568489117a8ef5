"""`xseg`: masks of aligned faces: drawn, learned, and made by a segmenter."""

import argparse
import importlib
from typing import NamedTuple

from core.options import add_arguments, given, resolve
from core.prompt import Prompter
from core.report import Reporter
from mainscripts import train
from mainscripts.command import read_config
from mainscripts.training import arguments as training_words

TRAIN, KIND = "train", "XSeg"


class Action(NamedTuple):
    """One action: where its options and its work are, and a line of help.

    The module is imported only if it is needed: the editor's needs a window system.
    """

    module: str
    options: str
    work: str
    help: str


ACTIONS = {
    "editor": Action("mainscripts.xseg_editor.command", "EditorOptions", "edit",
                     "Draw on aligned faces what is the visible face, in a window."),
    "apply": Action("mainscripts.xseg_apply", "ApplyOptions", "apply",
                    "Let a segmenter mask all faces of a folder."),
    "remove": Action("mainscripts.xseg_labels", "RemoveOptions", "remove_masks",
                     "Remove the masks that a segmenter made."),
    "remove-labels": Action("mainscripts.xseg_labels", "RemoveOptions", "remove_labels",
                            "Remove the polygons that somebody drew."),
    "fetch": Action("mainscripts.xseg_labels", "FetchOptions", "fetch",
                    "Copy the faces with polygons into a folder of their own."),
    "propagate": Action("mainscripts.xseg_labels", "PropagateOptions", "propagate_labels",
                        "Carry polygons along the track of each face to frames without any."),
    "install": Action("mainscripts.xseg_install", "InstallOptions", "install",
                      "Let `xseg apply` and `merge` use a segmenter that you trained."),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the actions and their flags."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    wanted = parser.words[:1]
    for name, action in ACTIONS.items():
        own = actions.add_parser(name, help=action.help, description=action.help)
        if name in wanted:
            add_arguments(own, _load(action)[0])
    text = "Train a segmenter; as `train --model XSeg`."
    own = actions.add_parser(TRAIN, help=text, description=text)
    if TRAIN in wanted:
        own.set_defaults(kind=training_words.configure(own, ("--model", KIND, *parser.words[1:])))


def run(arguments: argparse.Namespace, reporter: Reporter, prompter: Prompter) -> int:
    """Runs the chosen action.

    Raises:
        FaceLabError: What each action tells.
    """
    if arguments.action == TRAIN:
        return train.run(arguments, reporter, prompter)
    options_type, work = _load(ACTIONS[arguments.action])
    # One [xseg] section serves all actions, so each takes only its own names from it.
    types = [options_type, *(_load(action)[0] for name, action in ACTIONS.items()
                             if arguments.config is not None and name not in (
                                 "editor", arguments.action))]
    file = read_config(arguments, *types)[0]
    work(resolve(options_type, file=file, given=given(arguments, options_type),
                 prompter=prompter), reporter, prompter)
    return 0


def _load(action: Action) -> tuple[type, object]:
    module = importlib.import_module(action.module)
    return getattr(module, action.options), getattr(module, action.work)
