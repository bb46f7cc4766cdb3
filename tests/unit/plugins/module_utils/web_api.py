# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A web server of a test's own, with the answers that it is given."""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.local_server import answering

LENGTH = "Content-Length"


@dataclass
class Prepared:
    """An answer. Its length is announced unless `headers` say otherwise: None for a header is none."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str | None] = field(default_factory=dict)
    chunks: tuple[bytes, ...] = ()


def of_json(document: Any, status: int = 200) -> Prepared:
    return Prepared(json.dumps(document).encode(), status, {"Content-Type": "application/json"})


@dataclass
class Heard:
    """What was asked: method, path with query, headers in lower case, body."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Api:
    """What is answered by path and query, and what was heard. What is asked beside it is not there."""

    def __init__(self, answers: dict[str, Prepared]) -> None:
        self.answers = answers
        self.heard: list[Heard] = []
        self.url = ""

    @contextlib.contextmanager
    def serving(self, settings: ssl.SSLContext | None = None) -> Iterator[Api]:
        """It answers at `url`, of localhost, until the block ends."""
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get(LENGTH, "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                api.heard.append(Heard(self.command, self.path, headers, body))
                prepared = api.answers.get(self.path, Prepared(status=404))
                self.send_response(prepared.status)
                announced = None if prepared.chunks else str(len(prepared.body))
                for name, value in {LENGTH: announced, **prepared.headers}.items():
                    if value is not None:
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(prepared.body)
                for chunk in prepared.chunks:
                    self.wfile.write(chunk)
                self.close_connection = True

            do_GET = do_POST = answer

            def log_message(self, *_what: object) -> None:
                pass

        server = ThreadingHTTPServer(("localhost", 0), Handler)
        if settings is not None:
            server.socket = settings.wrap_socket(server.socket, server_side=True)
        self.url = f"http{'' if settings is None else 's'}://localhost:{server.server_port}"
        with answering(server):
            yield self
