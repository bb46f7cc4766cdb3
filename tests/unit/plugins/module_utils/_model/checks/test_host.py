# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import checks_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import WHOLE_HOST
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Finding
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.contents import Content
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts

HEALTHY = {
    "myhostname": "mx.example",
    "inet_interfaces": "all",
    "maximal_queue_lifetime": "5d",
    "mynetworks": "127.0.0.0/8",
    "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
    "unknown_relay_recipient_reject_code": "550",
}


def service(name: str, kind: str, command: str, **overrides: str) -> Service:
    return Service(name, kind, "-", "-", "-", "-", "-", command, dict(overrides))


RELAY = service("relay", "unix", "smtp")
SMTPD = service("smtp", "inet", "smtpd")


def host(**fields: Any) -> HostState:
    values = {**HEALTHY, **fields.pop("values", {})}
    defaults: dict[str, Any] = {
        "version": (3, 10, 13),
        "parameters": values,
        "values": values,
        "services": [SMTPD, RELAY],
        "service_active": True,
    }
    return HostState(**{**defaults, **fields})


def judged(state: HostState, facts: HostFacts | None = None) -> list[Finding]:
    return [finding for check in checks_of(WHOLE_HOST) for finding in check(state, facts or HostFacts())]


def found(facts: HostFacts | None = None, smtpd: Service | None = None, **values: str) -> list[tuple[str, str]]:
    state = host(values=values, services=[smtpd or SMTPD, RELAY])
    return [(finding.check, finding.severity) for finding in judged(state, facts)]


def test_host_as_it_should_be_has_none() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"smtpd_recipient_restrictions": "reject_unlisted_recipent"}, ("restriction", "error")),
        ({"smtpd_client_restrictions": "permit_mx_backup, reject"}, ("permit_mx_backup", "warning")),
        ({"smtpd_client_restrictions": "permit_mx_backup, reject_unlisted_recipent"}, ("restriction", "error")),
        ({"master_service_disable": "inet"}, ("smtp_service", "error")),
        ({"myhostname": "localhost"}, ("myhostname", "warning")),
        ({"myhostname": "mx2"}, ("myhostname", "warning")),
        ({"smtpd_reject_unlisted_recipient": "no"}, ("reject_unlisted", "error")),
        ({"unknown_relay_recipient_reject_code": "450"}, ("reject_code", "warning")),
        ({"unknown_relay_recipient_reject_code": "554"}, ("reject_code", "warning")),
        ({"soft_bounce": "yes"}, ("soft_bounce", "warning")),
        ({"defer_transports": "uucp, relay"}, ("defer_transports", "error")),
        *(({"maximal_queue_lifetime": lifetime}, ("queue_lifetime", "error")) for lifetime in ("5x", "101d", "3600")),
        *(({"maximal_queue_lifetime": lifetime}, ("queue_lifetime", "error")) for lifetime in ("0", "0s")),
        ({"maximal_queue_lifetime": "4m", "minimal_backoff_time": "300s"}, ("queue_lifetime", "error")),
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
        ("127.0.0.1:smtp", "inet", "smtpd", "error"),
        ("localhost:25", "inet", "smtpd", "error"),
        ("[::1]:25", "inet", "postscreen", "error"),
        ("192.0.2.9:smtp", "inet", "smtpd", None),
        ("2525", "inet", "smtpd", "info"),
        ("submission", "inet", "smtpd", "error"),
        ("smtp", "unix", "smtpd", "error"),
        ("smtp", "inet", "proxy", "error"),
    ],
)
def test_port_25_has_to_be_served_or_led_to(name: str, kind: str, command: str, severity: str | None) -> None:
    behind = service("smtpd", "pass", "smtpd")
    services = [service(name, kind, command), behind, RELAY]
    findings = [(finding.check, finding.severity) for finding in judged(host(services=services))]
    expected = [("smtp_service", severity)] if severity else []
    unknown = [("relay_unproven", "warning")] if command == "proxy" else []
    assert findings == unknown + expected


@pytest.mark.parametrize(
    ("lifetime", "outage", "short"), [("5", "5d", False), ("119h", "5d", True), ("1w", "5d", False)]
)
def test_queue_lifetime_is_held_against_the_outage(lifetime: str, outage: str, short: bool) -> None:
    expected = [("queue_lifetime", "warning")] if short else []
    assert found(HostFacts(outage=outage), maximal_queue_lifetime=lifetime) == expected


