"""What the threads behind the window do: swapping some frames, merging one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from core.frames import FrameSource
from core.pipeline import FRAME_ERRORS, Failed
from mainscripts.manual.reading import FrameReader
from mainscripts.merging.frame_settings import FrameSettings
from mainscripts.merging.stages import Merger, is_changed
from mainscripts.merging.steady import ReadFrame, SwappedFrame, reach_of, steadied
from merger.color_memory import FaceColors, color_view, needs_colors
from merger.faces import FaceToMerge
from merger.masks import LEARNED_DST, LEARNED_PRD, MASK_MODES, XSEG_DST, XSEG_PRD
from merger.networks import ENHANCED, needed_of_faces
from merger.options import MergeOptions
from merger.pipeline import MergedFrame

_WIDE_MASK_MODES = {
    name: frozenset((*MASK_MODES[name].parts, ENHANCED)) for name in (
        f"{LEARNED_PRD}*{LEARNED_DST}",
        f"{LEARNED_PRD}*{LEARNED_DST}*{XSEG_PRD}*{XSEG_DST}")}
"""Mask modes that need all of the swap, and all of the swap and of a segmenter, the cheaper one
first."""


class Merged(NamedTuple):
    """Frame `number` was merged with `options` and is not written yet; it has `n_faces`."""

    number: int
    options: MergeOptions
    picture: MergedFrame
    n_faces: int
    is_changed: bool


class Refused(NamedTuple):
    """Frame `number` cannot be merged with `options`; its `image` is None if it is unreadable."""

    number: int
    options: MergeOptions
    reason: str
    image: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Swapped:
    """A frame with its predicted faces.

    Attributes:
        read: None if it cannot be read.
        faces: Those that the model made.
        has: What is known of them; see `needed_of_faces`.
        failed: Why there are no faces, or None.
        colors: What was measured so far, by view.
    """

    read: ReadFrame | None
    faces: list[FaceToMerge]
    has: frozenset[str]
    failed: Failed | None = None
    colors: dict[MergeOptions, list[FaceColors | None]] = field(default_factory=dict)


class Tasks:
    """The work itself: `swap` for one thread, `merge` for any.

    Attributes:
        merger: Swaps and merges; may be replaced at any time.
    """

    def __init__(self, source: FrameSource, merger: Merger):
        """
        Args:
            source: All frames.
            merger: Swaps and merges.
        """
        self.merger, self._frames = merger, source.frames
        self._reader = FrameReader(source)

    def close(self) -> None:
        """Lets go of the source."""
        self._reader.close()

    def swap(self, batch: Sequence[tuple[int, MergeOptions]]) -> dict[int, Swapped]:
        """Reads frames and swaps their faces, whatever mask of the model will be wanted.

        Args:
            batch: Numbers of frames, and what is needed of each beside that.
        """
        found: dict[int, Swapped] = {}
        read: list[tuple[int, ReadFrame, MergeOptions]] = []
        for number, options in batch:
            looked = self._look(number)
            if isinstance(looked, Swapped):
                found[number] = looked
            else:
                read.append((number, looked, options))
        return found | self._predicted(read)

    def merge(self, number: int, together: Mapping[int, Swapped], options: MergeOptions
              ) -> Merged | Refused:
        """Merges one frame.

        Args:
            number: Its.
            together: The frame and those around it that have a say in its colours, in order.
            options: Its own; the colours around are measured alike.
        """
        own = together[number]
        image = None if own.read is None else own.read.image
        if own.failed is not None:
            return Refused(number, options, own.failed.reason, image)
        try:
            faces = self._steady_faces(number, together, options)
            picture = self.merger.merge(own.read, faces, options)
        except FRAME_ERRORS as error:
            return Refused(number, options, Failed(number, error).reason, image)
        return Merged(number, options, picture, len(faces), is_changed(own.read, picture))

    def _look(self, number: int) -> ReadFrame | Swapped:
        frame, image = self._frames[number], self._reader.picture(number)
        if image is None:
            failed = Failed(number, OSError(self._reader.failed[frame.name]))
            return Swapped(None, [], frozenset(), failed)
        try:
            return self.merger.look(frame, image)
        except FRAME_ERRORS as error:
            return Swapped(ReadFrame(frame, image, (), []), [], frozenset(),
                           Failed(number, error))

    def _predicted(self, read: Sequence[tuple[int, ReadFrame, MergeOptions]]
                   ) -> dict[int, Swapped]:
        if not read:
            return {}
        try:
            faces = self.merger.predict([frame for _, frame, _ in read],
                                        [(_widened(options),) for _, _, options in read])
        except FRAME_ERRORS as error:
            if len(read) == 1:
                (number, frame, options), = read
                return {number: Swapped(frame, [], frozenset(), Failed(number, error))}
            # One bad frame must not take its neighbours along: each tries on its own.
            return {number: swapped for one in read
                    for number, swapped in self._predicted([one]).items()}
        return {number: Swapped(frame, of_frame, needed_of_faces(_widened(options)))
                for (number, frame, options), of_frame in zip(read, faces, strict=True)}

    def _steady_faces(self, number: int, together: Mapping[int, Swapped], options: MergeOptions
                      ) -> list[FaceToMerge]:
        """The faces of a frame, with what the frames around say of their colours."""
        own = together[number]
        if not needs_colors(options):
            return own.faces
        view = color_view(options)
        items = ((self._frames[other].name, swapped.failed or SwappedFrame(
            swapped.read, swapped.faces, {view: self._colors(swapped, view)}))
            for other, swapped in together.items())
        name = self._frames[number].name
        return next(item.faces for key, item in steadied(items, FrameSettings(options),
                                                         reach_of(options)) if key == name)

    def _colors(self, swapped: Swapped, view: MergeOptions) -> list[FaceColors | None]:
        if view not in swapped.colors:
            swapped.colors[view] = self.merger.colors(swapped.read, swapped.faces, view)
        return swapped.colors[view]


def _widened(options: MergeOptions) -> MergeOptions:
    """Options that ask the same networks for all they know, so that another mask mode needs no new
    swap."""
    needed = needed_of_faces(options)
    mask_mode = next((name for name, wide in _WIDE_MASK_MODES.items() if needed <= wide),
                     options.mask_mode)
    return replace(options, mask_mode=mask_mode)
