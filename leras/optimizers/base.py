"""What all optimizers share: slots, step count, clipping, learning-rate dropout, cosine cycles."""

import math
from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import tensorflow as tf

from leras.module import Module
from leras.ops.random import bernoulli_mask, mix
from leras.replicas import local_copy

EPSILON = 1e-6  # numpy.finfo(float32).resolution, added outside of the root

STRANDS = 4
CAPTURED = 129  # elements of a tensor that a graph reads from outside
MANY = 2**12  # elements of a gradient that is summed by itself


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
        frozen: Paths of variables that keep their values. They have slots all the same, so that a
            saved state fits whatever is frozen.

    Raises:
        ValueError: naming frozen paths that are no variables.
    """

    slot_names: tuple[str, ...] = ()
    # The variables belong to their networks; without this they would count as the optimizer's too.
    _TF_MODULE_IGNORED_PROPERTIES = frozenset(
        ("_variables", *tf.Module._TF_MODULE_IGNORED_PROPERTIES))

    def __init__(self, variables: Mapping[str, tf.Variable], schedule: Schedule, *, seed: int = 0,
                 frozen: Collection[str] = (), name: str | None = None):
        super().__init__(name=name)
        unknown = sorted(set(frozen) - variables.keys())
        if unknown:
            raise ValueError(f"frozen paths without a variable: {unknown}")
        self._paths = tuple(variables)
        self._frozen = frozenset(frozen)
        self._variables = tuple(variables.values())
        self._schedule, self._seed = schedule, seed
        self.step = tf.Variable(0, dtype=tf.int64, name="step")
        # An input of the graph: with constants in it, each variable would need a compiled update of
        # its own, instead of one for all of a size. Tensors of few elements become constants.
        self._numbers = tf.cast(tf.range(max(len(self._paths), CAPTURED)), tf.uint32)
        self._advance = tf.function(self._advanced, autograph=False)  # traced once for each size
        self._slots = {slot: [tf.Variable(tf.zeros_like(variable), name=slot)
                              for variable in self._variables] for slot in self.slot_names}

    def named_variables(self) -> Iterator[tuple[str, tf.Variable]]:
        """Yields `step`, then `<slot>/<path of the variable>`."""
        yield "step", self.step
        for slot, variables in self._slots.items():
            for path, variable in zip(self._paths, variables, strict=True):
                yield f"{slot}/{path}", variable

    @property
    def targets(self) -> list[tf.Variable]:
        """The variables that are updated, in order."""
        return [variable for _, variable in self.named_targets()]

    def named_targets(self) -> Iterator[tuple[str, tf.Variable]]:
        """Yields (path, variable) of what is updated, in order."""
        for path, variable in zip(self._paths, self._variables, strict=True):
            if path not in self._frozen:
                yield path, variable

    def apply(self, gradients: Sequence[tf.Tensor], rate_scale: tf.Tensor | float = 1.0,
              accepted: tf.Tensor | None = None, norm: tf.Tensor | None = None) -> None:
        """Makes one step; call it inside a compiled function.

        Args:
            gradients: One for each of `targets`, in order.
            rate_scale: () factor of the schedule's rate for this step.
            accepted: () bool; False leaves weights, slots and step count as they were, whatever
                the gradients hold. `None` accepts.
            norm: () `global_norm` of the gradients if the caller has it.
        """
        gradients = clip_by_global_norm(gradients, self._schedule.clip_norm, norm)
        accepted = tf.constant(True) if accepted is None else accepted
        local_copy(self.step).assign_add(tf.cast(accepted, tf.int64))
        count = tf.cast(self.step, tf.float32)
        rate = cosine(self._schedule, self.step) * rate_scale
        # The seed is scrambled first: of plain neighbours, each would repeat the other's masks.
        seed = mix(tf.constant(self._seed % 2**32, tf.uint32))
        keys = tf.unstack(mix(tf.cast(self.step, tf.uint32) ^ seed) + self._numbers)
        slots = list(zip(*self._slots.values(), strict=True)) or [()] * len(self._paths)
        live = [index for index, path in enumerate(self._paths) if path not in self._frozen]
        for index, gradient in zip(live, gradients, strict=True):
            variables = [self._variables[index], *slots[index]]
            self._update([local_copy(variable) for variable in variables], gradient,
                         keys[index], rate, count, accepted)

    def _update(self, variables: Sequence[tf.Variable], gradient: tf.Tensor, *numbers: tf.Tensor
                ) -> None:
        """Moves one variable and its slots; `numbers`: the first arguments of `_advanced`."""
        moved = self._advance(*numbers, *(flat(x) for x in (*variables, gradient)))
        for variable, value in zip(variables, moved, strict=True):
            is_flat = variable.shape.rank == 1
            variable.assign(value if is_flat else tf.reshape(value, variable.shape))

    def _advanced(self, key: tf.Tensor, rate: tf.Tensor, count: tf.Tensor, accepted: tf.Tensor,
                  value: tf.Tensor, *slots_and_gradient: tf.Tensor) -> list[tf.Tensor]:
        """The new values of one variable and its slots, all (n,)."""
        *slots, gradient = slots_and_gradient
        step, *moved = self.direction(count, gradient, *slots)
        step = rate * step
        if self._schedule.dropout < 1:
            step = step * bernoulli_mask(tuple(value.shape), self._schedule.dropout, key)
        # Selects, no branch: the compiler fuses them into the update.
        return [tf.where(accepted, new, old)
                for new, old in zip((value - step, *moved), (value, *slots), strict=True)]

    @abstractmethod
    def direction(self, count: tf.Tensor, gradient: tf.Tensor,
                  *slots: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Where one variable goes.

        Args:
            count: () float32, number of this step from 1.
            gradient: (n,).
            slots: In the order of `slot_names`, (n,) each.

        Returns:
            The step for a rate of 1, and the new slots; (n,) each.
        """


