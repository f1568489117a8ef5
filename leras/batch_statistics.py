"""Running means of batch norms: how a training step moves them.

A running value r that follows batches of mean m, r <- r + momentum (m - r) as in PyTorch, makes a
step of plain gradient descent on (r - m)^2 / 2. So these values are trained like any others, by an
optimizer of their own: a step that is refused does not move them, slices and devices are averaged,
and nothing is written outside of the step's update.
"""

import contextlib
import contextvars
from collections.abc import Iterator, Mapping

import tensorflow as tf

from leras.module import Module
from leras.optimizers.base import Optimizer, Schedule

RUNNING = ("running_mean", "running_var")
"""Last parts of the paths of running values."""

MOMENTUM = 0.1
"""PyTorch's, with which the released networks were trained."""

Moments = list[tuple[tf.Variable, tf.Tensor]]
"""Running values, each with what the batch has in its place."""

_NOTED: contextvars.ContextVar[Moments | None] = contextvars.ContextVar("moments", default=None)


@contextlib.contextmanager
def batch_statistics() -> Iterator[Moments]:
    """Inside, batch norms use the moments of their batch; gives the list that they fill.

    For the objective of a training step, while it is traced.
    """
    token = _NOTED.set([])
    try:
        yield _NOTED.get()
    finally:
        _NOTED.reset(token)


def uses_batch_statistics() -> bool:
    """Whether the caller is inside of `batch_statistics`."""
    return _NOTED.get() is not None


def note_moments(*moments: tuple[tf.Variable, tf.Tensor]) -> None:
    """Adds to the list of `batch_statistics`; call it inside."""
    _NOTED.get().extend((variable, tf.stop_gradient(value)) for variable, value in moments)


def statistics_total(moments: Moments) -> tf.Tensor:
    """(1,) what `RunningAverage` lowers: its gradient is running value minus value of the batch."""
    squares = [tf.reduce_sum(tf.square(variable - value)) for variable, value in moments]
    return tf.reshape(tf.add_n(squares) / 2, (1,))


def running_values(module: Module) -> dict[str, tf.Variable]:
    """Path -> running mean or variance, of a whole tree."""
    return {path: variable for path, variable in module.named_variables()
            if path.split("/")[-1] in RUNNING}


class RunningAverage(Optimizer):
    """Moves running values by a fixed share of the way to those of the batch.

    Args:
        variables: From `running_values`.
    """

    def __init__(self, variables: Mapping[str, tf.Variable], *, momentum: float = MOMENTUM):
        super().__init__(variables, Schedule(momentum))

    def apply(self, gradients, rate_scale=1.0, accepted=None, norm=None) -> None:
        """As `Optimizer.apply`; the rate of the learning, `rate_scale`, is none of its own."""
        super().apply(gradients, 1.0, accepted, norm)

    def direction(self, count: tf.Tensor, gradient: tf.Tensor,
                  *slots: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return (gradient,)
