"""Faces whose visible part is known, as a segmenter can learn from them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core.errors import NoFacesFound
from facelib.face_type import FaceType
from samplelib.face_info import FaceInfo
from samplelib.face_source import UNREADABLE
from samplelib.faceset import AlignedFace, Faceset
from samplelib.recipe import covers


class Labels(StrEnum):
    """Where the masks of faces come from."""

    DRAWN = "drawn"
    STORED = "stored"
    HULL = "hull"


@dataclass(frozen=True, eq=False)
class LabelledFaces:
    """Faces of one or more facesets that have a mask.

    Attributes:
        folder: Of one of the facesets, for messages.
        faces: At least one.
        labels: Where the masks come from.
    """

    folder: Path
    faces: tuple[AlignedFace, ...]
    labels: Labels


HAS: dict[Labels, Callable[[FaceInfo], bool]] = {
    Labels.DRAWN: lambda info: bool(info.polygons),
    Labels.STORED: lambda info: info.xseg_mask is not None,
    Labels.HULL: lambda info: True,
}


def find_labelled(facesets: Sequence[Faceset], face_type: FaceType, labels: Labels | None,
                  warn: Callable[[str], None]) -> LabelledFaces:
    """The faces to train on.

    Args:
        facesets: At least one; a folder that is there twice counts once.
        face_type: Of the samples; narrower faces are left out.
        labels: Which masks; None takes drawn ones if there are any, else stored ones.
        warn: Told a line about faces that are left out.

    Raises:
        NoFacesFound: No face has such a mask.
    """
    found: dict[Labels, list[AlignedFace]] = {kind: [] for kind in Labels}
    for folder, faceset in {faceset.folder.resolve(): faceset for faceset in facesets}.items():
        wide = [face for face in faceset.faces if covers(face.face_type, face_type)]
        if len(wide) < len(faceset.faces):
            warn(f"{folder}: {len(faceset.faces) - len(wide)} faces are too narrow for "
                 f"{face_type.label} and left out")
        _sort_in(wide, found, warn)
    wanted = (labels,) if labels else (Labels.DRAWN, Labels.STORED)
    for kind in wanted:
        if found[kind]:
            return LabelledFaces(facesets[0].folder, tuple(found[kind]), kind)
    raise NoFacesFound(_nothing(facesets, face_type, labels))


def _sort_in(faces: Sequence[AlignedFace], found: dict[Labels, list[AlignedFace]],
             warn: Callable[[str], None]) -> None:
    """Reads what each face has."""
    for face in faces:
        try:
            info = face.info
        except UNREADABLE as error:
            warn(str(error))
            continue
        for kind, has in HAS.items():
            if has(info):
                found[kind].append(face)


def _nothing(facesets: Sequence[Faceset], face_type: FaceType, labels: Labels | None) -> str:
    folders = ", ".join(str(faceset.folder) for faceset in facesets)
    if labels is Labels.HULL:
        return (f"{folders}: no face shows as much as {face_type.label}; choose a narrower "
                "--face-type or extract again")
    what = {None: "polygons or masks", Labels.DRAWN: "polygons", Labels.STORED: "stored masks"}
    return (f"{folders}: no face of {face_type.label} or wider has {what[labels]}; draw some in "
            "`xseg editor`, or train on landmarks with --labels hull")