def test_stale_copies_are_named() -> None:
    assert found(HostFacts(stale_copies=["/var/spool/postfix/etc/resolv.conf"])) == [("chroot", "warning")]


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
                    SMTPD,
                    service("587", "inet", "smtpd", smtpd_relay_restrictions="permit"),
                    RELAY,
                ]
            },
            ("open_relay", "error"),
        ),
        ({"values": {"mynetworks": "0.0.0.0/0"}}, ("mynetworks", "error")),
        ({"values": {"inet_interfaces": "loopback-only"}}, ("inet_interfaces", "error")),
        ({"service_active": False}, ("service", "error")),
        ({"reload_pending": True}, ("reload", "warning")),
        ({"service_replaced": True}, ("old_master", "warning")),
        ({"services": [SMTPD]}, ("relay_service", "error")),
        ({"values": {"smtp_fallback_relay": "[smart]"}}, ("fallback_relay", "warning")),
    ],
)
def test_whole_host_is_judged(fields: dict[str, Any], expected: tuple[str, str]) -> None:
    assert [(finding.domain, finding.check, finding.severity, finding.scope) for finding in judged(host(**fields))] == [
        ("", *expected, "local")
    ]


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("450", "senders keep retrying mail for unknown recipients"),
        ("421", "senders keep retrying mail for unknown recipients"),
        ("554", "senders expect 550"),
    ],
)
def test_reject_code_is_told_with_what_senders_do(code: str, what: str) -> None:
    (finding,) = judged(host(values={"unknown_relay_recipient_reject_code": code}))
    assert finding.message == f"unknown_relay_recipient_reject_code is {code}: {what}"


def test_guarded_fallback_relay_is_fine() -> None:
    services = [SMTPD, service("relay", "unix", "smtp", smtp_fallback_relay="")]
    assert judged(host(values={"smtp_fallback_relay": "[smart]"}, services=services)) == []


def relay_restrictions(**values: str) -> list[tuple[str, str]]:
    """What is said about who may relay, with its remedy."""
    return [(finding.message, finding.remedy) for finding in judged(host(values=values))]


def test_open_relay_names_the_lists_as_they_are() -> None:
    assert relay_restrictions(smtpd_relay_restrictions="", smtpd_recipient_restrictions="permit") == [
        (
            "strangers can relay through this host, or smtpd does not start: smtpd_relay_restrictions: it is empty, "
            "and smtpd_recipient_restrictions is permit",
            "end smtpd_relay_restrictions with reject_unauth_destination, after the restrictions that permit only your "
            "own clients",
        )
    ]


def test_list_through_which_strangers_relay_is_not_called_deferring_as_well() -> None:
    values = {"smtpd_relay_restrictions": "check_client_access hash:/c, defer_unauth_destination"}
    known = {"hash:/c": Content((("spam.example", "REJECT"),))}
    assert [finding.check for finding in judged(host(values=values, contents=known))] == ["relay_deferred"]
    welcoming = host(values=values, contents={"hash:/c": Content((("vip.example", "OK"),))})
    assert [finding.check for finding in judged(welcoming)] == ["open_relay"]


def test_open_relay_of_a_postfix_without_relay_restrictions_names_the_other_list() -> None:
    values = {**HEALTHY, "smtpd_recipient_restrictions": "permit"}
    del values["smtpd_relay_restrictions"]
    (finding,) = judged(HostState(parameters=values, values=values, services=[SMTPD, RELAY]))
    assert finding.message.endswith("does not start: permit in smtpd_recipient_restrictions: it permits every client")
    assert (
        finding.remedy == "remove permit from smtpd_recipient_restrictions, or put it after reject_unauth_destination"
    )


def test_open_relay_through_a_service_names_it() -> None:
    submission = service("587", "inet", "smtpd", smtpd_relay_restrictions="permit")
    (finding,) = judged(host(services=[SMTPD, submission, RELAY]))
    assert finding.message == (
        "strangers can relay through 587/inet of master.cf, or smtpd does not start: permit in "
        "smtpd_relay_restrictions of 587/inet: it permits every client"
    )
    assert finding.subject == "587/inet smtpd_relay_restrictions permit"


@pytest.mark.parametrize(
    ("domains", "expected"),
    [
        ("x.example, static:all", ("foreign_domains", "error", "main.cf relay_domains static:all")),
        ("regexp:/r", ("relay_unproven", "warning", "main.cf relay_domains regexp:/r")),
    ],
)
def test_domains_of_others_are_proven_or_in_doubt_and_never_both(domains: str, expected: tuple[str, str, str]) -> None:
    found = judged(host(values={"relay_domains": domains}))
    assert [(finding.check, finding.severity, finding.subject) for finding in found] == [expected]


