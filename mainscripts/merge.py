"""`merge`: puts the predicted faces into the dst frames."""

import argparse
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core.errors import NoFacesFound
from core.imaging.io import encode_image, read_image
from core.journal import Journal
from core.options import add_arguments, given, option, resolve
from core.paths import atomic_write, image_paths, relative, remove_parts
from core.pipeline import Failed, Pipeline, Stage
from core.prompt import Prompter
from core.provenance import ContentSigner
from core.report import Reporter
from facelib.types import Predictor
from mainscripts.command import read_config, require, require_all_frames, stop_if_disk_full
from mainscripts.model_kind import DEFAULT_KIND, saved_kind
from merger.modes import RAW_PREDICT
from merger.options import MergeOptions, needed_masks
from merger.paste import crop_for_prediction
from merger.pipeline import (
    FaceToMerge,
    MergedFrame,
    merge_frame,
    prediction_of,
    raw_prediction,
)
from models.registry import MODELS, known_kind, label
from samplelib.faceset import load_faceset

JOURNAL = "merge.jsonl"
BATCH = 8


@dataclass(frozen=True)
class MergeFiles:
    """What is merged into what."""

    input_dir: Path | None = option(None, ask=True, help="Folder with the dst frames.")
    aligned_dir: Path | None = option(None, ask=True, help="Folder with the aligned dst faces.")
    output_dir: Path | None = option(None, ask=True, help="Folder for the merged frames.")
    output_mask_dir: Path | None = option(None, ask=True, help="Folder for their masks.")
    model_dir: Path | None = option(None, ask=True, help="Folder of all models.")
    model: str | None = option(
        None, help=f"Kind of model: {', '.join(MODELS.names())}, or your own as "
        "package.module:Class. Left out, that of the saved model of this name.")
    name: str = option("new", help="Name of the model.")
    overwrite: bool = option(
        False, help="Replace frames merged with other settings or an older model.")


class Merging(NamedTuple):
    """What a merge did.

    `frames`: in all; `merged`: those with a new face; `failed`: (frame name, reason) of this run;
    `done_now`, `seconds`, `stages`: of this run, `stages` with busy seconds and items.
    """

    frames: int
    merged: int
    failed: list[tuple[str, str]]
    done_now: int
    seconds: float
    stages: dict[str, dict[str, float]]


class _Frame(NamedTuple):
    path: Path
    image: np.ndarray
    landmarks: list[np.ndarray]
    crops: list[np.ndarray]


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's flags."""
    add_arguments(parser, MergeFiles)
    add_arguments(parser, MergeOptions)
    parser.add_argument("--force-model-name", dest="name", default=argparse.SUPPRESS,
                        help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace, reporter: Reporter, prompter: Prompter) -> int:
    """Runs the command.

    Raises:
        FramesFailed: Some frames cannot be read; all others are done.
    """
    of_files, of_merge = read_config(arguments, MergeFiles, MergeOptions)
    files = resolve(MergeFiles, file=of_files, given=given(arguments, MergeFiles),
                    prompter=prompter)
    require(files, "input_dir", "aligned_dir", "output_dir", "output_mask_dir", "model_dir")
    options = resolve(MergeOptions, file=of_merge, given=given(arguments, MergeOptions),
                      prompter=prompter)
    result = merge(files, options, reporter)
    report(result, reporter)
    require_all_frames(result.failed, result.frames, files.input_dir, reporter)
    return 0


def report(result: Merging, reporter: Reporter) -> None:
    """Tells what a merge did."""
    rate = result.done_now / result.seconds if result.seconds else 0.0
    reporter.info(f"{result.merged} of {result.frames} frames have a new face"
                  + (f", {rate:.1f} frames/s" if result.done_now else ", nothing left to do"))
    reporter.event("merging", **result._asdict())


