# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The URLs of an API: how they are written, what is shown of them, and which is that of the next page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote_plus, urljoin, urlsplit, urlunsplit

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput, SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.http_document import json_member

# What has a meaning in a URL, or may stand in it as it is.
_KEPT = "%/:=&?~+!$,;'@()*[]"
_PORTS = {"https": 443, "http": 80}


def plain_url(text: str) -> str:
    """The URL with what a request must not have, such as spaces in a `$filter`, encoded; without a fragment."""
    return quote(text.partition("#")[0].strip(), safe=_KEPT)


def shown_url(url: str) -> str:
    """What is told of a URL: not its query, in which there may be a secret or the mark of a page."""
    where = urlsplit(url)
    return urlunsplit((where.scheme, where.netloc.rpartition("@")[2], where.path, "", ""))


def same_server(url: str, other: str) -> bool:
    """Whether both are of the same scheme, host and port."""
    return _origin(url) == _origin(other)


def _origin(url: str) -> tuple[str, str, int] | None:
    where = urlsplit(url)
    try:
        return where.scheme, where.hostname or "", where.port or _PORTS.get(where.scheme, 0)
    except ValueError:
        return None


class Pages:
    """The pages of a source, from the first on: by a link to the next in each, or by a token for it."""

    def __init__(self, url: str, next_link: str = "", next_token: Mapping[str, str] | None = None) -> None:
        self._url = url
        self._link = next_link
        self._token = dict(next_token or {})
        for option, place in (("next_link", next_link), ("next_token.place", self._token.get("place", ""))):
            if "[" in place:
                raise InvalidInput(f"{option} is a place with a list; give one such as meta.next")
        self._seen = {url}

    def after(self, document: Any, where: str) -> str:
        """The URL of the page after that with this document; empty if that is the last.

        Raises SourceError for one of another server, which must not get the token, and for one that was read before.
        """
        url = self._by_link(document, where) if self._link else self._by_token(document, where) if self._token else ""
        if url in self._seen:
            raise SourceError(f"{where} leads back to a page that was read; correct how the source is paged")
        self._seen.add(url or self._url)
        return url

    def _by_link(self, document: Any, where: str) -> str:
        link = _value(document, self._link, where)
        if not link:
            return ""
        url = plain_url(urljoin(self._url, link))
        if not same_server(url, self._url):
            raise SourceError(f"{where} names a next page of another server, which is not asked; correct next_link")
        return url

    def _by_token(self, document: Any, where: str) -> str:
        token = _value(document, self._token["place"], where)
        return with_parameter(self._url, self._token["parameter"], token) if token else ""


def _value(document: Any, place: str, where: str) -> str:
    """The text or number at the place; empty if there is none."""
    found = json_member(document, place)[1] if isinstance(document, Mapping) else None
    if isinstance(found, (str, int)) and not isinstance(found, bool):
        return str(found)
    if found in (None, False):
        return ""
    raise SourceError(f"{where} has neither text nor a number at {place}; correct how the source is paged")


def with_parameter(url: str, name: str, value: str) -> str:
    """The URL with a parameter in its query, in place of another value of it."""
    where = urlsplit(url)
    others = [part for part in where.query.split("&") if part and unquote_plus(part.partition("=")[0]) != name]
    return urlunsplit(where._replace(query="&".join([*others, f"{quote(name, safe='')}={quote(value, safe='')}"])))
