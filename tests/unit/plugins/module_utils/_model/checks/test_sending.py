# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks import sending
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Finding
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import Capture, HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts


def service(name: str, command: str = "smtp", **overrides: str) -> Service:
    return Service(name, "unix", "-", "-", "-", "-", "-", command, overrides)


def host(*services: Service, **values: str) -> HostState:
    known = {"smtp_dns_support_level": "", "smtp_host_lookup": "dns", **values}
    return HostState(version=(3, 10), parameters=known, values=known, services=list(services))


def of_host(state: HostState) -> list[Finding]:
    return [
        finding for check in (sending.relay_command, sending.relay_settings) for finding in check(state, HostFacts())
    ]


def of_domain(state: HostState, result: str = "", **fields: Any) -> list[Finding]:
    answer = Capture("hash:/t", "x.example", result) if result else None
    domain = DomainEvidence(name="x.example", relayed="x.example", answer=answer, **fields)
    return [finding for check in (sending.other_service, sending.dns_off) for finding in check(domain, state)]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("discard", "runs discard, which takes mail for relay domains and drops it"),
        ("error", "and returns it"),
        ("pipe argv=/bin/true", "and does not hand it to a mail host"),
        ("/usr/lib/postfix/sbin/smtp", "runs /usr/lib/postfix/sbin/smtp, which"),
        ("smtp foo", "runs smtp with foo"),
    ],
)
def test_relay_service_that_sends_nothing(command: str, words: str) -> None:
    (finding,) = of_host(host(service("relay", command)))
    assert (finding.check, finding.severity) == ("relay_command", "error")
    assert words in finding.message


@pytest.mark.parametrize("command", ["smtp", "lmtp", "smtp -v"])
def test_relay_service_as_it_should_be(command: str) -> None:
    assert of_host(host(service("relay", command))) == []


def test_missing_relay_service_is_the_matter_of_another_check() -> None:
    assert of_host(host(smtp_generic_maps="static:x")) == []


def test_setting_and_its_remedy() -> None:
    (finding,) = of_host(host(service("relay"), smtp_tls_wrappermode="yes"))
    assert (finding.check, finding.severity, finding.message, finding.remedy) == (
        "relay_settings",
        "error",
        "relay/unix takes smtp_tls_wrappermode = yes from main.cf: no mail host takes TLS at once on port 25, so mail "
        "waits",
        "run the role, or add the override smtp_tls_wrappermode=no to the service relay/unix",
    )


def test_setting_that_has_no_value_to_recommend() -> None:
    (finding,) = of_host(host(service("relay"), smtp_bind_address="127.0.0.1"))
    assert finding.remedy == (
        "correct smtp_bind_address, or add the override smtp_bind_address= to the service relay/unix"
    )


def test_override_of_the_relay_service_is_a_warning() -> None:
    (finding,) = of_host(host(service("relay", smtp_tls_wrappermode="yes"), smtp_tls_wrappermode="no"))
    assert (finding.severity, finding.remedy) == (
        "warning",
        "remove the override smtp_tls_wrappermode of the service relay/unix unless it is meant so",
    )
    assert finding.message.startswith("relay/unix has the override smtp_tls_wrappermode=yes: ")


@pytest.mark.parametrize(
    ("result", "severity", "words"),
    [
        ("gone:[mail]", "error", "its mail is sent by gone, which master.cf does not have"),
        ("drop:", "error", "its mail is sent by drop/unix, which runs discard and drops it"),
        ("tickets:", "info", "its mail is handed to tickets/unix, which runs pipe"),
        ("vpn:[mail]", "error", "vpn/unix has the override smtp_bind_address=127.0.0.1"),
    ],
)
def test_service_other_than_relay(result: str, severity: str, words: str) -> None:
    services = [
        service("relay"),
        service("drop", "discard"),
        service("tickets", "pipe argv=/bin/true"),
        service("vpn", smtp_bind_address="127.0.0.1"),
    ]
    (finding,) = of_domain(host(*services), result)
    assert (finding.domain, finding.check, finding.severity) == ("x.example", "sending_service", severity)
    assert finding.message.startswith(words)


def test_service_that_relay_transport_names_is_judged_as_well() -> None:
    (finding,) = of_domain(host(service("relay")), relay_transport="gone:[mail]")
    assert finding.remedy == "write relay: in place of gone: in its route, gone:[mail]"


@pytest.mark.parametrize("result", ["", "relay:[mail]", "smtp:[mail]"])
def test_service_without_harm(result: str) -> None:
    assert of_domain(host(service("relay"), service("smtp")), result) == []


@pytest.mark.parametrize(("result", "off"), [("", True), ("relay:mail.example", True), ("relay:[mail.example]", False)])
def test_dns_is_needed_where_mx_records_are_looked_up(result: str, off: bool) -> None:
    found = of_domain(host(service("relay"), disable_dns_lookups="yes"), result)
    assert [finding.check for finding in found] == ["dns_off"] * off
    fine = replace(host(service("relay", smtp_dns_support_level="enabled"), disable_dns_lookups="yes"))
    assert of_domain(fine, result) == []
