"""The web page's server: this computer only, and only for those who know the token.

Another user of this computer, or a page of another site open in the same browser, can send
requests to 127.0.0.1. They can neither watch nor press a button, because

* the page needs the token in its address (`?token=`), all that it fetches needs it in a header,
  which other sites cannot set. It is compared in constant time. There is no cookie: browsers
  would send it to every port of this computer, whoever listens there;
* commands need besides that no foreign site is named as their `Origin`;
* the `Host` must be a name of this computer, so that a foreign name which turns to 127.0.0.1
  after the page was loaded (DNS rebinding) is refused. The port is not looked at: with an SSH
  tunnel it is another one.

Scripts, styles and the icon are the same for everybody, and given to everybody.
"""

import hmac
import json
import os
import socket
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, urlsplit

from mainscripts.views.view import Command
from mainscripts.views.web_state import WebState

LOOPBACK = "127.0.0.1"
HOSTS = ("127.0.0.1", "localhost", "::1")
TOKEN_HEADER = "X-FaceLab-Token"
BODY_MOST = 1024  # bytes
SOCKET_SECONDS = 20.0
CONNECTIONS_MOST = 64  # a browser opens six; files that training opens need their numbers too
ASSETS = Path(__file__).parent / "web"
CONTENT_TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
                 ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Refused(Exception):
    """A request that is not answered as it wished."""

    def __init__(self, status: HTTPStatus, message: str):
        super().__init__(message)
        self.status = status


