"""`extract`: finds the faces of frames and cuts them out aligned."""

import argparse
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core.errors import NoFacesFound
from core.geometry import transform_points
from core.imaging.io import read_image
from core.journal import Journal
from core.options import add_arguments, option
from core.paths import image_paths, relative
from core.pipeline import Failed, Pipeline, Stage
from core.prompt import Prompter
from core.report import Reporter
from facelib.align import crop_face, face_transform
from facelib.detect import find_faces
from facelib.face_type import FaceType
from facelib.pose import estimate_pose
from facelib.registry import DETECTORS, LANDMARKERS
from facelib.types import FoundFace
from mainscripts.command import (
    require,
    require_all_frames,
    resolve_options,
    stop_if_disk_full,
)
from samplelib.face_image import write_face
from samplelib.face_info import FaceInfo

JOURNAL = "extraction.jsonl"
BATCH = 8


@dataclass(frozen=True)
class ExtractOptions:
    """Settings of one extraction."""

    input_dir: Path | None = option(None, ask=True, help="Folder with the frames.")
    output_dir: Path | None = option(None, ask=True, help="Folder for the aligned faces.")
    face_type: str = option(
        "f", choices=("h", "mf", "f", "wf", "head"), ask=True,
        help="How much of the head is kept: half, mid-full, full, whole face or head.")
    image_size: int = option(
        256, low=64, high=2048, ask=True, help="Side of the aligned faces, in pixels.")
    max_faces: int = option(
        0, low=0, ask=True, help="Most faces kept per frame, the largest first; 0 keeps all.")
    jpeg_quality: int = option(92, low=1, high=100, help="Quality of the aligned JPEGs.")
    detector: str = option("yunet", help="Face detector: a known name or your module:Class.")
    landmarks: str = option(
        "facemesh", help="Landmark extractor: a known name or your module:Class.")
    samples: int = option(
        1, low=1, high=5,
        help="Slightly shifted crops whose landmarks are averaged; 5 halves the jitter.")
    min_face_size: float = option(
        16.0, low=0, help="Shorter side of the smallest face kept, in pixels.")
    rotate: bool = option(
        True, help="Turn frames in which no face is found, and look again.")
    overwrite: bool = option(
        False, help="Replace the faces of an earlier extraction with other settings, and bring "
        "back those that were deleted since.")


class Extraction(NamedTuple):
    """What an extraction did.

    `frames`: looked at in all runs; `frames_with_faces`, `faces`: of these; `deleted`: faces that
    somebody deleted since, not among `faces`; `failed`: (frame name, reason) of this run;
    `done_now`: frames of this run; `seconds`: of this run; `stages`: busy seconds and items per
    stage.
    """

    frames: int
    frames_with_faces: int
    faces: int
    deleted: int
    failed: list[tuple[str, str]]
    done_now: int
    seconds: float
    stages: dict[str, dict[str, float]]


class _Picture(NamedTuple):
    index: int
    path: Path
    image: np.ndarray


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's flags."""
    add_arguments(parser, ExtractOptions)


def run(arguments: argparse.Namespace, reporter: Reporter, prompter: Prompter) -> int:
    """Runs the command.

    Raises:
        FramesFailed: Some frames cannot be read; all others are done.
    """
    options = resolve_options(ExtractOptions, arguments, prompter)
    require(options, "input_dir", "output_dir")
    result = extract(options, reporter)
    report(result, reporter)
    require_all_frames(result.failed, result.frames, options.input_dir, reporter)
    return 0


def report(result: Extraction, reporter: Reporter) -> None:
    """Tells what an extraction did."""
    rate = result.done_now / result.seconds if result.seconds else 0.0
    reporter.info(f"{result.faces} faces in {result.frames_with_faces} of {result.frames} frames"
                  + (f", {rate:.1f} frames/s" if result.done_now else ", nothing left to do")
                  + (f" ({result.deleted} deleted since; --overwrite brings them back)"
                     if result.deleted else ""))
    reporter.event("extraction", **result._asdict())


def extract(options: ExtractOptions, reporter: Reporter) -> Extraction:
    """Extracts what has not been extracted yet; faces deleted by hand stay deleted.

    Raises:
        NoImagesFound: The input folder holds no image.
        NoFacesFound: No frame shows a face.
        UsageError: The output folder holds faces made with other settings.
    """
    paths = image_paths(options.input_dir, required=True)
    options.output_dir.mkdir(parents=True, exist_ok=True)
    with _open_journal(options) as journal:
        todo = [(index, path) for index, path in enumerate(paths)
                if not _is_done(journal, path, options)]
        start = time.monotonic()
        failed, stages = _extract_frames(todo, options, journal, reporter)
        found = [journal.done[path.name]["faces"] for path in paths if path.name in journal.done]
    if not any(found):
        raise NoFacesFound(_nothing_found(options, len(paths), failed))
    there = set(os.listdir(options.output_dir))
    kept = [sum(name in there for name in names) for names in found]
    return Extraction(len(paths), sum(map(bool, kept)), sum(kept),
                      sum(map(len, found)) - sum(kept), failed, len(todo),
                      time.monotonic() - start, stages)


