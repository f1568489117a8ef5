"""FaceLab's command line: a table of commands, and the one place that turns errors into lines."""

import argparse
import importlib
import os
import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from core.errors import FaceLabError, UsageError, is_disk_full
from core.native_log import quiet_import
from core.option_spec import did_you_mean
from core.paths import cache_dir
from core.prompt import ConsolePrompter, Prompter, SilentPrompter
from core.report import ConsoleReporter, JsonReporter, Reporter
from core.version import NAME, version
from leras.compiled_cache import keep_compiled

# name -> (one line of help, module with `configure(parser)` and
# `run(arguments, reporter, prompter) -> exit code or None`). Only the chosen module is imported.
COMMANDS = {
    "workspace": ("Make a folder with everything a swap needs.", "mainscripts.workspace"),
    "videoed": ("Turn a video into frames, and frames into a video.", "mainscripts.videoed"),
    "extract": ("Find faces in frames and cut them out aligned.", "mainscripts.extract"),
    "train": ("Train a model on the src and dst facesets.", "mainscripts.train"),
    "xseg": ("Mask faces: draw, train, apply.", "mainscripts.xseg"),
    "merge": ("Put the predicted faces into the dst frames.", "mainscripts.merge"),
    "util": ("Take facesets from DeepFaceLab, or write them for it.", "mainscripts.util"),
    "models": ("Show, move, import, export and resize saved models.", "mainscripts.models"),
    "demo": ("Swap the two demo clips, from start to end.", "mainscripts.demo"),
    "doctor": ("Check whether this machine can run FaceLab.", "mainscripts.doctor"),
    "verify": ("Read and check the provenance manifest of a file.", "mainscripts.verify"),
}
ROOT = Path(__file__).resolve().parent
INTERRUPTED = 130
BROKEN_PIPE = 141  # as a shell counts a program ended by SIGPIPE (128 + 13)

# TensorFlow reads these when it is imported; users may still set their own values.
NATIVE_LOG_LEVELS = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_CPP_MAX_VLOG_LEVEL": "0",
    "GRPC_VERBOSITY": "ERROR",
    "GLOG_minloglevel": "3",
}
for variable, level in NATIVE_LOG_LEVELS.items():
    os.environ.setdefault(variable, level)
# Without this TensorFlow imports Keras, which nothing here uses: half a second and 46 MB.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")


class CommandParser(argparse.ArgumentParser):
    """Parses one command (or one action of it), with the flags that all commands share.

    Wrong usage raises UsageError instead of printing and exiting.

    Attributes:
        words: What will be parsed, for commands whose flags depend on a flag.
    """

    def __init__(self, *, words: Sequence[str] = (), **settings):
        self.words = tuple(words)
        super().__init__(**{"allow_abbrev": False, **settings})
        common = self.add_argument_group("all commands")
        # SUPPRESS, so that an action's parser does not undo what stands before the action.
        for flag, text in {
            "--json": "Report as JSON lines on stdout.",
            "--no-prompt": "Ask nothing, even on a terminal.",
            "--quiet": "Report only warnings and errors.",
            "--verbose": "Show where an error came from.",
        }.items():
            common.add_argument(flag, action="store_true", default=argparse.SUPPRESS, help=text)
        common.add_argument("--config", type=Path, metavar="FILE.toml", default=argparse.SUPPRESS,
                            help="Read options from the section of this file named as the command.")

    def parse_known_args(self, args=None, namespace=None):
        """As argparse, but an unknown flag is an error here, where the known ones are known."""
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:
            known = re.findall(r"--[a-z][\w-]*", self.format_help())
            hint = did_you_mean(unknown[0].partition("=")[0], known)
            self.error(f"unknown argument {unknown[0]!r}{hint}")
        return namespace, unknown

    def error(self, message):
        """Raises UsageError with the next step."""
        raise UsageError(f"{message} (see `{self.prog} --help`)")


