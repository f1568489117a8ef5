"""What is done behind the window: reading, swapping, merging, writing, each in threads of its own.

All methods are called from one thread, and none but `close` waits. Work is handed out, and what is
done is taken; the threads only ever see what they are given.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from core.errors import ImageError
from core.frames import Frame, FrameSource
from core.imaging.io import read_image
from facelib.protocols import FaceEnhancer, FaceSegmenter
from mainscripts.merging.stages import BATCH, MergeNetworks, Merger
from mainscripts.merging.steady import with_a_say
from mainscripts.merging.write import FrameWriter
from mainscripts.merging_window.tasks import Merged, Refused, Swapped, Tasks
from merger.networks import needed_of_faces
from merger.options import MergeOptions
from merger.pipeline import MergedFrame

LEAST_AHEAD = BATCH // 2
"""Frames that are swapped ahead together; a batch costs the same however few it has."""

_KEPT_BYTES = 512_000_000
_KEPT_FRAMES = 4 * BATCH, 16 * BATCH
_IMAGE_WORKERS = 2


class Written(NamedTuple):
    """The file of frame `number` is there, as `merged` says."""

    number: int
    merged: Merged


class Loaded(NamedTuple):
    """What was written for frame `number` earlier, as in `MergedFrame`: no `image` if it cannot be
    read, no `mask` if none are written."""

    number: int
    image: np.ndarray | None
    mask: np.ndarray | None


Outcome = Merged | Written | Loaded | Refused


class Backstage:
    """The work on the frames of one source."""

    def __init__(self, source: FrameSource, merger: Merger, writer: FrameWriter):
        """
        Args:
            source: All frames.
            merger: Swaps and merges.
            writer: Of the results.
        """
        self._frames, self._writer = source.frames, writer
        self._faces = merger.faces
        self._tasks = Tasks(source, merger)
        self._swap_thread = ThreadPoolExecutor(1, "swap")
        self._image_threads = ThreadPoolExecutor(_IMAGE_WORKERS, "merge")
        self._write_thread = ThreadPoolExecutor(1, "write")
        self._swapped: OrderedDict[int, Swapped] = OrderedDict()
        self._jobs: dict[int, MergeOptions] = {}
        self._ahead: list[tuple[int, MergeOptions]] = []
        self._merging: set[int] = set()
        self._swapping: Future | None = None
        self._running: list[tuple[Future, Callable[[Any], Outcome | None]]] = []

    def submit(self, number: int, options: MergeOptions) -> None:
        """Wants a frame merged; in the place of what was wanted of it and has not begun."""
        self._jobs[number] = options

    def prepare(self, wanted: Sequence[tuple[int, MergeOptions]]) -> None:
        """Says which frames will be looked at next, with which options, the nearest first."""
        self._ahead = list(wanted)

    def write(self, merged: Merged) -> None:
        """Puts a result on disk; results are written in the order of these calls."""
        future = self._write_thread.submit(
            self._writer.write, self._frames[merged.number], merged.picture,
            is_changed=merged.is_changed)
        self._running.append((future, lambda _: Written(merged.number, merged)))

    def write_as_it_came(self, number: int, image: np.ndarray) -> None:
        """Puts the frame itself where a result cannot be made."""
        empty = np.zeros((*image.shape[:2], 1), image.dtype)
        future = self._write_thread.submit(
            self._writer.write, self._frames[number], MergedFrame(image, empty), is_changed=False)
        self._running.append((future, lambda _: None))

    def load(self, number: int) -> None:
        """Wants to see what is on disk, behind what is still to be written."""
        future = self._write_thread.submit(_load, self._writer, self._frames[number])
        self._running.append((future, lambda pictures: Loaded(number, *pictures)))

    def image(self, number: int) -> np.ndarray | None:
        """The frame as it came, (H, W, 3) BGR, if it is at hand."""
        swapped = self._swapped.get(number)
        return None if swapped is None or swapped.read is None else swapped.read.image

    def is_swapped(self, number: int, options: MergeOptions) -> bool:
        """Whether the predicted faces of a frame are at hand."""
        swapped = self._swapped.get(number)
        return swapped is not None and (swapped.failed is not None
                                        or needed_of_faces(options) <= swapped.has)

    @property
    def is_busy(self) -> bool:
        """Whether anything that was asked for is not done yet; `prepare` asks for nothing."""
        return bool(self._jobs or self._running)

    def give_up(self) -> None:
        """Forgets what has not begun."""
        self._jobs.clear()
        self._ahead.clear()

    def poll(self) -> list[Outcome]:
        """Gives what was done since the last call.

        Raises whatever a thread raised that is no fault of a frame.
        """
        outcomes: list[Outcome] = []
        done = [part for part in self._running if part[0].done()]
        self._running = [part for part in self._running if part not in done]
        for future, outcome_of in done:
            if (outcome := outcome_of(future.result())) is not None:
                outcomes.append(outcome)
        self._take_swapped()
        return outcomes

    def hand_out(self) -> None:
        """Has the threads begin what can be begun."""
        self._hand_out_merging()
        self._hand_out_swapping()

    @property
    def networks(self) -> MergeNetworks:
        """What the merger asks."""
        return self._tasks.merger.networks

    def add_network(self, name: str, network: FaceSegmenter | FaceEnhancer) -> None:
        """Has this one help from now on, as the one of that name in `MergeNetworks`."""
        networks = self.networks._replace(**{name: network})
        self._tasks.merger = replace(self._tasks.merger, networks=networks)

    def close(self) -> None:
        """Waits for what has begun and lets go of everything."""
        for threads in (self._swap_thread, self._image_threads, self._write_thread):
            threads.shutdown(cancel_futures=True)
        self._tasks.close()

    def _around(self, number: int, options: MergeOptions) -> list[int]:
        """Numbers of the frame and of those that have a say in its colours."""
        return sorted(with_a_say(self._frames[number], self._faces, options))

    def _missing(self, numbers: Iterable[int], options: MergeOptions) -> list[int]:
        return [number for number in numbers if not self.is_swapped(number, options)]

    def _hand_out_merging(self) -> None:
        for number, options in list(self._jobs.items()):
            numbers = self._around(number, options)
            if number in self._merging or self._missing(numbers, options):
                continue
            del self._jobs[number]
            self._merging.add(number)
            together = {other: self._swapped[other] for other in numbers}
            future = self._image_threads.submit(self._tasks.merge, number, together, options)
            self._running.append((future, self._end_merging))
            if self._swapped[number].failed is not None:
                del self._swapped[number]  # with other options it may go well

    def _end_merging(self, outcome: Merged | Refused) -> Outcome:
        self._merging.discard(outcome.number)
        return outcome

    def _hand_out_swapping(self) -> None:
        if self._swapping is not None:
            return
        wanted, ahead = self._to_swap(self._jobs.items()), self._to_swap(self._ahead)
        if not wanted and len(ahead) < min(LEAST_AHEAD, len(self._ahead)):
            return
        batch = list(wanted.items()) + [job for job in ahead.items() if job[0] not in wanted]
        if batch:
            self._swapping = self._swap_thread.submit(self._tasks.swap, batch[:BATCH])

    def _to_swap(self, jobs: Iterable[tuple[int, MergeOptions]]) -> dict[int, MergeOptions]:
        """What is missing for jobs: their own frames first, then those around."""
        missing: dict[int, MergeOptions] = {}
        for number, options in jobs:
            numbers = [number, *self._around(number, options)]
            missing |= {other: options for other in self._missing(numbers, options)
                        if other not in missing}
        return missing

    def _take_swapped(self) -> None:
        if self._swapping is None or not self._swapping.done():
            return
        for number, swapped in self._swapping.result().items():
            self._swapped[number] = swapped
            self._swapped.move_to_end(number)
        self._swapping = None
        in_use = {other for number, options in self._jobs.items()
                  for other in self._around(number, options)}
        for number in list(self._swapped)[: len(self._swapped) - self._n_kept()]:
            if number not in in_use:
                del self._swapped[number]

    def _n_kept(self) -> int:
        size = max((swapped.read.image.nbytes for swapped in self._swapped.values()
                    if swapped.read is not None), default=1)
        return int(np.clip(_KEPT_BYTES // size, *_KEPT_FRAMES))


def _load(writer: FrameWriter, frame: Frame) -> tuple[np.ndarray | None, np.ndarray | None]:
    name, mask = f"{frame.stem}.png", None
    try:
        image = read_image(writer.folder / name, deep=True)
        if writer.mask_folder is not None:
            mask = read_image(writer.mask_folder / name, deep=True)[..., :1]
    except ImageError:
        return None, None
    return image, mask
