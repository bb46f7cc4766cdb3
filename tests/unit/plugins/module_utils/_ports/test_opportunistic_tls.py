# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ssl
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.opportunistic_tls import any_certificate


@pytest.fixture
def expired(tmp_path: Path) -> Path:
    """A certificate that nobody vouches for, for a name that nobody asked for, from a year gone by; and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "other.example")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2001, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2002, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "both.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
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
