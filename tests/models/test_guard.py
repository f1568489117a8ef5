"""The guard, fed with results that a test makes up."""

import math

import numpy as np
import pytest

from core.errors import TrainingDiverged
from leras.train_step import StepResult
from models.guard import (
    FEWEST_STEPS,
    LEVEL_STEPS,
    LOWER_AT,
    LOWEST_RATE,
    MOST_ROLLBACKS,
    RECOVERY_STEPS,
    ROLL_BACK_AT,
    WINDOW,
    LossGuard,
)


def applied(total):
    return StepResult({"src": total, "dst": total}, 1.0, True, 1.0, total)


def refused(total=math.nan, norm=1.0, loss_scale=1.0):
    return StepResult({"src": total, "dst": total}, norm, False, loss_scale, total)


class Driver:
    """Plays the trainer: a step whose total is above the limit is refused, as `TrainStep` does."""

    def __init__(self, factor=4.0, **settings):
        self.guard, self.iteration, self.judgements = LossGuard(factor, **settings), 0, []

    def step(self, total=1.0, **others):
        self.iteration += 1
        fine = math.isfinite(total) and total <= self.guard.loss_limit and not others
        result = applied(total) if fine else refused(total, **others)
        judgement = self.guard.follow(self.iteration, result)
        self.judgements.append(judgement)
        if judgement.roll_back:
            self.guard.rolled_back()
        return judgement

    def steps(self, totals):
        return [self.step(total) for total in totals]


@pytest.fixture
def driver():
    made = Driver()
    made.steps([1.0] * 50)
    return made


def noisy(n, level=1.0, seed=0):
    return level * np.random.default_rng(seed).lognormal(0, 0.25, n)


def test_nothing_is_refused_before_a_level_is_known():
    guard = Driver().guard
    for index in range(FEWEST_STEPS):
        assert guard.loss_limit == math.inf
        guard.follow(index + 1, applied(float(index)))
    assert math.isfinite(guard.loss_limit)


def test_the_limit_is_the_factor_times_the_median_of_the_last_accepted_totals():
    driver = Driver(factor=3.0)
    totals = np.linspace(2.0, 1.0, 500)
    driver.steps(totals)
    level = np.median(totals[-LEVEL_STEPS:])
    assert driver.guard.loss_limit == pytest.approx(3 * level)


def test_losses_that_scatter_widely_around_zero_have_a_limit_by_their_spread():
    """A user's own loss may be negative, or near zero: factors of the level say nothing there."""
    driver = Driver(factor=4.0)
    totals = np.random.default_rng(1).normal(0, 1, 400)
    assert not any(judgement.message for judgement in driver.steps(totals))
    last = totals[-LEVEL_STEPS:]
    deviation = np.median(np.abs(last - np.median(last)))
    # Eight standard deviations above the median, or above the lowest median of the run.
    assert 6 * deviation < driver.guard.loss_limit <= np.median(last) + 8 * 1.4826 * deviation


def test_usual_noise_and_a_falling_loss_are_never_refused():
    driver = Driver()
    n = 5000
    trend = 0.3 + 4 * (1 + np.arange(n) / 180) ** -0.6
    assert {judgement.message for judgement in driver.steps(trend * noisy(n))} == {""}
    assert driver.guard.rate_scale == 1.0


def test_a_spike_is_skipped_said_and_forgotten(driver):
    judgement = driver.step(50.0)
    assert judgement.message == ("iteration 51: the loss of 50 is far above its level of 1; the "
                                 "step is skipped")
    assert not judgement.roll_back and driver.guard.rate_scale == 1.0
    assert not driver.guard.is_troubled
    limit = driver.guard.loss_limit
    assert all(judgement.message == "" for judgement in driver.steps([1.0] * 200))
    assert driver.guard.loss_limit == pytest.approx(limit)


@pytest.mark.parametrize("result, told", [
    (refused(math.nan), "the loss is no number"),
    (refused(math.inf), "the loss is no number"),
    (refused(1.0, norm=math.inf), "the gradients are no numbers"),
    (refused(1.0, norm=math.nan), "the gradients are no numbers"),
])
def test_the_reason_is_named(result, told):
    assert told in LossGuard(4.0).follow(7, result).message


def test_several_refusals_soon_after_each_other_halve_the_rate(driver):
    for number in range(1, LOWER_AT + 1):
        assert driver.guard.rate_scale == 1.0
        judgement = driver.step(50.0)
        driver.steps([1.0] * 10)
        assert driver.guard.is_troubled == (number == LOWER_AT)
    assert driver.guard.rate_scale == 0.5 and "lowered to 0.5" in judgement.message
    driver.steps([1.0] * WINDOW)
    assert not driver.guard.is_troubled


