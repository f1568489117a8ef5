"""Which faces the frames have, as the aligned dst faces say."""

import contextlib
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.geometry import invert_affine, transform_points
from facelib.align import face_transform
from facelib.face_type import FaceType
from samplelib.face_info import FaceInfo
from samplelib.faceset import load_faceset


@dataclass(frozen=True, eq=False)
class DstFace:
    """One face of a frame.

    Attributes:
        landmarks: (68, 2) float64, pixels of the frame.
        track: Of its person, or None where the extraction did not tell.
        path: Its aligned picture; None for a face that was put in between others.
        eyebrows_expand: How far the hull of its landmarks reaches above the brows; 1 is normal.
        motion: (x, y) pixels that its middle moves from the frame before to the one after; 0 where
            it is not in both.
        stretch: Where it is seen without a break, or None if nobody looked.
        mask_print: Changes with the polygons and the mask that its aligned picture carries; 0 if it
            carries none.
    """

    landmarks: np.ndarray
    track: int | None
    path: Path | None
    eyebrows_expand: float = 1.0
    motion: tuple[float, float] = (0.0, 0.0)
    stretch: "Stretch | None" = None
    mask_print: int = 0


class Stretch(NamedTuple):
    """Frames of one shot that follow each other and show one person.

    `person`: the track, or "alone"; `first`, `last`: places of the frames among all.
    """

    person: int | str
    first: int
    last: int


FacesByStem = Mapping[str, Sequence[DstFace]]
"""Stem of a frame's name -> its faces, in the order of their files' names."""


def read_faces(aligned_dir: Path) -> dict[str, list[DstFace]]:
    """The faces of a faceset that say where in which frame they come from.

    Raises:
        NoFacesFound: The folder is missing or holds no aligned face.
    """
    found: dict[str, list[DstFace]] = {}
    for face in load_faceset(aligned_dir).faces:
        info = face.info
        if info.source_filename is not None and info.source_landmarks is not None:
            found.setdefault(Path(info.source_filename).stem, []).append(
                DstFace(info.source_landmarks, info.track, face.path,
                        info.eyebrows_expand_mod, mask_print=_mask_print(info)))
    return found


def with_motion(stems: Sequence[str], faces: FacesByStem) -> dict[str, list[DstFace]]:
    """The same faces, each with its motion: a person is known by the track, or by being alone.

    Args:
        stems: Of all frames, in order.
        faces: Of these frames.
    """
    centres = [_centres(faces.get(stem, ())) for stem in stems]
    moved = {}
    for place, stem in enumerate(stems):
        if stem not in faces:
            continue
        before = centres[place - 1] if place else {}
        after = centres[place + 1] if place + 1 < len(stems) else {}
        moved[stem] = [_moving(face, _key(face, faces[stem]), before, after)
                       for face in faces[stem]]
    return moved


def with_stretches(stems: Sequence[str], faces: FacesByStem, cuts: Collection[str]
                   ) -> dict[str, list[DstFace]]:
    """The same faces, each with the stretch it belongs to.

    Args:
        stems: Of all frames, in order.
        faces: Of these frames.
        cuts: Stems of frames with which a new shot begins.
    """
    starts: dict[int | str, int] = {}
    spans: dict[tuple[int | str, int], Stretch] = {}
    places: dict[str, dict[int | str, int]] = {}
    for place, stem in enumerate(stems):
        keys = {_key(face, faces[stem]) for face in faces.get(stem, ())} - {None}
        starts = {key: starts[key] if key in starts and stem not in cuts else place for key in keys}
        places[stem] = starts
        spans.update(((key, first), Stretch(key, first, place)) for key, first in starts.items())
    return {stem: [_stretched(face, _key(face, of_frame), places[stem], spans)
                   for face in of_frame] for stem, of_frame in faces.items()}


def _stretched(face: DstFace, key: int | str | None, starts: Mapping[int | str, int],
               spans: Mapping[tuple[int | str, int], Stretch]) -> DstFace:
    return face if key is None else replace(face, stretch=spans[key, starts[key]])


def _mask_print(info: FaceInfo) -> int:
    if not info.polygons and info.xseg_mask is None:
        return 0
    digest = zlib.crc32(info.xseg_mask or b"")
    for polygon in info.polygons:
        digest = zlib.crc32(polygon.points.tobytes() + bytes([polygon.is_include]), digest)
    return digest


def fingerprint(faces: Iterable[DstFace], *, with_motion: bool, with_masks: bool = False) -> int:
    """Changes when a face of a frame is added, deleted or extracted otherwise."""
    arrays = [part for face in faces
              for part in (face.landmarks, face.eyebrows_expand,
                           *[face.motion] * with_motion,
                           *[_halves(face.mask_print)] * with_masks)]
    return zlib.crc32(b"".join(np.asarray(part, np.float32).tobytes() for part in arrays))


def _key(face: DstFace, of_frame: Sequence[DstFace]) -> int | str | None:
    """What a face is known by in the next frame; None if by nothing."""
    if face.track is not None:
        return face.track
    return "alone" if len(of_frame) == 1 else None


def _moving(face: DstFace, key: int | str | None, before: Mapping, after: Mapping) -> DstFace:
    if key is None or key not in before or key not in after:
        return face
    return replace(face, motion=tuple((after[key] - before[key]).tolist()))


def _centres(of_frame: Sequence[DstFace]) -> dict[int | str | None, np.ndarray]:
    found = {}
    for face in of_frame:
        # Landmarks that fit no face are reported when their frame is merged.
        with contextlib.suppress(ValueError):
            found[_key(face, of_frame)] = _centre(face.landmarks)
    return found


def _centre(landmarks: np.ndarray) -> np.ndarray:
    """(2,) middle of the face square of type full, pixels of the frame."""
    square_to_frame = invert_affine(face_transform(landmarks, 1, FaceType.FULL))
    return transform_points(np.array([[0.5, 0.5]]), square_to_frame)[0]


def _halves(number: int) -> tuple[int, int]:
    """A number of 32 bits as two that a float32 holds exactly."""
    return divmod(number, 1 << 16)
