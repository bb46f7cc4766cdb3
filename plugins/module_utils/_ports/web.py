# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks web servers, whose certificates must hold. No redirect is followed, and nothing is decompressed."""

from __future__ import annotations

import importlib
from contextlib import suppress
from typing import Any, Protocol

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.http_answers import (
    OK,
    WebAnswer,
    WebRequest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.network_errors import why_unreached
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.checked_tls import (
    checked_certificates,
    why_no_tls,
)

PIECE_BYTES = 1 << 20
# Of an answer that is an error.
ERROR_BYTES = 65536
_OWN_HEADERS = {"User-Agent": "mxrelay.postfix", "Accept-Encoding": "identity"}


class Web(Protocol):
    """The port."""

    def ask(self, request: WebRequest, where: str, most: int) -> WebAnswer:
        """The answer. Raises SourceError where none comes, it is cut, or is longer than `most` bytes."""


class UrllibWeb:
    """Asks by urllib, through the proxy that the environment names for https, if it names one.

    `seconds` is how long each thing that is waited for may take.
    """

    def __init__(self, ca_file: str, seconds: float) -> None:
        # Importing it takes as long as a question.
        self._urllib = importlib.import_module("urllib.request")
        self._http = importlib.import_module("http.client")
        self._seconds = seconds
        proxies = {scheme: proxy for scheme, proxy in self._urllib.getproxies().items() if scheme == "https"}
        self._opener = self._urllib.OpenerDirector()
        for handler in (
            self._urllib.ProxyHandler(proxies),
            self._urllib.HTTPHandler(),
            self._urllib.HTTPSHandler(context=checked_certificates(ca_file)),
        ):
            self._opener.add_handler(handler)

    def ask(self, request: WebRequest, where: str, most: int) -> WebAnswer:
        parse = importlib.import_module("urllib.parse")
        data = None if request.form is None else parse.urlencode(request.form).encode()
        headers = {**request.headers, **_OWN_HEADERS}
        try:
            asked = self._urllib.Request(request.url, data=data, headers=headers)
            with self._opener.open(asked, timeout=self._seconds) as response:
                return self._answer(response, where, most)
        except self._http.IncompleteRead:
            raise _cut(where) from None
        except (self._http.HTTPException, ValueError):
            raise SourceError(f"{where} does not speak HTTP; correct the url") from None
        except OSError as error:
            raise SourceError(f"{where}: {_why(error)}") from None

    def _answer(self, response: Any, where: str, most: int) -> WebAnswer:
        announced = response.length
        return WebAnswer(
            response.status,
            _body(response, where, most) if response.status == OK else self._of_error(response),
            response.headers.get("Content-Type", ""),
            response.headers.get("Content-Encoding", "").strip().lower(),
            response.headers.get("Location", ""),
            announced is not None or bool(response.chunked),
        )

    def _of_error(self, response: Any) -> bytes:
        with suppress(self._http.HTTPException, OSError):
            return bytes(response.read(ERROR_BYTES))
        return b""


def _body(response: Any, where: str, most: int) -> bytes:
    announced = response.length
    body = bytearray()
    for piece in iter(lambda: response.read(PIECE_BYTES), b""):
        body += piece
        if len(body) > most:
            raise SourceError(f"{where} answers with too much, more than 256 MiB in all; narrow down what is asked for")
    if announced is not None and len(body) < announced:
        raise _cut(where)
    return bytes(body)


def _cut(where: str) -> SourceError:
    return SourceError(f"{where} sent less than it had announced: its answer is cut; try again, or look at its log")


def _why(error: OSError) -> str:
    said = str(getattr(error, "reason", "") or error)
    if "tunnel connection failed" in said.lower():
        return "the proxy that https_proxy names does not let it through; correct https_proxy, or name it in no_proxy"
    return why_no_tls(said) or why_unreached(said)
