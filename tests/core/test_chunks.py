"""Chunks in other processes, some of which are killed."""

import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from core.chunks import check_address, chunks_of, open_runner
from core.errors import ImageError, UsageError, WorkerLost
from tests.cluster import dask_cluster


def square_all(numbers):
    return os.getpid(), [number**2 for number in numbers]


def note(job):
    """Slow work that leaves a trace of who did it."""
    folder, number = job
    (Path(folder) / f"{number}_{os.getpid()}").touch()
    time.sleep(0.2)
    return number, os.getpid()


def refuse(numbers):
    raise ImageError(f"number {numbers[0]} is broken")


def end_process(numbers):
    os.kill(os.getpid(), signal.SIGKILL)


def test_items_in_chunks():
    assert list(chunks_of(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(chunks_of([], 3)) == []


def test_chunks_in_two_processes():
    with open_runner("processes:2") as runner:
        results = list(runner.run(square_all, chunks_of(range(20), 3)))
        assert list(runner.run(square_all, [])) == []
    assert sorted(number for _, numbers in results for number in numbers) == [
        number**2 for number in range(20)]
    assert os.getpid() not in {process for process, _ in results}


def test_chunks_are_read_only_as_workers_become_free():
    taken = 0

    def chunks():
        nonlocal taken
        for number in range(40):
            taken += 1
            yield [number]

    with open_runner("processes:1") as runner:
        for done, _ in enumerate(runner.run(square_all, chunks()), 1):
            assert taken - done <= 2
    assert taken == 40


def test_what_the_function_raises_comes_out():
    with open_runner("processes:1") as runner:
        with pytest.raises(ImageError, match="number 4 is broken"):
            list(runner.run(refuse, [[4]]))


def test_a_dead_process_of_this_machine_ends_the_run_with_one_line():
    with open_runner("processes:1") as runner:
        with pytest.raises(WorkerLost, match="1 processes: workers died.*; .*run the same command"):
            list(runner.run(end_process, [[1]]))


@pytest.mark.parametrize("address", ["localhost:8786", "processes:0", "processes:", "tcp://", ""])
def test_other_addresses_are_refused(address):
    with pytest.raises(UsageError, match="tcp://host:port"):
        check_address(address)


def test_a_killed_worker_of_a_cluster_loses_and_repeats_nothing(tmp_path):
    with dask_cluster(2) as (address, workers), open_runner(address) as runner:
        done = []
        for number, process in runner.run(note, [(str(tmp_path), n) for n in range(24)]):
            done.append((number, process))
            if len({process for _, process in done}) == 2 and workers[0].poll() is None:
                workers[0].kill()
                n_before = len(done)
    assert sorted(number for number, _ in done) == list(range(24))
    assert {process for _, process in done} == {worker.pid for worker in workers}
    assert n_before < 20
    begun = Counter(int(path.name.split("_")[0]) for path in tmp_path.iterdir())
    assert set(begun) == set(range(24)) and sum(begun.values()) <= 26  # those it held, again


def test_a_cluster_on_which_every_worker_dies_is_told(tmp_path):
    with dask_cluster(5) as (address, _), open_runner(address) as runner:
        with pytest.raises(WorkerLost, match="workers died"):
            list(runner.run(end_process, [[1]]))


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("core.chunks._CONNECT_SECONDS", 1)
    with pytest.raises(WorkerLost, match="127.0.0.1:9.*dask scheduler"):
        with open_runner("tcp://127.0.0.1:9"):
            pass


def test_without_dask_the_package_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(UsageError, match="requirements-cluster.txt"):
        with open_runner("tcp://127.0.0.1:9"):
            pass
