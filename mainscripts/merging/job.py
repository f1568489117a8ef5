"""One merge: which frames are left, and what came of them."""

import contextlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from core.chunks import ChunkRunner, check_address, open_runner
from core.errors import NoFacesFound, UsageError
from core.frames import Frame, FrameSource, open_frames
from core.pipeline import Failed
from core.report import Reporter
from core.video import find_video
from mainscripts.command import in_one_line, stop_if_disk_full
from mainscripts.merging.chosen import like_reference, of_tracks
from mainscripts.merging.chunk import jobs_of, merge_chunk
from mainscripts.merging.compositor import PatchWriter, open_patches
from mainscripts.merging.dst_faces import FacesByStem, read_faces, with_motion, with_stretches
from mainscripts.merging.frame_settings import SETTINGS_FILE, FrameSettings, read_settings
from mainscripts.merging.gaps import count_filled, fill_gaps, read_extracted
from mainscripts.merging.journal import MergeJournal
from mainscripts.merging.model import MergeModel, load_model
from mainscripts.merging.options import MergeFiles
from mainscripts.merging.stages import Merger, MergeWork
from mainscripts.merging.steady import around
from mainscripts.merging.video_output import VideoOutput
from mainscripts.merging.write import FrameWriter, Output
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
        OptionError: The file of settings cannot be read.
        ModelNotFound, CheckpointError: There is no readable model.
        UsageError: The output folder holds frames merged otherwise, or nobody fits what was said
            about whose face to swap, or the address of the scheduler is none.
        WorkerLost: The workers of the scheduler do not answer, or died.
    """
    files = _with_full_paths(replace(files, input_dir=find_video(files.input_dir)))
    source = open_source(files, reporter)
    faces = faces_of(files, source.frames)
    settings = settings_of(files, options, source.frames)
    output, patches = open_output(files, source), open_patches(files.compositor_dir)
    model = load_model(files, settings, reporter)
    with (
        MergeJournal(files, settings, model, source.frames, faces, output, patches) as journal,
        contextlib.closing(output),
    ):
        for one in (output, patches):
            if one is not None:
                one.clear_unfinished()
        start = time.monotonic()
        work = _Work(source, faces, files, settings, model, output, patches, journal, reporter)
        todo = work.todo()
        failed, stages = work.do(todo)
        merging = Merging(len(source.frames), journal.n_merged(source.frames),
                          count_filled(faces), failed, len(todo), time.monotonic() - start, stages)
    if isinstance(output, VideoOutput):
        output.finish(reporter.warning)
        if not failed:
            output.discard_parts()
    return merging


def _with_full_paths(files: MergeFiles) -> MergeFiles:
    """Files as workers with another working directory find them.

    Raises:
        UsageError: The address of the scheduler is none.
    """
    if files.scheduler is None:
        return files
    check_address(files.scheduler)
    folders = ("input_dir", "aligned_dir", "output_dir", "output_mask_dir", "model_dir",
               "compositor_dir")
    return replace(files, **{name: getattr(files, name).resolve() for name in folders
                             if getattr(files, name) is not None})


def open_output(files: MergeFiles, source: FrameSource) -> Output:
    """Where the frames go.

    Raises:
        UsageError: A video cannot be made this way, or exists.
        ProvenanceError: There is no key to sign with.
    """
    if files.output_video is None:
        return FrameWriter.open(files.output_dir, files.output_mask_dir)
    if files.scheduler is not None:
        raise UsageError("--scheduler writes frames, not a video; give --output-dir instead of "
                         "--output-video, and make the video with `videoed video-from-sequence`")
    return VideoOutput(files.output_video, files.output_mask_video, source,
                       overwrite=files.overwrite)


def settings_of(files: MergeFiles, options: MergeOptions, frames: Sequence[Frame]
                ) -> FrameSettings:
    """How the frames are merged: as a file says, or all with the same options.

    Raises:
        OptionError: The file cannot be read.
        UsageError: None is given, and the folder holds frames that were merged one by one.
    """
    if files.settings is not None:
        return read_settings(files.settings, frames).settings
    kept = files.output_dir and files.output_dir / SETTINGS_FILE
    if kept and kept.exists() and not files.overwrite:
        raise UsageError(f"{files.output_dir}: holds frames that were merged one by one; go on "
                         f"with --settings {kept}, or give --overwrite to merge all alike")
    return FrameSettings(options)


def open_source(files: MergeFiles, reporter: Reporter) -> FrameSource:
    """The frames to merge.

    Raises:
        NoImagesFound, VideoError: There are none.
    """
    source = open_frames(files.input_dir, deep=True)
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
    extracted = read_extracted(files.aligned_dir, stems)
    if files.fill_gaps:
        faces = fill_gaps(stems, faces, extracted, files.fill_gaps)
    return with_stretches(stems, with_motion(stems, faces), extracted.cuts)


@dataclass(frozen=True)
class _Work:
    """What is done, and with what; everything that changes is in the journal."""

    source: FrameSource
    faces: FacesByStem
    files: MergeFiles
    settings: FrameSettings
    model: MergeModel
    output: Output
    patches: PatchWriter | None
    journal: MergeJournal
    reporter: Reporter

    def todo(self) -> list[Frame]:
        """The frames that are left, in order."""
        left = [frame for frame in self.source.frames if not self.journal.is_done(frame)]
        return (self.output.with_neighbours(left) if isinstance(self.output, VideoOutput)
                else left)

    def do(self, todo: Sequence[Frame]) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        """Merges; gives (frame name, reason) of what failed, and the figures of the stages."""
        if self.files.scheduler is not None:
            with open_runner(self.files.scheduler) as runner:
                return self.on(runner, todo), {}
        work = MergeWork(Merger(self.model.networks, self.faces), self.settings, self.output,
                         {frame.name for frame in todo}, self.patches)
        pipeline = work.pipeline(
            self.source, around(self.source.frames, todo, self.faces, self.settings))
        return self._take(pipeline, todo), pipeline.stats

    def on(self, runner: ChunkRunner, todo: Sequence[Frame]) -> list[tuple[str, str]]:
        """Merges on the workers of a scheduler."""
        jobs = jobs_of(self.source, todo, self.faces, self.files, self.settings,
                       self.model.generation)
        outcomes = (outcome for done in runner.run(merge_chunk, jobs) for outcome in done)
        return self._take(outcomes, todo)

    def _take(self, outcomes: Iterable[tuple[str, int | Failed]], todo: Sequence[Frame]
              ) -> list[tuple[str, str]]:
        by_name = {frame.name: frame for frame in todo}
        failed: list[tuple[str, str]] = []
        n_faces: dict[str, int] = {}
        with self.reporter.progress("merge", len(todo), "frame") as progress:
            for name, outcome in outcomes:
                has_failed = isinstance(outcome, Failed)
                if has_failed:
                    stop_if_disk_full(outcome, self.output.folder)
                    failed.append((name, outcome.reason))
                else:
                    n_faces[name] = outcome
                for frame in self.output.complete(by_name[name], has_failed=has_failed):
                    self.journal.add(frame, n_faces.pop(frame.name))
                progress.advance()
        return failed
