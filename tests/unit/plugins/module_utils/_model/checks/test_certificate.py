# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.certificate_problems import ends_tls
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.certificate import (
    certificate,
    probe_certificate,
    tlsa,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import (
    CertificateEvidence,
    ServedCertificate,
    TlsaRecord,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.stranger import StrangerEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.shown_certificates import (
    A_DAY,
    DEAD,
    FILES,
    NOW,
    OWN,
    PLAIN,
    REFUSED,
    SHOWN,
)


def found(*served: ServedCertificate, days: int = 14, **fields: Any) -> list[tuple[str, str]]:
    names = ["mx.example"]
    evidence = CertificateEvidence(**{"files": [FILES], "served": served, "names": names, "now": NOW, **fields})
    state = HostState(certificates=evidence)
    return [(fault.severity, fault.message) for fault in certificate(state, HostFacts(certificate_days=days))]


def test_good_certificate_is_no_finding() -> None:
    assert found(SHOWN) == []
    assert found(SHOWN, files=[]) == []
    assert found(DEAD, files=[]) == []


@pytest.mark.parametrize(
    ("fields", "causes"),
    [
        ({"unread": {"/k": "is missing"}, "own": None}, ["/k is missing"]),
        ({"own": None}, ["the key /k belongs to no certificate in /c"]),
        (
            {"own": 1},
            ["/c begins with another certificate than that of the key /k, which is number 2 in it"],
        ),
        ({}, []),
    ],
)
def test_files_that_smtpd_can_not_use(fields: dict[str, Any], causes: list[str]) -> None:
    files = replace(FILES, **fields)
    assert [problem.cause for problem in ends_tls(files)] == causes
    end = ": this host offers TLS, and fails all who begin it; senders that insist put mail off"
    assert found(REFUSED if causes else SHOWN, files=[files]) == [("error", cause + end) for cause in causes]


def test_tls_that_can_not_be_begun_is_an_error() -> None:
    assert found(REFUSED) == [
        (
            "error",
            "smtp/inet offers TLS, but it answers STARTTLS with 454 not available: senders that insist on it put "
            "their mail off",
        )
    ]


def test_tls_that_is_demanded_without_a_certificate_is_told_of_elsewhere() -> None:
    evidence = CertificateEvidence(served=[REFUSED], now=NOW)
    state = HostState(values={"smtpd_tls_security_level": "encrypt"}, certificates=evidence)
    assert list(certificate(state, HostFacts())) == []
    assert len(list(certificate(HostState(certificates=evidence), HostFacts()))) == 1


def test_host_with_a_certificate_and_without_tls_is_told_of() -> None:
    message = "smtp/inet does not offer TLS, although it has a certificate: all mail comes in plain text"
    assert found(PLAIN) == [("info", message)]
    assert found(PLAIN, files=[]) == []


def test_certificate_that_is_not_in_the_files_waits_for_a_reload() -> None:
    old = replace(SHOWN, certificate=replace(OWN, whole=b"old"))
    assert found(old) == [
        (
            "warning",
            "smtp/inet shows another certificate than the one in /c, which Postfix has not read yet",
        )
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"ends": 19999 * A_DAY},
            "the certificate of smtp/inet expired on 2024-10-03: senders that verify it put their mail off",
        ),
        (
            {"names": ("a.example",)},
            "the certificate of smtp/inet is for a.example, and not for mx.example: senders that verify it put "
            "their mail off",
        ),
        ({"ends": 20013 * A_DAY}, "the certificate of smtp/inet expires on 2024-10-17, within 14 days"),
        ({"ends": 20014 * A_DAY}, ""),
    ],
)
def test_what_senders_that_verify_would_see_is_a_warning(change: dict[str, Any], message: str) -> None:
    shown = replace(SHOWN, certificate=replace(OWN, **change))
    assert found(shown, files=[]) == ([("warning", message)] if message else [])
    signed_by_itself = replace(SHOWN, certificate=replace(OWN, issuer=OWN.subject, **change))
    assert found(signed_by_itself, files=[]) == []


