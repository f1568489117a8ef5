"""What the commands share: options from file, flags and prompts, and frames that failed."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from core.errors import DiskFull, FramesFailed, UsageError, is_disk_full
from core.option_spec import OptionSpec
from core.options import divide, given, load_toml, resolve, specs
from core.pipeline import Failed
from core.prompt import Prompter
from core.report import Reporter

SHOWN_NAMES = 3

T = TypeVar("T")


def resolve_options(options_type: type[T], arguments: argparse.Namespace, prompter: Prompter,
                    saved: dict[str, Any] | None = None) -> T:
    """The options of a command: default < saved < TOML section < answer < flag.

    Raises:
        OptionError: A name or value is wrong.
    """
    (file,) = read_config(arguments, options_type)
    return resolve(options_type, saved=saved or {}, file=file,
                   given=given(arguments, options_type), prompter=prompter)


def read_config(arguments: argparse.Namespace, *options_types: type) -> tuple[dict[str, Any], ...]:
    """The command's section of the --config file, dealt out to the types of its options.

    Raises:
        OptionError: The file cannot be read, or a name or value is wrong.
    """
    values = load_toml(arguments.config, arguments.command)
    return divide(values, *options_types, source=str(arguments.config))


def require(options: Any, *names: str) -> None:
    """Makes sure that options without a sensible default have a value.

    Raises:
        UsageError: naming the flags that are missing.
    """
    missing = [_spec(options, name).flag for name in names if getattr(options, name) is None]
    if missing:
        raise UsageError(f"{' and '.join(missing)} missing; see --help")


def stop_if_disk_full(failure: Failed, folder: Path) -> None:
    """Ends the command at the first item that found no room, since all that follow would fail.

    Raises:
        DiskFull: The item failed for lack of room in `folder`.
    """
    if is_disk_full(failure.error):
        raise DiskFull(f"{folder}: the disk is full; free some space and run the same command "
                       "again, which goes on where it stopped") from failure.error


def require_all_frames(failed: Sequence[tuple[str, str]], n_frames: int, folder: Path,
                       reporter: Reporter) -> None:
    """Ends a command that could not work on all frames of `folder`, and tells why for each.

    Args:
        failed: (frame name, reason) of each frame that failed.
        n_frames: In all.
        folder: Where the frames are.
        reporter: Told of the reasons.

    Raises:
        FramesFailed: There is one.
    """
    for name, reason in failed:
        reporter.warning(f"{in_one_line(name)}: {reason}")
    if failed:
        names = ", ".join(in_one_line(name) for name, _ in failed[:SHOWN_NAMES])
        more = ", ..." if len(failed) > SHOWN_NAMES else ""
        raise FramesFailed(
            f"{folder}: {len(failed)} of {n_frames} frames failed ({names}{more}), the others are "
            "done; replace or remove these files and run the command again")


def in_one_line(name: str) -> str:
    """A file name without line breaks and other signs that a console takes for commands."""
    return "".join(sign if sign.isprintable() or "\udc80" <= sign <= "\udcff" else "?"
                   for sign in name)


def _spec(options: Any, name: str) -> OptionSpec:
    return next(spec for spec in specs(type(options)) if spec.name == name)
