"""The training loop, driven by a model that only counts and by a clock that a test turns."""

import math

import numpy as np
import pytest

from core.errors import TrainingDiverged
from leras.train_step import StepControl, StepResult
from models.base import SwapModel
from models.guard import FEWEST_STEPS, LOWER_AT, ROLL_BACK_AT, LossGuard
from models.history import LossHistory
from models.pace import Iteration
from models.side import Side
from models.store import Progress
from models.trainer import Every, Limits, Surroundings, Trainer


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
    """Notes which samples each iteration met; its loss is that of a list.

    Attributes:
        asked_elsewhere: The iteration at which another process asks to stop.
    """

    def __init__(self, clock, seconds=1.0, losses=(), keeps_every=0, asked_elsewhere=None):
        self.clock, self.seconds, self.keeps_every = clock, seconds, keeps_every
        self.losses, self.asked_elsewhere = dict(losses), asked_elsewhere
        self.seen, self.controls = [], []

    def needs_new_batch(self, iteration):
        return not self.keeps_every or iteration % self.keeps_every != 0

    def train_step(self, iteration, batches, control=StepControl()):
        self.clock.now += self.seconds
        self.controls.append(control)
        self.seen.append((iteration, *(int(batches[side]["target"][0]) for side in Side)))
        src = self.losses.get(len(self.seen), 1 / iteration)
        total = src + 0.5
        applied = math.isfinite(total) and total <= control.loss_limit
        return StepResult({"src": src, "dst": 0.5, "src dssim": src / 2}, 1.0, applied, 1.0, total,
                          control.stop or iteration == self.asked_elsewhere)

    def recipe(self, side): ...
    def preview(self, batches): ...
    def predictor(self): ...
    def state(self): ...
    def load_state(self, state): ...
    def parts(self): ...
    def optimizers(self): ...


class Run:
    """One training: the model, its progress, what was told, and why it ended."""

    def __init__(self, model, limits, progress=None, starts=(0, 0), waits=0.0, guard=None,
                 periodic=(), **around):
        self.told: list[Iteration] = []
        self.messages: list[str] = []
        self.progress = progress or Progress()
        sources = {side: Samples(model.clock, start, waits)
                   for side, start in zip(Side, starts)}
        self.trainer = Trainer(
            model, sources, self.progress, limits, guard or LossGuard(4.0),
            Surroundings(on_iteration=self.told.append, on_message=self.messages.append,
                         clock=model.clock, **around), periodic)
        self.reason = self.trainer.train()


def test_training_ends_at_the_target_iteration():
    model = CountingModel(Clock())
    run = Run(model, Limits(iteration=5))
    assert run.reason == "target iteration"
    assert run.progress.iteration == len(run.told) == len(run.progress.history) == 5
    assert [seen[0] for seen in model.seen] == [1, 2, 3, 4, 5]


def test_training_ends_at_the_target_time_counted_over_all_runs():
    model = CountingModel(Clock(), seconds=7)
    run = Run(model, Limits(minutes=1))
    assert run.reason == "target time"
    assert len(run.told) == 9 and run.progress.seconds == 63  # the 9th iteration ends after 60 s
    run = Run(model, Limits(minutes=1.5), run.progress)
    assert len(run.told) == 4 and run.progress.iteration == 13  # 63 + 4 * 7 = 91


def test_the_first_of_two_limits_counts():
    assert Run(CountingModel(Clock()), Limits(3, 1)).reason == "target iteration"
    assert Run(CountingModel(Clock(), seconds=30), Limits(3, 1)).reason == "target time"


def test_a_reached_limit_trains_nothing_and_fetches_nothing():
    model = CountingModel(Clock())
    run = Run(model, Limits(iteration=5), Progress(iteration=5))
    assert (run.reason, run.told, model.seen) == ("target iteration", [], [])
    assert run.progress.positions == {}


def test_a_stop_request_ends_before_the_next_iteration():
    model = CountingModel(Clock())
    run = Run(model, Limits(), should_stop=lambda: len(model.seen) == 3)
    assert run.reason == "stopped"
    assert run.progress.iteration == 3 and not any(control.stop for control in model.controls)
    assert Run(model, Limits(), should_stop=lambda: True).told == []


