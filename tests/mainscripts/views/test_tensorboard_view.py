import os

import numpy as np
import pytest

from mainscripts.views.event_file import EventFile
from mainscripts.views.tensorboard_view import SECONDS, StatusEvents
from mainscripts.views.view import make_view
from models.history import LossHistory
from tests.mainscripts.views.events import Events
from tests.mainscripts.views.synthetic import history_of, status_of


class Clock:
    """Seconds that go on when told."""

    now = 0.0

    def __call__(self):
        return self.now


def appended(history, losses):
    for loss in losses:
        history.append({"src": loss, "dst": 2 * loss}, 0.1)
    return status_of(history)


def test_losses_are_means_since_the_last_event(tmp_path):
    clock, history = Clock(), LossHistory()
    writer = StatusEvents(EventFile(tmp_path), clock)
    writer.write(appended(history, [4.0, 2.0]))
    clock.now = SECONDS - 1
    writer.write(appended(history, [1.0, 2.0]))  # not due yet
    clock.now = SECONDS
    writer.write(appended(history, [6.0, float("nan")]))
    clock.now = SECONDS + 1
    writer.write(appended(history, [5.0]))
    writer.finish()
    found = Events(tmp_path)
    assert found.scalars("loss/src") == [(2, 3.0), (6, 3.0), (7, 5.0)]
    assert found.scalars("loss/dst") == [(2, 6.0), (6, 6.0), (7, 10.0)]


def test_terms_speed_memory_and_rate_are_written(tmp_path):
    writer = StatusEvents(EventFile(tmp_path))
    writer.write(status_of(history_of(5), terms={"src dssim": 0.5}, rate_scale=0.25,
                           iterations_per_second=8.0, images_per_second=64.0, data_wait_ms=1.5,
                           memory_mb=512.0))
    writer.finish()
    found = Events(tmp_path)
    expected = {"term/src dssim": 0.5, "speed/iterations per second": 8.0,
                "speed/images per second": 64.0, "speed/data wait ms": 1.5,
                "speed/memory MB": 512.0, "training/learning rate scale": 0.25}
    assert {tag: found.scalars(tag) for tag in expected} == {
        tag: [(5, value)] for tag, value in expected.items()}
    assert set(found.tags()[0]) == {*expected, "loss/src", "loss/dst"}


def test_unknown_memory_is_left_out(tmp_path):
    writer = StatusEvents(EventFile(tmp_path))
    writer.write(status_of(history_of(5), memory_mb=None))
    writer.finish()
    assert "speed/memory MB" not in Events(tmp_path).tags()[0]


def test_previews_are_written_whenever_they_are_new(tmp_path):
    writer = StatusEvents(EventFile(tmp_path), Clock())
    for iteration, value in ((3, 50), (4, None), (5, 200)):
        shown = None if value is None else {"faces": np.full((8, 8, 3), value, np.uint8)}
        writer.write(status_of(history_of(iteration), previews=shown))
    writer.finish()
    assert [image.step for image in Events(tmp_path).images("preview/faces")] == [3, 5]


@pytest.mark.parametrize("resumes_at", [20, 35])
def test_a_resumed_run_goes_on_where_it_was_saved(tmp_path, resumes_at):
    clock = Clock()
    for iterations in ((10, 20, 30, 40), (resumes_at, resumes_at + 10)):
        events = EventFile(tmp_path, clock=clock)
        writer = StatusEvents(events, clock)
        for iteration in iterations:
            clock.now += SECONDS
            writer.write(status_of(history_of(iteration)))
        events.close()  # as if killed: `finish` is not called
    steps = [step for step, _ in Events(tmp_path).scalars("loss/src")]
    assert steps == [step for step in (10, 20, 30) if step < resumes_at] + [
        resumes_at, resumes_at + 10]
    assert len(os.listdir(tmp_path)) == 2


def test_a_roll_back_drops_what_came_after(tmp_path):
    clock = Clock()
    writer = StatusEvents(EventFile(tmp_path), clock)
    for iteration in (100, 200, 300, 150, 250):
        clock.now += SECONDS
        writer.write(status_of(history_of(iteration)))
    writer.finish()
    assert [step for step, _ in Events(tmp_path).scalars("loss/dst")] == [100, 150, 250]


def test_the_view_writes_into_a_folder_of_the_model_and_says_so(tmp_path):
    told = []
    view = make_view("tensorboard", tmp_path, on_info=told.append, on_problem=pytest.fail)
    view.update(status_of(history_of(5)))
    view.close("stopped")
    view.close()
    assert told == [f"for TensorBoard: tensorboard --logdir {tmp_path / 'tensorboard'}"]
    assert Events(tmp_path / "tensorboard").scalars("speed/images per second") == [(5, 102.0)]
    assert view.commands() == []
