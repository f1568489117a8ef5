"""The page's server over real HTTP."""

import json

import cv2
import numpy as np
import pytest

from mainscripts.views.view import Command, make_view
from mainscripts.views.web_server import BODY_MOST
from tests.mainscripts.views.http_client import Client
from tests.mainscripts.views.synthetic import history_of

API = ("/api/state", "/api/curves?last=0&columns=100", "/api/preview?name=faces")


# -- what it tells ------------------------------------------------------------------------------

def test_the_address_is_told_and_on_loopback(told, web):
    assert told == [f"open {web.address}"]
    assert web.address.startswith("http://127.0.0.1:")


def test_tokens_are_long_and_never_the_same(web, tmp_path):
    other = make_view("web", tmp_path)
    tokens = {Client(address).token for address in (web.address, other.address)}
    other.close()
    assert len(tokens) == 2 and min(map(len, tokens)) >= 32  # 24 random bytes


def test_the_state_has_the_numbers_of_the_status(client):
    answer = client.get("/api/state")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    state = answer.json
    assert state["status"]["iteration"] == 3000 and state["status"]["name"] == "anna"
    assert state["status"]["losses"]["dst"] == pytest.approx(
        history_of(3000).column("dst")[-100:].mean(), rel=1e-6)
    assert [preview["name"] for preview in state["previews"]] == ["faces", "größe & co"]
    assert state["ended"] is None


def test_curves_are_those_of_the_history(client):
    curves = client.get("/api/curves?last=0&columns=100").json
    assert (curves["first"], curves["last"]) == (1, 3000)
    runs = history_of(3000).column("src").reshape(100, 30).astype(np.float64)
    for name, expected in (("low", runs.min(1)), ("high", runs.max(1)), ("mean", runs.mean(1))):
        np.testing.assert_allclose(curves["series"]["src"][name], expected, rtol=6e-5)


def test_previews_are_jpegs_in_their_colours(client):
    for name, height in (("faces", 20), ("gr%C3%B6%C3%9Fe%20%26%20co", 9)):
        answer = client.get(f"/api/preview?name={name}")
        assert (answer.status, answer.headers["Content-Type"]) == (200, "image/jpeg")
        picture = cv2.imdecode(np.frombuffer(answer.body, np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape == (height, 30, 3)
        assert np.abs(picture.astype(int) - (40, 90, 200)).max() <= 4


@pytest.mark.parametrize("path", [
    "/api/curves", "/api/curves?last=0", "/api/curves?last=-1&columns=9",
    "/api/curves?last=0&columns=x", "/api/curves?last=0&columns=%F0%9D%9F%AD",
    "/api/curves?last=0&columns=9999999999999999999"])
def test_numbers_that_are_none_are_refused(client, path):
    assert client.get(path).status == 400


@pytest.mark.parametrize("path", [
    "/api/preview?name=none", "/api/preview", "/api", "/api/", "/api/other", "/index.html",
    "/no_token.html", "/../web_server.py", "/%2e%2e/web_server.py", "/web_server.py", "/app.js/",
    "/favicon.ico"])
def test_there_is_nothing_else(client, path):
    assert client.get(path).status == 404


# -- the page and its parts ---------------------------------------------------------------------

def test_the_page_holds_no_secret_and_sets_no_cookie(client):
    answer = client.get(f"/?token={client.token}", token="")
    assert answer.status == 200 and "Set-Cookie" not in answer.headers
    assert client.token not in answer.text and "FaceLab" in answer.text


@pytest.mark.parametrize("name, kind", [
    ("app.js", "text/javascript; charset=utf-8"), ("style.css", "text/css; charset=utf-8"),
    ("icon.svg", "image/svg+xml"), ("again.js", "text/javascript; charset=utf-8")])
def test_parts_of_the_page_have_their_types(client, name, kind):
    answer = client.get(f"/{name}", token="")
    assert (answer.status, answer.headers["Content-Type"]) == (200, kind)


@pytest.mark.parametrize("path, token", [
    ("/", ""), ("/app.js", ""), ("/nothing", ""), ("/api/state", ""), ("/api/state", None),
    ("/api/preview?name=faces", None)])
def test_every_answer_is_kept_from_caches_other_sites_and_frames(client, path, token):
    headers = client.get(path, token=token).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers
    policy = dict(part.strip().split(" ", 1)
                  for part in headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'", "script-src": "'self'", "style-src": "'self'",
        "img-src": "'self' blob:", "connect-src": "'self'", "base-uri": "'none'",
        "form-action": "'none'", "frame-ancestors": "'none'"}
    assert "Python" not in headers["Server"]


# -- who may ask --------------------------------------------------------------------------------

def wrong_tokens(token):
    other = ("B" if token[0] == "A" else "A") + token[1:]
    return ["", other, token[:-1], token + "A", token[:1], token.swapcase(), "é" * 32, "x" * 30000]


def without_date(answer):
    headers = {name: value for name, value in answer.headers.items() if name != "Date"}
    return answer._replace(headers=headers)


@pytest.mark.parametrize("path", API)
def test_without_the_token_nothing_is_told_and_all_wrong_ones_are_told_the_same(client, path):
    answers = [without_date(client.get(path, token=wrong.encode()))
               for wrong in wrong_tokens(client.token)]
    assert answers[0].status == 403 and "token" in answers[0].text
    assert all(answer == answers[0] for answer in answers)


def test_the_token_is_compared_in_constant_time(client, monkeypatch):
    from mainscripts.views import web_server

    compared, compare = [], web_server.hmac.compare_digest

    def watched(a, b):
        compared.append((a, b))
        return compare(a, b)

    monkeypatch.setattr(web_server.hmac, "compare_digest", watched)
    client.get("/api/state", token="wrong")
    client.get("/?token=wrong", token="")
    client.command("save", token="wrong")
    assert compared == [(b"wrong", client.token.encode())] * 3


def test_the_token_in_the_address_opens_the_page_only(client):
    assert client.get(f"/?token={client.token}", token="").status == 200
    for path in API:
        joint = "&" if "?" in path else "?"
        assert client.get(f"{path}{joint}token={client.token}", token="").status == 403


@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?other=1"])
def test_the_page_without_token_says_where_to_find_it(client, query):
    answer = client.get(f"/{query}", token="")
    assert answer.status == 403
    assert "Open the address that FaceLab printed" in answer.text
    assert client.token not in answer.text


@pytest.mark.parametrize("host, status", [
    ("127.0.0.1", 200), ("127.0.0.1:9", 200), ("localhost:8080", 200), ("LOCALHOST", 200),
    ("[::1]:8080", 200),
    ("evil.example", 403), ("127.0.0.1.evil.example", 403), ("localhost.evil.example:80", 403),
    ("evil.example@127.0.0.1.evil.example", 403), ("192.168.0.4", 403), ("0.0.0.0", 403),
    ("", 403), ("[", 400), ("[::1", 400)])
def test_only_names_of_this_computer_are_answered(client, host, status):
    for path in ("/api/state", "/app.js", f"/?token={client.token}"):
        assert client.get(path, Host=host).status == status
    if status != 200:
        assert client.command("save", Host=host).status == status


def test_a_request_without_host_is_refused(client):
    answer = client.raw(f"GET /?token={client.token} HTTP/1.1\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 403 ")


def test_it_listens_on_loopback_only(client):
    with open("/proc/net/tcp") as table:
        addresses = {line.split()[1] for line in table}
    port = f"{client.port:04X}"
    assert {address for address in addresses if address.endswith(f":{port}")} >= {
        f"0100007F:{port}"}  # 127.0.0.1, little endian
    assert f"00000000:{port}" not in addresses


# -- commands -----------------------------------------------------------------------------------

@pytest.mark.parametrize("command", list(Command))
def test_buttons_reach_training(client, web, command):
    answer = client.command(command, Origin=f"http://127.0.0.1:{client.port}")
    assert (answer.status, answer.json) == (202, {"number": 1})
    assert web.commands() == [command] and web.commands() == []
    assert client.get("/api/state").json["commands_taken"] == 1


def test_the_page_behind_a_tunnel_may_press_buttons(client, web):
    answer = client.command("save", Host="localhost:9000", Origin="http://localhost:9000")
    assert answer.status == 202 and web.commands() == [Command.SAVE]


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:1", "null",
                                    "https://127.0.0.1"])
