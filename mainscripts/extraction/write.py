"""From planned faces to files: aligned faces, and frames with the faces drawn."""

import zlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core.frames import Frame, FrameSource, Load
from core.geometry import transform_points
from core.imaging.draw import as_canvas
from core.imaging.io import write_image
from core.paths import sibling
from core.pipeline import Failed, Pipeline, Stage
from facelib.align import crop_face, face_transform
from facelib.drawing import draw_face
from facelib.face_type import FaceType
from facelib.pose import estimate_pose
from facelib.sanity import face_sanity
from facelib.types import FoundFace
from mainscripts.extraction.options import ExtractOptions
from mainscripts.extraction.plan import PlannedFrame
from samplelib.face_image import SUFFIX, write_face
from samplelib.face_info import FaceInfo

DEBUG_QUALITY = 70

_LONGEST_STEM = 200
"""Bytes; file systems take names of 255."""

_WAITING = 2
"""Frames that may wait between the stages."""


class ToWrite(NamedTuple):
    """A frame whose faces are to be written.

    `deleted`: names of faces that somebody deleted and that must not come back; `revision`: of the
    hand work that these faces are, or None.
    """

    planned: PlannedFrame
    deleted: Collection[str] = ()
    revision: int | None = None


class WriteJob(NamedTuple):
    """One chunk of frames; can be sent to another process.

    `source`: with the frames of the chunk alone; `frames`: the same, planned.
    """

    source: FrameSource
    frames: list[ToWrite]
    options: ExtractOptions


def write_stage(options: ExtractOptions) -> Stage:
    """The stage from (`ToWrite`, picture) to what is noted about the frame."""
    return Stage("align and write", lambda item: write_frame(*item, options), workers=2)


def write_faces_of(source: FrameSource, frames: Sequence[ToWrite],
                   options: ExtractOptions) -> Pipeline:
    """Decodes frames and writes their faces; gives (frame name, note or `Failed`) in order."""
    by_name = {item.planned.frame.name: item for item in frames}

    def decode(item: tuple[Frame, Load]) -> tuple[ToWrite, np.ndarray]:
        frame, load = item
        return by_name[frame.name], load()

    read = source.read([item.planned.frame for item in frames])
    return Pipeline(read, [Stage("decode", decode, workers=2), write_stage(options)],
                    capacity=_WAITING)


def write_chunk(job: WriteJob) -> list[tuple[str, dict[str, Any] | Failed]]:
    """Writes the faces of a chunk; for `core.chunks`. Doing it twice makes the same files."""
    return [(name, outcome.portable() if isinstance(outcome, Failed) else outcome)
            for name, outcome in write_faces_of(job.source, job.frames, job.options)]


def write_frame(item: ToWrite, image: np.ndarray, options: ExtractOptions) -> dict[str, Any]:
    """Writes `<frame>_<k>.jpg` for each face, and the debug frame if wanted.

    Returns:
        What the journal notes: the names `faces`, the fingerprint of the `plan`, `sanity` of each,
        and the `revision` of hand work.
    """
    frame, faces = item.planned
    size, face_type = options.image_size, FaceType.parse(options.face_type)
    names, infos = face_names(item.planned), []
    for name, (face, track) in zip(names, faces):
        aligned, info = align_face(image, face, size, face_type, source_filename=frame.name,
                                   frame_index=frame.index, track=track)
        infos.append(info)
        if name not in item.deleted:
            write_face(options.output_dir / name, aligned, info, options.jpeg_quality)
    if options.output_debug:
        write_image(debug_path(options, frame), _debug_picture(image, infos, size),
                    jpeg_quality=DEBUG_QUALITY)
    by_hand = {} if item.revision is None else {"revision": item.revision}
    if not names:
        return {"faces": [], **by_hand}
    return {"faces": names, "plan": item.planned.fingerprint,
            "sanity": [round(info.sanity, 3) for info in infos], **by_hand}


def face_names(planned: PlannedFrame) -> list[str]:
    """File names of the faces of a frame."""
    stem = _short(planned.frame.stem)
    return [f"{stem}_{k}{SUFFIX}" for k in range(len(planned.faces))]


def debug_dir(options: ExtractOptions) -> Path:
    """Folder of the frames with their faces drawn."""
    return sibling(options.output_dir, "debug")


def debug_path(options: ExtractOptions, frame: Frame) -> Path:
    """Where a frame with its faces drawn goes."""
    return debug_dir(options) / f"{_short(frame.stem)}{SUFFIX}"


def _short(stem: str) -> str:
    """The stem, its end replaced by a checksum if the file system could not take what is added."""
    encoded = stem.encode("utf-8", "surrogateescape")
    if len(encoded) <= _LONGEST_STEM:
        return stem
    return f"{encoded[:_LONGEST_STEM].decode('utf-8', 'ignore')}~{zlib.crc32(encoded):08x}"


def align_face(frame: np.ndarray, face: FoundFace, size: int, face_type: FaceType, *,
               source_filename: str, frame_index: int, track: int | None = None
               ) -> tuple[np.ndarray, FaceInfo]:
    """Cuts a face out of its frame.

    Args:
        frame: (H, W, 3) uint8 BGR.
        face: With landmarks in pixels of the frame.
        size: Side of the aligned face.
        face_type: What the crop shows.
        source_filename, frame_index: Where the frame comes from.
        track: Number of the face's track.

    Returns:
        (size, size, 3) uint8 BGR and everything known about it.
    """
    image_to_face = face_transform(face.landmarks, size, face_type)
    landmarks_face = transform_points(face.landmarks, image_to_face)
    info = FaceInfo(
        face_type=face_type, landmarks=landmarks_face, source_filename=source_filename,
        source_rect=face.box, source_landmarks=face.landmarks, image_to_face_mat=image_to_face,
        source_size=frame.shape[:2], frame_index=frame_index, score=face.score,
        pose=tuple(estimate_pose(landmarks_face, size)), track=track,
        sanity=face_sanity(face.landmarks, face.box, face.score))
    return crop_face(frame, image_to_face, size), info


def _debug_picture(image: np.ndarray, infos: Sequence[FaceInfo], size: int) -> np.ndarray:
    canvas = as_canvas(image)
    for info in infos:
        draw_face(canvas, info.source_landmarks, info.source_rect, info.image_to_face_mat, size,
                  f"track {info.track}, {info.sanity:.2f}")
    return canvas
