"""One training step: forward, gradients, acceptance and update as one compiled function."""

import contextlib
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from leras.compiled_cache import seal_compiled
from leras.host_memory import (
    freed_memory_returned,
    garbage_left_alone,
    keep_freed_buffers,
)
from leras.ops.convolution import fast_convolutions
from leras.optimizers.base import Optimizer, global_norm
from leras.precision import FLOAT32, LossScale, Precision
from leras.replicas import (
    check_equal_everywhere,
    is_copied,
    lost_workers_reported,
    mean_over_replicas,
    n_replicas,
    replicas_here,
)

BYTES_PER_PACK = 32 * 2**20  # gradients travel in pieces of this size
LONGEST_WAIT = 900.0  # seconds for one exchange; devices compile and save at different speeds
SCALAR = tf.TensorSpec((), tf.float32)

Placed = tf.Tensor | tf.distribute.DistributedValues
"""One array on the device of this process, or a share of it on each of its devices."""


class Objectives(NamedTuple):
    """What a model says about one batch.

    Args:
        totals: Group -> (N,) float32, what the group's optimizer lowers. The first group's total is
            the one that `StepControl.loss_limit` looks at.
        reported: Name -> (N,), for the log; means over samples and replicas are reported.
    """

    totals: dict[str, tf.Tensor]
    reported: dict[str, tf.Tensor]


class StepControl(NamedTuple):
    """What the caller wants of the next step.

    Args:
        rate_scale: Factor of the learning rates; the mean over all processes holds.
        loss_limit: A mean total of the first group above it: the step is not applied.
        stop: This process wants to stop; see `StepResult.stop_agreed`.
    """

    rate_scale: float = 1.0
    loss_limit: float = math.inf
    stop: bool = False


class StepResult(NamedTuple):
    """What one step did; equal on all processes.

    Args:
        losses: Name -> mean of `Objectives.reported`.
        gradient_norm: L2 norm of all groups' gradients before clipping; may be inf or nan.
        applied: Whether weights changed: all gradients finite, total within the limit.
        loss_scale: The scale that this step used; 1 without loss scaling.
        total: Mean total of the first group.
        stop_agreed: Whether any process asked to stop: all see it after the same step.
    """

    losses: dict[str, float]
    gradient_norm: float
    applied: bool
    loss_scale: float
    total: float = math.nan
    stop_agreed: bool = False


class _Means(NamedTuple):
    """() means over samples (and, once reduced, over replicas)."""

    totals: dict[str, tf.Tensor]
    reported: dict[str, tf.Tensor]
    stop: tf.Tensor


