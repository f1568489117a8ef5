"""Finds faces: by number or name, by pose, and those whose polygons another one can take over."""

from collections.abc import Iterable, Sequence

import numpy as np

from core.errors import CorruptFaceImage
from mainscripts.xseg_editor.document import Document
from mainscripts.xseg_editor.scan import Scan
from samplelib.carried_labels import REACH
from samplelib.face_info import FaceInfo


def find_name(names: Sequence[str], text: str) -> str | None:
    """The face that somebody means: `12` is the twelfth unless a name begins so; else the first
    whose name begins with the text, or holds it. None where there is none.

    Args:
        names: Of the faces, in order.
        text: What was typed.
    """
    wanted = text.strip().lower()
    if not wanted:
        return None
    digits = wanted.removeprefix("#")
    if digits.isdecimal() and 1 <= int(digits) <= len(names) and (
            wanted.startswith("#") or not any(name.startswith(wanted) for name in names)):
        return names[int(digits) - 1]
    for fits in (str.startswith, str.__contains__):
        for name in names:
            if fits(name.lower(), wanted):
                return name
    return None


def nearest_pose(poses: np.ndarray, names: Sequence[str], yaw: float, pitch: float) -> str:
    """The face turned most like this.

    Args:
        poses: (n, 2) float, yaw and pitch of each face in radians; NaN where they are not known.
        names: Of the faces.
        yaw: Wanted.
        pitch: Wanted.
    """
    distances = np.linalg.norm(np.nan_to_num(poses, nan=np.inf) - (yaw, pitch), axis=1)
    return names[int(distances.argmin())]


def previous_labelled(document: Document, scan: Scan) -> FaceInfo | None:
    """What is known of the nearest face before the present one that has polygons."""
    before = reversed(document.names[:document.number])
    return next(_labelled(document, scan, before), None)


def nearest_on_track(document: Document, scan: Scan) -> FaceInfo | None:
    """What is known of the labelled face of the same track that is nearest in time."""
    info, number, names = document.info, document.number, document.names
    if info.track is None or info.frame_index is None:
        return None
    around = [*names[max(number - REACH, 0):number], *names[number + 1:number + 1 + REACH]]
    found = [other for other in _labelled(document, scan, around)
             if other.track == info.track and other.frame_index is not None
             and abs(other.frame_index - info.frame_index) <= REACH]
    return min(found, key=lambda other: abs(other.frame_index - info.frame_index), default=None)


def _labelled(document: Document, scan: Scan, names: Iterable[str]) -> Iterable[FaceInfo]:
    """Of some faces those that have polygons; unreadable ones are passed over."""
    for name in names:
        if scan.is_known(name) and not scan.state(name).n_polygons:
            continue
        try:
            info = document.faces.read(name)
        except (CorruptFaceImage, OSError):
            continue
        if info.polygons:
            yield info