@pytest.mark.parametrize(
    ("smtpd", "networks"),
    [
        (service("smtp", "inet", "smtpd", mynetworks="0.0.0.0/0"), "0.0.0.0/0"),
        (service("smtp", "inet", "smtpd", mynetworks="$everybody"), "::/0"),
    ],
)
def test_everybody_in_the_mynetworks_of_a_service_is_found(smtpd: Service, networks: str) -> None:
    (finding,) = judged(host(values={"everybody": "::/0"}, services=[smtpd, RELAY]))
    assert (finding.check, finding.severity, finding.place) == ("mynetworks", "error", "sender")
    assert finding.message == f"mynetworks of smtp/inet contains {networks}, so anyone may relay"
    assert finding.remedy == (
        f"remove {networks} from mynetworks of smtp/inet; only your own clients' networks belong there"
    )


@pytest.mark.parametrize(
    "other",
    [
        service("127.0.0.1:10025", "inet", "smtpd", mynetworks="0.0.0.0/0"),
        service("smtp", "inet", "smtpd", mynetworks="192.0.2.0/24"),
        service("smtp", "unix", "smtp", mynetworks="0.0.0.0/0"),
    ],
)
def test_mynetworks_of_a_service_that_no_stranger_reaches_or_that_has_none_in_it(other: Service) -> None:
    assert judged(host(services=[SMTPD, other, RELAY])) == []


def test_each_mynetworks_with_everybody_in_it_is_named() -> None:
    everybody = service("smtp", "inet", "smtpd", mynetworks="0.0.0.0/0")
    found_in = judged(host(values={"mynetworks": "::/0"}, services=[everybody, RELAY]))
    assert [finding.message.partition(" contains ")[0] for finding in found_in] == [
        "mynetworks",
        "mynetworks of smtp/inet",
    ]


def test_those_about_strangers_come_first() -> None:
    values = {"smtpd_relay_restrictions": "permit", "inet_interfaces": "localhost", "soft_bounce": "yes"}
    state = host(values=values, services=[], dns_lacks="python3-dnspython")
    assert [finding.check for finding in judged(state)] == [
        "open_relay",
        "inet_interfaces",
        "soft_bounce",
        "relay_service",
        "dns",
    ]


def test_stopped_service_has_nothing_to_reload() -> None:
    stopped = judged(host(service_active=False, reload_pending=True, service_replaced=True))
    assert [(finding.check, finding.message) for finding in stopped] == [
        ("service", "the service postfix is not running")
    ]


def test_stopped_instance_without_a_unit_is_started_by_its_own_command() -> None:
    (finding,) = judged(host(values={"config_directory": "/etc/pf2"}, service_active=False, service_unit=False))
    assert (finding.check, finding.message) == ("service", "the instance in /etc/pf2 is not running")
    assert finding.remedy == "run postfix -c /etc/pf2 start"


def test_missing_dnspython_is_named() -> None:
    (finding,) = judged(host(dns_lacks="python3-dnspython"))
    assert (finding.check, finding.severity, finding.scope, finding.remedy) == (
        "dns",
        "info",
        "dns",
        "install python3-dnspython",
    )


def test_service_on_an_address_of_another_host_stops_postfix() -> None:
    state = host(services=[service("192.0.2.9:smtp", "inet", "smtpd"), RELAY], own_addresses=frozenset({"192.0.2.8"}))
    assert [finding.check for finding in judged(state)] == ["smtp_service"]
    assert judged(replace(state, own_addresses=frozenset({"192.0.2.9"}))) == []
    assert judged(replace(state, services=[service("0.0.0.0:smtp", "inet", "smtpd"), RELAY])) == []


def test_address_in_front_of_a_port_counts_whatever_inet_interfaces_says() -> None:
    assert found(smtpd=service("192.0.2.9:25", "inet", "smtpd"), inet_interfaces="loopback-only") == []
    assert found(inet_interfaces="loopback-only") == [("inet_interfaces", "error")]


def test_restrictions_of_a_service_are_judged() -> None:
    wrong = service("smtp", "inet", "smtpd", smtpd_helo_restrictions="reject_invalid_hello")
    assert found(smtpd=wrong) == [("restriction", "error")]


def remedy(called: str, name: str) -> str:
    (finding,) = judged(host(called=called, values={"myhostname": name}))
    return finding.remedy


def test_name_of_the_host_is_the_one_by_which_it_is_called() -> None:
    assert remedy("mx2.example.org", "mx2") == "set myhostname to mx2.example.org"
    assert remedy("mx2.example.org", "localhost") == "set myhostname to mx2.example.org"
    for called in ("", "mx2", "192.0.2.9", "localhost.localdomain"):
        assert remedy(called, "mx2") == "set myhostname to the host's full name in DNS"