def test_a_stop_request_of_one_of_many_processes_ends_after_the_step_that_tells_the_others():
    model = CountingModel(Clock())
    run = Run(model, Limits(), should_stop=lambda: len(model.seen) >= 3, is_shared=True)
    assert run.reason == "stopped" and run.progress.iteration == 4
    assert [control.stop for control in model.controls] == [False] * 3 + [True]


def test_the_time_limit_of_one_of_many_processes_is_agreed_too():
    model = CountingModel(Clock(), seconds=30)
    run = Run(model, Limits(minutes=1), is_shared=True)
    assert run.reason == "target time" and run.progress.iteration == 3
    assert [control.stop for control in model.controls] == [False, False, True]


def test_a_wish_of_another_process_ends_this_one_after_the_same_step():
    run = Run(CountingModel(Clock(), asked_elsewhere=4), Limits(), is_shared=True)
    assert run.reason == "stopped" and run.progress.iteration == 4
    run = Run(CountingModel(Clock(), asked_elsewhere=4, seconds=15), Limits(minutes=1),
              is_shared=True)
    assert run.reason == "target time" and run.progress.iteration == 4


def test_the_target_iteration_needs_no_agreement():
    model = CountingModel(Clock())
    run = Run(model, Limits(iteration=3), is_shared=True)
    assert run.reason == "target iteration" and run.progress.iteration == 3
    assert not any(control.stop for control in model.controls)


def test_seconds_of_an_iteration_and_of_waiting_for_samples_are_told():
    run = Run(CountingModel(Clock(), seconds=2), Limits(iteration=3), waits=0.25)
    assert [iteration.seconds for iteration in run.told] == [2.5, 2.5, 2.5]
    assert [iteration.data_seconds for iteration in run.told] == [0.5, 0.5, 0.5]
    assert run.progress.seconds == 7.5
    assert run.told[1].result.losses == {"src": 0.5, "dst": 0.5, "src dssim": 0.25}
    assert [iteration.number for iteration in run.told] == [1, 2, 3]
    assert run.progress.history.column("seconds").tolist() == [2.5, 2.5, 2.5]


def test_the_history_keeps_its_own_losses_and_no_terms():
    progress = Progress(history=LossHistory(("src", "dst", "gan")))
    Run(CountingModel(Clock()), Limits(iteration=2), progress)
    assert progress.history.column("src").tolist() == [1.0, 0.5]
    assert np.isnan(progress.history.column("gan")).all()
    assert progress.history.names == ("src", "dst", "gan")


def test_time_spent_in_actions_counts_as_training_time():
    """Saving is part of the minutes that a user gives."""
    clock = Clock()

    def save():
        clock.now += 50

    run = Run(CountingModel(clock), Limits(minutes=2), periodic=(Every(5, save),))
    assert 120 <= run.progress.seconds < 172


def test_periodic_actions_come_after_their_time_and_not_at_once():
    model, calls = CountingModel(Clock()), []
    every = Every(3, lambda: calls.append(len(model.seen)))
    Run(model, Limits(iteration=10), periodic=(every,))
    assert calls == [4, 7, 10]  # the clock of the action starts with the first iteration


def test_the_first_time_may_come_earlier():
    model, calls = CountingModel(Clock()), []
    every = Every(4, lambda: calls.append(len(model.seen)), first=1)
    Run(model, Limits(iteration=10), periodic=(every,))
    assert calls == [2, 6, 10]


def test_several_periodic_actions_keep_their_own_time():
    model, calls = CountingModel(Clock()), []
    Run(model, Limits(iteration=9), periodic=(
        Every(2, lambda: calls.append("save")), Every(4, lambda: calls.append("preview"))))
    assert calls == ["save", "save", "preview", "save", "save", "preview"]


# The guard


def test_a_step_that_is_refused_is_said_counted_and_leaves_a_gap_in_the_history():
    model = CountingModel(Clock(), losses={4: math.nan})
    run = Run(model, Limits(iteration=6))
    assert run.progress.iteration == 6 and len(run.messages) == 1
    assert run.messages[0].startswith("iteration 4: the loss is no number")
    assert np.isnan(run.progress.history.column("src")).tolist() == [False] * 3 + [True] + [
        False] * 2
    assert model.seen[4][1] == 16, "the samples of the refused step are not met again"


