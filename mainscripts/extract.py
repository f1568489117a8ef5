"""`extract`: finds the faces of frames and cuts them out aligned."""

import argparse

from core.prompt import Prompter
from core.report import Reporter
from facelib.weights import weights_used
from mainscripts.command import SHOWN_NAMES, require, require_all_frames, resolve_options
from mainscripts.extraction.job import Extraction, extract
from mainscripts.extraction.options import ExtractOptions, add_extract_arguments

__all__ = ["ExtractOptions", "Extraction", "configure", "extract", "report", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's flags."""
    add_extract_arguments(parser)


def run(arguments: argparse.Namespace, reporter: Reporter, prompter: Prompter) -> int:
    """Runs the command.

    Raises:
        FramesFailed: Some frames cannot be read; all others are done.
    """
    options = resolve_options(ExtractOptions, arguments, prompter)
    require(options, "input_dir", "output_dir")
    result = extract(options, reporter)
    report(result, reporter)
    for name in (options.detector, options.landmarks):
        if used := weights_used(name):
            reporter.event("weights", message=f"weights of {name}: {used}", name=name, used=used)
    require_all_frames(result.failed, result.frames, options.input_dir, reporter)
    return 0


def report(result: Extraction, reporter: Reporter) -> None:
    """Tells what an extraction did."""
    reporter.info(", ".join([_count(result.tracks, "track"), _count(result.cuts, "cut"),
                             *_jitter(result)]))
    if result.doubtful:
        names = ", ".join(result.doubtful[:SHOWN_NAMES])
        more = ", ..." if len(result.doubtful) > SHOWN_NAMES else ""
        reporter.info(f"{_count(len(result.doubtful), 'face')} of doubtful shape, look at them: "
                      f"{names}{more}")
    rate = result.done_now / result.seconds if result.seconds else 0.0
    reporter.info(f"{_count(result.faces, 'face')} in {result.frames_with_faces} of "
                  f"{result.frames} frames"
                  + (f", {rate:.1f} frames/s" if result.done_now else ", nothing left to do")
                  + (f" ({result.deleted} deleted since; --overwrite brings them back)"
                     if result.deleted else ""))
    reporter.event("extraction", **result._asdict())


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _jitter(result: Extraction) -> list[str]:
    """How much the landmarks tremble; nothing where no face is in three frames in a row."""
    if result.jitter is None:
        return []
    text = f"jitter {result.jitter:.2%} of the eye distance"
    if result.jitter != result.jitter_found:
        text += f" ({result.jitter_found:.2%} before smoothing)"
    return [text]
