"""HTTP requests as a browser or somebody else on this computer sends them."""

import http.client
import json
import socket
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit


class Answer(NamedTuple):
    """What the server said."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()


class Client:
    """Talks to the page at an address that holds a token."""

    def __init__(self, address):
        parts = urlsplit(address)
        self.port = parts.port
        self.token = parse_qs(parts.query)["token"][0]

    def ask(self, method, path, *, token=None, body=None, **headers):
        """One request; `token` None is that of the address, "" none at all."""
        token = self.token if token is None else token
        if token:
            headers["X_FaceLab_Token"] = token
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def get(self, path, **settings):
        return self.ask("GET", path, **settings)

    def command(self, name, **settings):
        return self.ask("POST", "/api/command", body=json.dumps({"command": name}), **settings)

    def raw(self, data):
        """What comes back for these very bytes, up to the end of the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            received = b""
            while piece := connection.recv(65536):
                received += piece
        return received
