# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a certificate, in its files or as it is shown, whoever asks: the planner or the checks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import (
    CertificateFiles,
    ServedCertificate,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.x509 import Certificate

WHOLE_CHAIN = "name the chain as its issuer hands it out, such as fullchain.pem of certbot or fullchain.cer of acme.sh"


class Problem(NamedTuple):
    """What is wrong with a certificate, and what to do."""

    cause: str
    remedy: str


def ends_tls(files: CertificateFiles) -> Iterator[Problem]:
    """Why smtpd would still offer STARTTLS with these files, and begin TLS with nobody."""
    for path, why in files.unread.items():
        yield Problem(f"{path} {why}", "give the files of the certificate and of its key as PEM, which root can read")
    if files.unread:
        return
    if files.own is None:
        yield Problem(
            f"the key {files.key} belongs to no certificate in {files.chain}",
            "give the key for which the certificate was issued",
        )
    elif files.own:
        yield Problem(
            f"{files.chain} begins with another certificate than that of the key {files.key}, which is number "
            f"{files.own + 1} in it",
            "put the certificate of this host first, then the one that issued it, and so on",
        )


def broken_links(files: CertificateFiles) -> Iterator[Problem]:
    """Where the chain leads from one certificate to another that did not issue it."""
    for place, why in files.unlinked.items():
        yield Problem(
            f"certificate {place + 1} in {files.chain} was not issued by certificate {place + 2} ({why})", WHOLE_CHAIN
        )


def unverifiable(files: CertificateFiles, names: Sequence[str], now: float) -> Iterator[Problem]:
    """Why senders that verify would not take the certificate in these files."""
    yield from broken_links(files)
    for place, certificate in enumerate(files.certificates):
        # Whoever trusts a root has it, and goes by no date in another copy.
        if not (place and certificate.self_signed):
            yield from out_of_date(f"certificate {place + 1} in {files.chain}", certificate, now)
    if files.leaf:
        yield from misnamed(files.chain, files.leaf, names)


def out_of_date(what: str, certificate: Certificate, now: float) -> Iterator[Problem]:
    if certificate.ends < now:
        yield Problem(f"{what} expired on {day_of(certificate.ends)}", "have it renewed")
    elif certificate.begins > now:
        yield Problem(
            f"{what} is not valid before {day_of(certificate.begins)}", "correct the clock, or wait until then"
        )


def misnamed(what: str, certificate: Certificate, names: Sequence[str]) -> Iterator[Problem]:
    if names and not any(map(certificate.is_for, names)):
        yield Problem(
            f"{what} is for {', '.join(certificate.names) or 'no DNS name'}, and not for {' or '.join(names)}",
            f"have a certificate issued for {names[0]}",
        )


def day_of(seconds: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


def why_not_verified(served: ServedCertificate, host: str, now: float) -> str:
    """Why senders that verify the certificate of the MX `host` hand no mail in, "" if they do, or nobody knows."""
    shown = served.certificate
    if served.refused or not (served.offered or served.failure):
        return served.refused or "it does not offer TLS"
    if shown is None:
        return ""
    problems = [*misnamed("its certificate", shown, [host]), *out_of_date("its certificate", shown, now)]
    if served.untrusted:
        return f"its certificate leads to no root that is trusted here ({served.untrusted})"
    return problems[0].cause if problems else ""
