"""Whose faces are swapped: those of a track, or of the person on a picture."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from core.errors import CorruptFaceImage, UsageError
from core.imaging.io import read_image
from facelib.appearance import AppearanceEmbedder
from mainscripts.merging.dst_faces import DstFace, FacesByStem
from samplelib.face_image import read_info

_LOOKS = 9
"""Faces of a track that are looked at, evenly spread over it."""


def of_tracks(faces: FacesByStem, words: str) -> dict[str, list[DstFace]]:
    """The faces of the tracks that a user names.

    Args:
        faces: Of all frames.
        words: Numbers with commas between, such as "0,2".

    Raises:
        UsageError: Something else, or there is no such track.
    """
    known = sorted({face.track for face in _all(faces) if face.track is not None})
    try:
        wanted = {int(word) for word in words.split(",")}
    except ValueError as error:
        raise UsageError(f"--track takes numbers such as 0 or 0,2, not {words!r}") from error
    if missing := wanted.difference(known):
        there = f"there are {', '.join(map(str, known))}" if known else (
            "the aligned faces carry no tracks; extract them again, or use --reference")
        raise UsageError(f"no face has the track {', '.join(map(str, sorted(missing)))}; {there}")
    return _kept(faces, lambda face: face.track in wanted)


def like_reference(faces: FacesByStem, reference: Path) -> dict[str, list[DstFace]]:
    """The faces that look like the one on a picture; a track is taken or left as a whole.

    Args:
        faces: Of all frames, with their aligned pictures.
        reference: A frame or an aligned face.

    Raises:
        UsageError: The picture shows no face, or nobody looks like it.
    """
    embedder = AppearanceEmbedder()
    wanted = _embedding_of(reference, embedder)
    people = _people(faces)
    alike = {key: _likeness(members, wanted, embedder) for key, members in people.items()}
    chosen = {key for key, cosine in alike.items() if cosine >= embedder.same_person}
    if not chosen:
        tracks = ", ".join(f"{key} ({cosine:.2f})" for key, cosine in alike.items()
                           if isinstance(key, int))
        raise UsageError(
            f"{reference}: nobody in the video looks like this (likeness "
            f"{max(alike.values(), default=0):.2f} of {embedder.same_person} needed); take a "
            "frame of the same video" + (f", or a --track of {tracks}" if tracks else ""))
    return _kept(faces, lambda face: _key(face) in chosen)


def _embedding_of(reference: Path, embedder: AppearanceEmbedder) -> np.ndarray:
    image = read_image(reference)
    try:
        landmarks = read_info(reference).landmarks
    except CorruptFaceImage:  # no aligned face of ours, so a picture to look for one in
        landmarks = _largest_face(reference, image)
    return _unit(embedder.embed([image], [landmarks[np.newaxis]])[0][0])


def _largest_face(reference: Path, image: np.ndarray) -> np.ndarray:
    from mainscripts.extraction.find import finding_settings, open_finder  # TensorFlow
    from mainscripts.extraction.options import ExtractOptions

    finder = open_finder(finding_settings(ExtractOptions(max_faces=1)))
    found = finder.complete([image], finder.detect([image]))[0]
    if not found:
        raise UsageError(f"{reference}: shows no face; take another picture")
    return found[0].landmarks


def _people(faces: FacesByStem) -> dict[int | Path, list[DstFace]]:
    """Faces by track; one without a track is a person of its own."""
    people: dict[int | Path, list[DstFace]] = {}
    for face in _all(faces):
        people.setdefault(_key(face), []).append(face)
    return people


def _key(face: DstFace) -> int | Path:
    return face.path if face.track is None else face.track


def _likeness(members: Sequence[DstFace], wanted: np.ndarray, embedder: AppearanceEmbedder
              ) -> float:
    """Cosine of the mean embedding of some of the faces with the one wanted."""
    places = np.unique(np.linspace(0, len(members) - 1, _LOOKS).astype(int))
    paths = [members[place].path for place in places]
    embedded = embedder.embed([read_image(path) for path in paths],
                              [read_info(path).landmarks[np.newaxis] for path in paths])
    return float(_unit(sum(_unit(of_image[0]) for of_image in embedded)) @ wanted)


def _kept(faces: FacesByStem, is_wanted: Callable[[DstFace], bool]) -> dict[str, list[DstFace]]:
    kept = {stem: [face for face in of_frame if is_wanted(face)]
            for stem, of_frame in faces.items()}
    return {stem: of_frame for stem, of_frame in kept.items() if of_frame}


def _all(faces: Mapping[str, Sequence[DstFace]]):
    return (face for of_frame in faces.values() for face in of_frame)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
