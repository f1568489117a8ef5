"""The merge window: events in, pictures out."""

import numpy as np

from core.window import PictureWindow, Window
from core.window_loop import sit_at
from mainscripts.merging_window.help_picture import help_picture
from mainscripts.merging_window.picture import merge_picture
from mainscripts.merging_window.session import Session

TITLE = "FaceLab merge"
ADVICE = "run it where there is one, or merge without --interactive"

_WORKING_SECONDS, _REST_SECONDS = 0.004, 0.03


def make_window() -> Window:
    """The real one, not open yet."""
    return Window(TITLE, takes_mouse=True, advice=ADVICE)


def run_window(session: Session, window: PictureWindow) -> None:
    """Works until the user finishes or closes the window.

    Args:
        session: Not started yet.
        window: Not open yet; closed afterwards.

    Raises:
        DeviceError: No window can be opened.
    """
    window.open()
    session.start()
    sit_at(session, window, lambda: _picture(session),
           lambda: _WORKING_SECONDS if session.is_waiting else _REST_SECONDS)


def _picture(session: Session) -> np.ndarray:
    scene = session.scene()
    return help_picture() if session.shows_help else merge_picture(scene)
