"""`xseg editor`: draw on aligned faces what is the visible face, in a window."""

from dataclasses import dataclass

from core.prompt import Prompter
from core.report import Reporter
from mainscripts.command import require
from mainscripts.xseg_editor.run import run_editor
from mainscripts.xseg_segmenter import SegmenterChoice, find_segmenter


@dataclass(frozen=True)
class EditorOptions(SegmenterChoice):
    """The segmenter suggests masks, and is loaded when it is first asked for something."""


def edit(options: EditorOptions, reporter: Reporter, prompter: Prompter) -> None:
    """Opens the window, and returns when it is closed.

    Raises:
        UsageError: No folder is given.
        DeviceError, NoFacesFound, FolderInUse, OSError: See `run_editor`.
    """
    require(options, "input_dir")
    run_editor(options.input_dir,
               lambda: find_segmenter(options.segmenter, options.model_dir, options.name),
               reporter)