class TrainStep:
    """Trains networks by one compiled function.

    Args:
        objectives: Takes one tensor for each spec of `signature`, gives `Objectives`.
        optimizers: Group -> optimizer, in the order of the totals.
        signature: Fixed specs of one device's slice of one accumulation step, (n, ...) each.
        precision: Number format; it decides about loss scaling only, networks cast by themselves.
        accumulate: Slices whose mean gradient makes one update.
        jit: Compile with XLA.

    Raises:
        ValueError: for a signature whose first axis is free or differs between specs; at the first
            step: naming a target that no gradient reaches, or a group without total.
    """

    def __init__(self, objectives: Callable[..., Objectives], optimizers: Mapping[str, Optimizer],
                 signature: Sequence[tf.TensorSpec], *, precision: Precision = FLOAT32,
                 accumulate: int = 1, jit: bool = True):
        sizes = {spec.shape[0] for spec in signature}
        if len(sizes) != 1 or None in sizes:
            raise ValueError(f"all specs need one fixed first axis, not {sorted(map(str, sizes))}")
        self._objectives, self._optimizers = objectives, dict(optimizers)
        self._signature, self._accumulate = tuple(signature), accumulate
        self._scale = LossScale() if precision.scales_loss else None
        on_cpu = not tf.config.list_logical_devices("GPU")
        self._convolutions = fast_convolutions if jit and on_cpu else contextlib.nullcontext
        self._strategy = tf.distribute.get_strategy()
        self._is_distributed = tf.distribute.has_strategy()
        self._communication = tf.distribute.experimental.CommunicationOptions(
            bytes_per_pack=BYTES_PER_PACK, timeout_seconds=LONGEST_WAIT)
        self._started = False
        self._specs = [tf.TensorSpec((accumulate * spec.shape[0], *spec.shape[1:]), spec.dtype)
                       for spec in signature]
        self._run = self._compile(jit)

    def step(self, arrays: Sequence[np.ndarray],
             control: StepControl = StepControl()) -> StepResult:
        """Makes one step.

        Args:
            arrays: This process's share of the batch, one array for each spec of the signature:
                the share of its first device, of its second, and so on; in each, the slices of
                the first accumulation step come first. Also what `place` made of such an array.
            control: See `StepControl`.

        Raises:
            WorkerLost: if another process of the training died or stopped answering.
            DeviceError: at the first step, if processes start from different values.
        """
        if not self._started:
            self._check_variables()
        scalars = [tf.constant(float(value), tf.float32) for value in control]
        tensors = [self._placed(array, spec)
                   for array, spec in zip(arrays, self._specs, strict=True)]
        with lost_workers_reported(self._strategy):
            run = self._run if self._started else self._first_run
            return _to_result(run(*scalars, *tensors))

    def place(self, array: np.ndarray) -> Placed:
        """Puts one array onto the devices of this process, ahead of its step; from any thread.

        Args:
            array: As `step` takes it, in the dtype of its spec.

        Raises:
            ValueError: for another number of samples than all devices need.
        """
        size = self._accumulate * self._signature[0].shape[0]
        count = replicas_here(self._strategy)
        if len(array) != size * count:
            raise ValueError(f"a batch of {len(array)}; {count} devices of {size} need "
                             f"{size * count}")
        if not self._is_distributed:
            return tf.convert_to_tensor(array)
        devices = self._strategy.extended.worker_devices

        def share(context):
            index = context.replica_id_in_sync_group % count
            with tf.device(devices[index]):
                return tf.convert_to_tensor(array[index * size:(index + 1) * size])

        return self._strategy.experimental_distribute_values_from_function(share)

    def _first_run(self, *arguments) -> StepResult:
        """Traces, compiles and runs; compiling leaves much freed memory behind."""
        with garbage_left_alone(), freed_memory_returned():
            result = self._run(*arguments)
        keep_freed_buffers()
        seal_compiled()
        self._started = True
        return result

    def state(self) -> dict[str, np.ndarray]:
        """The loss scale; empty without loss scaling."""
        return {} if self._scale is None else self._scale.state()

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Takes back what `state` gave; an empty one, or one not needed, changes nothing."""
        if self._scale is not None and state:
            self._scale.load_state(state)

    def _compile(self, jit: bool) -> Callable:
        """One function for one device. For many, gradients and update are compiled by themselves:
        XLA cannot look into what devices tell each other between them."""
        traced = functools.partial(tf.function, autograph=False)
        if not self._is_distributed:
            whole = functools.partial(self._whole_step, self._gradients, self._update)
            return traced(whole, input_signature=[SCALAR] * 3 + self._specs, jit_compile=jit)
        replica = functools.partial(self._whole_step, traced(self._gradients, jit_compile=jit),
                                    traced(self._update, jit_compile=jit))

        def run(*arguments):
            results = self._strategy.run(replica, arguments)
            return tf.nest.map_structure(
                lambda value: self._strategy.experimental_local_results(value)[0], results)

        return traced(run)

    def _placed(self, array, spec: tf.TensorSpec) -> Placed:
        if isinstance(array, (tf.Tensor, tf.distribute.DistributedValues)):
            return array
        return self.place(np.asarray(array, spec.dtype.as_numpy_dtype))

    def _check_variables(self):
        """Before the first step: all devices and machines start from the same values."""
        owners = [*self._optimizers.values()] + ([self._scale] if self._scale else [])
        variables = [variable for owner in owners for _, variable in owner.named_variables()]
        variables += [target for optimizer in self._optimizers.values()
                      for target in optimizer.targets]
        if n_replicas(self._strategy) > 1 and not all(map(is_copied, variables)):
            raise ValueError("networks and optimizers must be built under the strategy's scope")
        check_equal_everywhere(self._strategy, variables)

    def _whole_step(self, gradients_of, update, rate_scale, loss_limit, stop, *arrays):
        # The rate too: where it follows a clock, every process has its own.
        (gradients, means), rate_scale = mean_over_replicas(
            (gradients_of(stop, *arrays), rate_scale), self._communication)
        return update(gradients, means, rate_scale, loss_limit)

    def _gradients(self, stop, *arrays):
        """Group -> mean gradients of all slices, and `_Means`."""
        if self._accumulate == 1:
            gradients, totals, reported = self._slice_gradients(*arrays)
        else:
            gradients, totals, reported = self._accumulated(*arrays)
        if self._scale is not None:
            factor = 1.0 / self._scale.scale
            gradients = tf.nest.map_structure(lambda gradient: gradient * factor, gradients)
        return gradients, _Means(totals, reported, stop)

    def _slice_gradients(self, *arrays):
        """Scaled gradients, totals and reported means of one slice; one forward pass."""
        scale = 1.0 if self._scale is None else self._scale.scale
        with self._convolutions():  # the backward pass may compute forward passes again
            with tf.GradientTape(persistent=True) as tape:
                objectives = self._objectives(*arrays)
                totals = _means(objectives.totals)
                scaled = {group: total * scale for group, total in totals.items()}
            gradients = {group: self._group_gradients(tape, group, scaled[group])
                         for group in self._optimizers}
        return gradients, totals, _means(objectives.reported)

    def _group_gradients(self, tape: tf.GradientTape, group: str, total: tf.Tensor):
        targets = dict(self._optimizers[group].named_targets())
        gradients = tape.gradient(total, list(targets.values()))
        unreached = [path for path, gradient in zip(targets, gradients) if gradient is None]
        if unreached:
            raise ValueError(f"group {group!r}: no gradient reaches {', '.join(unreached)}; "
                             "freeze or remove what the objective does not use")
        return gradients

    def _accumulated(self, *arrays):
        """Means of the scaled gradients and of the values over all slices, in a loop.

        A loop holds the activations of one slice and is compiled once, however many there are.
        """
        slices = [tf.reshape(array, (self._accumulate, *spec.shape))
                  for array, spec in zip(arrays, self._signature, strict=True)]

        def add_slice(index, sums):
            values = self._slice_gradients(*(array[index] for array in slices))
            return index + 1, tf.nest.map_structure(tf.add, sums, values)

        _, sums = tf.while_loop(lambda index, _: index < self._accumulate, add_slice,
                                (tf.constant(0), self._zeros()), parallel_iterations=1)
        return tf.nest.map_structure(lambda value: value / self._accumulate, sums)

    def _zeros(self):
        """What `_slice_gradients` gives, filled with zeros."""
        forward = tf.function(self._objectives, autograph=False)
        objectives = forward.get_concrete_function(*self._signature).structured_outputs
        totals, reported = ({name: tf.zeros(()) for name in values} for values in objectives)
        gradients = {group: [tf.zeros(target.shape) for target in optimizer.targets]
                     for group, optimizer in self._optimizers.items()}
        return gradients, totals, reported

    def _update(self, gradients, means: _Means, rate_scale, loss_limit):
        """Decides whether the step counts, and makes it; the same on all replicas."""
        norms = {group: global_norm(values) for group, values in gradients.items()}
        norm = tf.sqrt(tf.add_n([tf.square(value) for value in norms.values()]))
        total = means.totals[next(iter(self._optimizers))]
        finite = tf.math.is_finite(norm) & tf.math.is_finite(tf.add_n(list(means.totals.values())))
        accepted = finite & (total <= loss_limit)
        for group, optimizer in self._optimizers.items():
            optimizer.apply(gradients[group], rate_scale, accepted, norms[group])
        loss_scale = tf.constant(1.0) if self._scale is None else tf.identity(self._scale.scale)
        if self._scale is not None:
            self._scale.update(finite)
        return StepResult(means.reported, norm, accepted, loss_scale, total, means.stop > 0)


def _means(values: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    return {name: tf.reduce_mean(tf.cast(value, tf.float32)) for name, value in values.items()}


def _to_result(tensors: StepResult) -> StepResult:
    losses = {name: float(value) for name, value in tensors.losses.items()}
    return StepResult(losses, float(tensors.gradient_norm), bool(tensors.applied),
                      float(tensors.loss_scale), float(tensors.total), bool(tensors.stop_agreed))
