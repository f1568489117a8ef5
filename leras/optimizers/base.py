"""What all optimizers share: slots, step count, clipping, learning-rate dropout, cosine cycles."""

import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from leras.module import Module
from leras.ops.random import bernoulli_mask, mix

EPSILON = 1e-6  # numpy.finfo(float32).resolution, added outside of the root


@dataclass(frozen=True)
class Schedule:
    """How far a step goes.

    Args:
        learning_rate: Base rate.
        dropout: Share of the weights that each step updates, drawn anew for every step; 1 is off.
        cosine_period: Steps of a full cycle rate -> 0 -> rate; 0 is off.
        clip_norm: Global norm that gradients are scaled down to; 0 is off.
    """

    learning_rate: float
    dropout: float = 1.0
    cosine_period: int = 0
    clip_norm: float = 0.0


class Optimizer(Module):
    """Updates a fixed set of variables; its own state is saved like any module's.

    Args:
        variables: Path -> variable, in the order in which gradients will come.
        schedule: See `Schedule`.
        seed: Of the masks of the learning-rate dropout.
    """

    slot_names: tuple[str, ...] = ()
    # The variables belong to their networks; without this they would count as the optimizer's too.
    _TF_MODULE_IGNORED_PROPERTIES = frozenset(
        ("_variables", *tf.Module._TF_MODULE_IGNORED_PROPERTIES))

    def __init__(self, variables: Mapping[str, tf.Variable], schedule: Schedule, *, seed: int = 0,
                 name: str | None = None):
        super().__init__(name=name)
        self._paths = tuple(variables)
        self._variables = tuple(variables.values())
        self._schedule, self._seed = schedule, seed
        self.step = tf.Variable(0, dtype=tf.int64, name="step")
        self._slots = {slot: [tf.Variable(tf.zeros_like(variable), name=slot)
                              for variable in self._variables] for slot in self.slot_names}

    def named_variables(self) -> Iterator[tuple[str, tf.Variable]]:
        """Yields `step`, then `<slot>/<path of the variable>`."""
        yield "step", self.step
        for slot, variables in self._slots.items():
            for path, variable in zip(self._paths, variables, strict=True):
                yield f"{slot}/{path}", variable

    def apply(self, gradients: Sequence[tf.Tensor], rate_scale: tf.Tensor | float = 1.0) -> None:
        """Makes one step; call it inside a compiled function.

        Args:
            gradients: One for each variable, in order.
            rate_scale: () factor of the schedule's rate for this step.
        """
        gradients = clip_by_global_norm(gradients, self._schedule.clip_norm)
        self.step.assign_add(1)
        rate = cosine(self._schedule, self.step) * rate_scale
        slots = zip(*self._slots.values(), strict=True)
        for index, (variable, gradient, slot) in enumerate(
                zip(self._variables, gradients, slots, strict=True)):
            update = rate * self.direction(gradient, *slot)
            variable.assign_sub(update * self._mask(index, variable))

    @abstractmethod
    def direction(self, gradient: tf.Tensor, *slots: tf.Variable) -> tf.Tensor:
        """Advances the slots of one variable and returns its step for a rate of 1."""

    def _mask(self, index: int, variable: tf.Variable) -> tf.Tensor | float:
        if self._schedule.dropout >= 1:
            return 1.0
        # The seed is scrambled first: of plain neighbours, each would repeat the other's masks.
        seed = mix(tf.constant(self._seed % 2**32, tf.uint32))
        key = mix(tf.cast(self.step, tf.uint32) ^ seed) + np.uint32(index)
        return bernoulli_mask(tuple(variable.shape), self._schedule.dropout, key)


def clip_by_global_norm(gradients: Sequence[tf.Tensor], limit: float) -> Sequence[tf.Tensor]:
    """Scales all gradients by limit / norm where their common L2 norm exceeds `limit`; 0 is off."""
    if limit <= 0:
        return gradients
    norm = tf.sqrt(tf.add_n([tf.reduce_sum(tf.square(gradient)) for gradient in gradients]))
    scale = limit / tf.maximum(norm, limit)
    return [gradient * scale for gradient in gradients]


def cosine(schedule: Schedule, step: tf.Tensor) -> tf.Tensor:
    """() float32 learning rate of a step (counted from 1)."""
    if schedule.cosine_period <= 0:
        return tf.constant(schedule.learning_rate)
    # Reduced as integers: float32 has no fraction left for the phase after some million steps.
    position = tf.math.floormod(step - 1, schedule.cosine_period)
    phase = 2 * math.pi * tf.cast(position, tf.float32) / schedule.cosine_period
    return schedule.learning_rate * (tf.cos(phase) + 1) / 2
