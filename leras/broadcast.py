"""Bytes of the chief on every process of a training: what only one of them reads from a disk."""

import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from leras.replicas import first_replica, lost_workers_reported, n_processes, replicas_here

BYTES_AT_ONCE = 4 * 2**20  # of equal size, so that one graph sends them all; a multiple of 4
LENGTH_BYTES = 8  # in front of a message


def broadcast(strategy: tf.distribute.Strategy, data: bytes) -> bytes:
    """Gives what the chief calls this with; all processes must call it at the same point.

    Args:
        strategy: Of the training; a single process gets its own bytes back.
        data: The chief's; those of others are not looked at.

    Raises:
        WorkerLost: Another process is gone.
    """
    if n_processes(strategy) == 1:
        return data
    message = len(data).to_bytes(LENGTH_BYTES, "little") + data
    received = b""
    with lost_workers_reported(strategy):
        while len(received) < LENGTH_BYTES or len(received) < _length_of(received):
            start = len(received)
            received += _from_chief(strategy, message[start:start + BYTES_AT_ONCE])
    return received[LENGTH_BYTES:_length_of(received)]


def wait_for_all(strategy: tf.distribute.Strategy) -> None:
    """Returns once all processes have called it.

    Raises:
        WorkerLost: Another process is gone.
    """
    broadcast(strategy, b"")


def _length_of(message: bytes) -> int:
    return LENGTH_BYTES + int.from_bytes(message[:LENGTH_BYTES], "little")


def _from_chief(strategy: tf.distribute.Strategy, own: bytes) -> bytes:
    """`BYTES_AT_ONCE` bytes of the chief: the sum over all replicas, of which only its first gives
    any."""
    is_chief, count = first_replica(strategy) == 0, replicas_here(strategy)
    numbers = np.zeros(BYTES_AT_ONCE, np.uint8)
    if is_chief:
        numbers[:len(own)] = np.frombuffer(own, np.uint8)

    def share(context: tf.distribute.ReplicaContext) -> tf.Tensor:
        gives = context.replica_id_in_sync_group % count == 0
        return tf.constant((numbers if gives else np.zeros_like(numbers)).view(np.int32))

    shares = strategy.experimental_distribute_values_from_function(share)
    total = strategy.experimental_local_results(_summing(strategy)(shares))[0]
    return total.numpy().tobytes()


@functools.lru_cache(maxsize=1)
def _summing(strategy: tf.distribute.Strategy) -> Callable:
    """The graph that adds the shares of all replicas; made once."""
    def add(values: tf.Tensor) -> tf.Tensor:
        context = tf.distribute.get_replica_context()
        # Inputs of a function belong to no device; what a replica computes belongs to its own.
        return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(values))

    return tf.function(lambda shares: strategy.run(add, (shares,)), autograph=False)
