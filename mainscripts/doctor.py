"""`doctor`: says in one line each whether this machine can run FaceLab, and what to improve."""

import argparse
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from core.prompt import Prompter
from core.report import Reporter
from mainscripts.checks.check import Check, Status
from mainscripts.checks.devices import check_devices
from mainscripts.checks.machine import (
    check_disk,
    check_display,
    check_memory,
    check_processor,
    check_python,
)
from mainscripts.checks.packages import check_packages, check_weights

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements.txt"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the command's words."""
    parser.add_argument("folder", nargs="?", type=Path, default=Path("."), metavar="DIR",
                        help="Folder you want to work in, to check its disk (default: this one).")


def run(arguments: argparse.Namespace, reporter: Reporter, prompter: Prompter) -> int:
    """Runs all checks; 0 if FaceLab can run here, else 1."""
    folder = arguments.folder.expanduser().absolute()
    parts = (check_python, check_devices, partial(check_packages, REQUIREMENTS), check_weights,
             check_processor, check_memory, partial(check_disk, folder), check_display)
    return report_checks(parts, reporter)


def report_checks(parts: tuple[Callable[[], list[Check]], ...], reporter: Reporter) -> int:
    """Runs checks side by side and reports them in order; 1 if one found a problem, else 0."""
    statuses = []
    with ThreadPoolExecutor(max_workers=len(parts)) as pool:  # most time goes to child processes
        for checks in pool.map(lambda part: part(), parts):
            for check in checks:
                reporter.event("check", name=check.name, status=str(check.status),
                               message=check.message)
                statuses.append(check.status)
    n_problems = statuses.count(Status.PROBLEM)
    n_warnings = statuses.count(Status.WARNING)
    verdict = "FaceLab can run here" if n_problems == 0 else "FaceLab cannot run here"
    reporter.event("doctor", problems=n_problems, warnings=n_warnings,
                   message=f"{verdict} ({_count(n_problems, 'problem')}, "
                           f"{_count(n_warnings, 'warning')})")
    return 1 if n_problems else 0


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