def merge(files: MergeFiles, options: MergeOptions, reporter: Reporter) -> Merging:
    """Merges what has not been merged yet, and frames whose aligned faces changed since.

    Raises:
        NoImagesFound: The input folder holds no image.
        NoFacesFound: No frame has an aligned face.
        ModelNotFound, CheckpointError: There is no readable model.
        UsageError: The output folder holds frames merged otherwise.
    """
    paths = image_paths(files.input_dir, required=True)
    landmarks = _landmarks_by_stem(files.aligned_dir)
    if not any(path.stem in landmarks for path in paths):
        raise NoFacesFound(f"{files.aligned_dir}: none of its faces comes from a frame of "
                           f"{files.input_dir}; extract the faces of these frames first")
    predictor, generation = _load_predictor(files, reporter)
    for folder in (files.output_dir, files.output_mask_dir):
        folder.mkdir(parents=True, exist_ok=True)
    with _open_journal(files, options, generation, paths) as journal:
        remove_parts(files.output_mask_dir)
        todo = [path for path in paths if not _is_done(journal, path, files, landmarks)]
        start = time.monotonic()
        failed, stages = _merge_frames(todo, landmarks, predictor, files, options, journal,
                                       reporter)
        merged = sum(journal.done[path.name]["faces"] > 0 for path in paths
                     if path.name in journal.done)
    return Merging(len(paths), merged, failed, len(todo), time.monotonic() - start, stages)


def _merge_frames(todo: Sequence[Path], landmarks: Mapping[str, list[np.ndarray]],
                  predictor: Predictor, files: MergeFiles, options: MergeOptions,
                  journal: Journal, reporter: Reporter
                  ) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    failed: list[tuple[str, str]] = []
    source = ((path.name, (path, landmarks.get(path.stem, []))) for path in todo)
    pipeline = Pipeline(source, merge_stages(predictor, options, _writer(files)))
    with reporter.progress("merge", len(todo), "frame") as progress:
        for name, outcome in pipeline:
            if isinstance(outcome, Failed):
                stop_if_disk_full(outcome, files.output_dir)
                failed.append((name, outcome.reason))
            else:
                faces = landmarks.get(Path(name).stem, [])
                journal.add(name, faces=outcome, landmarks=_fingerprint(faces))
            progress.advance()
    return failed, pipeline.stats


def merge_stages(predictor: Predictor, options: MergeOptions,
                 write: Callable[[Path, np.ndarray, np.ndarray, bool], None]) -> list[Stage]:
    """The steps from (path, landmarks of its faces) to the number of faces merged.

    Args:
        predictor: The swap.
        options: How to merge.
        write: Takes the frame's path, image and mask, and whether the image has new pixels.
    """
    face_mask, dst_mask = needed_masks(options)

    def read(item: tuple[Path, list[np.ndarray]]) -> _Frame:
        path, faces = item
        image = read_image(path)
        crops = [crop_for_prediction(image, face, predictor.face_type, predictor.resolution)
                 for face in faces]
        return _Frame(path, image, faces, crops)

    def predict(frames: Sequence[_Frame]) -> list[tuple[_Frame, list[FaceToMerge]]]:
        crops = [crop for frame in frames for crop in frame.crops]
        if not crops:
            return [(frame, []) for frame in frames]
        predictions = predictor(np.stack(crops), face_mask=face_mask, dst_mask=dst_mask)
        numbers = iter(range(len(crops)))
        return [(frame, [FaceToMerge(face, prediction_of(predictions, next(numbers)), crop)
                         for face, crop in zip(frame.landmarks, frame.crops, strict=True)])
                for frame in frames]

    def finish(item: tuple[_Frame, list[FaceToMerge]]) -> int:
        frame, faces = item
        merged = _merged(frame.image, faces, options, predictor)
        is_changed = bool(faces) and not np.array_equal(merged.image, frame.image)
        write(frame.path, merged.image, merged.mask, is_changed)
        return len(faces)

    return [Stage("read", read), Stage("predict", predict, batch=BATCH),
            Stage("merge and write", finish, workers=2)]


