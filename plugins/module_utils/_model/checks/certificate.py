# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of this host's own certificate: in its files, and as senders are shown it.

Senders that do not verify take every certificate, so one that nobody can verify, being signed by itself, is not judged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import is_address
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.certificate_problems import (
    WHOLE_CHAIN,
    broken_links,
    day_of,
    ends_tls,
    misnamed,
    out_of_date,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import (
    STRANGER,
    WHOLE_HOST,
    Register,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    DNS,
    INFO,
    LOCAL,
    MX,
    SENDER,
    WARNING,
    Fault,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import (
    CertificateEvidence,
    ServedCertificate,
    TlsaRecord,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.stranger import StrangerEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import CERTIFICATE_DAYS, HostFacts
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.x509 import Certificate

A_DAY = 86400
check = Register(WHOLE_HOST)
of_stranger = Register(STRANGER)


@check(
    "certificate",
    LOCAL,
    "TLS can't be begun with this host, or not by senders that verify its certificate",
    place=SENDER,
)
def certificate(state: HostState, facts: HostFacts) -> Iterator[Fault]:
    evidence = state.certificates
    broken = [problem for files in evidence.files for problem in ends_tls(files)]
    for problem in broken:
        yield Fault(
            f"{problem.cause}: this host offers TLS, and fails all who begin it; senders that insist put mail off",
            problem.remedy,
        )
    for files in evidence.files:
        if files.exposed:
            yield Fault(f"everybody on this host can read {files.key}", f"give {files.key} the mode 0600", WARNING)
        for problem in broken_links(files):
            yield Fault(f"{problem.cause}: senders that verify it put their mail off", problem.remedy, WARNING)
    # That TLS is demanded without a certificate is found by another check.
    demanded_in_vain = not evidence.files and state.value("smtpd_tls_security_level").lower() == "encrypt"
    for served in evidence.served:
        if served.refused and not (broken or demanded_in_vain):
            yield _not_begun(served)
        elif evidence.files and not (served.offered or served.failure or broken):
            yield Fault(
                f"{served.server} does not offer TLS, although it has a certificate: all mail comes in plain text",
                "set smtpd_tls_security_level to may",
                INFO,
            )
        yield from _shown(served, evidence, facts)


def _shown(served: ServedCertificate, evidence: CertificateEvidence, facts: HostFacts) -> Iterator[Fault]:
    shown = served.certificate
    if shown is None:
        return
    if served in evidence.behind:
        yield Fault(
            f"{served.server} shows another certificate than the one in {evidence.files[0].chain}, which Postfix has "
            "not read yet",
            "run postfix reload",
            WARNING,
        )
    yield from _as_it_is_shown(served, shown, evidence.names, evidence.now, facts.certificate_days)
    if served.untrusted and not shown.self_signed:
        yield Fault(
            f"the certificate of {served.server} leads to no root that this host trusts ({served.untrusted}): senders "
            "that verify it may not take it",
            f"{WHOLE_CHAIN}; with a CA of your own nothing is to be done",
            INFO,
        )


def _not_begun(served: ServedCertificate) -> Fault:
    return Fault(
        f"{served.server} offers TLS, but {served.refused}: senders that insist on it put their mail off",
        "look into the log of Postfix for what it says of its certificate",
    )


def _as_it_is_shown(
    served: ServedCertificate, shown: Certificate, names: Sequence[str], now: float, days: int
) -> Iterator[Fault]:
    """What senders that verify would see."""
    if shown.self_signed:
        return
    what = f"the certificate of {served.server}"
    for problem in [*out_of_date(what, shown, now), *misnamed(what, shown, names)]:
        yield Fault(f"{problem.cause}: senders that verify it put their mail off", problem.remedy, WARNING)
    if 0 <= int((shown.ends - now) // A_DAY) < days:
        yield Fault(
            f"{what} expires on {day_of(shown.ends)}, within {days} days", "see why it was not renewed yet", WARNING
        )


@of_stranger("probe_certificate", LOCAL, "a stranger can't begin TLS, or not if he verifies", place=SENDER)
def probe_certificate(told: StrangerEvidence) -> Iterator[Fault]:
    """What is seen through load balancers and postscreen, by the name by which the world reaches this host."""
    if told.shown is None:
        return
    if told.shown.refused:
        yield _not_begun(told.shown)
    if told.shown.certificate:
        names = [] if is_address(told.server) else [told.server]
        yield from _as_it_is_shown(told.shown, told.shown.certificate, names, told.now, CERTIFICATE_DAYS)


# Those that count for SMTP: of a certificate that issued another, and of the server's own. See RFC 7672, 3.1.
_ISSUER, _OWN = 2, 3


@check("tlsa", DNS, "the TLSA records of this host do not fit the certificate that it shows", place=MX)
def tlsa(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    evidence = state.certificates
    for host, records in evidence.tlsa.items():
        usable = [record for record in records if record.usage in (_ISSUER, _OWN)]
        for served in evidence.served if usable else ():
            said = _unlike(served, usable, evidence)
            if said:
                yield Fault(
                    f"_25._tcp.{host} has TLSA records, but {said}: if its zone is signed with DNSSEC, senders that "
                    "honour them put their mail off",
                    _new_record(host, served),
                    subject=host,
                )


def _unlike(served: ServedCertificate, records: Sequence[TlsaRecord], evidence: CertificateEvidence) -> str:
    """Why the records speak against what is shown; "" if they do not, or that can't be told."""
    if served.refused or not (served.offered or served.failure):
        return f"{served.server}: {served.refused or 'it does not offer TLS'}"
    if served.certificate is None:
        return ""
    # A server shows its issuers as well, which are seen in its files alone.
    issuers = [certificate for files in evidence.files for certificate in files.certificates[1:]]
    fits = any(record.usage == _OWN and record.names(served.certificate) for record in records)
    fits = fits or any(record.usage == _ISSUER and any(map(record.names, issuers)) for record in records)
    return "" if fits else f"they name another certificate than {served.server} shows"


def _new_record(host: str, served: ServedCertificate) -> str:
    if served.certificate is None:
        return "give this host a certificate, or remove the records"
    digest = hashlib.sha256(served.certificate.key).hexdigest()
    return (
        f"publish _25._tcp.{host}. IN TLSA 3 1 1 {digest}; before the next change of the key publish that of the new "
        "one beside it"
    )
