"""Which faces the frames have, as the aligned dst faces say."""

import contextlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.geometry import invert_affine, transform_points
from facelib.align import face_transform
from facelib.face_type import FaceType
from samplelib.faceset import load_faceset


@dataclass(frozen=True, eq=False)
class DstFace:
    """One face of a frame.

    Attributes:
        landmarks: (68, 2) float64, pixels of the frame.
        track: Of its person, or None where the extraction did not tell.
        path: Its aligned picture; None for a face that was put in between others.
        motion: (x, y) pixels that its middle moves from the frame before to the one after; 0 where
            it is not in both.
    """

    landmarks: np.ndarray
    track: int | None
    path: Path | None
    motion: tuple[float, float] = (0.0, 0.0)


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
                DstFace(info.source_landmarks, info.track, face.path))
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


def fingerprint(faces: Iterable[DstFace], *, with_motion: bool) -> int:
    """Changes when a face of a frame is added, deleted or extracted otherwise."""
    arrays = [part for face in faces
              for part in (face.landmarks, *[face.motion] * with_motion)]
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
