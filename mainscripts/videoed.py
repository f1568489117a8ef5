"""`videoed`: a video into frames, and frames into a video."""

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

from core.options import add_arguments, divide, given, load_toml, resolve
from core.prompt import Prompter
from core.report import Reporter
from mainscripts.videoed_assemble import (
    VideoFromSequenceOptions,
    VideoFromSequenceReport,
    video_from_sequence,
)
from mainscripts.videoed_extract import ExtractVideoOptions, ExtractVideoReport, extract_video

__all__ = [
    "ExtractVideoOptions",
    "ExtractVideoReport",
    "VideoFromSequenceOptions",
    "VideoFromSequenceReport",
    "configure",
    "extract_video",
    "run",
    "video_from_sequence",
]


class Action(NamedTuple):
    """One action: its options, its work, the exit code of its report, and a line of help."""

    options_type: type
    work: Callable[[Any, Reporter], Any]
    exit_code: Callable[[Any], int]
    help: str


ACTIONS = {
    "extract-video": Action(
        ExtractVideoOptions, extract_video, lambda report: 1 if report.failed else 0,
        "Write the frames of a video as numbered images."),
    "video-from-sequence": Action(
        VideoFromSequenceOptions, video_from_sequence, lambda report: 0,
        "Make a video of numbered images, with the times and sound of another."),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the actions and their flags."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, action in ACTIONS.items():
        add_arguments(actions.add_parser(name, help=action.help, description=action.help),
                      action.options_type)


def run(arguments: argparse.Namespace, reporter: Reporter, prompter: Prompter) -> int:
    """Runs the chosen action; exit code 1 if some images could not be written."""
    action = ACTIONS[arguments.action]
    # One [videoed] section serves both actions, so each takes only its own names from it.
    types = [action.options_type for action in ACTIONS.values()]
    sections = divide(load_toml(arguments.config, "videoed"), *types)
    file = sections[types.index(action.options_type)]
    flags = given(arguments, action.options_type)
    options = resolve(action.options_type, file=file, given=flags, prompter=prompter)
    return action.exit_code(action.work(options, reporter))
