"""Which processes train together: from flags, from TF_CONFIG, or from SLURM."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.errors import DeviceError

SLURM_PORT = 23750  # of a node's first task; further tasks of the node count upwards


@dataclass(frozen=True)
class Cluster:
    """Processes that train together.

    Args:
        addresses: "host:port" of each process, the same list everywhere.
        rank: Which of them this process is; 0 is the chief.
    """

    addresses: tuple[str, ...]
    rank: int


def find_cluster(workers: str | None, rank: int | None,
                 environment: Mapping[str, str]) -> Cluster | None:
    """The cluster of this process, or `None` if it trains alone.

    Args:
        workers: "host:port,host:port", overrides the environment.
        rank: Of this process among `workers`.
        environment: Where TF_CONFIG and SLURM's variables are looked up, in this order.

    Raises:
        DeviceError: for a list, a rank or a variable that makes no sense.
    """
    if workers:
        cluster = _from_flags(workers, rank)
    elif rank is not None:
        raise DeviceError("--rank says nothing without --workers; add the list of all machines")
    elif environment.get("TF_CONFIG"):
        cluster = _from_tf_config(environment["TF_CONFIG"])
    elif int(environment.get("SLURM_STEP_NUM_TASKS", 1)) > 1:
        cluster = _from_slurm(environment)
    else:
        return None
    _check(cluster)
    return cluster if len(cluster.addresses) > 1 else None


def _from_flags(workers: str, rank: int | None) -> Cluster:
    addresses = tuple(address.strip() for address in workers.split(","))
    if rank is None:
        raise DeviceError(f"--workers names {len(addresses)} machines but not which one this is; "
                          f"add --rank 0 to --rank {len(addresses) - 1}, another on each machine")
    return Cluster(addresses, rank)


def _from_tf_config(text: str) -> Cluster:
    try:
        config = json.loads(text)
        jobs, task = config["cluster"], config["task"]
        ordered = [(job, index) for job in ("chief", "worker")
                   for index in range(len(jobs.get(job, ())))]
        rank = ordered.index((task["type"], int(task["index"])))
        return Cluster(tuple(jobs[job][index] for job, index in ordered), rank)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DeviceError(f"TF_CONFIG cannot be understood ({error!r}); correct it, or unset it "
                          "and use --workers and --rank") from error


def _from_slurm(environment: Mapping[str, str]) -> Cluster:
    try:
        hosts = expand_hosts(environment["SLURM_STEP_NODELIST"])
        counts = expand_counts(environment["SLURM_STEP_TASKS_PER_NODE"])
        rank = int(environment["SLURM_PROCID"])
        addresses = tuple(f"{host}:{SLURM_PORT + task}"
                          for host, count in zip(hosts, counts, strict=True)
                          for task in range(count))
    except (ValueError, KeyError) as error:
        raise DeviceError(f"SLURM's variables cannot be understood ({error!r}); use --workers and "
                          "--rank instead") from error
    return Cluster(addresses, rank)


def expand_hosts(text: str) -> list[str]:
    """SLURM's short form of host names: "n[01-03,7]-a,m" -> n01-a, n02-a, n03-a, n7-a, m.

    Raises:
        ValueError: for anything else.
    """
    hosts = []
    for item in re.findall(r"(?:[^,\[\]]|\[[^\]]*\])+", text):
        names = [""]
        for plain, ranges in re.findall(r"([^\[\]]+)|\[([^\]]*)\]", item):
            parts = _expand_ranges(ranges) if ranges else [plain]
            names = [name + part for name in names for part in parts]
        hosts += names
    return hosts


def _expand_ranges(text: str) -> list[str]:
    numbers = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        numbers += [str(number).zfill(len(first))
                    for number in range(int(first), int(last or first) + 1)]
    return numbers


def expand_counts(text: str) -> list[int]:
    """SLURM's short form of counts: "2(x3),1" -> 2, 2, 2, 1.

    Raises:
        ValueError: for anything else.
    """
    counts = []
    for item in text.split(","):
        count, _, times = item.partition("(x")
        counts += [int(count)] * int(times.rstrip(")") or 1)
    return counts


def _check(cluster: Cluster) -> None:
    addresses: Sequence[str] = cluster.addresses
    for address in addresses:
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise DeviceError(f"worker {address!r} is no address; write host:port, with the same "
                              "list on every machine")
    if len(set(addresses)) < len(addresses):
        raise DeviceError("the list of workers names one address twice; give every process its own "
                          "port")
    if not 0 <= cluster.rank < len(addresses):
        raise DeviceError(f"rank {cluster.rank} is none of {len(addresses)} workers; ranks go from "
                          f"0 to {len(addresses) - 1}")
