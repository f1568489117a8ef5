"""Batches of training samples, made ahead by threads and repeatable by their seed."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.errors import FaceLabError, NoFacesFound
from samplelib.face_cache import FaceCache, PreparedFace
from samplelib.faceset import Faceset
from samplelib.geometry import UNCHANGED, draw_geometry
from samplelib.opencv_threads import OPENCV_THREADS
from samplelib.order import face_index, sample_rng
from samplelib.processor import make_sample
from samplelib.recipe import SampleOptions, SampleRecipe, require_coverage

__all__ = ["Batch", "BatchGenerator", "Problem", "SampleOptions", "SampleRecipe", "preview_batch"]

Batch = dict[str, np.ndarray]
"""Output name -> (N, R, R, C) float32 in [0, 1]; BGR images have C = 3, masks C = 1."""

DEFAULT_CACHE_BYTES = 512 * 2**20
UNREADABLE = (FaceLabError, OSError, ValueError)
"""What a face that was deleted, truncated or overwritten since loading can raise."""


class Problem(NamedTuple):
    """A face that cannot be used."""

    path: Path
    reason: str


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
                 on_problem: Callable[[Problem], None] | None = None):
        """
        Args:
            faceset: Where the faces come from.
            recipe: What the samples are.
            batch_size: Samples per batch, N.
            seed: Fixes the order of the faces and all chance; at least 0.
            workers: Threads that make batches.
            prefetch: Batches in the making or ready; at least 1.
            start_index: First sample; `position` of an earlier run continues that run.
            cache_bytes: Most memory for decoded faces; the rest is decoded again each time.
            on_problem: Called once for each face that cannot be read, by the thread that takes
                the batch; such a face is replaced by the next one of the epoch.

        Raises:
            OptionError: A face is narrower than the recipe's face type.
        """
        for name, value, low in (("batch_size", batch_size, 1), ("workers", workers, 1),
                                 ("prefetch", prefetch, 1), ("start_index", start_index, 0),
                                 ("seed", seed, 0)):
            if value < low:
                raise ValueError(f"{name} is {value}, must be at least {low}")
        require_coverage(faceset, recipe.face_type)
        self._faceset = faceset
        self._recipe = recipe
        self._batch_size = batch_size
        self._seed = seed
        self._workers = workers
        self._prefetch = prefetch
        self._position = start_index
        self._next_start = start_index
        self._cache = FaceCache(faceset.faces, recipe, cache_bytes)
        self._unreadable: dict[int, Problem] = {}
        self._on_problem = on_problem
        self._problems: list[Problem] = []
        self._pool: ThreadPoolExecutor | None = None
        self._queue: deque[Future[Batch]] = deque()

    @property
    def position(self) -> int:
        """Index of the first sample of the next batch; `start_index` to go on from here."""
        return self._position

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Faces found unreadable so far, each once."""
        return tuple(self._problems)

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
        n_faces = len(self._faceset.faces)
        for row in range(self._batch_size):
            position = start + row
            rng = sample_rng(self._seed, position)
            geometry = draw_geometry(self._recipe.options, rng)
            indices = (face_index(self._seed, position, n_faces, skip) for skip in range(n_faces))
            face = _first_readable(self._faceset, self._cache, indices, self._unreadable)
            _put(batch, make_sample(face, self._recipe, geometry, rng), row, self._batch_size)
        return batch

    def _report(self) -> None:
        """Passes on the faces that the workers have found unreadable since the last call."""
        found = list(self._unreadable.values())  # one step, so workers may go on adding
        for problem in found[len(self._problems):]:
            self._problems.append(problem)
            if self._on_problem is not None:
                self._on_problem(problem)


def preview_batch(faceset: Faceset, recipe: SampleRecipe, indices: Sequence[int]) -> Batch:
    """Gives chosen faces as the model sees them, without warp, transform and flip.

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
    cache = FaceCache(faceset.faces, recipe, n_bytes=0)
    n_faces = len(faceset.faces)
    unreadable: dict[int, Problem] = {}
    batch: Batch = {}
    for row, index in enumerate(indices):
        places = ((index + skip) % n_faces for skip in range(n_faces))
        face = _first_readable(faceset, cache, places, unreadable)
        # Steps get a fixed source of chance, so a preview shows the same every time.
        sample = make_sample(face, recipe, UNCHANGED, np.random.default_rng(0))
        _put(batch, sample, row, len(indices))
    return batch


def _first_readable(faceset: Faceset, cache: FaceCache, indices: Iterable[int],
                    unreadable: dict[int, Problem]) -> PreparedFace:
    """Gives the first of some faces that can be read, and notes those that cannot."""
    for index in indices:
        if index in unreadable:
            continue
        try:
            return cache.get(index)
        except UNREADABLE as error:
            # Two threads may meet the same face at the same moment; the first one notes it.
            unreadable.setdefault(index, Problem(faceset.faces[index].path, str(error)))
    first = next(iter(unreadable.values()))
    raise NoFacesFound(
        f"{faceset.folder}: none of its {len(faceset.faces)} faces can be read any more "
        f"({first.reason.split(';')[0]}); restore the folder or extract the faces again")


def _put(batch: Batch, sample: Batch, row: int, n_rows: int) -> None:
    """Copies a sample into its row of a batch, which the first sample allocates."""
    for name, array in sample.items():
        if name not in batch:
            batch[name] = np.empty((n_rows, *array.shape), np.float32)
        batch[name][row] = array
