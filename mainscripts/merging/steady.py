"""Colours without flicker: each frame waits for those around it, which have a say in its own."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from core.frames import Frame
from core.pipeline import Failed
from mainscripts.merging.dst_faces import DstFace, FacesByStem, Stretch
from mainscripts.merging.frame_settings import FrameSettings
from merger.color_memory import FaceColors, color_view, needs_colors, steady_map
from merger.faces import FaceToMerge
from merger.options import MergeOptions

ViewColors = Mapping[MergeOptions, Sequence[FaceColors | None]]
"""View, as of `color_view` -> colours of each face of a frame."""

_Seen = dict[Stretch, dict[int, Mapping[MergeOptions, FaceColors | None]]]
"""Stretch -> index of a frame -> view -> colours of its face."""


class ReadFrame(NamedTuple):
    """A frame with its picture, (H, W, 3) uint8 or uint16 BGR, its faces and what the model sees of
    them."""

    frame: Frame
    image: np.ndarray
    faces: Sequence[DstFace]
    crops: list[np.ndarray]


class SwappedFrame(NamedTuple):
    """A frame with its swapped faces, and their colours in all views that are wanted."""

    frame: ReadFrame
    faces: list[FaceToMerge]
    colors: ViewColors = MappingProxyType({})


def reach_of(options: MergeOptions) -> int:
    """How many frames before and after a frame have a say in its colours."""
    return options.color_smoothing if needs_colors(options) else 0


def with_a_say(frame: Frame, faces: FacesByStem, options: MergeOptions) -> set[int]:
    """Indices of the frames that have a say in a frame's colours, itself included."""
    reach = reach_of(options)
    return {frame.index}.union(*(_window(frame, face, reach)
                                 for face in faces.get(frame.stem, ())))


def around(frames: Sequence[Frame], wanted: Iterable[Frame], faces: FacesByStem,
           settings: FrameSettings) -> list[Frame]:
    """The wanted frames and all that have a say in their colours, in order.

    Args:
        frames: All of the source.
        wanted: Some of them.
        faces: Of the frames.
        settings: How they are merged.
    """
    indices = set().union(*(with_a_say(frame, faces, settings.of(frame)) for frame in wanted))
    return [frame for frame in frames if frame.index in indices]


def views(frames: Iterable[Frame], faces: FacesByStem, settings: FrameSettings
          ) -> dict[int, Collection[MergeOptions]]:
    """How the colours of frames are looked at: those around a frame are measured as its own are, so
    that what becomes of it depends on no other frame's options.

    Args:
        frames: Those to be written.
        faces: Of all frames.
        settings: How they are merged.

    Returns:
        Index of a frame that has a say -> the views that are wanted of it, as of `color_view`.
    """
    wanted: dict[int, dict[MergeOptions, None]] = {}
    for frame in frames:
        options = settings.of(frame)
        if needs_colors(options):
            for index in with_a_say(frame, faces, options):
                wanted.setdefault(index, {})[color_view(options)] = None
    return wanted


def steadied(items: Iterable[tuple[str, SwappedFrame | Failed]], settings: FrameSettings,
             reach: int) -> Iterator[tuple[str, SwappedFrame | Failed]]:
    """Gives the same frames in the same order, each when those that it waits for have come.

    Args:
        items: Frames in order; not all of a video need to be there.
        settings: How they are merged.
        reach: The most frames before and after that have a say.
    """
    waiting: deque[tuple[str, SwappedFrame | Failed]] = deque()
    seen: _Seen = {}
    for name, item in items:
        waiting.append((name, item))
        if isinstance(item, Failed):
            continue
        index = item.frame.frame.index
        for place, face in enumerate(item.frame.faces):
            if face.stretch is not None:
                seen.setdefault(face.stretch, {})[index] = {
                    view: colors[place] for view, colors in item.colors.items()}
        while waiting and _is_ready(waiting[0][1], index, settings):
            yield _steady(*waiting.popleft(), seen, settings)
        _forget(seen, index - 2 * reach)
    while waiting:
        yield _steady(*waiting.popleft(), seen, settings)


def _window(frame: Frame, face: DstFace, reach: int) -> range:
    """Indices of the frames that have a say in a face's colours."""
    if face.stretch is None:
        return range(frame.index, frame.index + 1)
    return range(max(face.stretch.first, frame.index - reach),
                 min(face.stretch.last, frame.index + reach) + 1)


def _is_ready(item: SwappedFrame | Failed, index: int, settings: FrameSettings) -> bool:
    if isinstance(item, Failed):
        return True
    frame = item.frame.frame
    reach = reach_of(settings.of(frame))
    ends = [_window(frame, face, reach)[-1] for face in item.frame.faces]
    return max(ends, default=frame.index) <= index


def _steady(name: str, item: SwappedFrame | Failed, seen: _Seen, settings: FrameSettings
            ) -> tuple[str, SwappedFrame | Failed]:
    if isinstance(item, Failed):
        return name, item
    frame, options = item.frame.frame, settings.of(item.frame.frame)
    if not needs_colors(options):
        return name, item
    reach, view, faces = reach_of(options), color_view(options), []
    for face, swapped in zip(item.frame.faces, item.faces, strict=True):
        if face.stretch is not None:
            window = _window(frame, face, reach)
            of_stretch = seen[face.stretch]
            colors = [of_stretch.get(number, {}).get(view) for number in window]
            swapped = replace(swapped, steady_map=steady_map(colors, frame.index - window[0]))
        faces.append(swapped)
    return name, item._replace(faces=faces)


def _forget(seen: _Seen, oldest: int) -> None:
    """Drops colours of frames before the oldest one that anybody may still look at."""
    for stretch, colors in list(seen.items()):
        for number in [number for number in colors if number < oldest]:
            del colors[number]
        if not colors:
            del seen[stretch]
