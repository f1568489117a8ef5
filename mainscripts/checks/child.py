"""Asking a question in a process of its own, so that a broken library breaks only that."""

import json
import signal
import subprocess
import sys
from typing import Any

TIMEOUT_SECONDS = 180


class ChildFailed(Exception):
    """The child process gave no answer; the message says why, in one line."""


def ask_child(code: str, *words: str) -> Any:
    """Runs Python code that prints its answer as the last line of stdout, in JSON.

    Args:
        code: The program.
        words: Its sys.argv[1:].

    Raises:
        ChildFailed: It crashed, raised, hung, or answered something else.
    """
    try:
        child = subprocess.run([sys.executable, "-c", code, *words], capture_output=True,
                               text=True, errors="replace", stdin=subprocess.DEVNULL,
                               timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise ChildFailed(f"no answer within {TIMEOUT_SECONDS} s") from error
    if child.returncode < 0:
        raise ChildFailed(f"crashed with {signal.Signals(-child.returncode).name}")
    if child.returncode > 0:
        raise ChildFailed(_last_line(child.stderr) or f"ended with code {child.returncode}")
    try:
        return json.loads(_last_line(child.stdout))
    except json.JSONDecodeError as error:
        raise ChildFailed(f"unexpected answer {_last_line(child.stdout)!r}") from error


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""
