# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
from datetime import timedelta
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.http_answers import WebAnswer, WebRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.web import UrllibWeb
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.certificates import Authority
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.web_api import LENGTH, Api, Prepared

MOST = 1000


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


def answer(prepared: Prepared, request: WebRequest | None = None) -> WebAnswer:
    with Api({"/x": prepared}).serving() as api:
        return UrllibWeb("", 10).ask(request or WebRequest(f"{api.url}/x"), "it", MOST)


def problem(prepared: Prepared) -> str:
    with pytest.raises(SourceError) as caught:
        answer(prepared)
    return caught.value.message


def test_request_is_sent_as_it_is_given() -> None:
    with Api({"/x?a=b": Prepared(b"1"), "/login": Prepared(b"2")}).serving() as api:
        web = UrllibWeb("", 10)
        web.ask(WebRequest(f"{api.url}/x?a=b", {"X-API-Key": "k"}), "it", MOST)
        web.ask(WebRequest(f"{api.url}/login", {}, {"scope": "a b", "x": "&"}), "it", MOST)
    get, post = api.heard
    assert (get.method, get.path, get.body) == ("GET", "/x?a=b", b"")
    assert (get.headers["x-api-key"], get.headers["accept-encoding"]) == ("k", "identity")
    assert get.headers["user-agent"] == "mxrelay.postfix"
    assert (post.method, post.path, post.body) == ("POST", "/login", b"scope=a+b&x=%26")
    assert post.headers["content-type"] == "application/x-www-form-urlencoded"


def test_answer_is_what_came() -> None:
    kind: dict[str, str | None] = {"Content-Type": "text/plain", "Content-Encoding": " GZip"}
    assert answer(Prepared(b"abc", headers=kind)) == WebAnswer(200, b"abc", "text/plain", "gzip", "", True)
    assert answer(Prepared(b"no", 404)) == WebAnswer(404, b"no")


def test_redirect_is_not_followed() -> None:
    moved: dict[str, str | None] = {"Location": "/x2"}
    with Api({"/x": Prepared(status=302, headers=moved), "/x2": Prepared(b"there")}).serving() as api:
        assert UrllibWeb("", 10).ask(WebRequest(f"{api.url}/x"), "it", MOST) == WebAnswer(302, location="/x2")
    assert len(api.heard) == 1


def test_end_of_the_answer_is_told_or_not() -> None:
    chunked: dict[str, str | None] = {"Transfer-Encoding": "chunked"}
    assert answer(Prepared(headers=chunked, chunks=(b"3\r\nabc\r\n", b"0\r\n\r\n"))) == WebAnswer(200, b"abc")
    assert answer(Prepared(b"abc", headers={LENGTH: None})) == WebAnswer(200, b"abc", whole=False)


@pytest.mark.parametrize(
    "prepared",
    [
        Prepared(b"abc", headers={LENGTH: "4"}),
        Prepared(headers={"Transfer-Encoding": "chunked"}, chunks=(b"3\r\nabc\r\n",)),
        Prepared(headers={"Transfer-Encoding": "chunked"}, chunks=(b"5\r\nabc",)),
    ],
)
def test_answer_that_is_cut_fails(prepared: Prepared) -> None:
    assert problem(prepared) == "it sent less than it had announced: its answer is cut; try again, or look at its log"


def test_answer_that_is_too_long_fails() -> None:
    assert len(answer(Prepared(b"a" * MOST)).body) == MOST
    for prepared in (Prepared(b"a" * (MOST + 1)), Prepared(b"a" * (MOST + 1), headers={LENGTH: None})):
        assert problem(prepared) == (
            "it answers with too much, more than 256 MiB in all; narrow down what is asked for"
        )


def test_error_that_is_cut_is_no_matter() -> None:
    assert answer(Prepared(b"abc", 500, {LENGTH: "4"})).status == 500


def test_server_that_does_not_answer_is_told_of() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        port = listener.getsockname()[1]
        with pytest.raises(SourceError) as caught:
            UrllibWeb("", 0.2).ask(WebRequest(f"http://127.0.0.1:{port}/x"), "it", MOST)
        assert caught.value.message == (
            "it: it does not answer in time; look whether a firewall is in the way, or raise timeout"
        )
    with pytest.raises(SourceError) as caught:
        UrllibWeb("", 5).ask(WebRequest(f"http://127.0.0.1:{port}/x"), "it", MOST)
    assert caught.value.message == ("it: nothing listens there; correct the address or the port, or start the server")


def test_greeting_of_another_service_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "http.server.BaseHTTPRequestHandler.send_response",
        lambda handler, _status: (handler.wfile.write(b"220 mx.example ESMTP\r\n")),
    )
    assert problem(Prepared()) == "it does not speak HTTP; correct the url"


@pytest.mark.parametrize(
    ("name", "age", "why"),
    [
        ("localhost", 0, ""),
        ("localhost", 30, "it: its certificate has expired; have it renewed"),
        ("www.example", 0, "it: its certificate is for another name; ask it by a name of its certificate"),
    ],
)
def test_certificate_has_to_hold(tmp_path: Path, name: str, age: int, why: str) -> None:
    authority = Authority(tmp_path)
    with Api({"/x": Prepared(b"abc")}).serving(authority.settings(name, timedelta(days=age))) as api:
        web = UrllibWeb(str(authority.file), 10)
        if why:
            with pytest.raises(SourceError) as caught:
                web.ask(WebRequest(f"{api.url}/x"), "it", MOST)
            assert caught.value.message == why
            assert api.heard == []
        else:
            assert web.ask(WebRequest(f"{api.url}/x"), "it", MOST).body == b"abc"


def test_certificate_of_an_unknown_authority_does_not_hold(tmp_path: Path) -> None:
    with Api({}).serving(Authority(tmp_path).settings("localhost")) as api, pytest.raises(SourceError) as caught:
        UrllibWeb("", 10).ask(WebRequest(f"{api.url}/x"), "it", MOST)
    assert caught.value.message == (
        "it: its certificate is of a CA that is not trusted here; name the file that holds the CA as ca_file"
    )


def test_proxy_is_asked_for_https_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with Api({"/x": Prepared(b"abc")}).serving() as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        monkeypatch.setenv("http_proxy", "http://localhost:9")
        assert UrllibWeb("", 10).ask(WebRequest(f"{proxy.url}/x"), "it", MOST).body == b"abc"
        monkeypatch.setattr(
            "http.server.BaseHTTPRequestHandler.do_CONNECT", lambda handler: handler.send_error(403), raising=False
        )
        with pytest.raises(SourceError) as caught:
            UrllibWeb("", 10).ask(WebRequest("https://api.example/x"), "it", MOST)
    assert caught.value.message == (
        "it: the proxy that https_proxy names does not let it through; correct https_proxy, or name it in no_proxy"
    )
