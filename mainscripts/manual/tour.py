"""Which frames a person is to look at."""

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum

from core.errors import UsageError
from core.frames import Frame
from mainscripts.extraction.journals import Journals
from mainscripts.extraction.options import ExtractOptions
from mainscripts.extraction.write import debug_dir, debug_path


class Task(Enum):
    """What is done by hand; the value is its flag."""

    ALL = "--manual"
    WITHOUT_FACE = "--manual-fix"
    DELETED_DEBUG = "--manual-output-debug-fix"


def task_of(options: ExtractOptions) -> Task | None:
    """What an extraction does by hand; None for one that only works automatically.

    Raises:
        UsageError: More than one, or a folder of debug frames is needed and missing.
    """
    wanted = [task for task, is_wanted in (
        (Task.ALL, options.manual), (Task.WITHOUT_FACE, options.manual_fix),
        (Task.DELETED_DEBUG, options.manual_output_debug_fix)) if is_wanted]
    if len(wanted) > 1:
        raise UsageError(f"{' and '.join(task.value for task in wanted)} exclude each other; "
                         "give one of them")
    if wanted == [Task.DELETED_DEBUG] and not debug_dir(options).is_dir():
        raise UsageError(f"{debug_dir(options)}: there are no debug frames; run extract with "
                         "--output-debug, delete those of frames to do again, then run this")
    return wanted[0] if wanted else None


def effective(options: ExtractOptions) -> ExtractOptions:
    """What an extraction really uses: the detector "manual" of other programs is `--manual`, and
    debug frames that were deleted have to come back."""
    if options.detector == "manual":
        options = replace(options, manual=True, detector=ExtractOptions.detector)
    if options.manual_output_debug_fix:
        options = replace(options, output_debug=True)
    return options


def choose_frames(task: Task, frames: Sequence[Frame], journals: Journals,
                  options: ExtractOptions) -> list[int]:
    """Numbers of the frames to look at, rising.

    Args:
        task: All; those in which no face was found automatically; or those that are extracted and
            whose debug frame is gone.
        frames: All of the source.
        journals: What was found and written.
        options: Of the extraction.
    """
    def is_wanted(frame: Frame) -> bool:
        if task is Task.WITHOUT_FACE:
            found = journals.found_automatically(frame)
            return found is not None and not found.faces
        if task is Task.DELETED_DEBUG:
            return (frame.name in journals.written.done
                    and not debug_path(options, frame).exists())
        return True

    return [number for number, frame in enumerate(frames) if is_wanted(frame)]
