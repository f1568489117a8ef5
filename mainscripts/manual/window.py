"""The window for setting faces by hand: events in, pictures out."""

from core.window import PictureWindow, Window
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
    try:
        while not session.is_finished:
            if session.needs_drawing:
                window.show(manual_picture(session.scene()))
            key = window.key(_KEY_SECONDS)
            for event in window.mouse_events():
                session.mouse(event)
            session.press(key)
            session.look()
            if not window.is_open:
                return
    finally:
        window.close()
