"""From frames to found faces: decode, detect and landmarks, each in threads of its own."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from core.frames import Frame, FrameSource, Load
from core.native_log import quiet_import
from core.pipeline import Failed, Pipeline, Stage
from core.shots import signature
from facelib.detect import FaceFinder
from facelib.registry import DETECTORS, EMBEDDERS, LANDMARKERS
from facelib.types import Face
from mainscripts.extraction.options import FINDING, ExtractOptions
from mainscripts.extraction.records import FoundFrame, to_note

BATCH = 8
"""Frames in a network at a time."""

_WAITING = 4
"""Frames that may wait between the stages."""


class Seen(NamedTuple):
    """What was found in a frame, with its picture, (H, W, 3) uint8 BGR, if that is at hand."""

    frame: Frame
    image: np.ndarray | None
    found: FoundFrame


class _Decoded(NamedTuple):
    frame: Frame
    image: np.ndarray
    signature: np.ndarray


class _Detected(NamedTuple):
    decoded: _Decoded
    boxes: list[Face]


class FindJob(NamedTuple):
    """One chunk of frames; can be sent to another process.

    `source`: with the frames of the chunk alone; `settings`: the FINDING options and their values.
    """

    source: FrameSource
    settings: tuple[tuple[str, Any], ...]


def finding_settings(options: ExtractOptions) -> tuple[tuple[str, Any], ...]:
    """The options that decide what is found, as a value that can be compared and sent."""
    values = asdict(options)
    return tuple((name, values[name]) for name in FINDING)


def open_finder(settings: tuple[tuple[str, Any], ...]) -> FaceFinder:
    """Builds the networks.

    Raises:
        OptionError: A part has an unknown name.
        WeightsMissing: A weight file is absent or damaged.
    """
    chosen = dict(settings)
    # A user's own class takes no options of ours.
    is_known = chosen["landmarks"] in LANDMARKERS.names()
    landmarker = LANDMARKERS.load(chosen["landmarks"])(
        **{"samples": chosen["samples"]} if is_known else {})
    embedder = EMBEDDERS.load(chosen["identity"])() if chosen["identity"] else None
    same = ("rotate", "second_pass", "max_faces", "min_face_size")
    return FaceFinder(DETECTORS.load(chosen["detector"])(), landmarker, embedder,
                      **{name: chosen[name] for name in same})


def find_faces_of(source: FrameSource, frames: Sequence[Frame], finder: FaceFinder) -> Pipeline:
    """Iterate over it to get (frame name, `Seen` or `Failed`) in order."""
    return Pipeline(source.read(frames), find_stages(finder), capacity=_WAITING)


def find_chunk(job: FindJob) -> list[tuple[str, dict[str, Any] | Failed]]:
    """The notes of all faces of a chunk; for `core.chunks`."""
    quiet_import("tensorflow")
    pipeline = find_faces_of(job.source, job.source.frames, _finder_of_worker(job.settings))
    return [(name, outcome.portable() if isinstance(outcome, Failed) else to_note(outcome.found))
            for name, outcome in pipeline]


@functools.lru_cache(maxsize=1)
def _finder_of_worker(settings: tuple[tuple[str, Any], ...]) -> FaceFinder:
    """Kept, as chunk after chunk needs the same networks."""
    return open_finder(settings)


def find_stages(finder: FaceFinder) -> list[Stage]:
    """The stages from (`Frame`, `Load`) to `Seen`."""
    def detect(frames: Sequence[_Decoded]) -> Iterator[_Detected]:
        return map(_Detected, frames, finder.detect([frame.image for frame in frames]))

    def complete(frames: Sequence[_Detected]) -> list[Seen]:
        images = [decoded.image for decoded, _ in frames]
        found = finder.complete(images, [boxes for _, boxes in frames])
        return [Seen(decoded.frame, decoded.image, FoundFrame(decoded.signature, faces))
                for (decoded, _), faces in zip(frames, found, strict=True)]

    return [Stage("decode", _decode, workers=2),
            Stage("detect", detect, batch=BATCH),
            Stage("landmarks", complete, batch=BATCH)]


def _decode(item: tuple[Frame, Load]) -> _Decoded:
    frame, load = item
    image = load()
    return _Decoded(frame, image, signature(image))
