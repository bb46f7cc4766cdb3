# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate authority for the hosts of the lab: a root, an authority below it, and what that issues."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PEM = serialization.Encoding.PEM
A_DAY = timedelta(days=1)


class Party:
    """Who has a certificate: for some names, issued by another party, or by itself. It holds from yesterday on."""

    def __init__(self, name: str, issuer: Party | None = None, names: tuple[str, ...] = (), days: int = 90) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer = issuer or self
        begin = datetime.now(UTC) - A_DAY * (1 + max(0, -days))
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=not names, path_length=None), True),
            (x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), False),
        ]
        if not names:
            # Newer releases of Python take no authority that does not say that it is one.
            extensions.append((x509.KeyUsage(False, False, False, False, False, True, True, False, False), True))
        if names:
            extensions.append((x509.SubjectAlternativeName(list(map(x509.DNSName, names))), False))
            extensions.append((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False))
        builder = x509.CertificateBuilder(
            signer.name, self.name, self.key.public_key(), x509.random_serial_number(), begin, begin + A_DAY * abs(days)
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
