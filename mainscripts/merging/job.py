"""One merge: which frames are left, and what came of them."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import NoFacesFound
from core.frames import Frame, FrameSource, open_frames
from core.paths import remove_parts
from core.pipeline import Failed, Pipeline
from core.report import Reporter
from core.video import find_video
from mainscripts.command import in_one_line, stop_if_disk_full
from mainscripts.merging.chosen import like_reference, of_tracks
from mainscripts.merging.dst_faces import FacesByStem, read_faces, with_motion
from mainscripts.merging.gaps import count_filled, fill_gaps, read_extracted
from mainscripts.merging.journal import MergeJournal
from mainscripts.merging.model import load_model
from mainscripts.merging.options import MergeFiles
from mainscripts.merging.stages import Merger, merge_stages
from mainscripts.merging.write import FrameWriter
from merger.options import MergeOptions


class Merging(NamedTuple):
    """What a merge did.

    `frames`: in all; `merged`: those with a new face; `filled`: faces put in between others;
    `failed`: (frame name, reason) of this run; `done_now`, `seconds`, `stages`: of this run,
    `stages` with busy seconds and items.
    """

    frames: int
    merged: int
    filled: int
    failed: list[tuple[str, str]]
    done_now: int
    seconds: float
    stages: dict[str, dict[str, float]]


def merge(files: MergeFiles, options: MergeOptions, reporter: Reporter) -> Merging:
    """Merges what has not been merged yet, and frames whose aligned faces changed since.

    Raises:
        NoImagesFound: The input folder holds no image.
        VideoError: The input is a file, and no video.
        NoFacesFound: No frame has an aligned face.
        ModelNotFound, CheckpointError: There is no readable model.
        UsageError: The output folder holds frames merged otherwise, or nobody fits what was said
            about whose face to swap.
    """
    files = replace(files, input_dir=find_video(files.input_dir))
    source = open_source(files, reporter)
    faces = faces_of(files, source.frames)
    model = load_model(files, reporter)
    writer = FrameWriter.open(files.output_dir, files.output_mask_dir)
    with MergeJournal(files, options, model, source.frames, faces, writer) as journal:
        remove_parts(files.output_mask_dir)
        todo = [frame for frame in source.frames if not journal.is_done(frame)]
        start = time.monotonic()
        failed, stages = _merge_frames(source, todo, Merger(model.predictor, faces), options,
                                       writer, journal, reporter)
        return Merging(len(source.frames), journal.n_merged(source.frames), count_filled(faces),
                       failed, len(todo), time.monotonic() - start, stages)


def open_source(files: MergeFiles, reporter: Reporter) -> FrameSource:
    """The frames to merge.

    Raises:
        NoImagesFound, VideoError: There are none.
    """
    source = open_frames(files.input_dir)
    for name in getattr(source, "left_out", ()):
        reporter.warning(f"{in_one_line(name)}: left out, as another frame has this name before "
                         "its suffix")
    return source


def faces_of(files: MergeFiles, frames: Sequence[Frame]) -> FacesByStem:
    """The faces that are to be swapped, those in gaps between others included.

    Raises:
        NoFacesFound: No frame has an aligned face.
        UsageError: Nobody fits what was said about whose face to swap.
    """
    stems = [frame.stem for frame in frames]
    known = set(stems)
    faces = {stem: of_frame for stem, of_frame in read_faces(files.aligned_dir).items()
             if stem in known}
    if not faces:
        raise NoFacesFound(f"{files.aligned_dir}: none of its faces comes from a frame of "
                           f"{files.input_dir}; extract the faces of these frames first")
    if files.track is not None:
        faces = of_tracks(faces, files.track)
    if files.reference is not None:
        faces = like_reference(faces, files.reference)
    if files.fill_gaps:
        extracted = read_extracted(files.aligned_dir, stems)
        faces = fill_gaps(stems, faces, extracted, files.fill_gaps)
    return with_motion(stems, faces)


def _merge_frames(source: FrameSource, todo: Sequence[Frame], merger: Merger,
                  options: MergeOptions, writer: FrameWriter, journal: MergeJournal,
                  reporter: Reporter) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    failed: list[tuple[str, str]] = []
    by_name = {frame.name: frame for frame in todo}
    pipeline = Pipeline(source.read(todo), merge_stages(merger, options, writer))
    with reporter.progress("merge", len(todo), "frame") as progress:
        for name, outcome in pipeline:
            if isinstance(outcome, Failed):
                stop_if_disk_full(outcome, Path(writer.output_dir))
                failed.append((name, outcome.reason))
            else:
                journal.add(by_name[name], outcome)
            progress.advance()
    return failed, pipeline.stats
