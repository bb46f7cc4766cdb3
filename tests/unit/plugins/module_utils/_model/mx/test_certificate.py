# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import (
    CertificateEvidence,
    CertificateFiles,
    ServedCertificate,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.front_door import read_certificate_pair
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.x509 import Certificate
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import (
    host,
    primary,
    service,
)

PAIR = {"chain": "/c", "key": "/k"}
OWN = Certificate(b"own", b"key", b"own", b"authority", 0, 200, ("mx.example",))
FILES = CertificateFiles("/c", "/k", certificates=[OWN], own=0)
EXPIRED = replace(FILES, certificates=[replace(OWN, ends=50)])
# The TLS parameters of a release, none of which is set.
UNSET = {
    "smtpd_tls_cert_file": "",
    "smtpd_tls_key_file": "",
    "smtpd_tls_eccert_file": "",
    "smtpd_tls_dcert_file": "",
    "smtpd_tls_security_level": "",
    "smtpd_use_tls": "no",
    "smtpd_enforce_tls": "no",
}
CHAINED = {**UNSET, "smtpd_tls_chain_files": ""}


def on(
    values: dict[str, str | None] | None = None,
    files: CertificateFiles = FILES,
    served: tuple[ServedCertificate, ...] = (),
    smtpd: dict[str, str] | None = None,
    **fields: Any,
) -> HostState:
    evidence = CertificateEvidence([files], served, ["mx.example"], now=100)
    services = [service("smtp", "inet", "smtpd", **(smtpd or {})), *fields.pop("more", ()), service()]
    return host(values={**CHAINED, **(values or {})}, certificates=evidence, services=services, **fields)


def written(state: HostState, pair: dict[str, str] | None = None) -> dict[str, str]:
    """What main.cf is to say of TLS."""
    decision = primary(on=state, certificate=pair or PAIR)
    assert decision.refusals == []
    return {name: value for name, value in decision.main_cf.parameters.items() if "tls" in name}


def refused(state: HostState, pair: Any = None) -> list[tuple[str, str]]:
    decision = primary(on=state, certificate=PAIR if pair is None else pair)
    assert {refusal.check for refusal in decision.refusals} <= {"certificate"}
    return [(refusal.cause, refusal.remedy) for refusal in decision.refusals]


def test_key_comes_first_and_tls_is_offered() -> None:
    assert written(on()) == {"smtpd_tls_chain_files": "/k, /c", "smtpd_tls_security_level": "may"}
    assert written(on(), {"chain": "/c", "key": "/c"})["smtpd_tls_chain_files"] == "/c"


def test_without_the_setting_nothing_is_changed() -> None:
    decision = primary(on=on(files=EXPIRED))
    assert (decision.refusals, [name for name in decision.main_cf.parameters if "tls" in name]) == ([], [])


def test_release_without_chains_gets_no_certificate_of_another_kind() -> None:
    values: dict[str, str | None] = {
        "smtpd_tls_chain_files": None,
        "smtpd_tls_eccert_file": "/ec",
        "smtpd_tls_dcert_file": "None",
    }
    assert written(on(values)) == {
        "smtpd_tls_cert_file": "/c",
        "smtpd_tls_key_file": "/k",
        "smtpd_tls_eccert_file": "",
        "smtpd_tls_security_level": "may",
    }


def test_release_without_levels_is_told_to_use_tls() -> None:
    assert written(on({"smtpd_tls_security_level": None}))["smtpd_use_tls"] == "yes"


@pytest.mark.parametrize(
    ("values", "level"),
    [
        ({"smtpd_tls_security_level": "none"}, "may"),
        ({"smtpd_tls_security_level": "may"}, None),
        ({"smtpd_use_tls": "yes"}, None),
        # It counts only without a level.
        ({"smtpd_use_tls": "yes", "smtpd_tls_security_level": "none"}, "may"),
    ],
)
def test_level_is_never_lowered(values: dict[str, str | None], level: str | None) -> None:
    assert written(on(values)).get("smtpd_tls_security_level") == level


@pytest.mark.parametrize("values", [{"smtpd_tls_security_level": "encrypt"}, {"smtpd_enforce_tls": "yes"}])
def test_level_that_demands_tls_stays(values: dict[str, str | None]) -> None:
    decision = primary(on=on(values), certificate=PAIR)
    assert "smtpd_tls_security_level" not in decision.main_cf.parameters


