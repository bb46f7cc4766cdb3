# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socketserver
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import ServedCertificate
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import served_certificate as module
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.certificate_files import trusting
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.served_certificate import served_certificate
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.chains import Chain
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.local_server import answering

HERE = "127.0.0.1"


class Server(socketserver.ThreadingTCPServer):
    """An SMTP server that says what it is told to say, and begins TLS with `settings`."""

    daemon_threads = True
    greeting = b"220 mx.example ESMTP"
    offers = b"250-mx.example\r\n250 STARTTLS"
    ready = b"220 go on"
    settings: ssl.SSLContext | None = None

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Handler(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        self.wfile.write(self.server.greeting + b"\r\n")
        for line in self.rfile:
            if line.upper().startswith(b"EHLO"):
                self.wfile.write(self.server.offers + b"\r\n")
            elif line.startswith(b"STARTTLS"):
                self.wfile.write(self.server.ready + b"\r\n")
                if self.server.settings:
                    self.begin(self.server.settings)
                return

    def begin(self, settings: ssl.SSLContext) -> None:
        try:
            with settings.wrap_socket(self.connection, server_side=True) as secured:
                secured.recv(100)
                secured.sendall(b"221 bye\r\n")
        except OSError:
            return


@pytest.fixture
def server() -> Iterator[Server]:
    with answering(Server((HERE, 0), Handler)) as server:
        yield server


@pytest.fixture
def made(server: Server, tmp_path: Path) -> Chain:
    made = Chain(tmp_path)
    server.settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.settings.load_cert_chain(made.chain, made.key)
    return made


def test_certificate_is_seen_whoever_issued_it(server: Server, made: Chain) -> None:
    assert served_certificate(HERE, server.port, "mx.example") == ServedCertificate(
        HERE, True, certificate=made.own.read, untrusted="unable to get local issuer certificate"
    )


def test_certificate_of_a_trusted_root_is_seen_at_once(
    server: Server, made: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "trusting", lambda: trusting(made.root.pem))
    assert served_certificate(HERE, server.port) == ServedCertificate(HERE, True, certificate=made.own.read)


def test_server_without_tls_offers_none(server: Server) -> None:
    server.offers = b"250 mx.example"
    assert served_certificate(HERE, server.port) == ServedCertificate(HERE)


def test_server_that_refuses_to_begin_is_told_of(server: Server) -> None:
    server.ready = b"454 4.7.0 TLS not available due to local problem"
    why = "it answers STARTTLS with 454 4.7.0 TLS not available due to local problem"
    assert served_certificate(HERE, server.port) == ServedCertificate(HERE, True, why)


def test_handshake_that_fails_is_told_of(server: Server) -> None:
    found = served_certificate(HERE, server.port)
    assert (found.offered, found.refused.partition(":")[0], found.failure) == (True, "the handshake fails", "")


def test_server_that_nobody_can_talk_to_is_no_refusal(server: Server) -> None:
    server.greeting = b"421 busy"
    assert served_certificate(HERE, server.port).failure == "it answers the connection with 421 busy"
    server.server_close()
    assert served_certificate(HERE, server.port).failure != ""
    assert served_certificate("nobody.invalid", 25).failure != ""
