"""Which faces of a video are one person's: tracks from frame to frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from facelib.types import FoundFace

MAX_GAP = 8
"""Frames a face may be missing and still be the same without an embedding that says so."""

_REACH = 1.5
"""Boxes are compared this many times larger, so that small, fast faces overlap too."""

_LEAST_OVERLAP = 0.25
"""Intersection over union of such boxes; a face may move by 0.9 of its width in a step."""

_TINY = 1e-12


class Place(NamedTuple):
    """Where a face belongs.

    `track`: number of the person's track, from 0; `run`: number of the stretch of it without a cut
    or a long gap, from 0 over all tracks, inside which the face moves continuously.
    """

    track: int
    run: int


@dataclass
class _Track:
    """What is remembered of one track.

    Attributes:
        place: Its number and that of its present run.
        frame: When it was seen last.
        box: Where, (4,) float64.
        velocity: (4,) float64 change of the box per frame.
        embedding: (D,) sum of the unit embeddings so far, or None.
    """

    place: Place
    frame: int
    box: np.ndarray
    velocity: np.ndarray
    embedding: np.ndarray | None


class Tracker:
    """Gives each face of a video the number of its track, frame after frame.

    A face goes on with the track whose box, moved on at its speed, overlaps most. With embeddings
    a face that looks like somebody else does not, and a face that appears anew, also after a cut,
    goes on with the track of the person it looks like. What a frame gets depends on those before
    it and on nothing else.
    """

    def __init__(self, *, same_person: float = 0.5, max_gap: int = MAX_GAP):
        """
        Args:
            same_person: Cosine of two embeddings from which on they are of one person.
            max_gap: Frames a face may be missing and still be found again by its place.
        """
        self._same_person = same_person
        self._max_gap = max_gap
        self._tracks: list[_Track] = []
        self._alive: list[_Track] = []
        self._n_runs = 0

    @property
    def n_tracks(self) -> int:
        """How many tracks there are so far."""
        return len(self._tracks)

    def step(self, frame: int, faces: Sequence[FoundFace], *, is_cut: bool = False) -> list[Place]:
        """Takes the faces of the next frame.

        Args:
            frame: Its number, larger than that of the step before.
            faces: All of it; with embeddings or without.
            is_cut: Whether a new shot begins with it.

        Returns:
            The place of each face, in their order; no track twice.
        """
        self._alive = [] if is_cut else [
            track for track in self._alive if frame - track.frame <= self._max_gap + 1]
        overlaps = np.where(self._may_be_same(faces), _overlaps(faces, self._alive, frame), 0)
        found = {row: self._alive[column]
                 for row, column in _best_pairs(overlaps, _LEAST_OVERLAP)}
        for row, track in self._recognised(faces, found).items():
            found[row] = track
            track.place = track.place._replace(run=self._new_run())
            track.velocity = np.zeros(4)
            track.box = np.asarray(faces[row].box, np.float64)
        for row, face in enumerate(faces):
            if row not in found:
                found[row] = self._begin(face, frame)
            _update(found[row], face, frame)
        self._alive = [*found.values(), *(track for track in self._alive
                                          if all(track is not other for other in found.values()))]
        return [found[row].place for row in range(len(faces))]

    def _may_be_same(self, faces: Sequence[FoundFace]) -> np.ndarray:
        """(faces, tracks alive) bool: not two people by their looks."""
        # Half the threshold: one frame of a face may be turned away, blurred or covered.
        return np.array([[_similarity(track, face, unknown=1.0) >= self._same_person / 2
                          for track in self._alive] for face in faces], bool
                        ).reshape(len(faces), len(self._alive))

    def _recognised(self, faces: Sequence[FoundFace], found: dict[int, _Track]
                    ) -> dict[int, _Track]:
        """Faces without a track that look like the person of a track which is not in the frame."""
        rows = [row for row in range(len(faces)) if row not in found]
        taken = {track.place.track for track in found.values()}
        absent = [track for track in self._tracks if track.place.track not in taken]
        similarities = np.array([[_similarity(track, faces[row], unknown=-1.0) for track in absent]
                                 for row in rows]).reshape(len(rows), len(absent))
        return {rows[row]: absent[column]
                for row, column in _best_pairs(similarities, self._same_person)}

    def _begin(self, face: FoundFace, frame: int) -> _Track:
        track = _Track(Place(len(self._tracks), self._new_run()), frame,
                       np.asarray(face.box, np.float64), np.zeros(4), None)
        self._tracks.append(track)
        return track

    def _new_run(self) -> int:
        self._n_runs += 1
        return self._n_runs - 1


def overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes, all enlarged by half about their centres.

    Args:
        a: (N, 4) float x1, y1, x2, y2.
        b: (M, 4) float.

    Returns:
        (N, M) float64, 0 to 1.
    """
    (low_a, high_a), (low_b, high_b) = _enlarged(a), _enlarged(b)
    sides = np.minimum(high_a[:, None], high_b) - np.maximum(low_a[:, None], low_b)  # (N, M, 2)
    shared = np.prod(np.clip(sides, 0, None), axis=-1)
    areas_a, areas_b = np.prod(high_a - low_a, axis=-1), np.prod(high_b - low_b, axis=-1)
    return shared / np.maximum(areas_a[:, None] + areas_b - shared, _TINY)


def _enlarged(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Upper left and lower right corners, (N, 2) each."""
    low, high = np.moveaxis(np.asarray(boxes, np.float64).reshape(-1, 2, 2), 1, 0)
    centre, half = (low + high) / 2, (high - low) / 2 * _REACH
    return centre - half, centre + half


def _overlaps(faces: Sequence[FoundFace], tracks: Sequence[_Track], frame: int) -> np.ndarray:
    """(faces, tracks): with the last box of each track, or with that moved on at its speed."""
    boxes = np.array([face.box for face in faces])
    last = np.array([track.box for track in tracks])
    moved = np.array([track.box + track.velocity * (frame - track.frame) for track in tracks])
    return np.maximum(overlap(boxes, last), overlap(boxes, moved))


def _best_pairs(values: np.ndarray, least: float) -> list[tuple[int, int]]:
    """(row, column) pairs with the largest sum of values, none of them below `least`."""
    rows, columns = linear_sum_assignment(np.where(values >= least, values, 0), maximize=True)
    return [(int(row), int(column)) for row, column in zip(rows, columns)
            if values[row, column] >= least]


def _similarity(track: _Track, face: FoundFace, unknown: float) -> float:
    """Cosine of the embeddings; `unknown` without them."""
    if track.embedding is None or face.embedding is None:
        return unknown
    return float(_unit(track.embedding) @ _unit(face.embedding))


def _update(track: _Track, face: FoundFace, frame: int) -> None:
    box = np.asarray(face.box, np.float64)
    if frame > track.frame:
        track.velocity = (box - track.box) / (frame - track.frame)
    track.frame, track.box = frame, box
    if face.embedding is not None:
        unit = _unit(face.embedding)
        track.embedding = unit if track.embedding is None else track.embedding + unit


def _unit(vector: np.ndarray) -> np.ndarray:
    vector = np.asarray(vector, np.float64)
    return vector / max(np.linalg.norm(vector), _TINY)
