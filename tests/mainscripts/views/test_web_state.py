import threading

import cv2
import numpy as np
import pytest

from mainscripts.views.view import Command
from mainscripts.views.web_state import N_COLUMNS_MOST, WebState
from tests.mainscripts.views.synthetic import history_of, status_of


class Clock:
    """Seconds that go on when told."""

    def __init__(self):
        self.now = 5000.0

    def __call__(self):
        return self.now


def grey(value):
    return {"faces": np.full((8, 8, 3), value, np.uint8)}


def versions(state):
    return {p["name"]: (p["version"], p["iteration"], p["made_at"])
            for p in state.state()["previews"]}


def test_before_the_first_status_there_is_nothing():
    state = WebState(Clock())
    assert state.state() == {"status": None, "previews": [], "ended": None, "now": 5000.0,
                             "commands_taken": 0}
    assert state.curves(0, 100) == {"first": 1, "last": 0, "series": {}}
    assert state.preview("faces") is None


def test_previews_get_a_new_version_only_when_they_are_new():
    clock = Clock()
    state = WebState(clock)
    state.update(status_of(history_of(3), previews=grey(1)))
    clock.now += 7
    state.update(status_of(history_of(4)))
    assert versions(state) == {"faces": (1, 3, 5000.0)}
    more = {"more": np.zeros((2, 2, 3), np.uint8)}
    state.update(status_of(history_of(5), previews=grey(2) | more))
    assert versions(state) == {"faces": (2, 5, 5007.0), "more": (2, 5, 5007.0)}
    state.update(status_of(history_of(6), previews=grey(3)))
    assert versions(state) == {"faces": (3, 6, 5007.0)}
    assert state.preview("more") is None


def test_a_preview_is_encoded_once_and_anew_for_a_new_picture():
    state = WebState()
    state.update(status_of(history_of(1), previews=grey(50)))
    first = state.preview("faces")
    assert state.preview("faces") is first
    state.update(status_of(history_of(2), previews=grey(200)))
    second = cv2.imdecode(np.frombuffer(state.preview("faces"), np.uint8), 1)
    assert abs(int(second.mean()) - 200) <= 1


def test_curves_have_as_many_columns_as_asked_but_not_more_than_allowed():
    state = WebState()
    state.update(status_of(history_of(9000)))
    for asked, expected in ((0, 1), (300, 300), (10**12, N_COLUMNS_MOST)):
        assert len(state.curves(0, asked)["series"]["src"]["mean"]) == expected
    assert (state.curves(5000, 10)["first"], state.curves(5000, 10)["last"]) == (4001, 9000)


def test_commands_reach_training_until_it_has_ended():
    state = WebState()
    assert state.ask(Command.SAVE) == 1
    assert state.state()["commands_taken"] == 0
    assert state.commands.take_all() == [Command.SAVE]
    assert state.state()["commands_taken"] == 1
    state.end("target iteration")
    assert state.ask(Command.SAVE) is None
    assert state.commands.take_all() == []
    assert state.state()["ended"] == "target iteration"


def test_an_end_without_a_reason_is_still_an_end():
    state = WebState()
    state.end("")
    assert state.state()["ended"] == "stopped"


@pytest.mark.parametrize("asked_before", [False, True])
def test_the_end_waits_only_for_a_page_that_is_open(asked_before):
    clock = Clock()
    state = WebState(clock)
    if asked_before:
        state.state()
        clock.now += 10  # closed since
    state.end("stopped")
    state.wait_until_seen(3.0)  # returns at once, or the suite would be slow


def test_the_end_waits_until_the_page_has_heard_of_it():
    state = WebState()
    state.state()
    state.end("stopped")
    waiting = threading.Thread(target=state.wait_until_seen, args=(600.0,))
    waiting.start()
    state.state()  # hears of it, but has not everything yet
    assert waiting.is_alive()
    state.state(heard_of_end=True)
    waiting.join(60)
    assert not waiting.is_alive()
