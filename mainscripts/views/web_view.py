"""`--preview web`: a page on this computer that shows a training and takes its commands."""

import secrets
import threading

from core.errors import OptionError
from mainscripts.views.view import Command, TrainingStatus, ViewSetup
from mainscripts.views.web_server import WebServer
from mainscripts.views.web_state import WebState

GOODBYE_SECONDS = 3.0  # an open page hears of the end within that time


def open_web_view(setup: ViewSetup) -> "WebView":
    """The view for `--preview web`.

    Raises:
        OptionError: The port is taken.
    """
    view = WebView(setup.web_port).start()
    setup.on_info(f"open {view.address}")
    return view


class WebView:
    """A server in threads of its own; `update` only keeps the newest status for it."""

    def __init__(self, port: int = 0):
        """
        Args:
            port: 0 takes any free one.

        Raises:
            OptionError: The port is taken or not allowed.
        """
        self._state = WebState()
        try:
            self._server = WebServer(port, secrets.token_urlsafe(24), self._state)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise OptionError(f"web page: port {port} cannot be used ({reason}); choose another "
                              "--web-port, or 0 for any") from error
        self._thread = threading.Thread(target=self._server.serve_forever,
                                        kwargs={"poll_interval": 0.05}, name="web page",
                                        daemon=True)

    @property
    def address(self) -> str:
        """Where to open the page, token included."""
        return self._server.address

    def start(self) -> "WebView":
        """Starts to answer."""
        self._thread.start()
        return self

    def update(self, status: TrainingStatus) -> None:
        """Keeps the newest status."""
        self._state.update(status)

    def commands(self) -> list[Command]:
        """What the page asked for."""
        return self._state.commands.take_all()

    def close(self, reason: str = "") -> None:
        """Tells an open page that training has ended, then stops to answer."""
        if not self._thread.is_alive():
            return
        self._state.end(reason)
        self._state.wait_until_seen(GOODBYE_SECONDS)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
