# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A root, an authority below it, and certificates of MX hosts that the authority issues, as files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.x509 import Certificate, read_certificate

PEM = serialization.Encoding.PEM
DER = serialization.Encoding.DER
NAME = "mx.example"
A_DAY = timedelta(days=1)


class Issued:
    """A certificate with its key, issued by another one, or by itself. It holds from yesterday on for `days`."""

    def __init__(
        self, name: str, issuer: Issued | None = None, days: int = 90, begins: int = -1, authority: bool = False
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer = issuer or self
        begin = datetime.now(UTC) + begins * A_DAY
        builder = (
            x509.CertificateBuilder(signer.name, self.name, self.key.public_key(), x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + days * A_DAY)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if not authority:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        self.certificate = builder.sign(signer.key, hashes.SHA256())

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(PEM).decode()

    @property
    def key_pem(self) -> str:
        form, bare = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return self.key.private_bytes(PEM, form, bare).decode()

    @property
    def read(self) -> Certificate:
        return read_certificate(self.certificate.public_bytes(DER))


class Chain:
    """The files `chain` and `key` of a host below an authority below a root, in a folder."""

    def __init__(self, folder: Path, name: str = NAME, days: int = 90, begins: int = -1) -> None:
        self.root = Issued("Root of a test", authority=True)
        self.authority = Issued("Authority of a test", self.root, authority=True)
        self.own = Issued(name, self.authority, days, begins)
        self.chain, self.key = folder / "chain.pem", folder / "key.pem"
        self.write(self.own.pem, self.authority.pem)
        self.key.write_text(self.own.key_pem)
        self.key.chmod(0o600)

    def write(self, *pieces: str) -> None:
        self.chain.write_text("".join(pieces))
