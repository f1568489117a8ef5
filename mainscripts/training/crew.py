"""The processes that train together, from the side of one of them."""

import contextlib
import io
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.array_file import pack_arrays, unpack_arrays
from core.errors import DeviceError, OptionError, WorkerLost
from core.native_log import hide_native_log
from mainscripts.training.options import TrainOptions

if TYPE_CHECKING:
    from models.base import TrainedModel

SPLIT_CPU = "FACELAB_SPLIT_CPU"  # environment: logical devices of the CPU, to try many devices


class Crew:
    """Who trains along, and what the first of them, the chief, tells the others.

    Only the chief reads and writes models. All processes must call the same methods in the same
    order.
    """

    def __init__(self, strategy: Any):
        """
        Args:
            strategy: A `tf.distribute.Strategy`.
        """
        from leras import replicas

        self.strategy = strategy
        self.is_chief: bool = replicas.is_chief(strategy)
        self.is_shared: bool = replicas.n_processes(strategy) > 1
        self.n_devices: int = replicas.n_replicas(strategy)
        self._first = replicas.first_replica(strategy)
        self._here = replicas.replicas_here(strategy)

    def rows(self, batch_size: int) -> tuple[int, int]:
        """(first row, number of rows) of each batch that this process makes."""
        share = batch_size // self.n_devices
        return self._first * share, self._here * share

    def agree(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Gives the chief's facts, which JSON can hold, on all processes.

        Raises:
            WorkerLost: Another process is gone.
        """
        from leras.broadcast import broadcast

        return json.loads(broadcast(self.strategy, json.dumps(dict(facts)).encode()))

    def share_state(self, model: "TrainedModel") -> None:
        """Gives the models of all processes the state of the chief's.

        Raises:
            WorkerLost: Another process is gone.
        """
        from leras.broadcast import broadcast

        if not self.is_shared:
            return
        own = model.state() if self.is_chief else {}
        state = {}
        for stem in self.agree({"stems": sorted(own)})["stems"]:
            packed = pack_arrays(own[stem]).getvalue() if self.is_chief else b""
            state[stem] = unpack_arrays(io.BytesIO(broadcast(self.strategy, packed)))
        if not self.is_chief:
            model.load_state(state)

    def wait(self) -> None:
        """Returns when all processes have come here, or one is gone."""
        from leras.broadcast import wait_for_all

        with contextlib.suppress(WorkerLost):
            wait_for_all(self.strategy)


def assemble(options: TrainOptions) -> Crew:
    """Chooses the devices of this process and meets the others; before TensorFlow is used.

    Raises:
        DeviceError: A GPU that does not exist, workers that do not answer, and so on.
    """
    from leras import devices

    _split_cpu()
    crew = Crew(devices.strategy(options.gpus, options.workers, options.rank))
    if crew.is_shared:
        hide_native_log()  # what TensorFlow says of a lost worker, before we say it in one line
    return crew


def choose_devices(options: TrainOptions) -> int:
    """Chooses the devices of this process without meeting the others.

    Returns:
        How many devices there would be, if all machines have as many as this one.

    Raises:
        DeviceError: A GPU that does not exist, or a wrong list of workers.
    """
    from leras import devices
    from leras.cluster import find_cluster

    _split_cpu()
    cluster = find_cluster(options.workers, options.rank, os.environ)
    here = devices.count_devices(options.gpus, all_of_them=cluster is not None)
    return here * (len(cluster.addresses) if cluster else 1)


def _split_cpu() -> None:
    from leras import devices

    parts = os.environ.get(SPLIT_CPU, "1")
    if not parts.isdigit() or int(parts) < 1:
        raise OptionError(f"{SPLIT_CPU}={parts}: must be a number of devices, or not set")
    if int(parts) > 1:
        devices.split_cpu(int(parts))


def require_same_faces(told: Mapping[str, str], own: Mapping[str, str]) -> None:
    """Makes sure that this machine has the faces of the chief: sample i must be the same face.

    Args:
        told: What `TrainingData.fingerprints` gave there.
        own: And here.

    Raises:
        DeviceError: It has others.
    """
    for source, found in own.items():
        if found != told.get(source):
            wanted = told.get(source, "0 ").split(" ")[0]
            raise DeviceError(f"{source}: this machine has {found.rpartition(' ')[0]}, which are "
                              f"not those of the first machine ({wanted}); copy the folder from "
                              "there")
