# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources import http
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources.http import read_http
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import (
    InvalidInput,
    MxRelayError,
    SourceError,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.definition import source_definition
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.http_answers import WebAnswer, WebRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import Reading
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.certificates import Authority
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.web_api import Api, Prepared, of_json

SECRET = "s3cret"


@pytest.fixture(name="api")
def _api() -> Iterator[Api]:
    with Api({}).serving() as api:
        yield api


def reading(api: Api, path: str, **options: Any) -> Reading:
    definition = source_definition({"type": "http", "url": f"{api.url}{path}", **options})
    return read_http(definition)


def problem(api: Api, path: str, **options: Any) -> str:
    """Why it fails, without the URL of the server; nothing secret is in it."""
    with pytest.raises(MxRelayError) as caught:
        reading(api, path, **options)
    assert SECRET not in caught.value.message
    return caught.value.message.replace(api.url, "")


def test_mailboxes_of_mailcow(api: Api) -> None:
    api.answers["/api/v1/get/mailbox/all"] = of_json(
        [
            {"username": "alice@customer.example", "active": 1, "domain": "customer.example", "local_part": "alice"},
            {"username": "left@customer.example", "active": 0, "domain": "customer.example", "local_part": "left"},
            # Nobody logs in there, but mail is taken.
            {"username": "team@customer.example", "active": 2, "domain": "customer.example", "local_part": "team"},
        ]
    )
    found = reading(
        api, "/api/v1/get/mailbox/all", addresses="[active!=0].username", headers={"X-API-Key": SECRET}, token=None
    )
    assert found == Reading(("alice@customer.example", "team@customer.example"))
    assert api.heard[0].headers["x-api-key"] == SECRET


def test_aliases_of_mailcow(api: Api) -> None:
    api.answers["/api/v1/get/alias/all"] = of_json(
        [
            {"id": 6, "active": "1", "address": "sales@customer.example", "is_catch_all": 0, "goto": "alice@x.example"},
            {"id": 7, "active": "0", "address": "old@customer.example", "is_catch_all": 0, "goto": "alice@x.example"},
            {"id": 10, "active": "1", "address": "@any.example", "is_catch_all": 1, "goto": "alice@x.example"},
        ]
    )
    found = reading(api, "/api/v1/get/alias/all", addresses="[active=1].address", headers={"X-API-Key": SECRET})
    assert found == Reading(("sales@customer.example",), frozenset({"any.example"}))


def test_mailcow_without_aliases_has_no_list(api: Api) -> None:
    api.answers["/api/v1/get/alias/all"] = of_json({})
    assert problem(api, "/api/v1/get/alias/all", addresses="[active=1].address").startswith(
        "/api/v1/get/alias/all has an object instead of a list at [active=1].address; "
    )


def test_users_of_microsoft_graph(api: Api) -> None:
    path = "/v1.0/users?$select=mail,proxyAddresses&$top=2"
    api.answers[path] = of_json(
        {
            "@odata.context": f"{api.url}/v1.0/$metadata#users(mail,proxyAddresses)",
            "@odata.nextLink": f"{api.url}/v1.0/users?$select=mail,proxyAddresses&$top=2&$skiptoken=RFNwd",
            "value": [
                {
                    "mail": "Alice@customer.example",
                    "proxyAddresses": ["SMTP:Alice@customer.example", "smtp:a@c.example"],
                },
                {"mail": None, "proxyAddresses": []},
            ],
        }
    )
    api.answers[f"{path}&$skiptoken=RFNwd"] = of_json(
        {"value": [{"mail": "bob@customer.example", "proxyAddresses": ["X500:/o=x", "SIP:bob@customer.example"]}]}
    )
    api.answers["/tenant/oauth2/v2.0/token"] = of_json(
        {"token_type": "Bearer", "expires_in": 3599, "access_token": "eyJ0"}
    )
    form = {
        "grant_type": "client_credentials",
        "client_id": "app",
        "client_secret": SECRET,
        "scope": "https://graph.microsoft.com/.default",
    }
    found = reading(
        api,
        path,
        addresses=["value[].mail", "value[].proxyAddresses[]"],
        next_link="@odata.nextLink",
        login={"url": f"{api.url}/tenant/oauth2/v2.0/token", "form": form},
    )
    assert found == Reading(("alice@customer.example", "a@c.example", "bob@customer.example"))
    login, *pages = api.heard
    assert (login.method, login.body.decode()) == (
        "POST",
        "grant_type=client_credentials&client_id=app&client_secret=s3cret"
        "&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default",
    )
    assert [page.headers["authorization"] for page in pages] == ["Bearer eyJ0", "Bearer eyJ0"]


def test_users_of_google(api: Api) -> None:
    path = "/admin/directory/v1/users?customer=my_customer&maxResults=500"
    api.answers[path] = of_json(
        {
            "kind": "admin#directory#users",
            "nextPageToken": "CAEQ/w==",
            "users": [{"primaryEmail": "alice@customer.example", "aliases": ["a@customer.example"]}],
        }
    )
    api.answers[f"{path}&pageToken=CAEQ%2Fw%3D%3D"] = of_json(
        {
            "kind": "admin#directory#users",
            "users": [{"primaryEmail": "bob@customer.example", "nonEditableAliases": ["bob@c.test-google-a.example"]}],
        }
    )
    found = reading(
        api,
        path,
        addresses=["users[].primaryEmail", "users[].aliases[]?", "users[].nonEditableAliases[]?"],
        next_token={"place": "nextPageToken", "parameter": "pageToken"},
        token=SECRET,
    )
    assert found.addresses == (
        "alice@customer.example",
        "a@customer.example",
        "bob@customer.example",
        "bob@c.test-google-a.example",
    )
    assert [heard.headers["authorization"] for heard in api.heard] == [f"Bearer {SECRET}"] * 2


def test_csv_and_lines(api: Api) -> None:
    api.answers["/csv"] = Prepared(b"name;mail\r\nAlice;alice@x.example\r\n", headers={"Content-Type": "text/csv"})
    api.answers["/lines"] = Prepared(
        b"\xef\xbb\xbf# all\nalice@x.example\nbob\n", headers={"Content-Type": "text/plain"}
    )
    assert reading(api, "/csv", format="csv", column="mail", delimiter=";") == Reading(("alice@x.example",))
    assert reading(api, "/lines", format="lines", default_domain="y.example").addresses == (
        "alice@x.example",
        "bob@y.example",
    )


def test_certificate_is_checked(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with Api({"/x": of_json(["alice@x.example"])}).serving(authority.settings("localhost")) as api:
        assert reading(api, "/x", addresses="[]", ca_file=str(authority.file)) == Reading(("alice@x.example",))
        assert problem(api, "/x", addresses="[]") == (
            "/x: its certificate is of a CA that is not trusted here; name the file that holds the CA as ca_file"
        )


MOVED: dict[str, str | None] = {"Location": "https://elsewhere.example/users"}
PAGE: dict[str, str | None] = {"Content-Type": "text/html"}


@pytest.mark.parametrize(
    ("prepared", "why"),
    [
        (of_json({"error": SECRET}, 401), "/x does not take the token, the header or the login (401); renew it"),
        (of_json(["a@x.example"], 206), "/x answers with status 206, not 200; correct the url"),
        (
            Prepared(status=302, headers=MOVED),
            "/x redirects (302) to https://elsewhere.example/users, another server, which is not asked; correct ",
        ),
        (
            Prepared(b"<p>Log in</p>", headers=PAGE),
            "/x answers with an HTML page, perhaps one of an error or a login; ",
        ),
        (Prepared(b"<!DOCTYPE html><p>s3cret"), "/x is an HTML page or an XML document, not a list; "),
        (
            Prepared(b'["a@x.example"', headers={"Content-Length": "20"}),
            "/x sent less than it had announced: its answer ",
        ),
        (Prepared(b'["a@x.example", "s3cret'), "/x does not answer with JSON, or it is cut (line 1, column 17); "),
        (of_json({"message": SECRET}), "/x has an object instead of a list at []; correct addresses, or look at what "),
        (Prepared(b"", headers={"Content-Length": "0"}), "/x answers with nothing; look at its log"),
    ],
)
def test_answer_that_is_no_list_fails(api: Api, prepared: Prepared, why: str) -> None:
    api.answers["/x"] = prepared
    assert problem(api, "/x", addresses="[]").startswith(why)


@pytest.mark.parametrize(
    ("form", "prepared", "why"),
    [
        ("lines", Prepared(b"a@x.example\nb@x"), "/x is cut: its last line has no end; "),
        (
            "lines",
            Prepared(b"a@x.example\n", headers={"Content-Length": None}),
            "/x does not tell where its answer ends; ",
        ),
        ("csv", Prepared(b'"a@x.example\n'), "/x line 1 is not CSV"),
    ],
)
def test_text_that_is_cut_fails(api: Api, form: str, prepared: Prepared, why: str) -> None:
    api.answers["/x"] = prepared
    assert problem(api, "/x", format=form).startswith(why)


def test_query_of_the_url_is_not_told(api: Api) -> None:
    assert problem(api, f"/gone?key={SECRET}", addresses="[]") == "/gone is not there (404); correct the url"


def test_page_that_fails_is_told_by_its_number(api: Api) -> None:
    api.answers["/x"] = of_json({"v": ["a@x.example"], "next": "/x?p=2"})
    api.answers["/x?p=2"] = Prepared(status=500)
    assert problem(api, "/x", addresses="v[]", next_link="next") == (
        "/x page 2 fails (500); look at its log, and try again later"
    )


def test_pages_that_lead_in_a_circle_fail(api: Api) -> None:
    api.answers["/x"] = of_json({"v": ["a@x.example"], "next": "/x?p=2"})
    api.answers["/x?p=2"] = of_json({"v": ["b@x.example"], "next": "/x"})
    assert problem(api, "/x", addresses="v[]", next_link="next") == (
        "/x page 2 leads back to a page that was read; correct how the source is paged"
    )
    assert len(api.heard) == 2


def test_page_of_another_server_is_not_asked(api: Api) -> None:
    api.answers["/x"] = of_json({"v": ["a@x.example"], "next": "http://127.0.0.1:9/x"})
    assert problem(api, "/x", addresses="v[]", next_link="next", token=SECRET) == (
        "/x names a next page of another server, which is not asked; correct next_link"
    )


def test_place_that_no_item_has_fails(api: Api) -> None:
    api.answers["/x"] = of_json({"v": [{"mail": "a@x.example"}]})
    assert problem(api, "/x", addresses=["v[].mail", "v[].alias"]).startswith(
        "/x has nothing at v[].alias in any item; "
    )


@pytest.mark.parametrize(
    ("prepared", "why"),
    [
        (
            of_json({"error": "invalid_client", "x": SECRET}, 401),
            "/t refuses the login (401: invalid_client); correct ",
        ),
        (Prepared(SECRET.encode(), 400), "/t refuses the login (400); correct login.form"),
        (Prepared(status=503), "/t fails (503); look at its log, and try again later"),
        (of_json({"token": SECRET}), "/t answers without access_token; correct login"),
    ],
)
def test_login_that_fails_is_told_without_secrets(api: Api, prepared: Prepared, why: str) -> None:
    api.answers["/t"] = prepared
    login = {"url": f"{api.url}/t", "form": {"client_secret": SECRET}}
    assert problem(api, "/x", addresses="[]", login=login).startswith(why)
    assert [heard.path for heard in api.heard] == ["/t"]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"addresses": "[0]"}, 'addresses "[0]" is not a place in a document; '),
        ({"addresses": "[]", "headers": {"X": f"{SECRET}\n"}}, "headers.X has a character that is not printable ASCII"),
        ({"addresses": "[]", "token": f"{SECRET} x"}, "token has white space, or a character that is not printable "),
        ({"addresses": "[]", "next_link": "a[].b"}, "next_link is a place with a list; "),
    ],
)
def test_what_can_not_be_asked_is_refused_before(api: Api, options: dict[str, Any], why: str) -> None:
    assert problem(api, "/x", **options).startswith(why)
    assert api.heard == []


