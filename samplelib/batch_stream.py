"""Endless batches of samples, made ahead by threads."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from samplelib.face_source import Problem, Problems
from samplelib.opencv_threads import OPENCV_THREADS

Batch = dict[str, np.ndarray]
"""Output name -> (N, ...), a row for each sample."""

Sample = dict[str, np.ndarray]
"""Output name -> array of one sample."""


class BatchStream:
    """Batches of samples by their position in an endless stream.

    A sample depends on its position alone: neither on the number of threads, nor on the batch
    size, nor on where the run started. Threads start with the first batch; `close()` ends them,
    and so does leaving a `with` block.
    """

    def __init__(self, make: Callable[[int], Sample], batch_size: int, *, workers: int = 2,
                 prefetch: int = 4, start_index: int = 0, first_row: int = 0,
                 n_rows: int | None = None, place: Callable[[Batch], Batch] | None = None,
                 problems: Problems | None = None,
                 on_problem: Callable[[Problem], None] | None = None):
        """
        Args:
            make: Gives the sample of a position; called by several threads. The arrays of all
                samples have the same shapes.
            batch_size: Samples per batch, over all processes that share one run.
            workers: Threads that make batches.
            prefetch: Batches in the making or ready; at least 1.
            start_index: First sample; `position` of an earlier run continues that run.
            first_row: First row of each batch that this process makes.
            n_rows: Rows that it makes, N; None makes all from `first_row` on.
            place: Done to each batch by the thread that made it, for example moving it to the
                device that will train on it.
            problems: Where `make` notes faces that it cannot use.
            on_problem: Called once for each of them, by the thread that takes the batch.

        Raises:
            ValueError: A number is impossible.
        """
        require_at_least(1, batch_size=batch_size, workers=workers, prefetch=prefetch)
        require_at_least(0, start_index=start_index)
        self._make_sample = make
        self._batch_size = batch_size
        self._rows = _rows(batch_size, first_row, n_rows)
        self._place = place
        self._workers = workers
        self._prefetch = prefetch
        self._position = start_index
        self._next_start = start_index
        self._problems = Problems() if problems is None else problems
        self._on_problem = on_problem
        self._reported: list[Problem] = []
        self._pool: ThreadPoolExecutor | None = None
        self._queue: deque[Future[Batch]] = deque()

    @property
    def position(self) -> int:
        """Index of the first sample of the next batch; `start_index` to go on from here."""
        return self._position

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Faces found unreadable so far, each once."""
        return tuple(self._reported)

    def next_batch(self) -> Batch:
        """Gives the next batch; the arrays belong to the caller.

        Raises:
            NoFacesFound: No face can be read any more.
        """
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix="samples")
            OPENCV_THREADS.acquire()
        self._fill_queue()
        batch = self._queue.popleft().result()
        self._fill_queue()
        self._position += self._batch_size
        self._report()
        return batch

    def close(self) -> None:
        """Ends the threads; batches made ahead are dropped, `position` stays."""
        if self._pool is None:
            return
        self._pool.shutdown(wait=True, cancel_futures=True)
        OPENCV_THREADS.release()
        self._pool = None
        self._queue.clear()
        self._next_start = self._position

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        return self.next_batch()

    def __enter__(self) -> "BatchStream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _fill_queue(self) -> None:
        while len(self._queue) < self._prefetch:
            self._queue.append(self._pool.submit(self._make, self._next_start))
            self._next_start += self._batch_size

    def _make(self, start: int) -> Batch:
        """Makes the batch whose first sample is `start`; runs in a worker thread."""
        batch: Batch = {}
        for place, row in enumerate(self._rows):
            put_sample(batch, self._make_sample(start + row), place, len(self._rows))
        return batch if self._place is None else self._place(batch)

    def _report(self) -> None:
        """Passes on the faces that the workers have found unreadable since the last call."""
        for problem in self._problems.since(len(self._reported)):
            self._reported.append(problem)
            if self._on_problem is not None:
                self._on_problem(problem)


def put_sample(batch: Batch, sample: Sample, row: int, n_rows: int) -> None:
    """Copies a sample into its row of a batch, which the first sample allocates."""
    for name, array in sample.items():
        if name not in batch:
            batch[name] = np.empty((n_rows, *array.shape), array.dtype)
        batch[name][row] = array


def require_at_least(low: int, **numbers: int) -> None:
    """Checks numbers by their names.

    Raises:
        ValueError: One of them is lower.
    """
    for name, value in numbers.items():
        if value < low:
            raise ValueError(f"{name} is {value}, must be at least {low}")


def _rows(batch_size: int, first_row: int, n_rows: int | None) -> range:
    """Which rows of each batch are made here."""
    n_rows = batch_size - first_row if n_rows is None else n_rows
    require_at_least(0, first_row=first_row)
    require_at_least(1, n_rows=n_rows)
    if first_row + n_rows > batch_size:
        raise ValueError(f"n_rows is {n_rows}, too many from row {first_row} of {batch_size} on")
    return range(first_row, first_row + n_rows)