@pytest.mark.parametrize(
    "given",
    [["/c"], {"chain": "/c"}, {"chain": "/c", "key": "/k", "more": ""}, {"chain": "c", "key": "/k"}]
    + [{"chain": "/c", "key": key} for key in ("", "k", "/a b", "/a,b", None)],
)
def test_setting_names_two_paths(given: Any) -> None:
    with pytest.raises(InvalidInput):
        read_certificate_pair(given)
    (refusal,) = primary(on=on(), certificate=given).refusals
    assert refusal.check == "certificate"


def test_files_that_would_end_tls_are_refused() -> None:
    broken = replace(FILES, unread={"/k": "is missing"})
    wanted = [("/k is missing", "give the files of the certificate and of its key as PEM, which root can read")]
    assert refused(on(files=broken)) == wanted
    shown = ServedCertificate("smtp/inet", True, certificate=OWN)
    assert refused(on(files=broken, served=(shown,))) == wanted
    assert refused(host(installed=False, certificates=CertificateEvidence([broken]))) == wanted


def test_certificate_that_senders_do_not_take_is_refused_until_it_is_live() -> None:
    wanted = [("certificate 1 in /c expired on 1970-01-01", "have it renewed")]
    assert refused(on(files=EXPIRED)) == wanted
    other = ServedCertificate("smtp/inet", True, certificate=replace(OWN, whole=b"other"))
    assert refused(on(files=EXPIRED, served=(other,), values={})) == wanted
    live = ServedCertificate("smtp/inet", True, certificate=EXPIRED.certificates[0])
    assert refused(on(files=EXPIRED, served=(live,))) == []
    assert refused(on(files=EXPIRED, served=(live, other))) == wanted


def test_certificate_without_a_root_does_not_replace_one_with_a_root() -> None:
    weaker = replace(FILES, untrusted="self-signed certificate")
    verified = ServedCertificate("smtp/inet", True, certificate=replace(OWN, whole=b"other"))
    assert refused(on(files=weaker, served=(replace(verified, untrusted="unknown"),))) == []
    assert refused(on(files=weaker, served=(verified,))) == [
        (
            "smtp/inet shows a certificate that leads to a root, and /c leads to none that this host trusts "
            "(self-signed certificate)",
            "name a chain that leads to a root, with all that is between",
        )
    ]


@pytest.mark.parametrize("value", ["", "/k /other"])
def test_override_that_shows_another_certificate_is_refused(value: str) -> None:
    assert refused(on(smtpd={"smtpd_tls_chain_files": value})) == [
        (
            f"smtp/inet has -o smtpd_tls_chain_files={value}, so it would show another certificate",
            "remove that override of smtp/inet",
        )
    ]


def test_override_that_says_the_same_is_none() -> None:
    assert refused(on(smtpd={"smtpd_tls_chain_files": "/k,/c", "smtpd_tls_cert_file": "/other"})) == []


def test_override_that_ends_tls_is_refused() -> None:
    assert refused(on(smtpd={"smtpd_tls_security_level": "none"}))[0][1] == "remove that override of smtp/inet"


def test_override_of_a_release_without_chains_is_refused() -> None:
    values: dict[str, str | None] = {"smtpd_tls_chain_files": None}
    assert refused(on(values, smtpd={"smtpd_tls_cert_file": "/c"})) == []
    assert refused(on(values, smtpd={"smtpd_tls_eccert_file": "/ec"}))[0][0].startswith("smtp/inet has -o smtpd_tls_ec")


def test_service_for_own_clients_keeps_its_certificate() -> None:
    closed = {"smtpd_relay_restrictions": "permit_sasl_authenticated,reject"}
    mine = service("submission", "inet", "smtpd", smtpd_tls_cert_file="/mine", **closed)
    assert refused(on(more=[mine])) == [
        (
            "submission/inet has -o smtpd_tls_cert_file=/mine, which no longer counts once main.cf has "
            "smtpd_tls_chain_files",
            "write its key and its certificate as -o smtpd_tls_chain_files=KEY,CERTIFICATE",
        )
    ]
    chained = service("submission", "inet", "smtpd", smtpd_tls_chain_files="/mine", **closed)
    assert refused(on(more=[chained])) == []
    # It has not counted for long.
    assert refused(on({"smtpd_tls_chain_files": "/k, /c"}, more=[mine])) == []
