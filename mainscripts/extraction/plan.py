"""What becomes of found faces: their tracks, and landmarks smoothed along them."""

import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

import numpy as np

from core.frames import Frame
from core.shots import mark_cuts
from facelib.smoothing import Run, jitter, smooth
from facelib.tracks import Place, Tracker
from facelib.types import FoundFace
from mainscripts.extraction.records import FoundFrame

T = TypeVar("T")


class PlannedFace(NamedTuple):
    """A face as it is to be written: with the landmarks that count, and its track."""

    face: FoundFace
    track: int


class PlannedFrame(NamedTuple):
    """All faces of a frame, largest first."""

    frame: Frame
    faces: list[PlannedFace]

    @property
    def fingerprint(self) -> int:
        """Changes with anything that the files of these faces hold, but for the settings."""
        digest = zlib.crc32(str(self.frame.index).encode())
        for face, track in self.faces:
            for array in (face.box, face.landmarks):
                digest = zlib.crc32(np.asarray(array, np.float32).tobytes(), digest)
            digest = zlib.crc32(f"{track} {face.score}".encode(), digest)
        return digest


def planned_frame(
    frame: Frame, faces: Sequence[FoundFace], places: Sequence[Place]
) -> PlannedFrame:
    """Found faces with their places."""
    return PlannedFrame(frame, [PlannedFace(face, place.track)
                                for face, place in zip(faces, places, strict=True)])


class Planner:
    """Follows faces through the frames, in order.

    Attributes:
        n_cuts: So far.
    """

    def __init__(self, same_person: float):
        """
        Args:
            same_person: Cosine of two embeddings from which on they are of one person.
        """
        self.n_cuts = 0
        self._tracker = Tracker(same_person=same_person)
        self._runs: dict[int, tuple[list[int], list[np.ndarray]]] = defaultdict(lambda: ([], []))

    @property
    def n_tracks(self) -> int:
        """So far."""
        return self._tracker.n_tracks

    @property
    def runs(self) -> dict[int, Run]:
        """Number -> run, with the landmarks as they were found."""
        return {number: Run(np.array(frames), np.array(landmarks))
                for number, (frames, landmarks) in self._runs.items()}

    def follow(
        self, items: Iterable[T], found_of: Callable[[T], FoundFrame | None]
    ) -> Iterator[tuple[T, list[Place]]]:
        """Gives each face its place, a few frames after it came in.

        Args:
            items: One for each frame.
            found_of: What was found in it, or None where it cannot be read.
        """
        def signature_of(item: T) -> np.ndarray | None:
            found = found_of(item)
            return None if found is None else found.signature

        for number, (item, is_cut) in enumerate(mark_cuts(items, signature_of)):
            found = found_of(item)
            faces = [] if found is None else found.faces
            places = self._tracker.step(number, faces, is_cut=is_cut)
            self.n_cuts += is_cut
            for face, place in zip(faces, places):
                frames, landmarks = self._runs[place.run]
                frames.append(number)
                landmarks.append(face.landmarks)
            yield item, places


def plan_all(
    frames: Iterable[Frame], found: Callable[[Frame], FoundFrame | None], planner: Planner,
    n_smooth: int,
) -> Iterator[PlannedFrame]:
    """Plans frames that have all been looked at; those that could not be read are left out.

    Args:
        frames: All of the source, in order.
        found: Gives what was found in a frame, or None.
        planner: Fresh; follows them.
        n_smooth: Time step of the smoothing; 0: none.
    """
    read = ((frame, found(frame)) for frame in frames)
    # Landmarks are smoothed by run, so all frames are followed first; pictures play no part.
    followed = [(item, places) for item, places in planner.follow(read, lambda item: item[1])]
    smoothed = {number: iter(smooth(run, n_smooth).astype(np.float32))
                for number, run in planner.runs.items()}
    for (frame, seen), places in followed:
        if seen is not None:
            faces = [replace(face, landmarks=next(smoothed[place.run]))
                     for face, place in zip(seen.faces, places)]
            yield planned_frame(frame, faces, places)


def jitter_before_and_after(planner: Planner, n_smooth: int) -> tuple[float | None, float | None]:
    """`facelib.smoothing.jitter` of all faces as they were found and as they are written."""
    runs = list(planner.runs.values())
    before = jitter(runs)
    if not n_smooth:
        return before, before
    return before, jitter(Run(run.frames, smooth(run, n_smooth)) for run in runs)
