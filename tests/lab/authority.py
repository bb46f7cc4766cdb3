# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates for tests: of authorities, and of servers that these vouch for."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PEM = serialization.Encoding.PEM
A_DAY = timedelta(days=1)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Party:
    """Who has a certificate, issued by another party, or by itself: for these names, or as an authority.

    It holds for so many days, which begin so many days from now.
    """

    def __init__(
        self, name: str, issuer: Party | None = None, names: tuple[str, ...] = (), days: float = 90, begins: float = -1
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer = issuer or self
        begin = datetime.now(UTC) + A_DAY * begins
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=not names, path_length=None), True),
            (x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), False),
        ]
        if not names:
            # Newer releases of Python take no authority that does not say that it is one.
            extensions.append((x509.KeyUsage(False, False, False, False, False, True, True, False, False), True))
        if names:
            extensions.append((x509.SubjectAlternativeName(list(map(_alternative, names))), False))
            extensions.append((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False))
        builder = x509.CertificateBuilder(
            signer.name, self.name, self.key.public_key(), x509.random_serial_number(), begin, begin + A_DAY * days
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        self.certificate = builder.sign(signer.key, hashes.SHA256())

    @property
    def pem(self) -> str:
        """The certificate."""
        return self.certificate.public_bytes(PEM).decode()

    @property
    def key_pem(self) -> str:
        """The key."""
        form, bare = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return self.key.private_bytes(PEM, form, bare).decode()

    @property
    def digest(self) -> str:
        """The SHA-256 digest of the certificate, in hexadecimal."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def key_digest(self) -> str:
        """That of its key, as a TLSA record 3 1 1 has it."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        digest = hashes.Hash(hashes.SHA256())
        digest.update(self.certificate.public_key().public_bytes(serialization.Encoding.DER, form))
        return digest.finalize().hex()
