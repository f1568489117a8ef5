"""Processes that train together wait for each other before TensorFlow starts its server.

TensorFlow would wait by itself, but for an hour, in code that no Ctrl-C reaches, without a word on
who is missing, and with a list of workers that may differ from that of the others.
"""

import logging
import select
import socket
import time
import zlib

from core.errors import DeviceError
from leras.cluster import Cluster

logger = logging.getLogger(__name__)

PATIENCE = 600.0  # seconds: machines of a queue start at different times
REPEAT = 1.0  # seconds between greetings
LONGEST_GREETING = 100  # bytes


def meet(cluster: Cluster, patience: float = PATIENCE) -> None:
    """Returns once this process has greeted every other one and has been greeted by it.

    A process leaves only then, so no greeting comes too late for anybody.

    Raises:
        DeviceError: naming who did not come in `patience` seconds, whoever has another list of
            workers, or a port in use.
    """
    missing = set(range(len(cluster.addresses))) - {cluster.rank}
    ungreeted, deadline = set(missing), time.monotonic() + patience
    greeting = f"facelab {_fingerprint(cluster)} {cluster.rank}\n".encode()
    with _listen(cluster.addresses[cluster.rank]) as server:
        while missing or ungreeted:
            if time.monotonic() > deadline:
                raise DeviceError(f"no word from {_names(cluster, missing | ungreeted)} in "
                                  f"{patience:.0f} seconds; start it, check that its address can "
                                  "be reached, and start all workers again")
            logger.info("waiting for %s", _names(cluster, missing | ungreeted))
            # All of them, again: one may have been started anew in the meantime.
            ungreeted -= _greet(cluster, greeting)
            try:
                missing -= _receive(server, cluster, time.monotonic() + REPEAT, missing)
            except DeviceError:  # the other one may have come after our greeting: tell it as well
                _greet(cluster, greeting)
                raise


def _greet(cluster: Cluster, greeting: bytes) -> set[int]:
    """The ranks of the other processes that took the greeting."""
    return {rank for rank, address in enumerate(cluster.addresses)
            if rank != cluster.rank and _send(address, greeting)}


def _receive(server: socket.socket, cluster: Cluster, until: float, wanted: set[int]) -> set[int]:
    """The ranks whose greeting came before the time `until`, or before all `wanted` ones had."""
    met = set()
    while not wanted <= met and (left := until - time.monotonic()) > 0:
        if not select.select([server], [], [], left)[0]:
            break
        connection, _ = server.accept()
        with connection:
            connection.settimeout(REPEAT)
            try:
                words = connection.recv(LONGEST_GREETING).decode("ascii").split()
            except (OSError, UnicodeDecodeError):
                continue
        if len(words) == 3 and words[0] == "facelab" and words[2].isdigit():
            if words[1] != _fingerprint(cluster):
                raise DeviceError(f"worker {words[2]} was started with another list of workers; "
                                  "give all of them the same one")
            met.add(int(words[2]))
    return met


def _send(address: str, greeting: bytes) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=REPEAT) as connection:
            connection.sendall(greeting)
    except OSError:
        return False
    return True


def _listen(address: str) -> socket.socket:
    """A server on the port of `address`, on all networks of this machine."""
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server(("", int(port)), family=family)
    except OSError as error:
        raise DeviceError(f"port {port} of this machine cannot be used ({error.strerror}); end the "
                          "process that holds it or choose another one on all machines"
                          ) from error


def _fingerprint(cluster: Cluster) -> str:
    return f"{zlib.crc32(','.join(cluster.addresses).encode()):08x}"


def _names(cluster: Cluster, ranks: set[int]) -> str:
    return " and ".join(f"worker {rank} ({cluster.addresses[rank]})" for rank in sorted(ranks))
