"""`xseg apply`: a segmenter masks all faces of a folder; the masks are kept in their files."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.imaging.io import decode_image
from core.options import option
from core.pipeline import Failed, Pipeline, Stage
from core.prompt import Prompter
from core.report import Reporter
from facelib.face_type import FaceType
from facelib.protocols import FaceSegmenter
from facelib.segment_aligned import aligned_to_square, mask_of_aligned, square_of
from mainscripts.command import require
from mainscripts.xseg_faces import Failures, KnownFace, agreed, read_faces, shown_origins
from mainscripts.xseg_segmenter import SegmenterChoice, find_segmenter
from samplelib.face_image import info_of
from samplelib.face_info import FaceInfo
from samplelib.face_labels import MASK_SIDE, write_mask
from samplelib.opencv_threads import OPENCV_THREADS

FACE_TYPES = ("auto", "same", "h", "mf", "f", "wf", "head")
_READERS = 2  # threads that decode and crop; the network is the narrow place
_WRITERS = 4  # most of the time they wait until the disk has a file for certain


@dataclass(frozen=True)
class ApplyOptions(SegmenterChoice):
    """How faces are masked."""

    face_type: str = option(
        "auto", choices=FACE_TYPES,
        help="The crop that the segmenter is shown: what it was trained on (auto), each face as "
        "it is (same), or one of the types.")
    batch_size: int = option(8, low=1, high=256, help="Faces in the network at a time.")
    yes: bool = option(False, help="Replace masks of other segmenters without asking.")


class Cropped(NamedTuple):
    """What the segmenter sees of a face, where that lies, and how large the picture is."""

    square: np.ndarray
    aligned_to_square: np.ndarray
    width: int


class _OnItsWay(NamedTuple):
    """A face between two stages; its mask is that of the square, once there is one."""

    path: Path
    face: Cropped
    mask: np.ndarray | None = None


def apply(options: ApplyOptions, reporter: Reporter, prompter: Prompter) -> None:
    """Masks the faces that this segmenter has not masked yet.

    Raises:
        NoFacesFound: The folder holds none.
        FramesFailed: Some faces could not be masked; all others are.
        OptionError, WeightsMissing, CheckpointError: See `find_segmenter`.
    """
    require(options, "input_dir")
    failures = Failures(options.input_dir, reporter)
    faces = read_faces(options.input_dir, failures)
    segmenter = find_segmenter(options.segmenter, options.model_dir, options.name,
                               options.batch_size)
    origin = origin_of(segmenter, options)
    todo = _chosen(faces, origin, options, prompter)
    done = _segment(todo, segmenter, origin, options, failures, reporter)
    reporter.event("masks", message=f"{done} faces masked by {origin}, "
                   f"{len(faces) - len(todo)} left as they were", masked=done,
                   kept=len(faces) - len(todo), origin=origin)
    failures.require_none()


def origin_of(segmenter: FaceSegmenter, options: ApplyOptions) -> str:
    """What is noted beside the masks: the segmenter, and the crop that it was shown."""
    shown = crop_type(segmenter, options.face_type)
    return (f"{getattr(segmenter, 'origin', options.segmenter)}, "
            f"{'same' if shown is None else shown.short}")


def crop_type(segmenter: FaceSegmenter, wanted: str) -> FaceType | None:
    """The crop that a segmenter is shown; None is each face as it is."""
    if wanted == "auto":
        return getattr(segmenter, "face_type", None)
    return None if wanted == "same" else FaceType.parse(wanted)


def _chosen(faces: list[KnownFace], origin: str, options: ApplyOptions,
            prompter: Prompter) -> list[KnownFace]:
    """Faces without a mask of this segmenter; a run that was interrupted goes on there."""
    others = [face for face in faces if face.info.xseg_mask is not None
              and face.info.xseg_origin != origin]
    if others and not agreed(
            f"Replace the masks of {len(others)} faces, made by {shown_origins(others)}",
            "The old masks are lost. `n` masks only the faces that have none.", options.yes,
            prompter):
        return [face for face in faces if face.info.xseg_mask is None]
    return [face for face in faces if face.info.xseg_mask is None
            or face.info.xseg_origin != origin]


def _segment(faces: list[KnownFace], segmenter: FaceSegmenter, origin: str,
             options: ApplyOptions, failures: Failures, reporter: Reporter) -> int:
    """Masks faces in batches, while others are read and written; gives how many."""
    stages = _stages(segmenter, crop_type(segmenter, options.face_type), origin,
                     options.batch_size)
    paths = ((face.path, face.path) for face in faces)
    done = 0
    OPENCV_THREADS.acquire()
    try:
        with reporter.progress("masks", len(faces), "face") as progress:
            for path, end in Pipeline(paths, stages, capacity=2 * options.batch_size):
                if isinstance(end, Failed):
                    failures.add(path, end.error)
                else:
                    done += 1
                progress.advance(1)
    finally:
        OPENCV_THREADS.release()
    return done


def _stages(segmenter: FaceSegmenter, shown: FaceType | None, origin: str,
            batch_size: int) -> list[Stage]:
    """From the path of a face to its mask in the file."""
    def crop(path: Path) -> _OnItsWay:
        data = path.read_bytes()
        return _OnItsWay(path, cropped(decode_image(data, str(path)), info_of(data, path), shown))

    def segment(batch: list[_OnItsWay]) -> list[_OnItsWay]:
        masks = segmenter.segment(np.stack([item.face.square for item in batch]))
        return [item._replace(mask=mask) for item, mask in zip(batch, masks, strict=True)]

    def write(item: _OnItsWay) -> None:
        face = item.face
        mask = mask_of_aligned(item.mask, face.aligned_to_square, face.width, MASK_SIDE)
        # The file is read again: somebody may have drawn on this face meanwhile.
        write_mask(item.path, mask, origin)

    at_once = getattr(segmenter, "at_once", 1)
    return [Stage("crop", crop, workers=_READERS),
            Stage("segment", segment, workers=at_once, batch=batch_size),
            Stage("write", write, workers=_WRITERS)]


def cropped(image: np.ndarray, info: FaceInfo, shown: FaceType | None) -> Cropped:
    """What a segmenter is shown of a face.

    Raises:
        ValueError: The landmarks fit no face.
    """
    width = image.shape[0]
    if image.shape[1] != width:
        raise ValueError("the picture is no square, so it is no aligned face; extract it again")
    matrix = aligned_to_square(info.landmarks, width, info.face_type, shown or info.face_type)
    return Cropped(square_of(image, matrix), matrix, width)
