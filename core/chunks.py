"""The same work on many chunks of items: in processes of this machine, or on a Dask cluster.

A chunk is worked on by one process at a time, and its result arrives once. If a worker of a
cluster dies, its chunks are done again elsewhere; so the function must do the same when it is run
twice, and write files whole or not at all.
"""

import contextlib
import itertools
import multiprocessing
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import TypeVar

from core.errors import UsageError, WorkerLost

CHUNK_SIZE = 32

_PROCESSES = re.compile(r"processes:([1-9][0-9]*)")
_ADDRESS = re.compile(r"(tcp|tls|ucx|ws|wss)://\S+")
_CONNECT_SECONDS = 15
_WORKER_SECONDS = 60
_AHEAD = 2
"""Chunks handed out per worker, so that none waits for its next one."""

C = TypeVar("C")
R = TypeVar("R")
T = TypeVar("T")


def chunks_of(items: Iterable[T], size: int = CHUNK_SIZE) -> Iterator[list[T]]:
    """The items in lists of `size`; the last one may be shorter."""
    iterator = iter(items)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk


@dataclass(frozen=True)
class ChunkRunner:
    """Runs a function over chunks; see `open_runner`.

    Attributes:
        executor: Does the work.
        count_workers: How many chunks it works on at a time now; a cluster may grow.
        lost: What it raises when workers died and nobody can take over.
        name: For messages.
    """

    executor: Executor
    count_workers: Callable[[], int]
    lost: tuple[type[BaseException], ...]
    name: str

    def run(self, function: Callable[[C], R], chunks: Iterable[C]) -> Iterator[R]:
        """Yields the result of each chunk once, in the order in which they are finished.

        Chunks are read as workers become free, so that memory does not grow with their number.

        Args:
            function: Importable by its name, as other processes must find it.
            chunks: What it takes; with the results, anything that can be pickled.

        Raises:
            WorkerLost: Workers died, and a chunk could not be done elsewhere.
            BaseException: What the function raises.
        """
        remaining, busy = iter(chunks), set()
        try:
            while True:
                n_wanted = max(_AHEAD * self.count_workers() - len(busy), 0)
                for chunk in itertools.islice(remaining, n_wanted):
                    busy.add(self.executor.submit(function, chunk))
                if not busy:
                    return
                done, busy = wait(busy, return_when=FIRST_COMPLETED)
                for future in done:
                    yield self._result(future)
        except self.lost as error:
            raise self._explain(error) from error
        finally:
            for future in busy:
                future.cancel()

    def _result(self, future: Future) -> R:
        try:
            return future.result()
        except self.lost as error:
            raise self._explain(error) from error

    def _explain(self, error: BaseException) -> WorkerLost:
        reason = " ".join(str(error).split())[:200]
        return WorkerLost(f"{self.name}: workers died ({type(error).__name__}: {reason}); look at "
                          "their logs, then run the same command again, which goes on")


def check_address(scheduler: str) -> str:
    """Returns what `open_runner` understands.

    Raises:
        UsageError: Something else.
    """
    if _PROCESSES.fullmatch(scheduler) or _ADDRESS.fullmatch(scheduler):
        return scheduler
    raise UsageError(f"{scheduler!r} is no scheduler; write tcp://host:port of a Dask scheduler, "
                     "or processes:N for N processes of this machine")


@contextlib.contextmanager
def open_runner(scheduler: str) -> Iterator[ChunkRunner]:
    """Connects to workers; lets go of them at the end.

    Args:
        scheduler: "tcp://host:port" of a Dask scheduler, whose workers see the same folders under
            the same paths and can import FaceLab; or "processes:N".

    Raises:
        UsageError: The address has another form, or Dask is not installed.
        WorkerLost: Nobody answers.
    """
    processes = _PROCESSES.fullmatch(check_address(scheduler))
    opened = _open_processes(int(processes[1])) if processes else _open_cluster(scheduler)
    with opened as runner:
        yield runner


@contextlib.contextmanager
def _open_processes(n_processes: int) -> Iterator[ChunkRunner]:
    # Not forked: threads of OpenCV and TensorFlow do not survive that.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(n_processes, mp_context=context)
    try:
        yield ChunkRunner(pool, lambda: n_processes, (BrokenProcessPool,),
                          f"{n_processes} processes")
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def _open_cluster(address: str) -> Iterator[ChunkRunner]:
    try:
        from distributed import Client, KilledWorker
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is not installed; a cluster needs `python -m pip install "
                         "-r requirements-cluster.txt`") from error
    try:
        client = Client(address, timeout=_CONNECT_SECONDS)
    except (OSError, TimeoutError) as error:
        raise WorkerLost(f"{address}: no Dask scheduler answers; start `dask scheduler` there, or "
                         "correct the address") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_WORKER_SECONDS)
        except TimeoutError as error:
            raise WorkerLost(f"{address}: the scheduler has no workers; start some with "
                             f"`dask worker {address}`") from error
        yield ChunkRunner(client.get_executor(pure=False),
                          lambda: sum(client.nthreads().values()),
                          (KilledWorker, CancelledError), address)
