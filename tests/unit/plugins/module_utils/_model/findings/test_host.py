# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import seconds
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts, TableEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.findings.host import host_findings, table_findings

HEALTHY = {
    "myhostname": "mx.example",
    "inet_interfaces": "all",
    "maximal_queue_lifetime": "5d",
    "mynetworks": "127.0.0.0/8",
    "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
    "unknown_relay_recipient_reject_code": "550",
}


def service(name: str, kind: str, command: str) -> Service:
    return Service(name, kind, "-", "-", "-", "-", "-", command, {})


RELAY = service("relay", "unix", "smtp")


def found(facts: HostFacts | None = None, smtpd: Service | None = None, **values: str) -> list[tuple[str, str]]:
    state = HostState(
        version=(3, 10, 13),
        parameters={**HEALTHY, **values},
        values={**HEALTHY, **values},
        services=[smtpd or service("smtp", "inet", "smtpd"), RELAY],
        service_active=True,
    )
    return [(one.check, one.severity) for one in host_findings(state, facts or HostFacts())]


def test_host_as_it_should_be_has_none() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"smtpd_recipient_restrictions": "reject_unlisted_recipent"}, ("restriction", "error")),
        ({"smtpd_client_restrictions": "permit_mx_backup, reject"}, ("permit_mx_backup", "warning")),
        ({"master_service_disable": "inet"}, ("smtp_service", "error")),
        ({"myhostname": "localhost"}, ("myhostname", "warning")),
        ({"smtpd_reject_unlisted_recipient": "no"}, ("reject_unlisted", "error")),
        ({"unknown_relay_recipient_reject_code": "450"}, ("reject_code", "warning")),
        ({"unknown_relay_recipient_reject_code": "554"}, ("reject_code", "warning")),
        ({"soft_bounce": "yes"}, ("soft_bounce", "warning")),
        ({"defer_transports": "uucp, relay"}, ("defer_transports", "error")),
        ({"maximal_queue_lifetime": "5x"}, ("queue_lifetime", "error")),
    ],
)
def test_parameter_is_judged(values: dict[str, str], expected: tuple[str, str]) -> None:
    assert found(**values) == [expected]


@pytest.mark.parametrize(
    "values",
    [
        {"smtpd_reject_unlisted_recipient": "no", "smtpd_recipient_restrictions": "reject_unlisted_recipient"},
        {"smtpd_restriction_classes": "ours", "ours": "permit_mynetworks", "smtpd_client_restrictions": "ours"},
        {"defer_transports": "uucp"},
    ],
)
def test_parameters_with_nothing_against_them(values: dict[str, str]) -> None:
    assert found(**values) == []


@pytest.mark.parametrize(
    ("name", "kind", "command", "severity"),
    [
        ("smtp", "inet", "postscreen", None),
        ("25", "inet", "smtpd -o x=y", None),
        ("192.0.2.9:smtp", "inet", "smtpd", None),
        ("2525", "inet", "smtpd", "info"),
        ("submission", "inet", "smtpd", "error"),
        ("smtp", "unix", "smtpd", "error"),
        ("smtp", "inet", "proxy", "error"),
    ],
)
def test_port_25_has_to_be_served_or_led_to(name: str, kind: str, command: str, severity: str | None) -> None:
    assert found(smtpd=service(name, kind, command)) == ([("smtp_service", severity)] if severity else [])


@pytest.mark.parametrize(
    ("lifetime", "outage", "short"), [("5", "5d", False), ("119h", "5d", True), ("1w", "5d", False)]
)
def test_queue_lifetime_is_held_against_the_outage(lifetime: str, outage: str, short: bool) -> None:
    expected = [("queue_lifetime", "warning")] if short else []
    assert found(HostFacts(outage=outage), maximal_queue_lifetime=lifetime) == expected


def test_stale_copies_are_named() -> None:
    assert found(HostFacts(stale_copies=["/var/spool/postfix/etc/resolv.conf"])) == [("chroot", "warning")]


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [("90", "s", 90), ("2m", "s", 120), ("1", "d", 86400), ("1w", "d", 604800), ("5x", "s", None), ("", "s", None)],
)
def test_time_values_are_postfixs(text: str, unit: str, number: int | None) -> None:
    assert seconds(text, unit) == number


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (TableEvidence("transport_maps", "pgsql:/x", "type", 0), "table_type"),
        (TableEvidence("relay_recipient_maps", "hash:/x", "without a source", 0), "index"),
        (TableEvidence("relay_recipient_maps", "hash:/x", "current", 1, 0, "postfix"), "table_mode"),
    ],
)
def test_table_is_judged(table: TableEvidence, expected: str) -> None:
    found = list(table_findings([table]))
    assert [(one.check, one.severity) for one in found] == [(expected, "error")]
    assert table.reference in found[0].message
    assert table.parameter in found[0].message + found[0].remedy


def test_finding_has_what_the_report_needs() -> None:
    state: dict[str, Any] = next(
        iter(table_findings([TableEvidence("transport_maps", "hash:/x", "missing", 0)]))
    ).as_result()
    assert state["place"] == "nexthop"
    assert state["text"].startswith("this host (index): the index of hash:/x (transport_maps) is missing")
