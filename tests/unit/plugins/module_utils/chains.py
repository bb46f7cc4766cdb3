# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A root, an authority below it, and certificates of MX hosts that the authority issues, as files."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.x509 import Certificate, read_certificate
from lab.authority import Party

DER = serialization.Encoding.DER
NAME = "mx.example"


class Issued(Party):
    """A certificate with its key, and what the collection reads in it."""

    def __init__(
        self, name: str, issuer: Party | None = None, days: int = 90, begins: int = -1, authority: bool = False
    ) -> None:
        super().__init__(name, issuer, () if authority else (name,), days, begins)

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
