"""The guard of a training: skips steps that would harm, lowers the rate, or asks to go back.

A pure state machine. It is fed with `StepResult`s, which are equal on all processes, and knows
nothing else: so all processes of a training decide alike.
"""

import math
from collections import deque
from typing import NamedTuple

import numpy as np

from core.errors import TrainingDiverged
from leras.train_step import StepResult

LEVEL_STEPS = 200  # accepted steps whose totals make the running level
FEWEST_STEPS = 30  # of them, before anything is compared with it: losses fall fast at first
SPREADS = 8.0  # robust standard deviations that are always within the limit
SIGMA_OF_MAD = 1.4826  # standard deviation of a normal distribution / its median deviation
SLOW_RISE = 2.0  # the limit's factor, for levels that creep up, above the best level so far
WINDOW = 100  # steps in which refusals belong together
LOWER_AT, ROLL_BACK_AT = 3, 8  # refusals in the window
LOWERING, RECOVERY = 0.5, math.sqrt(2.0)
RECOVERY_STEPS = 500  # good steps in a row before the rate recovers by one factor
LOWEST_RATE = 2.0**-10
MOST_ROLLBACKS = 3


class Judgement(NamedTuple):
    """What the guard says of a step.

    Args:
        message: A line for the user; empty if all is well.
        roll_back: Whether the model is to go back to its last saved generation now.
    """

    message: str = ""
    roll_back: bool = False


FINE = Judgement()


class _Level(NamedTuple):
    """Where totals lie, and their robust standard deviation."""

    median: float
    spread: float


class LossGuard:
    """Follows a training step by step.

    A step is refused when its total lies far above the running level (a median, so that spikes do
    not move it) or is not finite. One refused step is skipped; several soon after each other
    halve the rate, which recovers slowly; many ask to go back to the last saved model.

    Attributes:
        rate_scale: Factor of the learning rate, at most 1. All that needs to be saved.
    """

    def __init__(self, factor: float, *, is_on: bool = True, rate_scale: float = 1.0):
        """
        Args:
            factor: How many times its running level the total may reach, more than 1.
            is_on: False refuses nothing; it only notices when all is lost.
            rate_scale: Of an earlier run.
        """
        self.rate_scale = rate_scale if is_on else 1.0
        self._factor, self._is_on = factor, is_on
        self._totals: deque[float] = deque(maxlen=LEVEL_STEPS)
        self._now = self._best = _Level(math.inf, 0.0)
        self._step = 0
        self._refused: deque[int] = deque()  # steps of the window
        self._unanswered: deque[int] = deque()  # those since the rate was last lowered
        self._good_steps = 0
        self._rollbacks = 0

    @property
    def loss_limit(self) -> float:
        """The largest total that the next step may have."""
        if not self._is_on or len(self._totals) < FEWEST_STEPS:
            return math.inf
        return min(_above(self._now, self._factor), _above(self._best, SLOW_RISE * self._factor))

    @property
    def is_troubled(self) -> bool:
        """Whether the last steps were bad enough that the model should not be saved now."""
        return self._is_on and len(self._refused) >= LOWER_AT

    def follow(self, iteration: int, result: StepResult) -> Judgement:
        """Takes in what one step did.

        Raises:
            TrainingDiverged: Going back has not helped, or the guard is off and all steps fail.
        """
        self._step += 1
        for steps in (self._refused, self._unanswered):
            while steps and steps[0] <= self._step - WINDOW:
                steps.popleft()
        if result.applied:
            return self._accept(result.total)
        if _is_settling(result):
            return FINE
        return self._refuse(iteration, result)

    def rolled_back(self) -> None:
        """Tells that the model has gone back: its level is another one now."""
        self._totals.clear()
        self._refused.clear()
        self._unanswered.clear()
        self._best = _Level(math.inf, 0.0)

    def _accept(self, total: float) -> Judgement:
        self._totals.append(total)
        totals = np.asarray(self._totals)
        median = float(np.median(totals))
        spread = SIGMA_OF_MAD * float(np.median(np.abs(totals - median)))
        self._now = _Level(median, spread)
        if len(totals) >= FEWEST_STEPS:
            self._best = min(self._best, self._now)
        self._good_steps += 1
        if self.rate_scale >= 1.0 or self._good_steps % RECOVERY_STEPS:
            return FINE
        self.rate_scale = min(self.rate_scale * RECOVERY, 1.0)
        if self.rate_scale > 0.999:  # the last of some factors of a root
            self.rate_scale, self._rollbacks = 1.0, 0
            return Judgement("the learning rate is back at its full value")
        return FINE

    def _refuse(self, iteration: int, result: StepResult) -> Judgement:
        self._refused.append(self._step)
        self._unanswered.append(self._step)
        self._good_steps = 0
        reason = f"iteration {iteration}: {self._reason(result)}; the step is skipped"
        if len(self._refused) >= ROLL_BACK_AT:
            return self._give_up_step(iteration, reason)
        if self._is_on and len(self._unanswered) >= LOWER_AT:
            self._lower()
            return Judgement(f"{reason}, and the learning rate lowered to {self.rate_scale:.3g} "
                             "of its value")
        return Judgement(reason)

    def _give_up_step(self, iteration: int, reason: str) -> Judgement:
        if not self._is_on:
            raise TrainingDiverged(
                f"{reason}, as were {len(self._refused)} of the last {WINDOW}; the last saved "
                "generation is whole: run `train` again with a lower --learning-rate, or with "
                "--guard")
        if self._rollbacks == MOST_ROLLBACKS:
            raise TrainingDiverged(
                f"training diverged at iteration {iteration}, and going back "
                f"{MOST_ROLLBACKS} times with a lower rate did not help; the last saved generation "
                "is whole: run `train` again with a lower --learning-rate or --clip-gradients 1")
        self._rollbacks += 1
        self._lower()
        return Judgement(f"{reason}, as were {len(self._refused)} of the last {WINDOW}; going back "
                         "to the last saved model with the learning rate at "
                         f"{self.rate_scale:.3g} of its value", roll_back=True)

    def _lower(self) -> None:
        self.rate_scale = max(self.rate_scale * LOWERING, LOWEST_RATE)
        self._unanswered.clear()

    def _reason(self, result: StepResult) -> str:
        if not math.isfinite(result.total):
            return "the loss is no number"
        if not math.isfinite(result.gradient_norm):
            return "the gradients are no numbers"
        return f"the loss of {result.total:.4g} is far above its level of {self._now.median:.4g}"


def _above(level: _Level, factor: float) -> float:
    """The limit over a level; also for levels near or below zero, where factors say nothing."""
    return level.median + max((factor - 1) * abs(level.median), SPREADS * level.spread)


def _is_settling(result: StepResult) -> bool:
    """Whether a step failed only because a loss scale tries out how far it can go.

    It halves after each such step; at 1 there is no scale left to blame.
    """
    return (result.loss_scale > 1.0 and math.isfinite(result.total)
            and not math.isfinite(result.gradient_norm))