def test_commands_of_other_sites_are_refused(client, web, origin):
    assert client.command("stop", Origin=origin).status == 403
    assert web.commands() == []


def test_commands_need_the_token_in_the_header(client, web):
    for wrong in wrong_tokens(client.token):
        assert client.command("stop", token=wrong.encode()).status == 403
    body = json.dumps({"command": "stop"})
    for path in (f"/api/command?token={client.token}", "/api/command"):
        assert client.ask("POST", path, token="", body=body,
                          Cookie=f"token={client.token}").status == 403
    assert web.commands() == []


@pytest.mark.parametrize("body", [
    b"", b"{}", b"[]", b"7", b"null", b'"save"', b'{"command": "destroy"}', b'{"command": null}',
    b'{"command": ["save"]}', b'{"command": {"a": 1}}', b"\xff\xfe", b"{", b"[" * BODY_MOST])
def test_what_is_no_command_is_refused_with_the_known_ones(client, web, body):
    answer = client.ask("POST", "/api/command", body=body)
    assert answer.status == 400 and "save, backup, stop, preview" in answer.text
    assert web.commands() == []


def test_long_bodies_are_refused_without_being_read(client, web):
    head = (f"POST /api/command HTTP/1.1\r\nHost: localhost\r\nX-FaceLab-Token: {client.token}\r\n"
            "Content-Length: {}\r\n\r\n")
    assert client.raw(head.format(BODY_MOST + 1).encode()).startswith(b"HTTP/1.1 413 ")
    assert client.raw(head.format("9" * 4000).encode()).startswith(b"HTTP/1.1 413 ")
    for length in ("-1", "x", "1e3", "\u0663", ""):
        assert client.raw(head.format(length).encode()).startswith(b"HTTP/1.1 411 ")
    assert web.commands() == []


def test_commands_go_to_one_place(client):
    assert client.ask("POST", "/", body="{}").status == 404
    assert client.ask("POST", "/api/state", body="{}").status == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_other_methods_are_not_allowed(client, method):
    for path in ("/", "/api/command", "/api/state"):
        answer = client.ask(method, path)
        assert answer.status == 405 and answer.headers["Allow"] == "GET, POST"
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert client.ask("GETTING", "/").status == 501
