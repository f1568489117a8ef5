"""Choosing devices: one, several of one machine, or those of several machines."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import tensorflow as tf

from core.errors import DeviceError
from leras.cluster import Cluster, find_cluster
from leras.rendezvous import meet


@dataclass(frozen=True)
class Device:
    """A device that can train.

    Args:
        index: What `--gpus` calls it.
        name: As its maker calls it.
    """

    index: int
    name: str


def list_devices() -> list[Device]:
    """The GPUs that TensorFlow can use, in the order of `--gpus`; empty on a CPU machine."""
    return [Device(index, tf.config.experimental.get_device_details(gpu).get("device_name",
                                                                             gpu.name))
            for index, gpu in enumerate(tf.config.list_physical_devices("GPU"))]


def strategy(gpus: str | None = None, workers: str | None = None,
             rank: int | None = None) -> tf.distribute.Strategy:
    """Chooses the devices of this process; call it before anything else uses TensorFlow.

    Build networks and optimizers under the strategy's `scope()`.

    Args:
        gpus: "0,1": these GPUs; "cpu": none, even if there are some; `None`: the first GPU if the
            process trains alone, all GPUs if it trains with others, the CPU if there is none.
        workers: "host:port,host:port" of all processes, the same everywhere; `None`: TF_CONFIG
            or SLURM's variables decide.
        rank: Of this process among `workers`.

    Returns:
        The default strategy for one device; `MirroredStrategy` for several of this machine (or
        several logical CPUs); `MultiWorkerMirroredStrategy` for several processes: it waits for all
        of them.

    Raises:
        DeviceError: for GPUs that do not exist, a wrong list of workers, a port in use, or workers
            that do not answer.
    """
    cluster = find_cluster(workers, rank, os.environ)
    _make_visible(_chosen(gpus, all_of_them=cluster is not None))
    if cluster is not None:
        return _join(cluster)
    names = _names()
    return tf.distribute.MirroredStrategy(names) if len(names) > 1 else tf.distribute.get_strategy()


def count_devices(gpus: str | None = None, *, all_of_them: bool = False) -> int:
    """How many devices `strategy` would train on in this process, without meeting others.

    Args:
        gpus: See `strategy`.
        all_of_them: Whether `None` stands for all GPUs, as where processes train together.

    Raises:
        DeviceError: for GPUs that do not exist.
    """
    _make_visible(_chosen(gpus, all_of_them=all_of_them))
    return len(_names())


def split_cpu(n: int) -> None:
    """Makes the CPU `n` logical devices, which train as if they were so many GPUs (for tests).

    Raises:
        DeviceError: if TensorFlow already runs.
    """
    cpu, = tf.config.list_physical_devices("CPU")
    try:
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * n)
    except RuntimeError as error:
        raise DeviceError(f"TensorFlow already runs ({error}); split the CPU before") from error


def _names() -> list[str]:
    """Of the devices that train: the visible GPUs, or the (logical) CPUs."""
    kind = "GPU" if tf.config.get_visible_devices("GPU") else "CPU"
    return [device.name for device in tf.config.list_logical_devices(kind)]


def _chosen(gpus: str | None, *, all_of_them: bool) -> list[tf.config.PhysicalDevice]:
    """The physical GPUs that `gpus` names."""
    present = tf.config.list_physical_devices("GPU")
    if gpus is None:
        return present if all_of_them else present[:1]
    if gpus.strip().lower() == "cpu":
        return []
    indexes = [part.strip() for part in gpus.split(",")]
    known = [str(index) for index in range(len(present))]
    wrong = [index for index in indexes if index not in known]
    if wrong or len(set(indexes)) < len(indexes):
        offer = f"choose from {', '.join(known)}, or" if known else "this machine has none: use"
        raise DeviceError(f"--gpus {gpus}: {_complaint(wrong)}; {offer} --gpus cpu")
    return [present[int(index)] for index in indexes]


def _complaint(wrong: list[str]) -> str:
    return f"no GPU {', '.join(map(repr, wrong))}" if wrong else "a GPU is named twice"


def _make_visible(gpus: list[tf.config.PhysicalDevice]) -> None:
    try:
        tf.config.set_visible_devices(gpus, "GPU")
        for gpu in gpus:
            # Otherwise TensorFlow takes the whole memory of the GPU at once.
            tf.config.experimental.set_memory_growth(gpu, True)
    except RuntimeError as error:
        raise DeviceError(f"the devices cannot be chosen any more ({error}); choose them before "
                          "TensorFlow runs") from error


def _join(cluster: Cluster) -> tf.distribute.Strategy:
    """Starts this process's server, and waits for all others."""
    meet(cluster)
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": list(cluster.addresses)}),
        task_type="worker", task_id=cluster.rank, rpc_layer="grpc")
    try:
        with _own_termination_handler():
            return tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
    except tf.errors.OpError as error:
        reason = str(error.message).splitlines()[0]
        raise DeviceError(f"the workers did not come together ({reason}); check the addresses and "
                          "that all of them run, then start all again") from error


@contextlib.contextmanager
def _own_termination_handler() -> Iterator[None]:
    """TensorFlow's server takes SIGTERM for a notice to its workers and the process lives on; this
    puts back what was to happen at SIGTERM."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, signal.SIG_DFL if handler is None else handler)
