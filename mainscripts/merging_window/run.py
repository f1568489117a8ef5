"""One sitting: from a folder of merged frames to the window and back."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

from core.errors import FaceLabError, UsageError
from core.folder_lock import FolderLock
from core.frames import Frame
from core.journal import read_header
from core.paths import atomic_write
from core.report import Reporter
from core.video import find_video
from core.window import PictureWindow, check_display
from mainscripts.merging.frame_settings import (
    SETTINGS_FILE,
    FrameSettings,
    SettingsFile,
    WindowState,
    read_settings,
    write_settings,
)
from mainscripts.merging.job import faces_of, open_source
from mainscripts.merging.journal import JOURNAL, MergeJournal, header_of
from mainscripts.merging.model import LOADERS, MergeModel, helpers_for, load_model
from mainscripts.merging.options import MergeFiles
from mainscripts.merging.stages import Merger
from mainscripts.merging.write import FrameWriter
from mainscripts.merging_window.document import Document, beginning
from mainscripts.merging_window.presets import Presets
from mainscripts.merging_window.session import Session
from mainscripts.merging_window.states import States
from mainscripts.merging_window.window import ADVICE, make_window, run_window
from mainscripts.merging_window.work import Backstage
from merger.networks import needed_networks
from merger.options import MergeOptions

_POLL_SECONDS = 0.005


class Sitting(NamedTuple):
    """What came of it.

    `frames`: in all; `done`: those whose files are as set; `failed`: (frame name, reason);
    `settings`: where the options of all frames are.
    """

    frames: int
    done: int
    failed: list[tuple[str, str]]
    settings: str


class Desk(NamedTuple):
    """What lies ready: the settings of all frames, how it stands with them, and what keys do."""

    document: Document
    states: States
    session: Session

    def finish(self) -> None:
        """Begins nothing new, and waits for what has begun."""
        self.session.end()
        while not self.session.is_finished:
            self.session.tick()
            time.sleep(_POLL_SECONDS)


def check_files(files: MergeFiles) -> None:
    """Makes sure that this can be merged in a window.

    Raises:
        UsageError: It cannot.
    """
    for name in ("output_video", "scheduler", "compositor_dir"):
        if getattr(files, name) is not None:
            raise UsageError(f"--{name.replace('_', '-')} does not go with --interactive, which "
                             "writes frames into --output-dir; give it to a merge with --settings "
                             "afterwards")


def settings_path(files: MergeFiles) -> Path:
    """The file that a sitting begins with, if it exists, and keeps."""
    return files.settings or files.output_dir / SETTINGS_FILE


def merge_in_window(files: MergeFiles, options: MergeOptions, reporter: Reporter,
                    window: Callable[[], PictureWindow] | None = None) -> Sitting:
    """Opens the window on all frames.

    Args:
        files: What is merged into what.
        options: Of all frames, where nothing was set and nothing merged before.
        reporter: Told of what the user should know.
        window: Makes the window; None is a real one.

    Raises:
        DeviceError: No window can be opened.
        UsageError: The output folder holds frames of another merge.
        FaceLabError: As of `mainscripts.merging.job.merge`.
    """
    if window is None:
        check_display(ADVICE)
    with open_desk(files, options, reporter) as desk:
        run_window(desk.session, (window or make_window)())
        desk.finish()
        return Sitting(len(desk.document.frames), desk.states.count_done(),
                       desk.states.failures(), str(settings_path(files)))


@contextlib.contextmanager
def open_desk(files: MergeFiles, options: MergeOptions, reporter: Reporter) -> Iterator[Desk]:
    """All that a sitting needs but the window; arguments and errors as of `merge_in_window`."""
    files = replace(files, input_dir=find_video(files.input_dir))
    source = open_source(files, reporter)
    faces = faces_of(files, source.frames)
    begun = _begun(files, options, source.frames)
    model = load_model(files, begun.settings, reporter)
    writer = FrameWriter.open(files.output_dir, files.output_mask_dir)
    _make_stale(files, begun.settings, model, writer, reporter)
    with MergeJournal(files, begun.settings, model, source.frames, faces, writer) as journal:
        writer.clear_unfinished()
        path = settings_path(files)
        document = Document(source.frames, begun, _saver(path, source.frames))
        states = States(document, journal, writer)
        states.read()
        with contextlib.closing(Backstage(source, Merger(model.networks, faces), writer)) as work:
            yield Desk(document, states, Session(document, states, work, Presets(),
                                                 _checker(files, work, journal)))
        write_settings(path, source.frames, document.settings(), document.window())


def _begun(files: MergeFiles, options: MergeOptions, frames: Sequence[Frame]) -> SettingsFile:
    """What an earlier sitting left; or what an earlier batch run did, if nothing else is said."""
    path = settings_path(files)
    if path.exists():
        return read_settings(path, frames)
    header = read_header(files.output_dir / JOURNAL)
    if header is not None and options == MergeOptions() and not files.overwrite:
        known = asdict(options)
        options = replace(options, **{name: value for name, value in header.items()
                                      if name in known})
    return beginning(frames, options)


def _saver(path: Path, frames: Sequence[Frame]) -> Callable[[FrameSettings, WindowState], None]:
    def save(settings: FrameSettings, window: WindowState) -> None:
        write_settings(path, frames, settings, window, durable=False)

    return save


def _checker(files: MergeFiles, work: Backstage, journal: MergeJournal
             ) -> Callable[[MergeOptions], None]:
    """Loads networks that options need and that nobody has needed before, if there are any."""
    problems: dict[str, FaceLabError] = {}

    def check(options: MergeOptions) -> None:
        for name in helpers_for(needed_networks(options)):
            if name in problems:
                raise problems[name]
            if getattr(work.networks, name) is not None:
                continue
            try:
                helper = LOADERS[name](files)
            except FaceLabError as error:
                problems[name] = error  # looking again at every key would take long
                raise
            work.add_network(name, helper.network)
            journal.helpers[name] = helper.origin

    return check


def _make_stale(files: MergeFiles, settings: FrameSettings, model: MergeModel,
                writer: FrameWriter, reporter: Reporter) -> None:
    """Begins the journal anew if nothing but the model has changed, by more training.

    All files stay, and each is replaced when its frame is merged again.
    """
    path = writer.folder / JOURNAL
    before, now = read_header(path), header_of(files, settings.base, model, writer)
    if before is None or before == now or before | {"generation": model.generation} != now:
        return
    with FolderLock(writer.folder):
        atomic_write(path, (json.dumps(now) + "\n").encode())
    reporter.info("the model was trained since; all frames are to be merged again")
