# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a source of type http: what an API answers, page by page. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.addresses import reading_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.bounds import MOST_BYTES
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.definition import JSON
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.formats import entries_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.http_answers import (
    OK,
    WebRequest,
    access_token,
    refuse_no_list,
    request_headers,
    why_no_answer,
    why_no_login,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.http_document import (
    PlaceReader,
    document_of,
    json_place,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.http_urls import (
    Pages,
    plain_url,
    shown_url,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import Reading
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.time_limit import within
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.web import ERROR_BYTES, UrllibWeb, Web


def read_http(definition: Mapping[str, Any], web: Web | None = None) -> Reading:
    """What the API answers. Raises SourceError, also if it answers only with a part."""
    seconds = definition["timeout"]
    place = shown_url(plain_url(definition["url"]))

    def read() -> Reading:
        asked = web or UrllibWeb(definition.get("ca_file") or "", seconds)
        return reading_of(_entries(definition, asked), definition["skip_invalid"], definition["default_domain"])

    return within(seconds, read, f"{place} was not read within {seconds} s; raise timeout")


def _entries(definition: Mapping[str, Any], web: Web) -> Iterator[str]:
    url = plain_url(definition["url"])
    place = shown_url(url)
    headers = definition["headers"]
    request_headers(headers, definition.get("token") or "")
    readers = [PlaceReader(json_place(text, "addresses")) for text in definition.get("addresses") or ()]
    pages = Pages(url, definition.get("next_link") or "", definition.get("next_token"))
    token = _token(definition["login"], web) if definition.get("login") else definition.get("token") or ""
    sent = request_headers(headers, token)
    where, number, left = place, 1, MOST_BYTES
    while url:
        answer = web.ask(WebRequest(url, sent), where, left)
        refuse_no_list(answer, url, where, definition["format"] == JSON)
        left -= len(answer.body)
        if definition["format"] != JSON:
            yield from entries_of(answer.body, definition["format"], definition, where)
            return
        document = document_of(answer.body, where)
        for reader in readers:
            yield from reader.texts(document, where)
        url = pages.after(document, where)
        number += 1
        where = f"{place} page {number}"
    for reader in readers:
        reader.check(place)


def _token(login: Mapping[str, Any], web: Web) -> str:
    """The token that the login is answered with: client credentials of OAuth 2, or any other form. See RFC 6749."""
    url = plain_url(login["url"])
    where = shown_url(url)
    answer = web.ask(WebRequest(url, {"Accept": "application/json"}, login["form"]), where, ERROR_BYTES)
    if answer.status in (400, 401):
        raise SourceError(f"{where} {why_no_login(_document_or_nothing(answer.body, where), answer.status)}")
    if answer.status != OK:
        raise SourceError(f"{where} {why_no_answer(answer, url)}")
    return access_token(document_of(answer.body, where), where)


def _document_or_nothing(body: bytes, where: str) -> Any:
    try:
        return document_of(body, where)
    except SourceError:
        return None
