"""Aligned faces as DeepFaceLab keeps them: a JPEG with one pickled dictionary in its APP15 segment.

The pickle is read by an allow-list (`core.legacy_pickle`), so nothing in such a file can run code,
and written so that old programs can open it. Pictures go over byte for byte.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core import jpeg, legacy_pickle, legacy_pickle_writer
from core.errors import CorruptFaceImage, ImageError
from core.polygons import Polygon, includes_first
from facelib.face_type import FaceType
from facelib.pose import estimate_pose
from samplelib.face_info import FaceInfo
from samplelib.face_labels import decode_mask

ORIGIN = "DeepFaceLab"
"""Of masks that came with such a face."""

LARGEST_PAYLOAD = 65533
"""Bytes of one JPEG segment, into which the dictionary must fit."""


def read_dfl_face(data: bytes, name: str) -> FaceInfo | None:
    """The data of a face of DeepFaceLab.

    Args:
        data: The whole JPEG file.
        name: What error messages call it.

    Returns:
        What is known about the face; None if the file carries no such data.

    Raises:
        CorruptFaceImage: The file is no JPEG, or its data are damaged or hold more than plain data.
    """
    try:
        found = _dictionaries(data, name)
        height, width = jpeg.picture_size(data)
    except (ValueError, legacy_pickle.LegacyPickleError) as error:
        raise CorruptFaceImage(f"{name}: {error}; take another copy of the face") from error
    if not found or "landmarks" not in found[-1]:
        return None
    try:
        return from_dictionary(found[-1], width)
    except (KeyError, TypeError, ValueError, ImageError) as error:
        raise CorruptFaceImage(f"{name}: its face data are not usable ({error}); extract the face "
                               "again") from error


def with_dfl_data(data: bytes, info: FaceInfo, name: str) -> bytes:
    """The JPEG with the face's data as DeepFaceLab reads them, in place of any of its own.

    Args:
        data: A whole JPEG file.
        info: What is known about the face.
        name: What error messages call it.

    Raises:
        CorruptFaceImage: The file is no JPEG.
        ValueError: The data do not fit into a segment.
    """
    payload = io.BytesIO()
    legacy_pickle_writer.dump(to_dictionary(info), payload)
    if payload.tell() > LARGEST_PAYLOAD:
        raise ValueError(f"{name}: its data take {payload.tell()} bytes, and {LARGEST_PAYLOAD} fit")
    try:
        bare = without_dfl_data(data)
        return jpeg.with_app(bare, jpeg.APP15, b"", payload.getvalue())
    except ValueError as error:
        raise CorruptFaceImage(f"{name}: {error}; extract the face again") from error


def without_dfl_data(data: bytes) -> bytes:
    """The JPEG without the segments that hold DeepFaceLab's data; all others stay.

    Raises:
        ValueError: It is no JPEG.
    """
    pieces, copied = [], 0
    for segment in jpeg.segments(data):
        if segment.marker == jpeg.APP15 and _is_pickle(data, segment):
            pieces.append(data[copied:segment.start])
            copied = segment.end
    return b"".join([*pieces, data[copied:]])


def to_dictionary(info: FaceInfo) -> dict[str, Any]:
    """What DeepFaceLab knows of a face; keys without a value are left out."""
    values = {
        "face_type": info.face_type.label,
        "landmarks": np.asarray(info.landmarks, np.float64).tolist(),
        "source_filename": info.source_filename,
        "source_rect": _rounded(info.source_rect),
        "source_landmarks": _as_lists(info.source_landmarks),
        "image_to_face_mat": _as_array(info.image_to_face_mat),
        "seg_ie_polys": _polygons_to_dfl(info.polygons),
        "xseg_mask": None if info.xseg_mask is None else np.frombuffer(info.xseg_mask, np.uint8),
        "eyebrows_expand_mod": float(info.eyebrows_expand_mod),
    }
    return {key: value for key, value in values.items() if value is not None}


def from_dictionary(values: Mapping[str, Any], width: int) -> FaceInfo:
    """The face that a dictionary of DeepFaceLab describes.

    Args:
        values: As `to_dictionary` gives it; keys that are not known are left out.
        width: Of the aligned picture, pixels.

    Raises:
        KeyError, TypeError, ValueError, ImageError: A value is missing or has another form.
    """
    landmarks = _points(values["landmarks"])
    face_type = _FACE_TYPES[str(values.get("face_type", "full_face")).lower()]
    return FaceInfo(
        face_type=face_type,
        landmarks=landmarks,
        source_filename=_text(values.get("source_filename")),
        source_rect=_shaped(values.get("source_rect"), (4,)),
        source_landmarks=_optional_points(values.get("source_landmarks")),
        image_to_face_mat=_shaped(values.get("image_to_face_mat"), (2, 3)),
        pose=_pose(landmarks, width),
        eyebrows_expand_mod=float(values.get("eyebrows_expand_mod") or 1.0),
        polygons=_polygons_from_dfl(values.get("seg_ie_polys")),
        xseg_mask=_mask_from_dfl(values.get("xseg_mask")),
        xseg_origin=None if values.get("xseg_mask") is None else ORIGIN,
    )


_FACE_TYPES = {face_type.label: face_type for face_type in FaceType}


_EXCLUDE, _INCLUDE = 0, 1


def _polygons_to_dfl(polygons: Sequence[Polygon]) -> dict[str, Any] | None:
    drawn = [{"type": _INCLUDE if polygon.is_include else _EXCLUDE,
              "pts": np.ascontiguousarray(polygon.points, np.float32)} for polygon in polygons]
    return {"polys": drawn} if drawn else None


def _polygons_from_dfl(value: Any) -> tuple[Polygon, ...]:
    """Of the present form, a dictionary, or of the old one, a list of (type, points)."""
    drawn = value.get("polys", ()) if isinstance(value, dict) else value or ()
    pairs = [(one["type"], one["pts"]) if isinstance(one, dict) else one for one in drawn]
    polygons = []
    for kind, points in pairs:
        points = np.asarray(points, np.float64).reshape(-1, 2)
        if int(kind) not in (_EXCLUDE, _INCLUDE) or not np.isfinite(points).all():
            raise ValueError("a polygon that neither includes nor excludes, or has no place")
        if len(points):
            polygons.append(Polygon(points, int(kind) == _INCLUDE))
    return includes_first(polygons)


def _mask_from_dfl(value: Any) -> bytes | None:
    """The encoded picture; it is looked at so that a damaged one is told now."""
    if value is None:
        return None
    data = np.asarray(value, np.uint8).tobytes()
    decode_mask(data)
    return data


def _dictionaries(data: bytes, name: str) -> list[dict]:
    """All dictionaries in APP15 segments; payloads of other programs are left alone."""
    found = []
    for segment in jpeg.segments(data):
        if segment.marker == jpeg.APP15 and _is_pickle(data, segment):
            value = legacy_pickle.loads(data[segment.payload_start:segment.end], name)
            if isinstance(value, dict):
                found.append(value)
    return found


def _is_pickle(data: bytes, segment: jpeg.Segment) -> bool:
    """Whether a segment begins as pickles of protocol 2 to 5 do."""
    return data[segment.payload_start:segment.payload_start + 1] == b"\x80"


def _pose(landmarks: np.ndarray, width: int) -> tuple[float, float, float] | None:
    try:
        return tuple(float(angle) for angle in estimate_pose(landmarks, width))
    except ValueError:  # landmarks that fit no pose are of use all the same
        return None


def _points(value: Any) -> np.ndarray:
    points = _shaped(value, (68, 2))
    if points is None:
        raise ValueError("landmarks are missing")
    return points


def _optional_points(value: Any) -> np.ndarray | None:
    """Landmarks in the frame; an empty list counts as none."""
    return None if value is None or len(value) == 0 else _points(value)


def _shaped(value: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    if value is None:
        return None
    array = np.asarray(value, np.float64)
    if array.shape != shape or not np.isfinite(array).all():
        raise ValueError(f"an array of shape {array.shape} in place of finite {shape}")
    return array


def _text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"a file name that is {type(value).__name__}")
    return value


def _rounded(rect: np.ndarray | None) -> np.ndarray | None:
    return None if rect is None else np.rint(np.asarray(rect)).astype(np.int64)


def _as_lists(points: np.ndarray | None) -> list | None:
    return None if points is None else np.asarray(points, np.float64).tolist()


def _as_array(matrix: np.ndarray | None) -> np.ndarray | None:
    return None if matrix is None else np.ascontiguousarray(matrix, np.float64)
