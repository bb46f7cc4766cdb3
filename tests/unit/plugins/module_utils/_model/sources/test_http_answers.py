# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput, SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.http_answers import (
    WebAnswer,
    WebRequest,
    access_token,
    refuse_no_list,
    request_headers,
    why_no_answer,
    why_no_login,
)

URL = "https://api.example/users?key=secret"


def test_headers_have_the_token() -> None:
    assert request_headers({"X-API-Key": "k"}, "") == {"X-API-Key": "k"}
    assert request_headers({"Accept": "a/b"}, "t") == {"Accept": "a/b", "Authorization": "Bearer t"}


@pytest.mark.parametrize(
    ("headers", "token", "why"),
    [
        ({"X Key": "secret"}, "", 'headers has "X Key", which is no name of a header; correct it'),
        ({"X-Key": "secret\r\nHost: x"}, "", "headers.X-Key has a character that is not printable ASCII; correct it"),
        ({}, "secret\n", "token has white space, or a character that is not printable ASCII; correct it"),
        ({}, "Bearer secret", "token has white space, or a character that is not printable ASCII; correct it"),
        ({"authorization": "secret"}, "t", "headers has Authorization beside token or login; give one of them"),
    ],
)
def test_headers_that_can_not_be_sent_are_refused(headers: dict[str, str], token: str, why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        request_headers(headers, token)
    assert caught.value.message == why


def test_secrets_are_not_shown() -> None:
    shown = repr(WebRequest("https://api.example/", {"X-API-Key": "secret"}, {"client_secret": "secret"}))
    assert "secret" not in shown + repr(WebAnswer(200, b"secret"))


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (WebAnswer(301, location="/login?x=1"), "redirects (301) to https://api.example/login; correct the url"),
        (
            WebAnswer(302, location="https://evil.example/?x=1"),
            "redirects (302) to https://evil.example/, another server, which is not asked; correct the url",
        ),
        (WebAnswer(304), "answers with status 304, not 200; correct the url"),
        (WebAnswer(401), "does not take the token, the header or the login (401); renew it"),
        (WebAnswer(404), "is not there (404); correct the url"),
        (WebAnswer(204), "answers with status 204, not 200; correct the url"),
        (WebAnswer(503, b"a@x.example"), "fails (503); look at its log, and try again later"),
    ],
)
def test_status_is_explained(answer: WebAnswer, why: str) -> None:
    assert why_no_answer(answer, URL) == why
    with pytest.raises(SourceError) as caught:
        refuse_no_list(answer, URL, "it", True)
    assert caught.value.message == f"it {why}"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            WebAnswer(200, content_type="Text/HTML; charset=utf-8"),
            "it answers with an HTML page, perhaps one of an error or a login; correct the url",
        ),
        (
            WebAnswer(200, content_encoding="gzip"),
            "it answers with Content-Encoding, which was not asked for; have it send plain text",
        ),
        (WebAnswer(200, whole=False), "it does not tell where its answer ends; have it send Content-Length"),
    ],
)
def test_answer_that_is_no_list_fails(answer: WebAnswer, why: str) -> None:
    with pytest.raises(SourceError) as caught:
        refuse_no_list(answer, URL, "it", False)
    assert caught.value.message == why


def test_text_that_shows_its_own_end_need_not_have_it_told() -> None:
    refuse_no_list(WebAnswer(200, whole=False, content_type="application/json"), URL, "it", True)
    refuse_no_list(WebAnswer(200, content_encoding="identity"), URL, "it", False)


def test_token_of_a_login_is_found() -> None:
    assert access_token({"access_token": "t", "token_type": "Bearer", "expires_in": 3599}, "it") == "t"
    assert access_token({"access_token": "t"}, "it") == "t"


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({}, "it answers without access_token; correct login"),
        (["t"], "it answers without access_token; correct login"),
        ({"access_token": 7}, "it answers without access_token; correct login"),
        (
            {"access_token": "t", "token_type": "mac"},
            "it answers with a token that is no bearer token; ask for one by login.form",
        ),
    ],
)
def test_login_without_a_token_fails(document: Any, why: str) -> None:
    with pytest.raises(SourceError) as caught:
        access_token(document, "it")
    assert caught.value.message == why


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"error": "invalid_client"}, "refuses the login (401: invalid_client); correct login.form"),
        ({"error": "secret"}, "refuses the login (401); correct login.form"),
        ({"error": ["secret"]}, "refuses the login (401); correct login.form"),
        (None, "refuses the login (401); correct login.form"),
    ],
)
def test_refused_login_is_told_without_secrets(document: Any, why: str) -> None:
    assert why_no_login(document, 401) == why
