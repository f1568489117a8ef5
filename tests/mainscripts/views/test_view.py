import dataclasses

import pytest

from core.errors import OptionError
from mainscripts.views.view import PREVIEW_CHOICES, VIEWS, Command, JoinedViews, NoView, make_view
from tests.mainscripts.views.synthetic import history_of, status_of


class Watcher:
    """Remembers what it is told and asks once for what it was made with."""

    def __init__(self, *asked):
        self.asked, self.told = list(asked), []

    def update(self, status):
        self.told.append(status)

    def commands(self):
        asked, self.asked = self.asked, []
        return asked

    def close(self, reason=""):
        self.told.append(reason)


def test_joined_views_all_hear_and_are_all_heard():
    first, second = Watcher(Command.SAVE), Watcher(Command.STOP, Command.SAVE)
    joined = JoinedViews([first, second])
    status = status_of(history_of(3))
    joined.update(status)
    assert joined.commands() == [Command.SAVE, Command.STOP, Command.SAVE]
    assert joined.commands() == []
    joined.close("target iteration")
    assert first.told == second.told == [status, "target iteration"]


def test_no_view_asks_nothing(tmp_path):
    view = make_view("none", tmp_path / "model")
    assert isinstance(view, NoView)
    view.update(status_of(history_of(1)))
    assert view.commands() == []
    view.close("stopped")
    view.close()
    assert not (tmp_path / "model").exists()


def test_every_choice_of_preview_is_a_view():
    assert set(PREVIEW_CHOICES) == set(VIEWS.names()) - {"tensorboard"}
    assert all(callable(VIEWS.load(name)) for name in VIEWS.names())


def test_an_unknown_view_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(OptionError, match="window, web, file, none.*did you mean.*window"):
        make_view("windw", tmp_path)


def test_a_status_knows_how_long_its_history_was():
    history = history_of(3)
    status = status_of(history)
    history.append({"src": 1.0, "dst": 1.0}, 0.1)
    assert status.history_length == 3
    assert dataclasses.replace(status, message="x").history_length == 4
