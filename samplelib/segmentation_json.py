"""Polygons and masks of a face as JSON values."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import numpy as np

from core.polygons import Polygon

_WORDS = {True: "include", False: "exclude"}
_MEANINGS = {word: is_include for is_include, word in _WORDS.items()}


def polygons_to_json(polygons: Sequence[Polygon]) -> list[dict[str, Any]]:
    """One object for each: "type" and "points".

    Raises:
        ValueError: A point is not finite.
    """
    if not all(np.isfinite(polygon.points).all() for polygon in polygons):
        raise ValueError("polygons of the face data hold a number that is not finite")
    return [{"type": _WORDS[polygon.is_include], "points": polygon.points.tolist()}
            for polygon in polygons]


def polygons_from_json(value: Any) -> tuple[Polygon, ...]:
    """What `polygons_to_json` gave.

    Raises:
        ValueError: Something else.
    """
    if not isinstance(value, list):
        raise ValueError("polygons of the face data are not a list")
    return tuple(map(_polygon, value))


def bytes_to_json(data: bytes) -> str:
    """Base64."""
    return base64.b64encode(data).decode("ascii")


def bytes_from_json(name: str, value: Any) -> bytes:
    """What `bytes_to_json` gave.

    Raises:
        ValueError: Something else.
    """
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise ValueError(f"{name} of the face data is not base64") from error


def _polygon(value: Any) -> Polygon:
    if not isinstance(value, dict) or value.get("type") not in _MEANINGS:
        raise ValueError("a polygon of the face data neither includes nor excludes")
    try:
        points = np.asarray(value.get("points"), np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError("points of a polygon of the face data are no numbers") from error
    if points.size and (points.ndim != 2 or points.shape[1] != 2) or not np.isfinite(points).all():
        raise ValueError("points of a polygon of the face data are not (x, y)")
    return Polygon(points, _MEANINGS[value["type"]])
