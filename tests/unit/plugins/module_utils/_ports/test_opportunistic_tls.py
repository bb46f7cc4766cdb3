# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.opportunistic_tls import any_certificate
from lab.authority import Party


@pytest.fixture
def expired(tmp_path: Path) -> Path:
    """A certificate that nobody vouches for, for a name that nobody asked for, from a year gone by; and its key."""
    party = Party("other.example", names=("other.example",), days=365, begins=-9000)
    path = tmp_path / "both.pem"
    path.write_text(party.pem + party.key_pem)
    return path


def handshake(client_settings: ssl.SSLContext, server_settings: ssl.SSLContext, name: str) -> str | None:
    """The version of TLS that both come to."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_settings.wrap_bio(to_client, to_server, server_hostname=name)
    server = server_settings.wrap_bio(to_server, to_client, server_side=True)
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    with suppress(ssl.SSLWantReadError):
        server.do_handshake()
    client.do_handshake()
    server.do_handshake()
    return client.version()


def test_every_certificate_is_taken(expired: Path) -> None:
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    settings.load_cert_chain(expired)
    assert handshake(any_certificate(), settings, "mx.example") == "TLSv1.3"
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(ssl.create_default_context(), settings, "mx.example")
