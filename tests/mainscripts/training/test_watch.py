"""What is told of a training, with a clock that the test turns."""

import math

import numpy as np
import pytest

from core.report import SilentReporter
from leras.train_step import StepResult
from mainscripts.training.watch import SECONDS, Watch
from mainscripts.views.view import Command
from models.history import LossHistory
from models.pace import Iteration
from models.store import Progress


class Recorder:
    """A view that remembers what it is told."""

    def __init__(self):
        self.told, self.asked = [], []

    def update(self, status):
        self.told.append(status)

    def commands(self):
        asked, self.asked = self.asked, []
        return asked

    def close(self, reason=""):
        pass


class Run:
    """A watch, and a training whose iterations take as long as the test says."""

    def __init__(self, iteration=0, losses=("src", "dst")):
        self.now, self.view, self.reporter = 100.0, Recorder(), SilentReporter()
        self.progress = Progress(iteration, history=LossHistory(losses))
        self.bar = self.reporter.progress("train", 100, "it")
        self.bar.__enter__()
        self.watch = Watch("anna", "SAEHD", self.progress, self.bar, self.view,
                           target_iteration=100, images=8, memory_mb=lambda: 512.4,
                           clock=lambda: self.now)
        self.watch.start()

    def iterate(self, seconds=0.5, waited=0.05, rate=1.0, **losses):
        self.now += seconds
        self.progress.iteration += 1
        self.progress.seconds += seconds
        self.progress.history.append(losses, seconds)
        self.watch.follow(Iteration(self.progress.iteration, StepResult(losses, 1.0, True, 1.0),
                                    rate, seconds, waited))

    def progress_event(self):
        self.bar.__exit__()
        return self.reporter.events[-1]


def test_all_facts_of_an_iteration_are_told():
    run = Run()
    run.watch.message, run.watch.saved_iteration = "well", 0
    run.iterate(0.5, 0.05, rate=0.25, **{"src": 2.0, "dst": 1.0, "src dssim": 0.5})
    run.iterate(0.25, 0.1, rate=0.5, **{"src": 1.0, "dst": 3.0, "src dssim": 1.5})
    status = run.view.told[-1]
    assert (status.name, status.kind, status.iteration, status.target_iteration) == (
        "anna", "SAEHD", 2, 100)
    assert status.losses == {"src": 1.5, "dst": 2.0} and status.terms == {"src dssim": 1.0}
    assert status.iterations_per_second == pytest.approx(2 / 0.75)
    assert status.images_per_second == pytest.approx(8 * 2 / 0.75)
    assert status.data_wait_ms == pytest.approx(75.0)
    assert (status.memory_mb, status.rate_scale, status.message, status.seconds) == (
        512.4, 0.5, "well", 0.75)
    assert status.saved_iteration == 0 and status.previews is None
    line = run.progress_event()
    assert (line["done"], line["total"], line["it/s"], line["img/s"]) == (2, 100, 2.67, 21.3)
    assert (line["src"], line["src dssim"], line["wait ms"], line["MB"], line["rate"]) == (
        1.5, 1.0, 75.0, 512, 0.5)


def test_views_are_told_some_times_a_second_however_fast_the_training():
    run = Run()
    for _ in range(1000):
        run.iterate(seconds=0.004, src=1.0, dst=1.0)
    assert len(run.view.told) == pytest.approx(4.0 / SECONDS, abs=2)
    assert run.progress_event()["done"] == 1000


def test_previews_are_handed_over_at_once():
    run = Run()
    run.iterate(src=1.0, dst=1.0)
    picture = np.zeros((4, 4, 3), np.uint8)
    run.watch.tell({"SAEHD": picture})
    assert run.view.told[-1].previews == {"SAEHD": picture}


def test_a_resumed_training_counts_on_and_a_rollback_back():
    run = Run(iteration=40)
    run.iterate(src=1.0, dst=1.0)
    run.progress.iteration = 10
    run.iterate(src=1.0, dst=1.0)
    assert run.progress_event()["done"] == 11


def test_losses_that_are_no_numbers_are_left_out():
    run = Run(losses=("src", "dst", "gan"))
    run.iterate(src=math.nan, dst=1.0)
    assert run.view.told[-1].losses == {"dst": 1.0}
    assert "rate" not in run.progress_event()


def test_commands_of_the_view_are_passed_on():
    run = Run()
    run.view.asked = [Command.SAVE, Command.STOP]
    assert run.watch.commands() == [Command.SAVE, Command.STOP]
    assert run.watch.commands() == []
