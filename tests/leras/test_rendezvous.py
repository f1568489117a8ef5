import socket
import threading
import time

import pytest

from core.errors import DeviceError
from leras.cluster import Cluster
from leras.rendezvous import meet


def free_addresses(n):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    addresses = tuple(f"127.0.0.1:{opened.getsockname()[1]}" for opened in sockets)
    for opened in sockets:
        opened.close()
    return addresses


def arrivals(clusters, delays, patience=10.0):
    """What became of each meeting, by rank: "met" or the words of the error."""
    outcomes = {}

    def arrive(cluster, delay):
        time.sleep(delay)
        try:
            meet(cluster, patience)
            outcomes[cluster.rank] = "met"
        except DeviceError as error:
            outcomes[cluster.rank] = str(error)

    threads = [threading.Thread(target=arrive, args=pair) for pair in zip(clusters, delays)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@pytest.mark.parametrize("delays", [(0, 0, 0), (0, 0.3, 1.2), (0.6, 0, 0.3)])
def test_all_meet_whoever_comes_last(delays):
    addresses = free_addresses(3)
    outcomes = arrivals([Cluster(addresses, rank) for rank in range(3)], delays)
    assert outcomes == {0: "met", 1: "met", 2: "met"}


def test_who_does_not_come_is_named():
    addresses = free_addresses(3)
    outcomes = arrivals([Cluster(addresses, rank) for rank in (0, 1)], (0, 0), patience=1.5)
    for words in outcomes.values():
        assert words.startswith(f"no word from worker 2 ({addresses[2]}) in 2 seconds")


def test_workers_with_another_list_are_named():
    addresses = free_addresses(2)
    other = (addresses[0], addresses[1], "127.0.0.1:9")
    outcomes = arrivals([Cluster(addresses, 0), Cluster(other, 1)], (0, 0), patience=2)
    assert "worker 1 was started with another list" in outcomes[0]


def test_strangers_at_the_port_do_no_harm():
    addresses = free_addresses(2)

    def knock():
        port = int(addresses[0].rpartition(":")[2])
        for words in (b"GET / HTTP/1.1\r\n\r\n", b"\xff\xfe", b"", b"facelab 0 x\n"):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(words)

    stranger = threading.Timer(0.3, knock)
    stranger.start()
    outcomes = arrivals([Cluster(addresses, rank) for rank in (0, 1)], (0, 0.8))
    stranger.join()
    assert outcomes == {0: "met", 1: "met"}
