"""`videoed`: a video into frames, and frames into a video."""

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

from core.errors import FramesFailed
from core.options import add_arguments, given, resolve
from core.prompt import Prompter
from core.report import Reporter
from mainscripts.command import read_config
from mainscripts.videoed_assemble import (
    VideoFromSequenceOptions,
    VideoFromSequenceReport,
    video_from_sequence,
)
from mainscripts.videoed_cut import CutVideoOptions, cut_video
from mainscripts.videoed_denoise import (
    DenoiseOptions,
    add_aliases,
    denoise_sequence,
    require_all_denoised,
)
from mainscripts.videoed_extract import ExtractVideoOptions, ExtractVideoReport, extract_video

__all__ = [
    "ExtractVideoOptions",
    "ExtractVideoReport",
    "VideoFromSequenceOptions",
    "VideoFromSequenceReport",
    "configure",
    "extract_video",
    "require_all_written",
    "run",
    "video_from_sequence",
]


class Action(NamedTuple):
    """One action: its options, its work, a check of its report, a line of help, and what adds
    flags that are not shown."""

    options_type: type
    work: Callable[[Any, Reporter], Any]
    check: Callable[[Any], None]
    help: str
    add_more: Callable[[argparse.ArgumentParser], None] = lambda parser: None


def require_all_written(report: ExtractVideoReport) -> None:
    """Ends the command if an image could not be written.

    Raises:
        FramesFailed: One could not.
    """
    if report.failed:
        raise FramesFailed(
            f"{report.output_dir}: {len(report.failed)} of {report.n_frames} images could not be "
            "written; see the warnings, check your rights to the folder and run the command again")


ACTIONS = {
    "extract-video": Action(
        ExtractVideoOptions, extract_video, require_all_written,
        "Write the frames of a video as numbered images."),
    "cut-video": Action(
        CutVideoOptions, cut_video, lambda report: None,
        "Write a part of a video, exact to the frame, with its sound."),
    "denoise-image-sequence": Action(
        DenoiseOptions, denoise_sequence, require_all_denoised,
        "Write images that follow each other with less grain.", add_aliases),
    "video-from-sequence": Action(
        VideoFromSequenceOptions, video_from_sequence, lambda report: None,
        "Make a video of numbered images, with the times and sound of another."),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the actions and their flags."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, action in ACTIONS.items():
        parser = actions.add_parser(name, help=action.help, description=action.help)
        add_arguments(parser, action.options_type)
        action.add_more(parser)


def run(arguments: argparse.Namespace, reporter: Reporter, prompter: Prompter) -> int:
    """Runs the chosen action.

    Raises:
        FramesFailed: Some images could not be written; all others are.
    """
    action = ACTIONS[arguments.action]
    # One [videoed] section serves all actions, so each takes only its own names from it.
    types = [action.options_type for action in ACTIONS.values()]
    file = read_config(arguments, *types)[types.index(action.options_type)]
    flags = given(arguments, action.options_type)
    options = resolve(action.options_type, file=file, given=flags, prompter=prompter)
    action.check(action.work(options, reporter))
    return 0
