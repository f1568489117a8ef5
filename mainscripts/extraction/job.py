"""One extraction: what is left to do, in which order, and what came of it."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from core.chunks import CHUNK_SIZE, ChunkRunner, check_address, chunks_of, open_runner
from core.errors import NoFacesFound
from core.frames import Frame, FrameSource, open_frames
from core.pipeline import SOURCE, Failed, Pipeline
from core.report import Reporter
from core.video import find_video
from core.window import check_display
from facelib.registry import EMBEDDERS
from facelib.sanity import DOUBTFUL
from mainscripts.command import in_one_line, stop_if_disk_full
from mainscripts.extraction.find import (
    FindJob,
    Seen,
    find_chunk,
    find_faces_of,
    finding_settings,
    open_finder,
)
from mainscripts.extraction.journals import Journals
from mainscripts.extraction.options import ExtractOptions
from mainscripts.extraction.plan import (
    Planner,
    jitter_before_and_after,
    plan_all,
    planned_frame,
)
from mainscripts.extraction.records import to_note
from mainscripts.extraction.write import (
    ToWrite,
    WriteJob,
    debug_dir,
    write_chunk,
    write_faces_of,
    write_stage,
)
from mainscripts.manual.looking import SquareLandmarks
from mainscripts.manual.run import Sitting, edit_by_hand
from mainscripts.manual.tour import Task, effective, task_of
from mainscripts.manual.window import ADVICE


class Extraction(NamedTuple):
    """What an extraction did.

    `frames`: looked at in all runs; `frames_with_faces`, `faces`: of these; `deleted`: faces that
    somebody deleted since, not among `faces`; `failed`: (frame name, reason) of this run;
    `done_now`: frames of this run; `seconds`: of this run; `stages`: busy seconds and items per
    stage; `tracks`, `cuts`: of all frames; `jitter`, `jitter_found`: of the landmarks as written
    and as found, shares of the eye distance or None; `doubtful`: files of faces of low sanity.
    """

    frames: int
    frames_with_faces: int
    faces: int
    deleted: int
    failed: list[tuple[str, str]]
    done_now: int
    seconds: float
    stages: dict[str, dict[str, float]]
    tracks: int
    cuts: int
    jitter: float | None
    jitter_found: float | None
    doubtful: list[str]


@dataclass
class _Tally:
    """What happened in this run.

    Attributes:
        folder: Where files go; named when its disk is full.
        failed: (frame name, reason).
        touched: Names of frames that were looked at or written.
        stages: Stage -> busy seconds and items.
    """

    folder: os.PathLike
    failed: list[tuple[str, str]] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    stages: dict[str, Counter] = field(default_factory=dict)

    def take(self, outcomes: Iterable[tuple[str, Any]], accept: Callable[..., None],
             reporter: Reporter, title: str, n_frames: int) -> None:
        """Goes through outcomes and shows how far it is; failures are kept, all else accepted.

        Raises:
            DiskFull: A frame failed for lack of room.
        """
        with reporter.progress(title, n_frames, "frame") as progress:
            for name, outcome in outcomes:
                self.touched.add(name)
                if isinstance(outcome, Failed):
                    stop_if_disk_full(outcome, self.folder)
                    self.failed.append((name, outcome.reason))
                else:
                    accept(name, **outcome)
                progress.advance()

    def count(self, stats: Mapping[str, Mapping[str, float]], *, source: bool = True) -> None:
        """Adds the figures of a pipeline."""
        for name, figures in stats.items():
            if source or name != SOURCE:
                self.stages.setdefault(name, Counter()).update(figures)


def extract(options: ExtractOptions, reporter: Reporter) -> Extraction:
    """Extracts what has not been extracted yet; faces deleted by hand stay deleted.

    Raises:
        NoImagesFound: The input folder holds no image.
        VideoError: The input is a file, and no video.
        NoFacesFound: No frame shows a face.
        UsageError: The output folder holds faces made with other settings, the address of the
            scheduler is none, or what is to be done by hand contradicts itself.
        WorkerLost: The workers of the scheduler do not answer, or died.
        DeviceError: Faces are to be set by hand, and no window can be opened.
    """
    options = effective(replace(options, input_dir=find_video(options.input_dir)))
    task = task_of(options)
    if task is not None:
        check_display(ADVICE)
    if options.scheduler is not None:
        check_address(options.scheduler)
        options = replace(options, input_dir=options.input_dir.resolve(),
                          output_dir=options.output_dir.resolve())
    source = open_frames(options.input_dir, every=options.every)
    for name in getattr(source, "left_out", ()):
        reporter.warning(f"{in_one_line(name)}: left out, as another frame has this name before "
                         "its suffix")
    for folder in (options.output_dir, *[debug_dir(options)] * options.output_debug):
        folder.mkdir(parents=True, exist_ok=True)
    start, tally = time.monotonic(), _Tally(options.output_dir)
    with Journals(options) as journals:
        run = _Run(source, options, journals, _new_planner(options), tally, reporter)
        if task in (None, Task.WITHOUT_FACE):
            run.run()
        if task is not None:
            run = replace(run, planner=_new_planner(options))
            run.work_by_hand(task)
        return _result(source.frames, options, journals, run.planner, tally,
                       time.monotonic() - start)


@dataclass(frozen=True)
class _Run:
    """What is done, and with what; everything that changes is in the journals and the tally."""

    source: FrameSource
    options: ExtractOptions
    journals: Journals
    planner: Planner
    tally: _Tally
    reporter: Reporter

    def run(self) -> None:
        """Finds and writes what is missing."""
        frames = self.source.frames
        unknown = [frame for frame in frames if not self.journals.is_known(frame)]
        known = frames[: len(frames) - len(unknown)]
        if self.options.scheduler is not None:
            with open_runner(self.options.scheduler) as runner:
                self._find_on(runner, unknown)
                self._write_on(runner, self._plan())
        elif self.options.smooth or not unknown or unknown != list(frames[len(known):]):
            # Smoothing looks ahead, and new frames in between change the tracks behind them.
            self._find(unknown)
            self._write(self._plan())
        else:
            self._write(self._find_and_write(known, unknown))

    def work_by_hand(self, task: Task) -> None:
        """Lets a person set faces, and writes what is new then.

        Raises:
            DeviceError: No window can be opened.
        """
        self.journals.look_again()
        sitting = edit_by_hand(task, self.source, self.options, self.journals,
                               lambda: SquareLandmarks(self._open_finder()))
        told = {name for name, _ in self.tally.failed}
        self.tally.failed += [item for item in sitting.failed.items() if item[0] not in told]
        _tell(sitting, self.reporter)
        # Their debug frames stay away, so that the next sitting goes on with them.
        left = set(sitting.undecided) if task is Task.DELETED_DEBUG else set()
        items = [item for item in self._plan() if item.planned.frame.name not in left]
        if self.options.scheduler is None:
            self._write(items)
        else:
            with open_runner(self.options.scheduler) as runner:
                self._write_on(runner, items)

    def _plan(self) -> list[ToWrite]:
        """The frames whose files are missing or not as they should be."""
        return list(self.journals.stale(plan_all(
            self.source.frames, self.journals.found_in, self.planner, self.options.smooth)))

    def _find(self, frames: Sequence[Frame]) -> None:
        """Looks for faces, and keeps no picture."""
        if frames:
            pipeline = find_faces_of(self.source, frames, self._open_finder())
            notes = ((name, to_note(seen.found) if isinstance(seen, Seen) else seen)
                     for name, seen in pipeline)
            self.tally.take(notes, self.journals.found.add, self.reporter, "find faces",
                            len(frames))
            self.tally.count(pipeline.stats)

    def _write(self, items: Sequence[ToWrite]) -> None:
        """Reads frames again and writes their faces."""
        if items:
            pipeline = write_faces_of(self.source, items, self.options)
            self.tally.take(pipeline, self.journals.written.add, self.reporter, "write faces",
                            len(items))
            self.tally.count(pipeline.stats)

    def _find_and_write(self, known: Sequence[Frame], unknown: Sequence[Frame]) -> list[ToWrite]:
        """Writes the faces of unknown frames while those of later ones are still looked for.

        Returns:
            Known frames that have to be written again.
        """
        behind: list[ToWrite] = []
        finding = find_faces_of(self.source, unknown, self._open_finder())
        pipeline = Pipeline(self._planned(known, finding, behind), [write_stage(self.options)],
                            capacity=2)
        self.tally.take(pipeline, self.journals.written.add, self.reporter, "extract faces",
                        len(unknown))
        self.tally.count(finding.stats)
        self.tally.count(pipeline.stats, source=False)
        return behind

    def _planned(self, known: Sequence[Frame], finding: Iterable[tuple[str, Seen | Failed]],
                 behind: list[ToWrite]) -> Iterator[tuple[str, tuple | Failed]]:
        """Follows known and newly found faces; gives the new ones, and puts the old ones aside."""
        def items() -> Iterator[tuple[str, Seen | Failed]]:
            for frame in known:
                yield frame.name, Seen(frame, None, self.journals.found_in(frame))
            yield from finding

        for (name, seen), places in self.planner.follow(
                items(), lambda item: None if isinstance(item[1], Failed) else item[1].found):
            if isinstance(seen, Failed):
                yield name, seen
                continue
            planned = planned_frame(seen.frame, seen.found.faces, places)
            if seen.image is None:
                behind.extend(self.journals.stale([planned]))
            else:
                self.journals.found.add(name, **to_note(seen.found))
                yield name, (self.journals.to_write(planned), seen.image)

    def _open_finder(self):
        if self.options.gpus is not None:
            from leras.devices import strategy  # TensorFlow: too heavy for --help

            strategy(self.options.gpus)
        return open_finder(finding_settings(self.options))

    def _find_on(self, runner: ChunkRunner, frames: Sequence[Frame]) -> None:
        """`_find` on the workers of a scheduler."""
        settings = finding_settings(self.options)
        jobs = (FindJob(replace(self.source, frames=tuple(chunk)), settings)
                for chunk in chunks_of(frames, CHUNK_SIZE))
        outcomes = (outcome for done in runner.run(find_chunk, jobs) for outcome in done)
        self.tally.take(outcomes, self.journals.found.add, self.reporter, "find faces",
                        len(frames))

    def _write_on(self, runner: ChunkRunner, items: Sequence[ToWrite]) -> None:
        """`_write` on the workers of a scheduler."""
        jobs = (WriteJob(replace(self.source, frames=tuple(item.planned.frame for item in chunk)),
                         chunk, self.options) for chunk in chunks_of(items, CHUNK_SIZE))
        outcomes = (outcome for done in runner.run(write_chunk, jobs) for outcome in done)
        self.tally.take(outcomes, self.journals.written.add, self.reporter, "write faces",
                        len(items))


def _result(frames: Sequence[Frame], options: ExtractOptions, journals: Journals,
            planner: Planner, tally: _Tally, seconds: float) -> Extraction:
    """Counts what is there now.

    Raises:
        NoFacesFound: No frame shows a face.
    """
    notes = [journals.written.done[frame.name] for frame in frames
             if frame.name in journals.written.done]
    found = [note["faces"] for note in notes]
    if not any(found):
        raise NoFacesFound(_nothing_found(options, len(frames), tally.failed))
    there = set(os.listdir(options.output_dir))
    kept = [sum(name in there for name in names) for names in found]
    doubtful = [name for note in notes for name, sanity in zip(note["faces"],
                                                               note.get("sanity", ()))
                if sanity < DOUBTFUL and name in there]
    before, after = jitter_before_and_after(planner, options.smooth)
    return Extraction(
        frames=len(frames), frames_with_faces=sum(map(bool, kept)), faces=sum(kept),
        deleted=sum(map(len, found)) - sum(kept), failed=tally.failed,
        done_now=len(tally.touched), seconds=seconds,
        stages={name: dict(figures) for name, figures in tally.stages.items()},
        tracks=planner.n_tracks, cuts=planner.n_cuts, jitter=after, jitter_found=before,
        doubtful=doubtful)


def _new_planner(options: ExtractOptions) -> Planner:
    return Planner(EMBEDDERS.load(options.identity)().same_person if options.identity else 1.0)


def _tell(sitting: Sitting, reporter: Reporter) -> None:
    """How far the work by hand is."""
    n_left = len(sitting.undecided)
    message = f"by hand: {sitting.looked_at - n_left} of {sitting.looked_at} frames decided" + (
        "; the same command goes on with the others" if n_left else "")
    reporter.event("manual", message=message, frames=sitting.looked_at, undecided=n_left)


def _nothing_found(options: ExtractOptions, n_frames: int,
                   failed: Sequence[tuple[str, str]]) -> str:
    if options.manual:
        return (f"{options.output_dir}: no face is set in {n_frames} frames; run the same command "
                "again to go on")
    if len(failed) == n_frames:
        return (f"{options.input_dir}: none of the {n_frames} frames can be read "
                f"({failed[0][0]}: {failed[0][1]}); extract the video again")
    return (f"{options.input_dir}: no face in {n_frames} frames; check the pictures, lower "
            "--min-face-size, or try another --detector")
