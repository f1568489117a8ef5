"""`merge`: puts the predicted faces into the dst frames."""

import argparse

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
    options = resolve(MergeOptions, file=of_merge, given=given(arguments, MergeOptions),
                      prompter=prompter)
    result = merge(files, options, reporter)
    report(result, reporter)
    require_all_frames(result.failed, result.frames, files.input_dir, reporter)
    return 0


def report(result: Merging, reporter: Reporter) -> None:
    """Tells what a merge did."""
    rate = result.done_now / result.seconds if result.seconds else 0.0
    filled = f", {result.filled} faces put in where they were not found" if result.filled else ""
    reporter.info(f"{result.merged} of {result.frames} frames have a new face{filled}"
                  + (f", {rate:.1f} frames/s" if result.done_now else ", nothing left to do"))
    reporter.event("merging", **result._asdict())
