# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of this host's certificate: in its files, and as its SMTP servers show it. Facts only, no judgement."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.x509 import Certificate


@dataclass(frozen=True)
class CertificateFiles:
    """A file with a certificate and those that issued it, and the file of its key; both can be the same file.

    `unread` says of a file why it can't be used. `own` is the place of the certificate that the key belongs to, None
    if it is in there nowhere. `unlinked` says of the places of others why the next did not issue them, `untrusted` why
    no root that this host trusts did issue the last. `exposed`: everybody on the host can read the key.
    """

    chain: str
    key: str
    unread: Mapping[str, str] = field(default_factory=dict)
    certificates: Sequence[Certificate] = ()
    own: int | None = None
    unlinked: Mapping[int, str] = field(default_factory=dict)
    untrusted: str = ""
    exposed: bool = False

    @property
    def leaf(self) -> Certificate | None:
        """The certificate that a server which goes by these files shows; None if it can't."""
        return self.certificates[0] if self.own == 0 and not self.unread else None


@dataclass(frozen=True)
class ServedCertificate:
    """What an SMTP server shows to those who begin TLS, without a look at its name and its dates.

    `offered`: it says that it does TLS. `refused` says why TLS could not be begun although it does, `failure` why the
    server could not be talked to; `untrusted` why no root that is trusted where it was asked leads to the certificate.
    """

    server: str
    offered: bool = False
    refused: str = ""
    failure: str = ""
    certificate: Certificate | None = None
    untrusted: str = ""


@dataclass(frozen=True)
class TlsaRecord:
    """A TLSA record: see RFC 6698, 2.1, on its fields."""

    usage: int
    selector: int
    matching: int
    data: bytes

    def names(self, certificate: Certificate) -> bool:
        """Whether it is about this certificate, or this key."""
        whole = certificate.key if self.selector else certificate.whole
        digests = {0: whole, 1: hashlib.sha256(whole).digest(), 2: hashlib.sha512(whole).digest()}
        return digests.get(self.matching) == self.data


@dataclass(frozen=True)
class CertificateEvidence:
    """The files by which this host's services for strangers go, or are to go, and what these services show.

    `names` are those by which DNS names this host as an MX, as far as it was asked, and myhostname; `tlsa` has the
    records of those that have some. `now` is the time in seconds since the epoch.
    """

    files: Sequence[CertificateFiles] = ()
    served: Sequence[ServedCertificate] = ()
    names: Sequence[str] = ()
    tlsa: Mapping[str, Sequence[TlsaRecord]] = field(default_factory=dict)
    now: float = 0.0

    @property
    def behind(self) -> list[ServedCertificate]:
        """The services that have to read the files again, as they show another certificate, or none."""
        leaves = {files.leaf.digest for files in self.files if files.leaf}
        answering = [served for served in self.served if served.certificate or served.refused]
        return [
            served
            for served in answering
            if leaves and (served.certificate is None or served.certificate.digest not in leaves)
        ]

    @property
    def live(self) -> bool:
        """Whether all of them show what is in the files."""
        return (
            bool(self.files and self.served) and not self.behind and all(served.certificate for served in self.served)
        )
