import io
import json
import threading
from pathlib import Path

import numpy as np
import pytest

from core.report import ConsoleReporter, JsonReporter, LimitedProgress, SilentReporter


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def json_lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def console(**settings):
    stdout, stderr = io.StringIO(), io.StringIO()
    return ConsoleReporter(stdout=stdout, stderr=stderr, **settings), stdout, stderr


def test_console_messages_go_to_stdout_and_complaints_to_stderr():
    reporter, stdout, stderr = console()
    reporter.info("3 faces")
    reporter.warning("few faces")
    reporter.error("no faces", 1)
    assert stdout.getvalue() == "3 faces\n"
    assert stderr.getvalue() == "warning: few faces\nerror: no faces\n"


def test_a_quiet_console_shows_only_complaints():
    reporter, stdout, stderr = console(quiet=True)
    reporter.info("3 faces")
    reporter.event("check", status="ok", message="fine")
    with reporter.progress("Extracting", 3, "frame") as progress:
        progress.advance(3)
    reporter.warning("few faces")
    reporter.event("check", status="problem", message="broken")
    assert stdout.getvalue() == "problem  broken\n"
    assert stderr.getvalue() == "warning: few faces\n"


def test_console_events_show_their_message_led_by_their_status():
    reporter, stdout, _ = console()
    reporter.event("check", name="gpu", status="warning", message="no GPU")
    reporter.event("check", name="cpu", status="ok", message="2 cores")
    reporter.event("step", loss=0.5)
    assert stdout.getvalue() == "warning  no GPU\nok       2 cores\n"


def test_colours_are_for_terminals_only():
    terminal = Terminal()
    ConsoleReporter(stderr=terminal).error("no faces", 1)
    assert terminal.getvalue() == "\x1b[31merror:\x1b[0m no faces\n"


def test_a_terminal_gets_a_bar():
    terminal = Terminal()
    with ConsoleReporter(stderr=terminal).progress("Extracting", 4, "frame") as progress:
        progress.advance(1)
        progress.advance(3, faces=2)
    last = terminal.getvalue().split("\r")[-1]
    assert "Extracting: 100%" in last
    assert "4/4" in last
    assert "faces=2" in last


def test_without_a_terminal_progress_ends_with_one_line():
    reporter, _, stderr = console()
    with reporter.progress("Extracting", 4, "frame") as progress:
        progress.advance(1)
        progress.advance(3, faces=2, loss=0.123456)
    assert stderr.getvalue() == "Extracting: 4/4 frame in 0 s, faces 2, loss 0.1235\n"


def test_progress_is_shown_once_per_interval_and_at_the_end():
    clock, shown = Clock(), []
    progress = LimitedProgress(lambda done, seconds, facts: shown.append((done, seconds)), 0.2,
                               clock)
    with progress:
        for _ in range(10):
            clock.now += 0.125
            progress.advance()
    assert [done for done, _ in shown] == [2, 4, 6, 8, 10, 10]
    assert shown[-1] == (10, 1.25)


def test_the_last_state_is_shown_even_after_an_exception():
    shown = []
    with pytest.raises(RuntimeError):
        with LimitedProgress(lambda *state: shown.append(state[0]), 1000) as progress:
            progress.advance(7)
            raise RuntimeError
    assert shown == [7]


def test_json_progress_has_the_promised_fields():
    stream = io.StringIO()
    with JsonReporter(stdout=stream).progress("merge", 2, "frame") as progress:
        progress.advance(faces=1)
        progress.advance(faces=3, done=99)
    (event,) = json_lines(stream)
    seconds = event.pop("seconds")
    assert event == {"event": "progress", "task": "merge", "done": 2, "total": 2, "unit": "frame",
                     "faces": 3}
    assert 0 <= seconds < 5


def test_json_progress_of_a_fast_loop_is_at_most_five_a_second():
    stream = io.StringIO()
    with JsonReporter(stdout=stream).progress("merge") as progress:
        for _ in range(50_000):
            progress.advance()
    events = json_lines(stream)
    assert events[-1]["done"] == 50_000
    assert events[-1]["total"] is None
    assert len(events) <= 5 * events[-1]["seconds"] + 1


def test_json_events_are_one_object_per_line():
    stream = io.StringIO()
    reporter = JsonReporter(stdout=stream)
    reporter.info("two\nlines, Zoë, \udce9")
    reporter.warning("few")
    reporter.error("none", 1)
    reporter.event("step", loss=np.float32(0.5), n=np.int64(3), bad=float("nan"), none=None,
                   sizes=np.array([1, 2]), path=Path("a") / "b", flags=(True, False),
                   nested={"x": {1: np.float32("inf")}}, error=ValueError("why"))
    assert json_lines(stream) == [
        {"event": "info", "message": "two\nlines, Zoë, \udce9"},
        {"event": "warning", "message": "few"},
        {"event": "error", "message": "none", "exit_code": 1},
        {"event": "step", "loss": 0.5, "n": 3, "bad": None, "none": None, "sizes": [1, 2],
         "path": "a/b", "flags": [True, False], "nested": {"x": {"1": None}}, "error": "why"}]


def test_a_quiet_json_reporter_keeps_complaints_and_events():
    stream = io.StringIO()
    reporter = JsonReporter(quiet=True, stdout=stream)
    reporter.info("3 faces")
    with reporter.progress("merge", 1) as progress:
        progress.advance()
    reporter.warning("few")
    reporter.event("result", path="a.mp4")
    assert [event["event"] for event in json_lines(stream)] == ["warning", "result"]


def test_json_lines_of_many_threads_do_not_mix():
    stream = io.StringIO()
    reporter = JsonReporter(stdout=stream)
    threads = [threading.Thread(target=lambda: [reporter.info("x" * 200) for _ in range(100)])
               for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event["message"] for event in json_lines(stream)] == ["x" * 200] * 400


@pytest.mark.parametrize("make", [
    lambda: JsonReporter(stdout=io.StringIO()), SilentReporter,
    lambda: ConsoleReporter(stdout=io.StringIO(), stderr=Terminal())])
def test_no_advance_of_any_thread_is_lost(make):
    reporter = make()
    with reporter.progress("merge", 4000) as progress:
        threads = [threading.Thread(target=lambda: [progress.advance() for _ in range(1000)])
                   for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        count = progress._bar.n if hasattr(progress, "_bar") else progress._done
    assert count == 4000


def test_the_silent_reporter_remembers_everything():
    reporter = SilentReporter()
    reporter.info("a")
    reporter.warning("b")
    reporter.error("c", 2)
    with reporter.progress("merge", 5, "frame") as progress:
        progress.advance(2)
        progress.advance(3, faces=1)
    assert reporter.events[:3] == [
        {"event": "info", "message": "a"}, {"event": "warning", "message": "b"},
        {"event": "error", "message": "c", "exit_code": 2}]
    assert reporter.events[3].items() >= {"event": "progress", "task": "merge", "done": 5,
                                          "total": 5, "faces": 1}.items()
    assert len(reporter.events) == 4
