"""What was found in a frame, and its lines in the journal of found faces."""

import base64
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from core.shots import SIGNATURE_SHAPE
from facelib.landmarks import N_LANDMARKS
from facelib.types import FoundFace


class FoundFrame(NamedTuple):
    """One frame without its picture.

    `signature`: (9, 16, 3) uint8, see `core.shots`; `faces`: largest first.
    """

    signature: np.ndarray
    faces: list[FoundFace]


def to_note(found: FoundFrame) -> dict[str, Any]:
    """As JSON values; every float comes back as it was."""
    return {"signature": _packed(found.signature, np.uint8),
            "faces": [_face_note(face) for face in found.faces]}


def from_note(note: Mapping[str, Any]) -> FoundFrame:
    """What `to_note` was given.

    Raises:
        KeyError, ValueError: The note is not of this kind.
    """
    return FoundFrame(signature_in(note), [_face(face) for face in note["faces"]])


def signature_in(note: Mapping[str, Any]) -> np.ndarray:
    """The signature alone of what `to_note` was given.

    Raises:
        KeyError, ValueError: The note is not of this kind.
    """
    return _unpacked(note["signature"], np.uint8).reshape(SIGNATURE_SHAPE)


def _face_note(face: FoundFace) -> dict[str, Any]:
    note = {"box": np.asarray(face.box, np.float32).tolist(), "score": float(face.score),
            "landmarks": _packed(face.landmarks, np.float32)}
    if face.embedding is not None:
        note["embedding"] = _packed(face.embedding, np.float32)
    return note


def _face(note: Mapping[str, Any]) -> FoundFace:
    embedding = _unpacked(note["embedding"], np.float32) if "embedding" in note else None
    return FoundFace(np.array(note["box"], np.float32), float(note["score"]),
                     _unpacked(note["landmarks"], np.float32).reshape(N_LANDMARKS, 2), embedding)


def _packed(array: np.ndarray, kind: type) -> str:
    data = np.ascontiguousarray(array, np.dtype(kind).newbyteorder("<")).tobytes()
    return base64.b64encode(data).decode("ascii")


def _unpacked(text: str, kind: type) -> np.ndarray:
    stored = np.frombuffer(base64.b64decode(text, validate=True), np.dtype(kind).newbyteorder("<"))
    return stored.astype(kind)
