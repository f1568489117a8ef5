"""What is known about an aligned face, and its JSON form."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np

from core.polygons import Polygon
from facelib.face_type import FaceType
from samplelib.segmentation_json import (
    bytes_from_json,
    bytes_to_json,
    polygons_from_json,
    polygons_to_json,
)

VERSION = 1


@dataclass(frozen=True, eq=False)
class FaceInfo:
    """Where an aligned face comes from and where its parts are.

    Convention: points are (x, y) in pixels, origin top-left; angles are radians.

    Later versions only add fields; `extra` carries those through a program that does not know
    them, so nothing is lost when an old program re-writes a newer file.

    Attributes:
        face_type: How much of the head the aligned picture covers.
        landmarks: (68, 2) float64, in the aligned picture (for `MARK_ONLY` in the frame).
        source_filename: Name of the frame or video the face was cut from, with its suffix.
        source_rect: (4,) float64 x1, y1, x2, y2 of the detected box in the frame.
        source_landmarks: (68, 2) float64, in the frame.
        image_to_face_mat: (2, 3) float64 affine, frame pixels to aligned pixels.
        source_size: (height, width) of the frame.
        frame_index: Number of the frame in its video or folder, from 0.
        score: Confidence of the detector, 0 to 1.
        pose: (pitch, yaw, roll).
        sanity: How plausible the landmarks are, 0 to 1 (`facelib.sanity`).
        track: Number of the track, from 0: faces of one person that follow each other in a video.
        eyebrows_expand_mod: How far the hull mask reaches above the brows; 1 is normal.
        polygons: What somebody drew: which parts of the aligned picture are the visible face.
        xseg_mask: The mask that a segmenter made, of the whole aligned picture: the bytes of a grey
            picture (`samplelib.face_labels`).
        xseg_origin: Which segmenter made it.
        version: Version of the format the face was read from.
        extra: Fields this version does not know, as plain JSON values.
    """

    face_type: FaceType
    landmarks: np.ndarray
    source_filename: str | None = None
    source_rect: np.ndarray | None = None
    source_landmarks: np.ndarray | None = None
    image_to_face_mat: np.ndarray | None = None
    source_size: tuple[int, int] | None = None
    frame_index: int | None = None
    score: float | None = None
    pose: tuple[float, float, float] | None = None
    sanity: float | None = None
    track: int | None = None
    eyebrows_expand_mod: float = 1.0
    polygons: tuple[Polygon, ...] = ()
    xseg_mask: bytes | None = None
    xseg_origin: str | None = None
    version: int = VERSION
    extra: Mapping[str, Any] = field(default_factory=dict)


# Shape of every array field; the others are plain values.
_ARRAYS = {"landmarks": (68, 2), "source_rect": (4,), "source_landmarks": (68, 2),
           "image_to_face_mat": (2, 3)}
_NUMBERS = {"score": float, "sanity": float, "eyebrows_expand_mod": float, "frame_index": int,
            "track": int, "version": int}
_TUPLES = {"source_size": (int, 2), "pose": (float, 3)}
# Field -> how it becomes a JSON value, and back.
_SPECIAL = {"polygons": (polygons_to_json, polygons_from_json),
            "xseg_mask": (bytes_to_json, lambda value: bytes_from_json("xseg_mask", value))}
_FACE_TYPES = {face_type.label: face_type for face_type in FaceType}
# Turning the text of the landmarks into numbers is what takes long.
_TEXT_NUMBERS = json.JSONDecoder(parse_float=str)
_NAMES = frozenset(f.name for f in fields(FaceInfo)) - {"extra"}


def to_json(info: FaceInfo) -> bytes:
    """Gives the JSON form of a face's data: UTF-8, one object, fields that are None left out.

    Raises:
        ValueError: A field has the wrong shape or holds a number that is not finite.
    """
    values = dict(info.extra)
    for name in sorted(_NAMES):
        value = getattr(info, name)
        if value is not None and not (isinstance(value, tuple) and not value):
            values[name] = _plain(name, value)
    return json.dumps(values, ensure_ascii=False, allow_nan=False,
                      separators=(",", ":")).encode("utf-8", "surrogatepass")


def from_json(data: bytes) -> FaceInfo:
    """Reads the JSON form of a face's data.

    Args:
        data: What `to_json` gave, of this version or a later one.

    Raises:
        ValueError: Not JSON, a field is missing, or one has the wrong type, shape or range.
    """
    values = json.loads(data.decode("utf-8", "surrogatepass"))
    _require_common(values)
    known = {name: _parsed(name, value) for name, value in values.items()
             if name in _NAMES and value is not None}
    if known["version"] < 1:
        raise ValueError(f"version {known['version']} of the face data does not exist")
    extra = {name: value for name, value in values.items() if name not in _NAMES}
    return FaceInfo(**known, extra=extra)


class FaceSummary(NamedTuple):
    """What a faceset has to know of each face before it is used.

    Attributes:
        face_type: How much of the head the aligned picture covers.
        yaw: In radians, see `facelib.pose`; None if the file does not say.
    """

    face_type: FaceType
    yaw: float | None


def summary_from_json(data: bytes) -> FaceSummary:
    """Reads the little that `FaceSummary` holds, in a third of the time of `from_json`.

    Numbers that it does not hold stay unread; `from_json` may still refuse them.

    Raises:
        ValueError: Not JSON, or a field that all faces have is missing or has the wrong form.
    """
    values = _TEXT_NUMBERS.decode(data.decode("utf-8", "surrogatepass"))
    _require_common(values)
    landmarks, pose = values["landmarks"], values.get("pose")
    if not isinstance(landmarks, list) or {*map(type, landmarks)} != {list} or (
            [*map(len, landmarks)] != [2] * 68):
        raise ValueError("landmarks of the face data are not 68 points")
    return FaceSummary(_parsed("face_type", values["face_type"]),
                       None if pose is None else _yaw(pose))


def _yaw(pose: Any) -> float:
    """The yaw of a pose whose fractions are still text."""
    if not isinstance(pose, list) or len(pose) != 3 or not isinstance(pose[1], (str, int)):
        raise ValueError("pose of the face data does not hold 3 numbers")
    return _checked("pose", float(pose[1]), float)


def _require_common(values: Any) -> None:
    """Checks that a JSON value is an object with the fields that no face lacks."""
    if not isinstance(values, dict):
        raise ValueError("the face data are not a JSON object")
    for name in ("face_type", "landmarks", "version"):
        if values.get(name) is None:
            raise ValueError(f"the face data have no {name}")


def _plain(name: str, value: Any) -> Any:
    """Gives one field as a JSON value."""
    if name in _ARRAYS:
        return _array(name, value).tolist()
    if name in _TUPLES:
        return list(_tuple(name, value))
    if name in _NUMBERS:
        return _number(name, value)
    if name in _SPECIAL:
        return _SPECIAL[name][0](value)
    return value.label if isinstance(value, FaceType) else str(value)


def _parsed(name: str, value: Any) -> Any:
    """Gives one field from its JSON value."""
    if name in _ARRAYS:
        return _array(name, value)
    if name in _TUPLES:
        return _tuple(name, value)
    if name in _NUMBERS:
        return _number(name, value)
    if name in _SPECIAL:
        return _SPECIAL[name][1](value)
    if not isinstance(value, str):
        raise ValueError(f"{name} of the face data is not a text")
    if name != "face_type":
        return value
    if value not in _FACE_TYPES:
        raise ValueError(f"face type {value!r} is unknown")
    return _FACE_TYPES[value]


def _array(name: str, value: Any) -> np.ndarray:
    """Gives a float64 array of the field's shape."""
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} of the face data is not an array of numbers") from error
    if array.shape != _ARRAYS[name]:
        raise ValueError(f"{name} of the face data has shape {array.shape}, not {_ARRAYS[name]}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} of the face data holds a number that is not finite")
    return array


def _tuple(name: str, value: Any) -> tuple:
    """Gives a tuple of the field's length and kind of number."""
    kind, length = _TUPLES[name]
    if not isinstance(value, (list, tuple)) or len(value) != length:
        raise ValueError(f"{name} of the face data does not hold {length} numbers")
    return tuple(_checked(name, item, kind) for item in value)


def _number(name: str, value: Any) -> float | int:
    return _checked(name, value, _NUMBERS[name])


def _checked(name: str, value: Any, kind: type) -> float | int:
    """Gives a finite number of the wanted kind."""
    integral = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not integral and (kind is int or not isinstance(value, (float, np.floating))):
        raise ValueError(f"{name} of the face data is {value!r}, not {kind.__name__}")
    if not np.isfinite(value):
        raise ValueError(f"{name} of the face data is not finite")
    return kind(value)
