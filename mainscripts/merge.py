"""`merge`: puts the predicted faces into the dst frames."""

import argparse
from collections.abc import Mapping
from typing import Any

from core.errors import UsageError
from core.options import add_arguments, given, resolve
from core.prompt import Prompter
from core.report import Reporter
from mainscripts.command import read_config, require, require_all_frames
from mainscripts.merging.job import Merging, merge
from mainscripts.merging.options import MergeFiles, add_merge_arguments
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
    options = _options(files, of_merge, given(arguments, MergeOptions), prompter)
    result = merge(files, options, reporter)
    report(result, reporter)
    require_all_frames(result.failed, result.frames, files.input_dir, reporter)
    return 0


def _options(files: MergeFiles, of_file: Mapping[str, Any], of_flags: Mapping[str, Any],
             prompter: Prompter) -> MergeOptions:
    """Those of all frames; not asked for where a file says how frames are merged.

    Raises:
        UsageError: Flags say it as well.
    """
    if files.settings is not None and files.settings.exists() and of_flags:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in of_flags)
        raise UsageError(f"{names}: {files.settings} says how frames are merged; change it there, "
                         "or leave --settings out")
    return resolve(MergeOptions, file=of_file, given=of_flags,
                   prompter=prompter if files.settings is None else None)


def report(result: Merging, reporter: Reporter) -> None:
    """Tells what a merge did."""
    rate = result.done_now / result.seconds if result.seconds else 0.0
    filled = f", {result.filled} faces put in where they were not found" if result.filled else ""
    reporter.info(f"{result.merged} of {result.frames} frames have a new face{filled}"
                  + (f", {rate:.1f} frames/s" if result.done_now else ", nothing left to do"))
    reporter.event("merging", **result._asdict())
