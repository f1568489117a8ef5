"""A chunk of frames merged by another process, of this machine or of a cluster."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from core.chunks import CHUNK_SIZE, chunks_of
from core.errors import CheckpointError
from core.frames import Frame, FrameSource
from core.native_log import quiet_import
from core.pipeline import Failed
from core.report import SilentReporter
from mainscripts.merging.compositor import open_patches
from mainscripts.merging.dst_faces import FacesByStem
from mainscripts.merging.frame_settings import FrameSettings
from mainscripts.merging.model import MergeModel, load_needed, needed_by
from mainscripts.merging.options import MergeFiles
from mainscripts.merging.stages import Merger, MergeWork
from mainscripts.merging.steady import around
from mainscripts.merging.write import FrameWriter
from merger.networks import NeededNetworks


class MergeJob(NamedTuple):
    """What a worker has to know; can be sent to another process.

    `source`, `faces`, `settings`: of the frames of the chunk and those around it that have a say
    in their colours; `written`: names of the frames of the chunk; `generation`: of the model, that
    all workers must have.
    """

    source: FrameSource
    written: frozenset[str]
    faces: FacesByStem
    files: MergeFiles
    settings: FrameSettings
    generation: int


def jobs_of(source: FrameSource, todo: Sequence[Frame], faces: FacesByStem, files: MergeFiles,
            settings: FrameSettings, generation: int) -> Iterator[MergeJob]:
    """Deals out the frames that are left."""
    for chunk in chunks_of(todo, CHUNK_SIZE):
        frames = around(source.frames, chunk, faces, settings)
        of_frames = {frame.stem: faces[frame.stem] for frame in frames if frame.stem in faces}
        yield MergeJob(replace(source, frames=tuple(frames)),
                       frozenset(frame.name for frame in chunk), of_frames, files,
                       settings.only(frames), generation)


def merge_chunk(job: MergeJob) -> list[tuple[str, int | Failed]]:
    """Merges a chunk; for `core.chunks`. Doing it twice makes the same files.

    Returns:
        (frame name, number of faces merged or `Failed`).

    Raises:
        CheckpointError: The model has been saved anew since the merge began.
    """
    quiet_import("tensorflow")
    model = _model_of_worker(job.files, job.settings)
    if model.generation != job.generation:
        _kept_model.cache_clear()
        raise CheckpointError(
            f"{job.files.model_dir}: the model was saved while frames were merged with generation "
            f"{job.generation}; stop its training, then run the same command with --overwrite")
    output = FrameWriter.open(job.files.output_dir, job.files.output_mask_dir)
    work = MergeWork(Merger(model.networks, job.faces), job.settings, output, job.written,
                     open_patches(job.files.compositor_dir))
    return [(name, outcome.portable() if isinstance(outcome, Failed) else outcome)
            for name, outcome in work.pipeline(job.source, job.source.frames)]


def _model_of_worker(files: MergeFiles, settings: FrameSettings) -> MergeModel:
    return _kept_model(files, needed_by(settings))


@functools.lru_cache(maxsize=1)
def _kept_model(files: MergeFiles, needed: NeededNetworks) -> MergeModel:
    """Kept, as chunk after chunk needs the same networks."""
    return load_needed(files, needed, SilentReporter())