def test_days_before_it_expires_are_an_option() -> None:
    assert found(SHOWN, days=31)[0][1].endswith("expires on 2024-11-03, within 31 days")
    assert found(SHOWN, days=30) == []


def test_authority_that_nobody_knows_here_is_information() -> None:
    (fault,) = found(replace(SHOWN, untrusted="unable to get local issuer certificate"))
    assert fault == (
        "info",
        "the certificate of smtp/inet leads to no root that this host trusts (unable to get local issuer "
        "certificate): senders that verify it may not take it",
    )


def test_chain_that_leads_elsewhere_is_a_warning() -> None:
    message = "certificate 1 in /c was not issued by certificate 2 (why): senders that verify it put their mail off"
    assert found(SHOWN, files=[replace(FILES, unlinked={0: "why"})]) == [("warning", message)]


def test_key_that_everybody_reads_is_a_warning() -> None:
    assert found(SHOWN, files=[replace(FILES, exposed=True)]) == [("warning", "everybody on this host can read /k")]


RIGHT = TlsaRecord(3, 1, 1, hashlib.sha256(b"key").digest())
OTHER = TlsaRecord(3, 1, 1, b"other")


@pytest.mark.parametrize(
    ("records", "served", "said"),
    [
        ((RIGHT,), SHOWN, ""),
        ((OTHER, RIGHT), SHOWN, ""),
        ((OTHER,), SHOWN, "they name another certificate than smtp/inet shows"),
        ((OTHER,), PLAIN, "smtp/inet: it does not offer TLS"),
        ((OTHER,), REFUSED, "smtp/inet: it answers STARTTLS with 454 not available"),
        ((OTHER,), DEAD, ""),
        # Of an issuer, whose certificate is in the files; and of kinds that do not count for SMTP.
        ((TlsaRecord(2, 0, 0, b"issuer"),), SHOWN, ""),
        ((TlsaRecord(2, 0, 0, b"own"),), SHOWN, "they name another certificate than smtp/inet shows"),
        ((TlsaRecord(1, 0, 0, b"other"),), SHOWN, ""),
    ],
)
def test_records_that_name_another_key(records: tuple[TlsaRecord, ...], served: ServedCertificate, said: str) -> None:
    evidence = CertificateEvidence([FILES], [served], ["mx.example"], {"mx.example": records}, NOW)
    faults = list(tlsa(HostState(certificates=evidence), HostFacts()))
    assert [fault.message for fault in faults] == (
        [
            f"_25._tcp.mx.example has TLSA records, but {said}: if its zone is signed with DNSSEC, senders that honour "
            "them put their mail off"
        ]
        if said
        else []
    )
    if faults and served is SHOWN:
        assert f"TLSA 3 1 1 {RIGHT.data.hex()};" in faults[0].remedy


@pytest.mark.parametrize(
    ("shown", "severities"),
    [
        (None, []),
        (SHOWN, []),
        (DEAD, []),
        (PLAIN, []),
        (REFUSED, ["error"]),
        (replace(SHOWN, certificate=replace(OWN, names=("a.example",), ends=0)), ["warning", "warning"]),
        (replace(SHOWN, certificate=replace(OWN, ends=20013 * A_DAY)), ["warning"]),
        (replace(SHOWN, certificate=replace(OWN, issuer=OWN.subject, ends=0)), []),
    ],
)
def test_stranger_meets_it_as_well(shown: ServedCertificate | None, severities: list[str]) -> None:
    told = StrangerEvidence("mx.example", {}, {}, {}, [], shown=shown, now=NOW)
    assert [fault.severity for fault in probe_certificate(told)] == severities


def test_name_is_not_known_of_a_server_that_is_given_as_an_address() -> None:
    told = StrangerEvidence("192.0.2.9", {}, {}, {}, [], shown=SHOWN, now=NOW)
    assert list(probe_certificate(told)) == []
