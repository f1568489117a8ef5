"""Batches of training samples, made ahead by threads and repeatable by their seed."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from samplelib.color_source import ColorSource
from samplelib.face_source import FaceSource, Problem, Problems
from samplelib.faceset import Faceset
from samplelib.geometry import UNCHANGED
from samplelib.opencv_threads import OPENCV_THREADS
from samplelib.order import Balanced, FaceOrder, Shuffled
from samplelib.processor import make_sample
from samplelib.recipe import SampleOptions, SampleRecipe, require_coverage
from samplelib.sample_maker import SampleMaker
from samplelib.yaw_bins import yaw_bins

__all__ = ["Batch", "BatchGenerator", "Problem", "SampleOptions", "SampleRecipe", "preview_batch"]

Batch = dict[str, np.ndarray]
"""Output name -> (N, R, R, C) uint8; BGR images have C = 3, masks C = 1."""

DEFAULT_CACHE_BYTES = 128 * 2**20


class BatchGenerator:
    """Endless batches of random samples of a faceset.

    Sample i depends on the seed and on i alone: neither on the number of threads, nor on the
    batch size, nor on where the run started. Threads start with the first batch; `close()` ends
    them, and so does leaving a `with` block.

    Example:
        with BatchGenerator(faceset, recipe, 4, seed=1) as batches:
            batch = batches.next_batch()        # {"warped": (4, R, R, 3), ...}
    """

    def __init__(self, faceset: Faceset, recipe: SampleRecipe, batch_size: int, *, seed: int,
                 workers: int = 2, prefetch: int = 4, start_index: int = 0,
                 cache_bytes: int = DEFAULT_CACHE_BYTES,
                 on_problem: Callable[[Problem], None] | None = None, first_row: int = 0,
                 n_rows: int | None = None, place: Callable[[Batch], Batch] | None = None,
                 transfer_from: Faceset | None = None, uniform_yaw: bool = False):
        """
        Args:
            faceset: Where the faces come from.
            recipe: What the samples are.
            batch_size: Samples per batch, over all processes that share one run.
            seed: Fixes the order of the faces and all chance; at least 0.
            workers: Threads that make batches.
            prefetch: Batches in the making or ready; at least 1.
            start_index: First sample; `position` of an earlier run continues that run.
            cache_bytes: Most memory for decoded faces; the rest is decoded again each time.
            on_problem: Called once for each face that cannot be read, by the thread that takes
                the batch; such a face is replaced by the next one of the epoch.
            first_row: First row of each batch that this process makes.
            n_rows: Rows that it makes, N; None makes all from `first_row` on. What a sample is
                does not depend on who makes it.
            place: Done to each batch by the thread that made it, for example moving it to the
                device that will train on it.
            transfer_from: The other side's faces, for the recipe's colour transfer; unused if the
                recipe names none.
            uniform_yaw: Show all directions of heads equally often, instead of all faces.

        Raises:
            OptionError: A face is narrower than the recipe's face type.
            ValueError: A number is impossible, or the recipe's colour transfer has no faces.
        """
        _require_at_least(1, batch_size=batch_size, workers=workers, prefetch=prefetch)
        _require_at_least(0, start_index=start_index, seed=seed)
        require_coverage(faceset, recipe.face_type)
        self._problems = Problems()
        self._samples = SampleMaker(
            FaceSource(faceset, recipe, cache_bytes, self._problems),
            _order(faceset, seed, uniform_yaw), recipe, seed,
            _color_source(transfer_from, recipe, seed, self._problems))
        self._batch_size = batch_size
        self._rows = _rows(batch_size, first_row, n_rows)
        self._place = place
        self._workers = workers
        self._prefetch = prefetch
        self._position = start_index
        self._next_start = start_index
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
            NoFacesFound: No face of the faceset can be read any more.
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

    def __enter__(self) -> "BatchGenerator":
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
            _put(batch, self._samples.make(start + row), place, len(self._rows))
        return batch if self._place is None else self._place(batch)

    def _report(self) -> None:
        """Passes on the faces that the workers have found unreadable since the last call."""
        for problem in self._problems.since(len(self._reported)):
            self._reported.append(problem)
            if self._on_problem is not None:
                self._on_problem(problem)


def preview_batch(faceset: Faceset, recipe: SampleRecipe, indices: Sequence[int]) -> Batch:
    """Gives chosen faces as the model sees them, without warp, transform, flip and new colours.

    Args:
        faceset: Where the faces come from.
        recipe: What the samples are; its options are ignored.
        indices: Into `faceset.faces`; any whole number, counted round. A face that cannot be read
            is replaced by the next one.

    Raises:
        OptionError: A face is narrower than the recipe's face type.
        NoFacesFound: No face of the faceset can be read any more.
    """
    require_coverage(faceset, recipe.face_type)
    faces = FaceSource(faceset, recipe, 0, Problems())
    n_faces = len(faceset.faces)
    batch: Batch = {}
    for row, index in enumerate(indices):
        _, face = faces.first((index + skip) % n_faces for skip in range(n_faces))
        # Steps get a fixed source of chance, so a preview shows the same every time.
        sample = make_sample(face, recipe, UNCHANGED, np.random.default_rng(0))
        _put(batch, sample, row, len(indices))
    return batch


def _require_at_least(low: int, **numbers: int) -> None:
    for name, value in numbers.items():
        if value < low:
            raise ValueError(f"{name} is {value}, must be at least {low}")


def _rows(batch_size: int, first_row: int, n_rows: int | None) -> range:
    """Which rows of each batch are made here."""
    n_rows = batch_size - first_row if n_rows is None else n_rows
    _require_at_least(0, first_row=first_row)
    _require_at_least(1, n_rows=n_rows)
    if first_row + n_rows > batch_size:
        raise ValueError(f"n_rows is {n_rows}, too many from row {first_row} of {batch_size} on")
    return range(first_row, first_row + n_rows)


def _order(faceset: Faceset, seed: int, uniform_yaw: bool) -> FaceOrder:
    """In which order the faces come."""
    if uniform_yaw:
        return Balanced(seed, yaw_bins(faceset.faces.column("yaw")))
    return Shuffled(seed, len(faceset.faces))


def _color_source(references: Faceset | None, recipe: SampleRecipe, seed: int,
                  problems: Problems) -> ColorSource | None:
    """What recolours the samples, if the recipe wants it."""
    if recipe.options.color_transfer == "none" or not recipe.shows_pictures:
        return None
    if references is None:
        raise ValueError(f"colour transfer {recipe.options.color_transfer} without transfer_from")
    return ColorSource(references, recipe, seed, problems)


def _put(batch: Batch, sample: Batch, row: int, n_rows: int) -> None:
    """Copies a sample into its row of a batch, which the first sample allocates."""
    for name, array in sample.items():
        if name not in batch:
            batch[name] = np.empty((n_rows, *array.shape), np.uint8)
        batch[name][row] = array