def root(x: tf.Tensor) -> tf.Tensor:
    """The square root, as a power: TensorFlow hands `tf.sqrt` to XLA through a compiler of its own,
    which takes 4 ms each time, half a second for a model. The machine code is the same."""
    return tf.pow(x, 0.5)


def flat(x: tf.Tensor | tf.Variable) -> tf.Tensor:
    """(n,) all elements. Most variables are biases: a graph without their reshapes is built and
    optimised sooner."""
    return tf.convert_to_tensor(x) if x.shape.rank == 1 else tf.reshape(x, (-1,))


def global_norm(gradients: Sequence[tf.Tensor]) -> tf.Tensor:
    """() float32 common L2 norm; not finite as soon as one element is not."""
    rows = [flat(gradient) for gradient in gradients]
    small = [row for row in rows if row.shape[0] < MANY]
    products = [_products_of_strands(row) for row in rows if row.shape[0] >= MANY]
    # The longest gradients are no multiple of STRANDS long only if somebody trains odd widths.
    small += [row[row.shape[0] // STRANDS * STRANDS:] for row in rows
              if row.shape[0] >= MANY and row.shape[0] % STRANDS]
    sums = [tf.linalg.trace(tf.add_n(products))] if products else []
    if small:
        sums.append(tf.reduce_sum(tf.square(tf.concat(small, 0))))
    return tf.sqrt(tf.add_n(sums))


def _products_of_strands(flat: tf.Tensor) -> tf.Tensor:
    """(n,) -> (STRANDS, STRANDS), whose trace is the sum of squares.

    XLA adds on CPUs one number after the other, each waiting for the one before, and compiles a
    loop for every length. Matrix products run at the speed of memory and need no compiling.
    """
    length = flat.shape[0] // STRANDS
    strands = tf.reshape(flat[:length * STRANDS], (STRANDS, length))
    return tf.linalg.matmul(strands, strands, transpose_b=True)


def clip_by_global_norm(gradients: Sequence[tf.Tensor], limit: float,
                        norm: tf.Tensor | None = None) -> Sequence[tf.Tensor]:
    """Scales all gradients by limit / norm where their common L2 norm exceeds `limit`; 0 is off.

    Args:
        norm: () `global_norm(gradients)` if it is known.
    """
    if limit <= 0:
        return gradients
    norm = global_norm(gradients) if norm is None else norm
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