def test_refused_options_are_invalid_input(api: Api) -> None:
    with pytest.raises(InvalidInput):
        reading(api, "/x", addresses="[0]")


class _Endless:
    """An API whose every page names another, or that takes long."""

    def __init__(self, body: bytes, pause: float) -> None:
        self.body = body
        self.pause = pause
        self.left: list[int] = []

    def ask(self, _request: WebRequest, where: str, most: int) -> WebAnswer:
        time.sleep(self.pause)
        self.left.append(most)
        if most < len(self.body):
            raise SourceError(f"{where} answers with too much")
        return WebAnswer(200, self.body.replace(b"NEXT", f"{len(self.left):04}".encode()))


def test_pages_without_end_are_given_up() -> None:
    given = {"type": "http", "url": "https://api.example/x", "addresses": "v[]", "next_link": "next", "timeout": 1}
    api = _Endless(b'{"v": [], "next": "/x?p=NEXT"}', 0.01)
    with pytest.raises(SourceError) as caught:
        read_http(source_definition(given), api)
    assert caught.value.message == "https://api.example/x was not read within 1 s; raise timeout"


def test_all_pages_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MOST_BYTES", 80)
    given = {"type": "http", "url": "https://api.example/x", "addresses": "v[]", "next_link": "next"}
    api = _Endless(b'{"v": [], "next": "/x?p=NEXT"}', 0)
    with pytest.raises(SourceError) as caught:
        read_http(source_definition(given), api)
    assert caught.value.message == "https://api.example/x page 3 answers with too much"
    assert api.left == [80, 50, 20]
