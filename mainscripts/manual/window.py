"""The window for setting faces by hand: events in, pictures out."""

from core.window import PictureWindow, Window
from core.window_loop import sit_at
from mainscripts.manual.picture import manual_picture
from mainscripts.manual.session import Session

TITLE = "FaceLab manual extraction"
ADVICE = "run it where there is one, or extract without --manual"

_KEY_SECONDS = 0.02


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
    session.start()
    window.open()
    sit_at(session, window, lambda: manual_picture(session.scene()), lambda: _KEY_SECONDS)
