"""Opens the editor on a faceset."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.folder_lock import FolderLock
from core.report import Reporter
from facelib.protocols import FaceSegmenter
from mainscripts.xseg_editor.ahead import Ahead, read_picture_of, read_thumbnail_of
from mainscripts.xseg_editor.document import Document
from mainscripts.xseg_editor.faces import FaceFolder
from mainscripts.xseg_editor.history import FILE_NAME, History
from mainscripts.xseg_editor.predictions import Predictions
from mainscripts.xseg_editor.scan import Scan
from mainscripts.xseg_editor.session import Session
from mainscripts.xseg_editor.settings import settings_path
from mainscripts.xseg_editor.toolkit import require_toolkit

if TYPE_CHECKING:
    from mainscripts.xseg_editor.window import EditorWindow

_PICTURES, _THUMBNAILS = 24, 400
"""How many are kept: 24 faces of 1024 pixels take 75 MB, 400 thumbnails 12 MB."""


@dataclass
class _Late:
    """What the threads call before there is a window to be told."""

    thumbnail: Callable[[str], None] = lambda name: None
    mask: Callable[[str], None] = lambda name: None
    doubts: Callable[[], None] = lambda: None


def run_editor(folder: Path, segmenter: Callable[[], FaceSegmenter] | None,
               reporter: Reporter | None = None, *, settings: Path | None = None) -> None:
    """Lets a person draw polygons on the faces of a faceset, until the window is closed.

    Args:
        folder: Of the faceset.
        segmenter: Loads what suggests masks; called by a thread. None does without.
        reporter: Told of pictures that are no faces.
        settings: Where the window's settings are kept; None takes the user's folder.

    Raises:
        DeviceError: There is no toolkit or no display for a window.
        NoFacesFound: The folder holds no faces.
        FolderInUse: Another editor is open on the faceset.
        OSError: The history cannot be read or written.
    """
    require_toolkit()
    from PySide6.QtWidgets import QApplication

    from mainscripts.xseg_editor.theme import apply_theme

    application = QApplication.instance() or QApplication(["FaceLab"])
    apply_theme(application)
    with open_window(folder, segmenter, settings or settings_path()) as window:
        n_skipped = window.session.document.faces.n_skipped
        if n_skipped and reporter is not None:
            reporter.warning(f"{folder}: {n_skipped} pictures are no aligned faces and left out")
        window.show()
        application.exec()


@contextmanager
def open_window(folder: Path, segmenter: Callable[[], FaceSegmenter] | None,
                settings: Path) -> Iterator["EditorWindow"]:
    """The window on a faceset, not shown yet, with all that works for it; see `run_editor`."""
    from mainscripts.xseg_editor.window import EditorWindow

    faces = FaceFolder.load(folder)
    with FolderLock(folder):
        document = Document(faces, History.load(folder / FILE_NAME))
        late = _Late()
        pictures = Ahead(read_picture_of(faces), _PICTURES)
        thumbnails = Ahead(read_thumbnail_of(faces), _THUMBNAILS, lambda name: late.thumbnail(name))
        predictions = None if segmenter is None else Predictions(
            faces, segmenter, lambda name: late.mask(name), lambda: late.doubts())
        scan = Scan(faces)
        session = Session(document, scan, pictures, predictions)
        window = EditorWindow(session, thumbnails, settings)
        late.thumbnail, late.mask = window.thumbnail_ready.emit, window.mask_ready.emit
        late.doubts = window.doubts_ready.emit
        workers = [pictures, thumbnails, scan, *([] if predictions is None else [predictions])]
        for worker in workers:
            worker.start()
        window.follow()
        try:
            yield window
        finally:
            window.close()
            for worker in workers:
                worker.close()