def main(
    argv: Sequence[str] | None = None,
    *,
    reporter: Reporter | None = None,
    prompter: Prompter | None = None,
) -> int:
    """Runs one command.

    Args:
        argv: Words after the program's name; None takes those of the process.
        reporter: Listens to the command; None makes one for the console or, with --json, for
            programs.
        prompter: Answers questions; None asks on the terminal if there is one.

    Returns:
        The exit code: 0 well, 1 failed, 2 wrong usage, 130 interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    reporter = reporter or _reporter(words)
    try:
        exit_code = _run_reporting_errors(words, reporter, prompter)
        sys.stdout.flush()
        return exit_code
    except BrokenPipeError:
        return _leave_broken_pipe()
    except OSError as error:
        # stdout itself may be a file on the full disk, and the reporter write to it.
        if not is_disk_full(error):
            raise
        print(f"error: {_explain(error)}", file=sys.stderr)
        return 1


def _reporter(words: Sequence[str]) -> Reporter:
    # Looked up before parsing, since a parsing error must already go the right way.
    kind = JsonReporter if "--json" in words else ConsoleReporter
    return kind(quiet="--quiet" in words)


def _run_reporting_errors(
    words: list[str], reporter: Reporter, prompter: Prompter | None
) -> int:
    try:
        return _run(words, reporter, prompter)
    except KeyboardInterrupt:
        reporter.error("interrupted; run the command again to go on", INTERRUPTED)
        return INTERRUPTED
    except FaceLabError as error:
        failure, message, exit_code = error, str(error), error.exit_code
    except (OSError, MemoryError, ModuleNotFoundError) as error:
        failure, message, exit_code = error, _explain(error), 1
        if message is None:
            raise
    if "--verbose" in words:
        traceback.print_exception(failure)
    reporter.error(" ".join(message.split()), exit_code)
    return exit_code


def _explain(error: OSError | MemoryError | ModuleNotFoundError) -> str | None:
    """What happened and what to do, for errors of the machine; None for errors of the program."""
    if isinstance(error, MemoryError):
        return "out of memory; close other programs, or lower the batch size or the resolution"
    if isinstance(error, ModuleNotFoundError):
        package = (error.name or "").partition(".")[0]
        if (ROOT / package).exists():
            return None
        return (f"the Python package {package!r} is not installed; run "
                f"`{Path(sys.executable).name} -m pip install -r requirements.txt`")
    if isinstance(error, BrokenPipeError):
        return None
    if is_disk_full(error):
        where = f" ({error.filename})" if error.filename else ""
        return f"the disk is full{where}; free some space and run the command again"
    if error.filename is None:
        return None
    return f"{error.filename}: {error.strerror}; check the path and your rights to it"


def _run(words: list[str], reporter: Reporter, prompter: Prompter | None) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_help_text())
        return 0
    if words[0] == "--version":
        print(f"{NAME} {version()}")
        return 0
    name = words[0]
    if name not in COMMANDS:
        raise UsageError(_unknown_command(name))
    module = importlib.import_module(COMMANDS[name][1])
    parser = CommandParser(prog=f"main.py {name}", description=COMMANDS[name][0],
                           words=words[1:])
    module.configure(parser)
    try:
        arguments = parser.parse_args(words[1:])
    except SystemExit as stop:  # --help has printed its text
        return int(stop.code or 0)
    defaults = {"json": False, "no_prompt": False, "quiet": False, "verbose": False,
                "config": None}
    arguments = argparse.Namespace(**{"command": name, **defaults, **vars(arguments)})
    return module.run(arguments, reporter, prompter or _prompter(arguments)) or 0


def _prompter(arguments: argparse.Namespace) -> Prompter:
    may_ask = not (arguments.no_prompt or arguments.json)
    return ConsolePrompter() if may_ask and sys.stdin and sys.stdin.isatty() else SilentPrompter()


def _unknown_command(name: str) -> str:
    if name.startswith("-"):
        return f"{name} stands before the command; write `main.py COMMAND {name}`"
    hint = did_you_mean(name, COMMANDS) or f"; known are {', '.join(COMMANDS)}"
    return f"unknown command {name!r}{hint} (see `main.py --help`)"


def _help_text() -> str:
    rows = [f"  {name:<10} {text}" for name, (text, _) in COMMANDS.items()]
    return "\n".join([
        "usage: main.py COMMAND [flags]", "",
        "FaceLab, a face-swap workbench: extract, train, merge.", "",
        "commands:", *rows, "",
        "`main.py COMMAND --help` shows the flags of a command.",
        "Start with `main.py workspace init FOLDER`, or see it work with `main.py demo`.",
    ])


def _leave_broken_pipe() -> int:
    # The reader is gone: what is still buffered must not raise again when Python ends.
    if sys.stdout is sys.__stdout__:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BROKEN_PIPE


if __name__ == "__main__":
    sys.stdout = sys.stdout or open(os.devnull, "w")  # None if the caller closed it
    sys.stderr = sys.stderr or open(os.devnull, "w")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # a path may hold what the console cannot
    if os.environ["TF_CPP_MIN_LOG_LEVEL"] == NATIVE_LOG_LEVELS["TF_CPP_MIN_LOG_LEVEL"]:
        quiet_import("tensorflow")
    if sys.argv[1:2] in (["train"], ["demo"], ["xseg"]):
        keep_compiled(cache_dir() / "compiled")
    sys.exit(main())