class WebServer(ThreadingHTTPServer):
    """Serves one training; a thread for each connection."""

    daemon_threads = True
    request_queue_size = CONNECTIONS_MOST
    # Elsewhere it lets a new run take the port of the last one at once; on Windows it would let two
    # programs have the same port.
    allow_reuse_address = os.name != "nt"

    def __init__(self, port: int, token: str, state: WebState):
        """
        Args:
            port: 0 takes any free one.
            token: Secret that every request must know.
            state: Of the training.

        Raises:
            OSError: The port is taken or not allowed.
        """
        self.token = token
        self.state = state
        self.assets = {path.name: path.read_bytes() for path in ASSETS.iterdir()
                       if path.suffix in CONTENT_TYPES}
        self._free = threading.BoundedSemaphore(CONNECTIONS_MOST)
        super().__init__((LOOPBACK, port), WebRequest)

    @property
    def address(self) -> str:
        """Where to open the page."""
        return f"http://{LOOPBACK}:{self.server_port}/?token={self.token}"

    def process_request(self, request: socket.socket, client_address: object) -> None:
        """Answers a connection in a thread, or hangs up if there are too many."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: socket.socket, client_address: object) -> None:
        """Answers a connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Shows the trace of a defect; a browser that hangs up is no news."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class WebRequest(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: WebServer
    protocol_version = "HTTP/1.1"
    server_version = "FaceLab"
    sys_version = ""
    timeout = SOCKET_SECONDS

    def do_GET(self) -> None:
        """The page, its parts, the state, the curves, a preview."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """A command."""
        self._answer(self._post)

    def do_HEAD(self) -> None:
        """Nothing but GET and POST, see `_refuse_method`."""
        self._answer(self._refuse_method)

    do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD

    def log_message(self, *_: object) -> None:
        """The console belongs to training."""

    def send_error(self, code: int, message: str | None = None,
                   explain: str | None = None) -> None:
        """Refuses what http.server itself cannot take, with our headers."""
        self.request_version = self.protocol_version  # a broken request counts as HTTP/0.9
        self._refuse(Refused(HTTPStatus(code), message or HTTPStatus(code).phrase))

    def _answer(self, method: Callable[[SplitResult], None]) -> None:
        try:
            method(self._address())
        except Refused as refusal:
            self._refuse(refusal)

    def _address(self) -> SplitResult:
        """What is asked for, if it is asked of this computer by one of its names."""
        try:
            host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
            address = urlsplit(self.path)
        except ValueError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, "this is no address") from error
        if host not in HOSTS:
            raise Refused(HTTPStatus.FORBIDDEN, f"open this page as http://{LOOPBACK}")
        return address

    def _refuse(self, refusal: Refused) -> None:
        self.close_connection = True  # a body may be unread
        self._send(str(refusal).encode(), "text/plain; charset=utf-8", refusal.status)

    def _refuse_method(self, _: SplitResult) -> None:
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "only GET and POST are answered")

    def _get(self, address: SplitResult) -> None:
        query = {name: values[-1] for name, values in parse_qs(address.query).items()}
        path = address.path
        if path == "/":
            self._send_page(query.get("token", ""))
        elif path.startswith("/api/"):
            self._require(self.headers.get(TOKEN_HEADER, ""))
            self._send_facts(path, query)
        else:
            self._send_asset(path.removeprefix("/"))

    def _send_facts(self, path: str, query: dict[str, str]) -> None:
        state = self.server.state
        if path == "/api/state":
            self._send_json(state.state("heard_of_end" in query))
        elif path == "/api/curves":
            self._send_json(state.curves(_number(query, "last"), _number(query, "columns")))
        elif path == "/api/preview":
            self._send_preview(state.preview(query.get("name", "")))
        else:
            raise Refused(HTTPStatus.NOT_FOUND, "there is nothing here")

    def _post(self, address: SplitResult) -> None:
        self._require(self.headers.get(TOKEN_HEADER, ""))
        origin = self.headers.get("Origin")
        if origin is not None and origin != f"http://{self.headers.get('Host')}":
            raise Refused(HTTPStatus.FORBIDDEN, "commands are taken from FaceLab's own page only")
        if address.path != "/api/command":
            raise Refused(HTTPStatus.NOT_FOUND, "there is nothing here")
        number = self.server.state.ask(self._command(self._body()))
        if number is None:
            raise Refused(HTTPStatus.CONFLICT, "training has ended")
        self._send_json({"number": number}, HTTPStatus.ACCEPTED)

    def _require(self, token: str) -> None:
        if not self._knows(token):
            raise Refused(HTTPStatus.FORBIDDEN, "open the address that FaceLab printed when this "
                                                "training began; it holds a token")

    def _knows(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self.server.token.encode())

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "say how long the command is")
        if int(length) > BODY_MOST:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "this is no command")
        return self.rfile.read(int(length))

    def _command(self, body: bytes) -> Command:
        try:
            return Command(json.loads(body)["command"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            known = ", ".join(Command)
            raise Refused(HTTPStatus.BAD_REQUEST, f"no such command; known are {known}") from error

    def _send_page(self, token: str) -> None:
        """The page; without the token another one that asks for it."""
        if self._knows(token):
            self._send(self.server.assets["index.html"], CONTENT_TYPES[".html"])
        else:
            self._send(self.server.assets["no_token.html"], CONTENT_TYPES[".html"],
                       HTTPStatus.FORBIDDEN)

    def _send_asset(self, name: str) -> None:
        data = self.server.assets.get(name)
        if data is None or name.endswith(".html"):
            raise Refused(HTTPStatus.NOT_FOUND, "there is nothing here")
        self._send(data, CONTENT_TYPES[Path(name).suffix])

    def _send_preview(self, jpeg: bytes | None) -> None:
        if jpeg is None:
            raise Refused(HTTPStatus.NOT_FOUND, "there is no such preview")
        self._send(jpeg, "image/jpeg")

    def _send_json(self, value: dict, status: HTTPStatus = HTTPStatus.OK) -> None:
        data = json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
        self._send(data, "application/json", status)

    def _send(self, data: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        headers = {**HEADERS, "Content-Type": kind, "Content-Length": str(len(data))}
        if self.close_connection:
            headers["Connection"] = "close"
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = "GET, POST"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _number(query: dict[str, str], name: str) -> int:
    text = query.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Refused(HTTPStatus.BAD_REQUEST, f"{name} must be a whole number")
    return int(text)