def _extract_frames(todo: Sequence[tuple[int, Path]], options: ExtractOptions, journal: Journal,
                    reporter: Reporter) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    """Runs the pipeline; returns the failures and the busy seconds of its stages."""
    failed: list[tuple[str, str]] = []
    if not todo:
        return failed, {}
    pipeline = Pipeline(((path.name, item) for item in todo for path in item[1:]),
                        _stages(options))
    with reporter.progress("extract faces", len(todo), "frame") as progress:
        for name, outcome in pipeline:
            if isinstance(outcome, Failed):
                stop_if_disk_full(outcome, options.output_dir)
                failed.append((name, outcome.reason))
            else:
                journal.add(name, faces=outcome)
            progress.advance()
    return failed, pipeline.stats


def _stages(options: ExtractOptions) -> list[Stage]:
    detector = DETECTORS.load(options.detector)()
    # A user's own class takes no options of ours.
    is_known = options.landmarks in LANDMARKERS.names()
    landmarker = LANDMARKERS.load(options.landmarks)(
        **{"samples": options.samples} if is_known else {})

    def find(pictures: Sequence[_Picture]) -> list[tuple[_Picture, list[FoundFace]]]:
        faces = find_faces([picture.image for picture in pictures], detector, landmarker,
                           rotate=options.rotate, max_faces=options.max_faces,
                           min_face_size=options.min_face_size)
        return list(zip(pictures, faces, strict=True))

    return [Stage("decode", _read),
            Stage("find faces", find, batch=BATCH),
            Stage("align and write", lambda found: _write_faces(*found, options), workers=2)]


def _read(item: tuple[int, Path]) -> _Picture:
    index, path = item
    return _Picture(index, path, read_image(path))


def _write_faces(picture: _Picture, faces: Sequence[FoundFace],
                 options: ExtractOptions) -> list[str]:
    """Writes `<frame>_<k>.jpg` for each face of a frame; returns the names."""
    names = []
    for k, face in enumerate(faces):
        name = f"{picture.path.stem}_{k}.jpg"
        aligned, info = align_face(picture.image, face, options.image_size,
                                   FaceType.parse(options.face_type),
                                   source_filename=picture.path.name, frame_index=picture.index)
        write_face(options.output_dir / name, aligned, info, options.jpeg_quality)
        names.append(name)
    return names


def align_face(frame: np.ndarray, face: FoundFace, size: int, face_type: FaceType, *,
               source_filename: str, frame_index: int) -> tuple[np.ndarray, FaceInfo]:
    """Cuts a face out of its frame.

    Args:
        frame: (H, W, 3) uint8 BGR.
        face: With landmarks in pixels of the frame.
        size: Side of the aligned face.
        face_type: What the crop shows.
        source_filename, frame_index: Where the frame comes from.

    Returns:
        (size, size, 3) uint8 BGR and everything known about it.
    """
    image_to_face = face_transform(face.landmarks, size, face_type)
    landmarks_face = transform_points(face.landmarks, image_to_face)
    info = FaceInfo(
        face_type=face_type, landmarks=landmarks_face, source_filename=source_filename,
        source_rect=face.box, source_landmarks=face.landmarks, image_to_face_mat=image_to_face,
        source_size=frame.shape[:2], frame_index=frame_index, score=face.score,
        pose=tuple(estimate_pose(landmarks_face, size)))
    return crop_face(frame, image_to_face, size), info


def _open_journal(options: ExtractOptions) -> Journal:
    settings = {name: value for name, value in asdict(options).items()
                if name not in ("output_dir", "input_dir", "overwrite")}
    header = {"job": "extract", "input_dir": relative(options.input_dir, options.output_dir),
              **settings}

    def remove_faces(done: Mapping[str, Any]) -> None:
        for frame in done.values():
            for name in frame["faces"]:
                (options.output_dir / name).unlink(missing_ok=True)

    return Journal(options.output_dir / JOURNAL, header, replace=options.overwrite,
                   discard=remove_faces)


def _is_done(journal: Journal, path: Path, options: ExtractOptions) -> bool:
    """Whether a frame is done; a missing face counts as deleted on purpose, but with overwrite."""
    if path.name not in journal.done or not options.overwrite:
        return path.name in journal.done
    return all((options.output_dir / name).exists() for name in journal.done[path.name]["faces"])


def _nothing_found(options: ExtractOptions, n_frames: int,
                   failed: Sequence[tuple[str, str]]) -> str:
    if len(failed) == n_frames:
        return (f"{options.input_dir}: none of the {n_frames} frames can be read "
                f"({failed[0][0]}: {failed[0][1]}); extract the video again")
    return (f"{options.input_dir}: no face in {n_frames} frames; check the pictures, lower "
            "--min-face-size, or try another --detector")
