# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence, Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState, MxRecord
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.stranger import StrangerEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import TableEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.findings import (
    judge,
    stranger_findings,
    unreadable,
)

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
    return [
        (finding.domain, finding.check, finding.severity, finding.scope)
        for finding in judge(state or host(), tables, domains)
    ]


def test_host_as_it_should_be_has_no_findings() -> None:
    assert found(host(), domain(), tables=(TableEvidence("transport_maps", "hash:/t", "current", 1),)) == []


def test_each_subject_is_judged_and_the_whole_host_comes_first() -> None:
    state = host(values={"inet_interfaces": "loopback-only"}, dns_lacks="python3-dnspython")
    tables = (
        TableEvidence("transport_maps", "hash:/t", "stale", 1),
        TableEvidence("transport_maps", "hash:/u", "none", 1),
    )
    silent = Talk("mail.example", "timed out")
    domains = (domain(exchangers=[OTHER], talk=silent), domain(name="y.example", relayed=""))
    assert found(state, *domains, tables=tables) == [
        ("", "inet_interfaces", "error", "local"),
        ("", "dns", "info", "dns"),
        ("", "index", "error", "local"),
        ("x.example", "mx_record", "error", "dns"),
        ("x.example", "mail_host_unreachable", "warning", "remote"),
        ("y.example", "relay_domains", "error", "local"),
    ]


def test_same_finding_is_told_once() -> None:
    stale = TableEvidence("transport_maps", "hash:/t", "stale", 1)
    assert found(tables=(stale, stale)) == [("", "index", "error", "local")]


def test_address_of_this_host_that_it_does_not_know_can_loop() -> None:
    behind = MxRecord(20, "mx.example", ("198.51.100.1",))
    assert found(host(), domain(exchangers=[OTHER, behind])) == [("x.example", "proxy_interfaces", "error", "local")]
    assert found(host(values={"proxy_interfaces": "198.51.100.1"}), domain(exchangers=[OTHER, behind])) == []


def test_stranger_who_is_told_nothing_is_one_finding() -> None:
    dead = Talk("mx.example", "timed out")
    (finding,) = stranger_findings(StrangerEvidence("mx.example", {"x.example": dead}, {}, {}, []))
    assert (finding.check, finding.message) == (
        "probe_connect",
        "mx.example does not answer a stranger on its SMTP port (timed out)",
    )


def test_configuration_that_cannot_be_read_is_a_finding_with_the_remedy_of_its_error() -> None:
    finding = unreadable(HostError("/etc/postfix/main.cf:3: no closing brace; add it"))
    assert (finding.domain, finding.check, finding.severity, finding.scope, finding.message, finding.remedy) == (
        "",
        "main_cf",
        "error",
        "local",
        "/etc/postfix/main.cf:3: no closing brace",
        "add it",
    )
    assert unreadable(HostError("postconf failed")).remedy == "correct it"