def test_the_limit_of_the_guard_reaches_the_step():
    n = FEWEST_STEPS + 3
    model = CountingModel(Clock(), losses={k: 1.5 for k in range(1, n + 1)} | {n: 100.0})
    run = Run(model, Limits(iteration=n), guard=LossGuard(3.0))
    assert model.controls[0].loss_limit == math.inf
    assert model.controls[-1].loss_limit == pytest.approx(3 * 2.0)
    assert f"iteration {n}: the loss of 100.5" in run.messages[0]


def test_the_lowered_rate_reaches_the_step_and_the_progress():
    model = CountingModel(Clock(), losses={k: math.nan for k in range(2, 2 + LOWER_AT)})
    run = Run(model, Limits(iteration=20))
    scales = [control.rate_scale for control in model.controls]
    assert scales == [1.0] * (1 + LOWER_AT) + [0.5] * (19 - LOWER_AT)
    assert run.told[-1].rate_scale == run.progress.guard_rate == 0.5


def bad_from(first):
    return {k: math.nan for k in range(first, first + ROLL_BACK_AT)}


def test_many_refused_steps_roll_back_to_what_was_saved():
    model, calls = CountingModel(Clock(), losses=bad_from(11), keeps_every=3), []

    def roll_back():
        calls.append(len(model.seen))
        history = LossHistory()
        for k in range(8):
            history.append({"src": 7.0 + k, "dst": 0.5}, 1.0)
        return Progress(8, 8.0, history, {"src": 32, "dst": 32}, guard_rate=1.0)

    run = Run(model, Limits(iteration=20), roll_back=roll_back)
    assert calls == [10 + ROLL_BACK_AT]
    iterations = [seen[0] for seen in model.seen]
    assert iterations == [*range(1, 11 + ROLL_BACK_AT), *range(9, 21)]
    assert run.messages[-1] == "went back to iteration 8"
    history = run.progress.history
    assert len(history) == 20 and history.column("src")[:8].tolist() == [7.0 + k for k in range(8)]
    assert run.progress.seconds == len(model.seen), "time does not go back"
    assert run.progress.guard_rate < 1
    starts = [seen[1] for seen in model.seen]
    assert starts[10 + ROLL_BACK_AT] > max(starts[:10 + ROLL_BACK_AT]), "new samples follow"


def test_without_anything_saved_the_loop_ends_with_what_rolling_back_says():
    def roll_back():
        raise TrainingDiverged("nothing was saved")

    with pytest.raises(TrainingDiverged, match="nothing was saved"):
        Run(CountingModel(Clock(), losses=bad_from(2)), Limits(iteration=30), roll_back=roll_back)


# Samples and the learning rate


def test_a_model_may_train_on_the_same_samples_again():
    model = CountingModel(Clock(), keeps_every=3)
    Run(model, Limits(iteration=7))
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


def test_every_iteration_gets_the_scale_of_its_place_times_that_of_the_guard():
    model = CountingModel(Clock())
    Run(model, Limits(4, decay=1.0), guard=LossGuard(4.0, rate_scale=0.5))
    assert [control.rate_scale for control in model.controls] == pytest.approx(
        [(1 + math.cos(math.pi * k / 4)) / 4 for k in range(4)])


@pytest.mark.parametrize("first", range(1, 7))
def test_a_resumed_run_meets_the_samples_of_an_uninterrupted_one(first):
    """Also where it stopped between two iterations on the same samples."""
    whole = CountingModel(Clock(), keeps_every=3)
    Run(whole, Limits(iteration=8), starts=(0, 100))
    parts = CountingModel(Clock(), keeps_every=3)
    progress = Run(parts, Limits(iteration=first), starts=(0, 100)).progress
    starts = [progress.positions[side.value] for side in Side]
    Run(parts, Limits(iteration=8), progress, starts=starts)
    assert parts.seen == whole.seen
