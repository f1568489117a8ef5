"""`merge`: puts the predicted faces into the dst frames."""

import argparse
from collections.abc import Mapping
from typing import Any

from core.errors import UsageError
from core.options import add_arguments, given, resolve
from core.prompt import Prompter
from core.report import Reporter
from mainscripts.command import in_one_line, read_config, require, require_all_frames
from mainscripts.merging.frame_settings import read_base
from mainscripts.merging.job import Merging, merge
from mainscripts.merging.options import MergeFiles, add_merge_arguments
from mainscripts.merging_window.run import Sitting, check_files, merge_in_window, settings_path
from merger.options import MergeOptions


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's flags."""
    add_merge_arguments(parser)
    add_arguments(parser, MergeOptions)


def run(arguments: argparse.Namespace, reporter: Reporter, prompter: Prompter) -> int:
    """Runs the command.

    Raises:
        UsageError: It is not clear where the result goes.
        FramesFailed: Some frames cannot be read or merged; all others are done.
    """
    of_files, of_merge = read_config(arguments, MergeFiles, MergeOptions)
    files = resolve(MergeFiles, file=of_files, given=given(arguments, MergeFiles),
                    prompter=prompter)
    require(files, "input_dir", "aligned_dir", "model_dir")
    if files.output_video is None:
        require(files, "output_dir")
    elif files.output_dir is not None:
        raise UsageError("--output-dir is for frames and --output-video for a video; give one of "
                         "them")
    if files.interactive:
        check_files(files)
    options = _options(files, of_merge, given(arguments, MergeOptions), prompter)
    if files.interactive:
        report_sitting(merge_in_window(files, options, reporter), reporter)
        return 0
    result = merge(files, options, reporter)
    report(result, reporter)
    require_all_frames(result.failed, result.frames, files.input_dir, reporter)
    return 0


def _options(files: MergeFiles, of_file: Mapping[str, Any], of_flags: Mapping[str, Any],
             prompter: Prompter) -> MergeOptions:
    """Those of all frames; not asked for where a file or the window says how frames are merged.

    Raises:
        UsageError: Flags contradict the file.
    """
    asks = files.settings is None and not files.interactive
    options = resolve(MergeOptions, file=of_file, given=of_flags,
                      prompter=prompter if asks else None)
    if asks or not (path := settings_path(files)).exists():
        return options
    base = read_base(path)
    others = [name for name, value in of_flags.items() if getattr(base, name) != value]
    if others:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in others)
        raise UsageError(f"{names}: {path} says something else of all frames; change it there, or "
                         "take it away to begin anew")
    return base


def report_sitting(result: Sitting, reporter: Reporter) -> None:
    """Tells what was done in a window."""
    for name, reason in result.failed:
        reporter.warning(f"{in_one_line(name)}: {reason}")
    reporter.info(f"{result.done} of {result.frames} frames are merged as set" + (
        "" if result.done == result.frames else
        f"; go on with the same command, or merge the rest with --settings {result.settings}"))
    reporter.event("sitting", **result._asdict())


def report(result: Merging, reporter: Reporter) -> None:
    """Tells what a merge did."""
    rate = result.done_now / result.seconds if result.seconds else 0.0
    filled = f", {result.filled} faces put in where they were not found" if result.filled else ""
    reporter.info(f"{result.merged} of {result.frames} frames have a new face{filled}"
                  + (f", {rate:.1f} frames/s" if result.done_now else ", nothing left to do"))
    reporter.event("merging", **result._asdict())
