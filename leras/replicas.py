"""Replicas: the copies of a model on several devices, of one machine or of many."""

import contextlib
import zlib
from collections.abc import Iterable, Iterator

import tensorflow as tf

from core.errors import DeviceError, WorkerLost

# What TensorFlow raises when a peer dies, stops sending heartbeats, or ends regularly.
PEER_ERRORS = (tf.errors.UnavailableError, tf.errors.DeadlineExceededError,
               tf.errors.AbortedError, tf.errors.CancelledError)


def n_replicas(strategy: tf.distribute.Strategy) -> int:
    """How many devices share each batch, over all machines."""
    return strategy.num_replicas_in_sync


def replicas_here(strategy: tf.distribute.Strategy) -> int:
    """How many of them belong to this process."""
    return n_replicas(strategy) // n_processes(strategy)


def first_replica(strategy: tf.distribute.Strategy) -> int:
    """The number, over all machines, of this process's first replica."""
    return replicas_here(strategy) * (strategy.cluster_resolver.task_id or 0
                                      if n_processes(strategy) > 1 else 0)


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes checkpoints and previews: the only one, or the first of many."""
    return first_replica(strategy) == 0


def n_processes(strategy: tf.distribute.Strategy) -> int:
    """How many processes train together."""
    resolver = strategy.cluster_resolver
    return sum(map(len, resolver.cluster_spec().as_dict().values())) if resolver else 1


def local_copy(variable: tf.Variable) -> tf.Variable:
    """The copy of `variable` on the device of the running replica; itself if there is only one.

    A replica writes to its own copy only. That keeps all copies equal as long as all replicas write
    the same values, and needs no communication.
    """
    context = tf.distribute.get_replica_context()
    if context is None or not is_copied(variable):
        return variable
    copies = variable.values
    replica = tf.get_static_value(context.replica_id_in_sync_group)
    return copies[replica % len(copies)]


def is_copied(variable: tf.Variable) -> bool:
    """Whether each replica has a copy of its own."""
    return isinstance(variable, tf.distribute.DistributedValues)


def mean_over_replicas(values, communication: tf.distribute.experimental.CommunicationOptions):
    """Means of a nest of tensors over all replicas, on each of them; call it in a replica.

    All scalars travel together. Every replica gets the same bits.
    """
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return values
    flat = tf.nest.flatten(values)
    scalars = [index for index, value in enumerate(flat) if value.shape.rank == 0]
    others = [index for index, value in enumerate(flat) if value.shape.rank != 0]
    packed, *reduced = context.all_reduce(
        tf.distribute.ReduceOp.MEAN,
        [tf.stack([flat[index] for index in scalars]), *(flat[index] for index in others)],
        communication)
    for index, value in zip(scalars + others, tf.unstack(packed) + reduced, strict=True):
        flat[index] = value
    return tf.nest.pack_sequence_as(values, flat)


def check_equal_everywhere(strategy: tf.distribute.Strategy,
                           variables: Iterable[tf.Variable]) -> None:
    """Compares the variables of all processes by their checksum.

    Raises:
        DeviceError: if any process holds other values than this one.
    """
    if n_processes(strategy) == 1:
        return
    checksum = 0
    for variable in variables:
        checksum = zlib.crc32(variable.numpy().tobytes(), checksum)

    def gather():
        context = tf.distribute.get_replica_context()
        return context.all_gather(tf.constant([checksum], tf.int64), axis=0)

    gathered = strategy.run(tf.function(gather, autograph=False))
    checksums = strategy.experimental_local_results(gathered)[0].numpy()
    if len(set(checksums.tolist())) > 1:
        raise DeviceError("the machines loaded different weights; copy the model's folder from the "
                          "first machine to all others and start again")


@contextlib.contextmanager
def lost_workers_reported(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Names the failure of an exchange with other processes; does nothing for a single one.

    Raises:
        WorkerLost: if a peer is gone. TensorFlow notices a closed connection at once and a silent
            machine after ten seconds without heartbeats.
    """
    try:
        yield
    except PEER_ERRORS as error:
        if n_processes(strategy) == 1:
            raise
        raise WorkerLost("another worker died or stopped answering; start all workers again: "
                         "training goes on from the last saved model") from error