def test_refusals_far_apart_change_nothing(driver):
    for _ in range(10):
        driver.step(50.0)
        driver.steps([1.0] * (WINDOW // (LOWER_AT - 1)))
    assert driver.guard.rate_scale == 1.0


def test_the_rate_recovers_slowly_to_its_full_value(driver):
    driver.steps([50.0] * LOWER_AT)
    assert driver.guard.rate_scale == 0.5
    driver.steps([1.0] * RECOVERY_STEPS)
    assert driver.guard.rate_scale == pytest.approx(math.sqrt(0.5))
    driver.steps([1.0] * (RECOVERY_STEPS - 1))
    assert driver.guard.rate_scale == pytest.approx(math.sqrt(0.5))
    assert driver.step(1.0).message == "the learning rate is back at its full value"
    assert driver.guard.rate_scale == 1.0
    assert {judgement.message for judgement in driver.steps([1.0] * 2000)} == {""}


def test_many_refusals_roll_back_with_a_lower_rate(driver):
    judgements = driver.steps([math.nan] * ROLL_BACK_AT)
    assert [judgement.roll_back for judgement in judgements] == (
        [False] * (ROLL_BACK_AT - 1) + [True])
    assert "going back to the last saved model" in judgements[-1].message
    assert driver.guard.rate_scale == 0.5 ** (ROLL_BACK_AT // LOWER_AT + 1)
    assert driver.guard.loss_limit == math.inf and not driver.guard.is_troubled
    assert not any(driver.steps([5.0] * 100)[k].message for k in range(100))  # another level


def test_a_loss_that_creeps_up_is_stopped_too():
    """The median follows it, so that the plain limit never would."""
    driver = Driver(factor=4.0)
    driver.steps(noisy(400))
    rising = 1.004 ** np.arange(3000)
    first = next(level for level, total in zip(rising, rising * noisy(3000, seed=1))
                 if driver.step(total).roll_back)
    assert 4 < first < 12


def test_after_three_rollbacks_training_ends_with_one_line(driver):
    for _ in range(MOST_ROLLBACKS):
        assert driver.steps([math.nan] * ROLL_BACK_AT)[-1].roll_back
    with pytest.raises(TrainingDiverged) as caught:
        driver.steps([math.nan] * ROLL_BACK_AT)
    message = str(caught.value)
    assert f"iteration {driver.iteration}" in message and "--learning-rate" in message
    assert "\n" not in message and "last saved generation is whole" in message


def test_rollbacks_are_forgotten_once_the_rate_is_back(driver):
    for _ in range(3 * MOST_ROLLBACKS):
        driver.steps([math.nan] * ROLL_BACK_AT)
        driver.steps([1.0] * RECOVERY_STEPS * 7)
        assert driver.guard.rate_scale == 1.0


def test_the_rate_never_vanishes():
    driver = Driver()
    for _ in range(60):
        driver.steps([1.0] * WINDOW)
        driver.steps([math.nan] * LOWER_AT)
    assert driver.guard.rate_scale == LOWEST_RATE


def test_a_loss_scale_that_settles_is_no_trouble_and_one_that_cannot_is(driver):
    scale = 2.0**15
    while scale > 1:
        assert driver.step(1.0, norm=math.inf, loss_scale=scale).message == ""
        scale /= 2
    assert driver.guard.rate_scale == 1.0 and not driver.guard.is_troubled
    assert "gradients are no numbers" in driver.step(1.0, norm=math.inf, loss_scale=1.0).message


def test_a_loss_that_is_no_number_is_trouble_whatever_the_loss_scale(driver):
    assert "no number" in driver.step(math.nan, norm=math.nan, loss_scale=2.0**15).message


def test_a_saved_rate_goes_on():
    driver = Driver(rate_scale=0.25)
    driver.steps([1.0] * (4 * RECOVERY_STEPS))
    assert driver.guard.rate_scale == 1.0


def test_switched_off_it_refuses_nothing_and_ends_what_cannot_go_on():
    driver = Driver(is_on=False, rate_scale=0.5)
    driver.steps([1.0] * 300 + [1e9] * 20)
    assert driver.guard.loss_limit == math.inf and driver.guard.rate_scale == 1.0
    driver.steps([math.nan] * (ROLL_BACK_AT - 1))
    assert not driver.guard.is_troubled and driver.guard.rate_scale == 1.0
    with pytest.raises(TrainingDiverged, match="--guard"):
        driver.step(math.nan)


def test_equal_results_give_equal_decisions():
    """What lets all processes of a training decide alike."""
    totals = [*noisy(300), 40.0, math.nan, 1.0, *[math.nan] * 12, *noisy(700), 99.0]
    drivers = Driver(), Driver()
    for driver in drivers:
        driver.steps(totals)
    assert drivers[0].judgements == drivers[1].judgements
    assert drivers[0].guard.loss_limit == drivers[1].guard.loss_limit
