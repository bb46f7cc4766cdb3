# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Finding
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import Capture, HostState, MxRecord
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import TableEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.findings.judge import judge

VALUES = {
    "myhostname": "mx.example",
    "inet_interfaces": "all",
    "mynetworks": "127.0.0.0/8",
    "relay_recipient_maps": "hash:/t/relay_recipients",
    "smtp_fallback_relay": "",
    "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
    "smtpd_recipient_restrictions": "",
}
OWN = MxRecord(20, "mx.example", ("192.0.2.9",))
OTHER = MxRecord(10, "primary.example", ("192.0.2.1",))


def service(name: str = "relay", kind: str = "unix", command: str = "smtp", **overrides: str) -> Service:
    return Service(name, kind, "-", "-", "-", "-", "-", command, dict(overrides))


SMTPD = service("smtp", "inet", "smtpd")


def host(**fields: Any) -> HostState:
    values = {**VALUES, **fields.pop("values", {})}
    defaults: dict[str, Any] = {
        "parameters": values,
        "values": values,
        "services": [SMTPD, service()],
        "own_addresses": frozenset({"192.0.2.9"}),
        "service_active": True,
    }
    return HostState(**{**defaults, **fields})


def domain(**fields: Any) -> DomainEvidence:
    defaults: dict[str, Any] = {
        "name": "x.example",
        "relayed": "x.example",
        "recipients": 2,
        "exchangers": [OTHER, OWN],
    }
    return DomainEvidence(**{**defaults, **fields})


def found(
    state: HostState | None = None, *domains: DomainEvidence, tables: tuple[TableEvidence, ...] = ()
) -> list[tuple[str, ...]]:
    return [(one.domain, one.check, one.severity, one.scope) for one in judge(state or host(), tables, domains)]


def test_host_as_it_should_be_has_no_findings() -> None:
    assert found(host(), domain(), tables=(TableEvidence("transport_maps", "hash:/t", "current", 1),)) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"values": {"smtpd_relay_restrictions": "permit"}}, ("open_relay", "error")),
        (
            {"values": {"smtpd_relay_restrictions": "permit_mynetworks, defer_unauth_destination"}},
            ("relay_deferred", "warning"),
        ),
        (
            {
                "services": [
                    service("smtp", "inet", "smtpd"),
                    service("587", "inet", "smtpd", smtpd_relay_restrictions="permit"),
                    service(),
                ]
            },
            ("open_relay", "error"),
        ),
        ({"values": {"mynetworks": "0.0.0.0/0"}}, ("mynetworks", "error")),
        ({"values": {"inet_interfaces": "loopback-only"}}, ("inet_interfaces", "error")),
        ({"service_active": False}, ("service", "error")),
        ({"reload_pending": True}, ("reload", "warning")),
        ({"services": [service("smtp", "inet", "smtpd")]}, ("relay_service", "error")),
        ({"values": {"smtp_fallback_relay": "[smart]"}}, ("fallback_relay", "warning")),
    ],
)
def test_whole_host_is_judged(fields: dict[str, Any], expected: tuple[str, str]) -> None:
    assert found(host(**fields)) == [("", *expected, "local")]


def test_guarded_fallback_relay_is_fine() -> None:
    services = [SMTPD, service(smtp_fallback_relay="")]
    assert found(host(values={"smtp_fallback_relay": "[smart]"}, services=services)) == []


@pytest.mark.parametrize("index", ["missing", "stale", "unreadable"])
def test_index_that_is_not_its_source_is_an_error(index: str) -> None:
    tables = (
        TableEvidence("transport_maps", "hash:/t", index, 1),
        TableEvidence("transport_maps", "texthash:/u", "none", 1),
    )
    assert found(host(), tables=tables) == [("", "index", "error", "local")]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"relayed": ""}, ("relay_domains", "error", "local")),
        ({"classes": {"mydestination": "x.example"}}, ("class", "error", "local")),
        ({"recipients": 0}, ("no_recipients", "error", "local")),
        ({"recipients": 0, "wildcard": True}, ("accepts_any", "info", "local")),
        ({"answer": Capture("hash:/t", "x.example", "relay:[mx.example]")}, ("own_nexthop", "error", "local")),
        (
            {"answer": Capture("hash:/t", "x.example", "relay:[mail]:25"), "nexthop_addresses": ["192.0.2.9"]},
            ("own_nexthop", "error", "local"),
        ),
        ({"exchangers": [OWN]}, ("best_mx", "error", "local")),
        ({"exchangers": [OWN], "answer": Capture("hash:/t", "x.example", "relay:")}, ("best_mx", "error", "local")),
        ({"exchangers": [OTHER]}, ("mx_record", "error", "dns")),
        ({"exchangers": []}, ("mx_record", "error", "dns")),
    ],
)
def test_domain_is_judged(fields: dict[str, Any], expected: tuple[str, ...]) -> None:
    state = host()
    assert found(state, domain(**fields)) == [("x.example", *expected)]


@pytest.mark.parametrize(
    "fields",
    [
        {"recipients": 0, "other_maps": True},
        {"exchangers": [OWN], "answer": Capture("hash:/t", "x.example", "relay:[mail.example]")},
        {"exchangers": None},
    ],
)
def test_domain_with_nothing_against_it(fields: dict[str, Any]) -> None:
    assert found(host(), domain(**fields)) == []


def test_relayhost_takes_mail_without_a_transport_row() -> None:
    state = host(values={"relayhost": "[smart]"})
    assert found(state, domain()) == [("x.example", "relayhost", "error", "local")]
    assert found(state, domain(answer=Capture("hash:/t", "x.example", "relay:"))) == []


def test_empty_recipient_maps_accept_everything() -> None:
    assert found(host(values={"relay_recipient_maps": ""}), domain(recipients=0)) == [
        ("x.example", "accepts_any", "warning", "local")
    ]


def test_address_of_this_host_that_it_does_not_know_can_loop() -> None:
    behind = MxRecord(20, "mx.example", ("198.51.100.1",))
    assert found(host(), domain(exchangers=[OTHER, behind])) == [("x.example", "proxy_interfaces", "error", "local")]
    assert found(host(values={"proxy_interfaces": "198.51.100.1"}), domain(exchangers=[OTHER, behind])) == []


def test_finding_says_everything_in_one_line() -> None:
    finding = Finding("x.example", "class", "error", "local", "it is bad", "mend it")
    assert finding.as_result()["text"] == "x.example (class): it is bad; mend it"
    assert (
        Finding("", "class", "error", "local", "it is bad", "mend it")
        .as_result()["text"]
        .startswith("this host (class)")
    )


def test_missing_dnspython_is_named() -> None:
    finding = judge(host(dns_lacks="python3-dnspython"), (), ())[0]
    assert (finding.check, finding.severity, finding.scope, finding.remedy) == (
        "dns",
        "info",
        "dns",
        "install python3-dnspython",
    )
