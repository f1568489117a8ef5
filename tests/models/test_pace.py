"""Means over the last iterations."""

import math

import pytest

from leras.train_step import StepResult
from models.pace import Iteration, Pace


def iteration(number, seconds=0.5, waited=0.1, **losses):
    return Iteration(number, StepResult(losses, 1.0, True, 1.0), 1.0, seconds, waited)


def test_before_the_first_iteration_there_is_no_speed():
    pace = Pace()
    assert (pace.iterations_per_second, pace.data_wait_ms, pace.losses()) == (0.0, 0.0, {})


def test_speed_and_waiting_are_means_over_the_last_iterations():
    pace = Pace(n_recent=4)
    pace.add(iteration(1, seconds=100.0, waited=9.0))  # forgotten
    for number, seconds in enumerate((0.25, 0.5, 0.25, 1.0), 2):
        pace.add(iteration(number, seconds, waited=seconds / 10))
    assert pace.iterations_per_second == pytest.approx(4 / 2.0)
    assert pace.data_wait_ms == pytest.approx(50.0)


def test_means_of_all_that_steps_reported_leave_out_what_is_no_number():
    pace = Pace()
    pace.add(iteration(1, src=1.0, dst=2.0))
    pace.add(iteration(2, src=math.nan, dst=4.0, gan=7.0))
    pace.add(iteration(3, src=2.0, dst=math.inf, gan=math.nan))
    assert pace.losses() == {"src": 1.5, "dst": 3.0, "gan": 7.0}
    pace.add(iteration(4, late=math.nan))
    assert list(pace.losses()) == ["late"] and math.isnan(pace.losses()["late"])
