# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an API is asked with, and what its answers mean before their text is looked at. See RFC 9110."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput, SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.http_urls import same_server, shown_url

OK = 200
_CAUSES: Mapping[int, str] = {
    400: "does not understand the request (400); correct the url",
    401: "does not take the token, the header or the login (401); renew it",
    403: "does not let the token, the header or the login read this (403); have it granted the right to",
    404: "is not there (404); correct the url",
    405: "is not there to be read (405); correct the url",
    407: "is not reached through the proxy, which wants a password (407); name another proxy",
    429: "was asked too often (429); read it less often",
}
_PAGES = ("text/html", "application/xhtml+xml")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_PRINTABLE = re.compile(r"[\x20-\x7e]*")
# RFC 6749, section 5.2: what a login is refused with. Anything else that is answered may be a secret.
LOGIN_ERRORS = (
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
)


@dataclass(frozen=True)
class WebRequest:
    """What is asked for: a URL with GET, or with POST if there is a `form`."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class WebAnswer:
    """What is answered. `whole`: its end was told, so that it would be seen to be cut."""

    status: int
    body: bytes = field(default=b"", repr=False)
    content_type: str = ""
    content_encoding: str = ""
    location: str = ""
    whole: bool = True


def request_headers(headers: Mapping[str, str], token: str) -> dict[str, str]:
    """The headers of a request with a bearer token, if there is one. Raises InvalidInput, which shows no value."""
    for name, value in headers.items():
        if not _HEADER.fullmatch(name):
            raise InvalidInput(f'headers has "{name}", which is no name of a header; correct it')
        if not _PRINTABLE.fullmatch(value):
            raise InvalidInput(f"headers.{name} has a character that is not printable ASCII; correct it")
    if not token:
        return dict(headers)
    if not _PRINTABLE.fullmatch(token) or " " in token:
        raise InvalidInput("token has white space, or a character that is not printable ASCII; correct it")
    if "authorization" in map(str.lower, headers):
        raise InvalidInput("headers has Authorization beside token or login; give one of them")
    return {**headers, "Authorization": f"Bearer {token}"}


def refuse_no_list(answer: WebAnswer, url: str, where: str, ends_itself: bool) -> None:
    """Raises SourceError for an answer that is none with a list. `ends_itself`: its text shows where it ends."""
    if answer.status != OK:
        raise SourceError(f"{where} {why_no_answer(answer, url)}")
    if answer.content_encoding not in ("", "identity"):
        raise SourceError(f"{where} answers with Content-Encoding, which was not asked for; have it send plain text")
    if answer.content_type.partition(";")[0].strip().lower() in _PAGES:
        raise SourceError(f"{where} answers with an HTML page, perhaps one of an error or a login; correct the url")
    if not answer.whole and not ends_itself:
        raise SourceError(f"{where} does not tell where its answer ends; have it send Content-Length")


def why_no_answer(answer: WebAnswer, url: str) -> str:
    """What a status other than 200 means, and what to do."""
    if 300 <= answer.status < 400 and answer.location:
        leads = urljoin(url, answer.location)
        other = "" if same_server(url, leads) else ", another server, which is not asked"
        return f"redirects ({answer.status}) to {shown_url(leads)}{other}; correct the url"
    if answer.status in _CAUSES:
        return _CAUSES[answer.status]
    if answer.status >= 500:
        return f"fails ({answer.status}); look at its log, and try again later"
    return f"answers with status {answer.status}, not {OK}; correct the url"


def access_token(document: Any, where: str) -> str:
    """The token that a login is answered with. Raises SourceError. See RFC 6749, section 5.1."""
    token = document.get("access_token") if isinstance(document, Mapping) else None
    if not isinstance(token, str) or not token:
        raise SourceError(f"{where} answers without access_token; correct login")
    kind = str(document.get("token_type") or "bearer")
    if kind.lower() != "bearer":
        raise SourceError(f"{where} answers with a token that is no bearer token; ask for one by login.form")
    return token


def why_no_login(document: Any, status: int) -> str:
    """Why a login was refused, by the document that it was answered with, and what to do."""
    error = document.get("error") if isinstance(document, Mapping) else None
    told = f": {error}" if error in LOGIN_ERRORS else ""
    return f"refuses the login ({status}{told}); correct login.form"
