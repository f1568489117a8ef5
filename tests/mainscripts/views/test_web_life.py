"""The page's server with odd and many visitors, from its start to its end."""

import errno
import os
import socket
import threading

import pytest

from core.errors import OptionError
from mainscripts.views import web_view
from mainscripts.views.view import make_view
from mainscripts.views.web_server import CONNECTIONS_MOST
from tests.mainscripts.views.http_client import Client
from tests.mainscripts.views.synthetic import history_of, status_of


@pytest.mark.parametrize("data, status", [
    (b"GET\r\n\r\n", 400), (b"nonsense\r\n\r\n", 400), (b"GET / HTTP/9.9\r\n\r\n", 505),
    (b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nX: " + b"a" * 70000 + b"\r\n\r\n", 431),
    (b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 200 + b"\r\n", 431),
    (b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)])
def test_odd_requests_are_refused_plainly(client, capfd, data, status):
    answer = client.raw(data)
    assert f" {status} ".encode() in answer.split(b"\r\n")[0]
    assert b"default-src 'none'" in answer and b"<html" not in answer.lower()
    assert client.get("/api/state").status == 200
    assert capfd.readouterr() == ("", "")


def test_a_browser_that_hangs_up_is_no_news(client, capfd):
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", client.port)) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.sendall(f"GET /?token={client.token} HTTP/1.1\r\nHost: localhost\r\n\r\n"
                               .encode() * 20)
    assert client.get("/api/state").status == 200
    assert capfd.readouterr() == ("", "")


def test_idle_connections_do_not_pile_up(web, client):
    idle = [socket.create_connection(("127.0.0.1", client.port), timeout=60)
            for _ in range(CONNECTIONS_MOST)]
    try:
        refused = socket.create_connection(("127.0.0.1", client.port), timeout=60)
        assert refused.recv(1) == b""  # hung up at once
        refused.close()
        idle.pop().close()
        while (answer := raw_state(client)) == b"":  # until the server has noticed
            pass
        assert answer.startswith(b"HTTP/1.1 200 ")
    finally:
        for connection in idle:
            connection.close()


def raw_state(client):
    try:
        return client.raw(f"GET /api/state HTTP/1.0\r\nHost: localhost\r\n"
                          f"X-FaceLab-Token: {client.token}\r\n\r\n".encode())
    except OSError:  # hung up: while the question is sent, or before
        return b""


def test_many_ask_at_once_while_training_goes_on(web, client):
    found, history = [], history_of(5000)

    def ask():
        for _ in range(5):
            state = client.get("/api/state").json
            curves = client.get("/api/curves?last=0&columns=300").json
            found.append(curves["last"] - state["status"]["iteration"])

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for iteration in range(3001, 3400):
        web.update(status_of(history, iteration=iteration))
    for thread in threads:
        thread.join()
    assert len(found) == 30


# -- its life -----------------------------------------------------------------------------------

def test_a_port_that_is_taken_is_one_line(web, client, tmp_path):
    with pytest.raises(OptionError) as failure:
        make_view("web", tmp_path, web_port=client.port)
    reason = os.strerror(errno.EADDRINUSE)
    assert str(failure.value) == (f"web page: port {client.port} cannot be used ({reason}); choose "
                                  "another --web-port, or 0 for any")


@pytest.mark.parametrize("port", [65536, -1, 10**9])
def test_a_port_that_cannot_be_is_one_line(tmp_path, port):
    with pytest.raises(OptionError, match=f"port {port} cannot be used"):
        make_view("web", tmp_path, web_port=port)


def test_the_chosen_port_is_used_and_free_again_after_the_end(tmp_path):
    first = make_view("web", tmp_path)
    port = Client(first.address).port
    Client(first.address).get("/app.js")
    first.close()
    second = make_view("web", tmp_path, web_port=port)
    assert Client(second.address).get("/api/state").json["status"] is None
    second.close()


def test_after_the_end_nobody_answers_and_closing_twice_does_no_more(tmp_path):
    view = make_view("web", tmp_path)
    client = Client(view.address)
    assert client.get("/app.js").status == 200  # no page is open: the end need not wait
    view.close("stopped")
    view.close()
    view.update(status_of(history_of(1)))
    with pytest.raises(ConnectionRefusedError):
        client.get("/api/state")


def test_a_command_that_comes_after_the_end_is_refused(web, client, monkeypatch):
    monkeypatch.setattr(web_view, "GOODBYE_SECONDS", 60.0)
    client.get("/api/state")  # a page is open
    closing = threading.Thread(target=web.close, args=("target iteration",))
    closing.start()
    while client.get("/api/state").json["ended"] is None:
        pass
    answer = client.command("save")
    assert (answer.status, answer.text) == (409, "training has ended")
    assert client.get("/api/state?heard_of_end=1").json["ended"] == "target iteration"
    closing.join(60)
    assert not closing.is_alive() and web.commands() == []
