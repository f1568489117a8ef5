"""What the benchmarks share as commands: the flag, the calibration around them, the report."""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from benchmarks.machine import ROOT, calibrate, quiet_tensorflow


def make_parser(module_text: str) -> argparse.ArgumentParser:
    """A parser that knows `--no-calibration`.

    Args:
        module_text: Docstring of the benchmark; its first line becomes the help.
    """
    parser = argparse.ArgumentParser(description=module_text.splitlines()[0])
    parser.add_argument("--no-calibration", action="store_true",
                        help="do not measure the machine itself")
    return parser


def print_report(
    arguments: argparse.Namespace, run: Callable[[argparse.Namespace], Mapping[str, Any]]
) -> None:
    """Runs a benchmark between two calibrations and prints its figures as JSON.

    Args:
        arguments: As parsed; they come first in the report, as its conditions. The load is that
            of the last minute: runnable threads, the benchmark's own among those after it.
        run: Gives the figures.
    """
    quiet_tensorflow()
    loads = [round(psutil.getloadavg()[0], 2)]
    machine = [] if arguments.no_calibration else [calibrate()]
    figures = run(arguments)
    loads.append(round(psutil.getloadavg()[0], 2))
    machine += [] if arguments.no_calibration else [calibrate()]
    report = {"conditions": vars(arguments), **figures, "machine_before_and_after": machine,
              "load_average_before": loads[0], "load_average_after": loads[1]}
    print(json.dumps(report, indent=1, default=_plain))


def run_facelab(*words: Any) -> None:
    """Runs a command as its user would, without questions.

    Raises:
        SystemExit: It failed; says why, as the command did.
    """
    done = subprocess.run([sys.executable, ROOT / "main.py", *map(str, words), "--no-prompt"],
                          cwd=ROOT, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{words[0]}: {done.stderr.strip().splitlines()[-1]}")


def extract_whole_faces(clip: Path, folder: Path, *words: Any) -> Path:
    """Extracts one whole face of each frame of a clip; gives the folder."""
    run_facelab("extract", "--quiet", "--input-dir", clip, "--output-dir", folder,
                "--face-type", "wf", "--max-faces", 1, *words)
    return folder


def _plain(value: Any) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
