"""Faces in frames between others where they were not found."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.journal import read_done
from core.shots import mark_cuts
from facelib.tracks import overlap
from mainscripts.extraction.journals import FOUND_JOURNAL, JOURNAL
from mainscripts.extraction.records import signature_in
from mainscripts.merging.dst_faces import DstFace, FacesByStem

_LEAST_OVERLAP = 0.25
"""Of the boxes at both ends of a gap; as between two frames of a track (`facelib.tracks`)."""


@dataclass(frozen=True)
class Extracted:
    """What the extraction of a faceset knows about the frames.

    Attributes:
        seen: Stems of frames that it looked at.
        cuts: Stems of frames with which a new shot begins.
        cleared: Stems of frames of which somebody deleted a face.
    """

    seen: Collection[str] = ()
    cuts: Collection[str] = ()
    cleared: Collection[str] = ()


class _Gap(NamedTuple):
    """Frames without a face of a track, by their place: after `before` and ahead of `after`."""

    track: int
    before: int
    after: int


def read_extracted(aligned_dir: Path, stems: Sequence[str]) -> Extracted:
    """Reads the journals of an extraction; knows nothing where there are none.

    Args:
        aligned_dir: The faceset.
        stems: Of all frames, in order.
    """
    found = {Path(name).stem: note for name, note in read_done(aligned_dir / FOUND_JOURNAL).items()}
    written = read_done(aligned_dir / JOURNAL)
    there = {path.name for path in aligned_dir.iterdir()}
    seen = [stem for stem in stems if stem in found]
    cuts = {stem for stem, is_cut in mark_cuts(seen, lambda stem: signature_in(found[stem]))
            if is_cut}
    cleared = {Path(name).stem for name, note in written.items()
               if not there.issuperset(note["faces"])}
    return Extracted(frozenset(seen), frozenset(cuts), frozenset(cleared))


def fill_gaps(stems: Sequence[str], faces: FacesByStem, extracted: Extracted, longest: int
              ) -> dict[str, list[DstFace]]:
    """The same faces, and between those of a track the ones that were not found.

    Landmarks move evenly from one end of the gap to the other. A gap stays where a cut lies in it,
    where the face is elsewhere at its end, and where somebody deleted a face.

    Args:
        stems: Of all frames, in order.
        faces: Of these frames.
        extracted: About the frames.
        longest: Frames of the longest gap that is filled.
    """
    filled = {stem: list(of_frame) for stem, of_frame in faces.items()}
    for gap in _gaps(stems, faces, longest):
        inside = stems[gap.before + 1: gap.after]
        first, last = (_of_track(faces[stems[place]], gap.track)
                       for place in (gap.before, gap.after))
        if _is_continuous(inside, stems[gap.after], extracted) and _is_near(first, last):
            for step, stem in enumerate(inside, start=1):
                share = step / (gap.after - gap.before)
                landmarks = (1 - share) * first.landmarks + share * last.landmarks
                filled.setdefault(stem, []).append(DstFace(landmarks, gap.track, None))
    return filled


def _gaps(stems: Sequence[str], faces: FacesByStem, longest: int) -> Iterator[_Gap]:
    last: dict[int, int] = {}
    for place, stem in enumerate(stems):
        for track in {face.track for face in faces.get(stem, ())} - {None}:
            before = last.get(track, place)
            if 1 < place - before <= longest + 1:
                yield _Gap(track, before, place)
            last[track] = place


def _of_track(faces: Sequence[DstFace], track: int) -> DstFace:
    return next(face for face in faces if face.track == track)


def _is_continuous(inside: Sequence[str], after: str, extracted: Extracted) -> bool:
    return (all(stem in extracted.seen for stem in (*inside, after))
            and not any(stem in extracted.cuts for stem in (*inside, after))
            and not any(stem in extracted.cleared for stem in inside))


def _is_near(first: DstFace, last: DstFace) -> bool:
    boxes = [np.concatenate([face.landmarks.min(axis=0), face.landmarks.max(axis=0)])[np.newaxis]
             for face in (first, last)]
    return overlap(*boxes)[0, 0] >= _LEAST_OVERLAP


def count_filled(faces: Mapping[str, Sequence[DstFace]]) -> int:
    """Faces that were put in between others."""
    return sum(face.path is None for of_frame in faces.values() for face in of_frame)
