"""A line of stages, each with its own threads, through which items pass in order.

    source -> [stage] -> [stage] -> ... -> for key, value in Pipeline(...)

Items keep the order of the source at the door of every stage, so that a batch stage always meets
the same items together, however fast the other threads are. An item that fails travels on as a
`Failed` and skips the stages that are left; it never stops the others.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2

from core.errors import FaceLabError

# What one bad frame may raise; anything else is a mistake in the program and stops everything.
FRAME_ERRORS = (FaceLabError, OSError, ValueError, ArithmeticError, MemoryError, cv2.error)

SOURCE = "source"
_END = object()
_POLL_SECONDS = 0.2  # a waiting main thread must wake now and then to see Ctrl-C on Windows


@dataclass(frozen=True)
class Failed:
    """The place of an item that could not be worked on.

    Attributes:
        item: The item's key.
        error: What happened.
    """

    item: Any
    error: BaseException

    @property
    def reason(self) -> str:
        """One line for a report."""
        text = " ".join(str(self.error).split())
        return text or type(self.error).__name__

    def portable(self) -> "Failed":
        """The same for another process: some errors of libraries cannot be pickled."""
        known = isinstance(self.error, (FaceLabError, OSError))
        return self if known else Failed(self.item, FaceLabError(self.reason))


@dataclass(frozen=True)
class Stage:
    """One step of the work.

    Attributes:
        name: Shown in `Pipeline.stats`; unique in a pipeline.
        function: value -> value; with `batch` > 1, list of values -> list of as many values. It
            may also return a `Failed` itself. Called from `workers` threads at once.
        workers: Number of threads.
        batch: Most values per call. A call gets up to `batch` neighbours of the source's order;
            fewer where some of them failed earlier, or at the end.
    """

    name: str
    function: Callable[[Any], Any]
    workers: int = 1
    batch: int = 1


class _Entry(NamedTuple):
    number: int  # place in the source's order
    key: Any
    value: Any


class Pipeline:
    """Runs a source through stages; iterate over it to get (key, value or `Failed`) in order.

    Leaving the loop early, by break or by an exception, stops and joins all threads. An
    exception that is none of FRAME_ERRORS in a stage, or any exception in the source, stops all
    threads and is raised in the loop.

    Attributes:
        stats: Stage name (and "source") -> {"busy_seconds": time spent in the function, summed
            over its threads, "items": how many went through it}; of the last or running loop.
    """

    def __init__(
        self, source: Iterable[tuple[Any, Any]], stages: Iterable[Stage], capacity: int = 8
    ):
        """
        Args:
            source: Yields (key, value); a value may already be a `Failed`. Read in a thread of
                its own, and closed there if the loop is left early.
            stages: The steps, first to last.
            capacity: How many items may wait between the stages, besides those the stages
                themselves hold; bounds the memory.

        Raises:
            ValueError: Two stages of one name, or a count below 1.
        """
        self._source = source
        self._stages = tuple(stages)
        self._capacity = capacity
        names = [SOURCE, *(stage.name for stage in self._stages)]
        if len(set(names)) < len(names):
            raise ValueError(f"stage names must differ: {names}")
        counts = [capacity, *(n for stage in self._stages for n in (stage.workers, stage.batch))]
        if min(counts) < 1:
            raise ValueError("capacity, workers and batch must be at least 1")
        self.stats = {name: {"busy_seconds": 0.0, "items": 0} for name in names}

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        for figures in self.stats.values():
            figures.update(busy_seconds=0.0, items=0)
        run = _Run(self._source, self._stages, self._capacity, self.stats)
        run.start()
        try:
            yield from run.results()
        finally:
            run.stop()


class _Run:
    """The threads of one pass.

    One condition guards all state: the queues (one per stage, one more for the results; each a
    dict by number, since threads finish out of order), how far each queue was taken, and how many
    items are on their way.

    It cannot lock up: a stage only ever waits for neighbours it lacks. If nothing were being
    worked on, every stage would hold less than one batch, which is below `limit`, so the source
    could still go on.
    """

    def __init__(self, source, stages: tuple[Stage, ...], capacity: int, stats: dict):
        self._source = source
        self._stages = stages
        self._stats = stats
        self._limit = capacity + sum(stage.workers * stage.batch for stage in stages)
        self._changed = threading.Condition()
        self._queues: list[dict[int, _Entry]] = [{} for _ in range(len(stages) + 1)]
        self._taken = [0] * (len(stages) + 1)
        self._on_the_way = 0
        self._total: int | None = None  # known once the source has ended
        self._stopped = False
        self._failure: BaseException | None = None
        self._threads = [threading.Thread(target=self._feed, name=SOURCE, daemon=True)]
        for place, stage in enumerate(stages):
            self._threads += [
                threading.Thread(target=self._work, args=(place,), name=stage.name, daemon=True)
                for _ in range(stage.workers)
            ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def results(self) -> Iterator[tuple[Any, Any]]:
        last = len(self._stages)
        while entries := self._take(last, 1):
            with self._changed:
                self._on_the_way -= 1
                self._changed.notify_all()
            yield entries[0].key, entries[0].value
        if self._failure is not None:
            raise self._failure

    def _feed(self) -> None:
        with _Forward(self._fail):
            items = iter(self._source)
            try:
                self._feed_from(items)
            finally:
                if hasattr(items, "close"):
                    items.close()  # a generator holding a file lets go of it, in its own thread

    def _feed_from(self, items: Iterator[tuple[Any, Any]]) -> None:
        number = 0
        while self._enter():
            start = time.perf_counter()
            item = next(items, _END)
            self._count(SOURCE, time.perf_counter() - start, int(item is not _END))
            if item is _END:
                break
            self._put(0, [_Entry(number, *item)])
            number += 1
        with self._changed:
            self._total = number
            self._changed.notify_all()

    def _enter(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._on_the_way < self._limit)
            if not self._stopped:
                self._on_the_way += 1
            return not self._stopped

    def _work(self, place: int) -> None:
        stage = self._stages[place]
        with _Forward(self._fail):
            while entries := self._take(place, stage.batch):
                self._put(place + 1, self._process(stage, entries))

    def _take(self, place: int, n: int) -> list[_Entry]:
        """The next `n` entries in order, fewer at the end, none after it."""
        with self._changed:
            while not self._is_ready(place, n):
                self._changed.wait(_POLL_SECONDS)
            if self._stopped:
                return []
            queue, first = self._queues[place], self._taken[place]
            numbers = [number for number in range(first, first + n) if number in queue]
            self._taken[place] = first + len(numbers)
            return [queue.pop(number) for number in numbers]

    def _is_ready(self, place: int, n: int) -> bool:
        first = self._taken[place]
        wanted = n if self._total is None else min(n, self._total - first)
        queue = self._queues[place]
        return self._stopped or all(first + offset in queue for offset in range(wanted))

    def _put(self, place: int, entries: list[_Entry]) -> None:
        with self._changed:
            self._queues[place].update((entry.number, entry) for entry in entries)
            self._changed.notify_all()

    def _process(self, stage: Stage, entries: list[_Entry]) -> list[_Entry]:
        alive = [entry for entry in entries if not isinstance(entry.value, Failed)]
        if not alive:
            return entries
        start = time.perf_counter()
        values = _call(stage, alive)
        self._count(stage.name, time.perf_counter() - start, len(alive))
        done = {entry.number: entry._replace(value=value) for entry, value in zip(alive, values)}
        return [done.get(entry.number, entry) for entry in entries]

    def _count(self, name: str, seconds: float, n_items: int) -> None:
        with self._changed:
            self._stats[name]["busy_seconds"] += seconds
            self._stats[name]["items"] += n_items

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._failure = self._failure or error
            self._stopped = True
            self._changed.notify_all()


def _call(stage: Stage, entries: list[_Entry]) -> list[Any]:
    if stage.batch == 1:
        return [_call_one(stage.function, entries[0].key, entries[0].value)]
    try:
        values = list(stage.function([entry.value for entry in entries]))
    except FRAME_ERRORS as error:
        if len(entries) == 1:
            return [Failed(entries[0].key, _without_traceback(error))]
        # One bad item must not take its neighbours along: each tries on its own.
        return [value for entry in entries for value in _call(stage, [entry])]
    if len(values) != len(entries):
        raise RuntimeError(f"stage {stage.name} returned {len(values)} values for "
                           f"{len(entries)} items")
    return values


def _call_one(function: Callable[[Any], Any], key: Any, value: Any) -> Any:
    try:
        return function(value)
    except FRAME_ERRORS as error:
        return Failed(key, _without_traceback(error))


def _without_traceback(error: BaseException) -> BaseException:
    """A kept traceback would keep every picture that its frames hold in memory."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return error


class _Forward:
    """Hands whatever ends a thread too early to the one who waits for it."""

    def __init__(self, forward: Callable[[BaseException], None]):
        self._forward = forward

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind, error, trace) -> bool:
        if error is not None:
            self._forward(error)
        return True
