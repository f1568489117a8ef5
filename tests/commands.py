"""Running FaceLab's commands in this process, and as a process of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import main
from core.prompt import SilentPrompter
from core.report import SilentReporter

ROOT = Path(__file__).parents[1]


class Outcome(NamedTuple):
    """How a command went."""

    code: int
    events: list[dict[str, Any]]

    def error(self):
        """The one error line."""
        (event,) = [event for event in self.events if event["event"] == "error"]
        assert self.events[-1] is event, "something was said after the error"
        assert event["exit_code"] == self.code != 0
        assert "\n" not in event["message"]
        return event["message"]

    def warnings(self):
        return [event["message"] for event in self.events if event["event"] == "warning"]

    def infos(self):
        return [event["message"] for event in self.events if event["event"] == "info"]

    def event(self, kind):
        """The last event of a kind."""
        return [event for event in self.events if event["event"] == kind][-1]


def run(*words, prompter=None):
    """Runs a command in this process."""
    reporter = SilentReporter()
    code = main.main([str(word) for word in words], reporter=reporter,
                     prompter=prompter or SilentPrompter())
    return Outcome(code, reporter.events)


def start(*words, wrap=(), script=None, **environment):
    """Starts a command with --json as a process of its own; its stdout is a pipe of lines.

    Args:
        words: Of the command.
        wrap: Words of a program that runs it.
        script: Python that runs it, in place of main.py.
        environment: Variables of its own.
    """
    program = [str(ROOT / "main.py")] if script is None else ["-c", script]
    return subprocess.Popen(
        [*wrap, sys.executable, *program, *map(str, words), "--json"], cwd=ROOT,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | environment)


def lines_until(child, wanted):
    """Reads events of a started command until one of them is `wanted`; returns those read."""
    events = []
    for line in child.stdout:
        events.append(json.loads(line))
        if wanted(events[-1]):
            return events
    raise AssertionError(f"ended before: {events[-3:]}, {child.stderr.read()[-2000:]}")


def finish(child, events=(), timeout=120):
    """Waits for a started command; every line of its stdout must be JSON."""
    out, err = child.communicate(timeout=timeout)
    outcome = Outcome(child.returncode, [*events, *map(json.loads, out.splitlines())])
    assert err == "", err
    return outcome
