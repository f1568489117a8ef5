"""The training loop, driven by a model that only counts and by a clock that a test turns."""

import math

import numpy as np
import pytest

from core.errors import TrainingDiverged
from models.base import SwapModel
from models.side import Side
from models.store import Progress
from models.trainer import Every, Iteration, Limits, train


class Clock:
    """Seconds that pass only when somebody works."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Samples:
    """Batch number n of 4 samples begins at sample 4 n; fetching it takes time."""

    def __init__(self, clock, start=0, seconds=0.0):
        self.clock, self.position, self.seconds = clock, start, seconds

    def next_batch(self):
        self.clock.now += self.seconds
        self.position += 4
        return {"target": np.arange(self.position - 4, self.position)}


class CountingModel(SwapModel):
    """Notes which samples each iteration met; its loss is that of a list."""

    def __init__(self, clock, seconds=1.0, losses=(), keeps_every=0):
        self.clock, self.seconds, self.keeps_every = clock, seconds, keeps_every
        self.losses, self.seen, self.scales = losses, [], []

    def needs_new_batch(self, iteration):
        return not self.keeps_every or iteration % self.keeps_every != 0

    def train_step(self, iteration, batches, rate_scale=1.0):
        self.clock.now += self.seconds
        self.scales.append(rate_scale)
        self.seen.append((iteration, *(int(batches[side]["target"][0]) for side in Side)))
        loss = dict(self.losses).get(iteration, 1 / iteration)
        return {"src": loss, "dst": 0.5}

    def recipe(self, side): ...
    def preview(self, batches): ...
    def predictor(self): ...
    def state(self): ...
    def load_state(self, state): ...


def run(model, limits, progress=None, starts=(0, 0), waits=0.0, **settings):
    """Trains; returns (reason, progress, iterations told of)."""
    progress = progress or Progress()
    told: list[Iteration] = []
    generators = {side: Samples(model.clock, start, waits) for side, start in zip(Side, starts)}
    reason = train(model, generators, progress, limits, on_iteration=told.append,
                   clock=model.clock, **settings)
    return reason, progress, told


def test_training_ends_at_the_target_iteration():
    model = CountingModel(Clock())
    reason, progress, told = run(model, Limits(iteration=5))
    assert reason == "target iteration"
    assert progress.iteration == len(told) == len(progress.history) == 5
    assert [seen[0] for seen in model.seen] == [1, 2, 3, 4, 5]


def test_training_ends_at_the_target_time_counted_over_all_runs():
    model = CountingModel(Clock(), seconds=7)
    reason, progress, told = run(model, Limits(minutes=1))
    assert reason == "target time"
    assert len(told) == 9 and progress.seconds == 63  # the 9th iteration ends after 60 s
    reason, progress, told = run(model, Limits(minutes=1.5), progress)
    assert len(told) == 4 and progress.iteration == 13  # 63 + 4 * 7 = 91


def test_the_first_of_two_limits_counts():
    assert run(CountingModel(Clock()), Limits(3, 1))[0] == "target iteration"
    assert run(CountingModel(Clock(), seconds=30), Limits(3, 1))[0] == "target time"


def test_a_reached_limit_trains_nothing_and_fetches_nothing():
    model = CountingModel(Clock())
    reason, progress, told = run(model, Limits(iteration=5), Progress(iteration=5))
    assert (reason, told, model.seen, progress.positions) == ("target iteration", [], [], {})


def test_a_stop_request_ends_before_the_next_iteration():
    model = CountingModel(Clock())
    reason, progress, _ = run(model, Limits(), should_stop=lambda: len(model.seen) == 3)
    assert reason == "stopped"
    assert progress.iteration == 3
    assert run(model, Limits(), should_stop=lambda: True)[2] == []


def test_seconds_of_an_iteration_and_of_waiting_for_samples_are_told():
    _, progress, told = run(CountingModel(Clock(), seconds=2), Limits(iteration=3), waits=0.25)
    assert [iteration.seconds for iteration in told] == [2.5, 2.5, 2.5]
    assert [iteration.data_seconds for iteration in told] == [0.5, 0.5, 0.5]
    assert progress.seconds == 7.5
    assert told[1].losses == {"src": 0.5, "dst": 0.5}
    assert progress.history.column("seconds").tolist() == [2.5, 2.5, 2.5]


def test_time_spent_in_actions_counts_as_training_time():
    """Saving is part of the minutes that a user gives."""
    clock = Clock()

    def save():
        clock.now += 50

    _, progress, _ = run(CountingModel(clock), Limits(minutes=2), periodic=(Every(5, save),))
    assert 120 <= progress.seconds < 172


def test_periodic_actions_come_after_their_time_and_not_at_once():
    model, calls = CountingModel(Clock()), []
    every = Every(3, lambda: calls.append(len(model.seen)))
    run(model, Limits(iteration=10), periodic=(every,))
    assert calls == [4, 7, 10]  # the clock of the action starts with the first iteration


def test_several_periodic_actions_keep_their_own_time():
    model, calls = CountingModel(Clock()), []
    run(model, Limits(iteration=9), periodic=(
        Every(2, lambda: calls.append("save")), Every(4, lambda: calls.append("preview"))))
    assert calls == ["save", "save", "preview", "save", "save", "preview"]


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_no_number_stops_and_is_not_counted(loss):
    model, saved = CountingModel(Clock(), losses={4: loss}.items()), []
    progress = Progress()
    with pytest.raises(TrainingDiverged) as caught:
        run(model, Limits(iteration=9), progress,
            periodic=(Every(1, lambda: saved.append(progress.iteration)),))
    assert "iteration 4" in str(caught.value) and "--learning-rate" in str(caught.value)
    assert progress.iteration == len(progress.history) == 3
    assert saved == [2, 3]
    assert progress.positions == {"src": 12, "dst": 12}


def test_a_model_may_train_on_the_same_samples_again():
    model = CountingModel(Clock(), keeps_every=3)
    run(model, Limits(iteration=7))
    assert model.seen == [(1, 0, 0), (2, 4, 4), (3, 4, 4), (4, 8, 8), (5, 12, 12), (6, 12, 12),
                          (7, 16, 16)]


@pytest.mark.parametrize("limits, progress, scale", [
    (Limits(100, decay=0.0), Progress(99), 1.0),
    (Limits(100, decay=1.0), Progress(0), 1.0),
    (Limits(100, decay=1.0), Progress(50), 0.5),  # half a cosine from 1 to 0
    (Limits(100, decay=1.0), Progress(25), (1 + math.sqrt(0.5)) / 2),
    (Limits(100, decay=0.5), Progress(50), 1.0),
    (Limits(100, decay=0.5), Progress(75), 0.5),
    (Limits(100, decay=0.5), Progress(100), 0.0),
    (Limits(minutes=10, decay=0.2), Progress(seconds=540), 0.5),
    (Limits(100, 10, decay=0.2), Progress(90, seconds=1), 0.5),  # the limit that comes first
    (Limits(decay=0.5), Progress(10**6, seconds=1e6), 1.0),
])
def test_the_learning_rate_falls_towards_the_target(limits, progress, scale):
    assert limits.rate_scale(progress) == pytest.approx(scale, abs=1e-12)


def test_every_iteration_gets_the_scale_of_its_place():
    model = CountingModel(Clock())
    run(model, Limits(4, decay=1.0))
    assert model.scales == pytest.approx(
        [(1 + math.cos(math.pi * k / 4)) / 2 for k in range(4)])


@pytest.mark.parametrize("first", range(1, 7))
def test_a_resumed_run_meets_the_samples_of_an_uninterrupted_one(first):
    """Also where it stopped between two iterations on the same samples."""
    whole = CountingModel(Clock(), keeps_every=3)
    run(whole, Limits(iteration=8), starts=(0, 100))
    parts = CountingModel(Clock(), keeps_every=3)
    _, progress, _ = run(parts, Limits(iteration=first), starts=(0, 100))
    starts = [progress.positions[side.value] for side in Side]
    run(parts, Limits(iteration=8), progress, starts=starts)
    assert parts.seen == whole.seen