def _merged(image: np.ndarray, faces: Sequence[FaceToMerge], options: MergeOptions,
            predictor: Predictor) -> MergedFrame:
    """What is written for a frame."""
    if options.mode == RAW_PREDICT:
        return raw_prediction(faces, options, predictor.face_type, predictor.resolution)
    return merge_frame(image, faces, options, predictor.face_type)


def _writer(files: MergeFiles) -> Callable[[Path, np.ndarray, np.ndarray, bool], None]:
    """Writes `<frame>.png` into both folders; frames with a new face carry a manifest.

    A frame that stays as it came gets none: the mark would say what is not true.
    """
    signer = ContentSigner.open()

    def write(path: Path, image: np.ndarray, mask: np.ndarray, is_changed: bool) -> None:
        name = f"{path.stem}.png"
        png = encode_image(image, ".png")
        if is_changed:
            png = signer.sign_bytes(png, "image/png", title=name)
        atomic_write(files.output_mask_dir / name, encode_image(mask, ".png"))
        atomic_write(files.output_dir / name, png)

    return write


def _load_predictor(files: MergeFiles, reporter: Reporter) -> tuple[Predictor, int]:
    """The model's predictor and the number of its generation."""
    from models.loading import restore  # TensorFlow: too heavy for --help
    from models.store import ModelStore

    kind = kind_of(files)
    store = ModelStore(files.model_dir, kind, files.name)
    saved = store.require()
    for problem in store.generations.problems:
        reporter.warning(problem)
    return restore(kind, saved).predictor(), saved.number


def kind_of(files: MergeFiles) -> str:
    """The kind of the model that is meant.

    Raises:
        UsageError: Models of several kinds have the name.
    """
    if files.model is not None:
        return known_kind(files.model)
    return saved_kind(files.model_dir, files.name) or DEFAULT_KIND


def _landmarks_by_stem(aligned_dir: Path) -> dict[str, list[np.ndarray]]:
    """Frame stem -> landmarks of its faces, in frame pixels."""
    found = defaultdict(list)
    for face in load_faceset(aligned_dir).faces:
        info = face.info
        if info.source_filename is not None and info.source_landmarks is not None:
            found[Path(info.source_filename).stem].append(info.source_landmarks)
    return dict(found)


def _open_journal(files: MergeFiles, options: MergeOptions, generation: int,
                  paths: Sequence[Path]) -> Journal:
    header = {"job": "merge", "input_dir": relative(files.input_dir, files.output_dir),
              "model": f"{files.name}_{label(kind_of(files))}", "generation": generation,
              **asdict(options)}
    wanted = {path.stem for path in paths}

    def remove_others(done: Mapping[str, Any]) -> None:
        for name in done:  # the rest stays until it is replaced
            if Path(name).stem not in wanted:
                for folder in (files.output_dir, files.output_mask_dir):
                    (folder / f"{Path(name).stem}.png").unlink(missing_ok=True)

    return Journal(files.output_dir / JOURNAL, header, replace=files.overwrite,
                   discard=remove_others)


def _is_done(journal: Journal, path: Path, files: MergeFiles,
             landmarks: Mapping[str, list[np.ndarray]]) -> bool:
    """Whether a frame and its mask are there, made with the faces it has now."""
    noted = journal.done.get(path.name, {}).get("landmarks")
    return noted == _fingerprint(landmarks.get(path.stem, [])) and all(
        (folder / f"{path.stem}.png").exists()
        for folder in (files.output_dir, files.output_mask_dir))


def _fingerprint(landmarks: Sequence[np.ndarray]) -> int:
    """Changes when a face of a frame is added, deleted or extracted otherwise."""
    return zlib.crc32(b"".join(np.asarray(face, np.float32).tobytes() for face in landmarks))
