"""`xseg editor`: draw on aligned faces what is the visible face, in a window."""

from dataclasses import dataclass
from pathlib import Path

from core.options import option
from core.prompt import Prompter
from core.report import Reporter
from facelib.registry import SEGMENTERS
from mainscripts.command import require
from mainscripts.xseg_editor.run import run_editor
from mainscripts.xseg_segmenter import find_segmenter


@dataclass(frozen=True)
class EditorOptions:
    """Which faces, and what suggests masks for them."""

    input_dir: Path | None = option(None, ask=True, help="Folder with the aligned faces.")
    model_dir: Path | None = option(
        None, help="Folder of all models, to use a segmenter that you trained.")
    name: str = option("new", help="Name of that model.")
    segmenter: str = option(
        "xseg", help=f"Where no such model is: {', '.join(SEGMENTERS.names())}, or your own as "
        "module:Class. It is loaded when it is first asked for something.")


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
