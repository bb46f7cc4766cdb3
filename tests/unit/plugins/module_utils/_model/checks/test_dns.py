# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.dns import mta_sts
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import checks_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import DOMAIN_IN_DNS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import (
    CertificateEvidence,
    ServedCertificate,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import Capture, HostState, MxRecord

OWN = MxRecord(20, "mx.example", ("192.0.2.9",))
OTHER = MxRecord(10, "primary.example", ("192.0.2.1",))
NOTHING_SHOWN = CertificateEvidence()
OTHER_ROW = Capture("hash:/t", "x.example", "relay:[primary.example]")
ROW = Capture("hash:/t", "x.example", "relay:[mail.example]")


def found(
    values: dict[str, str] | None = None,
    services: Sequence[Service] = (),
    certificates: CertificateEvidence = NOTHING_SHOWN,
    **fields: Any,
) -> list[tuple[str, str, str]]:
    defaults = {"myhostname": "mx.example", "inet_interfaces": "all", "inet_protocols": "all"}
    own = frozenset({"192.0.2.9", "192.0.2.77", "2001:db8::9"})
    state = HostState(
        values={**defaults, **(values or {})}, services=services, own_addresses=own, certificates=certificates
    )
    evidence: dict[str, Any] = {"name": "x.example", "relayed": "x.example", "asked": True, "exchangers": [OTHER, OWN]}
    domain = DomainEvidence(**{**evidence, **fields})
    found = [finding for check in checks_of(DOMAIN_IN_DNS) for finding in check(domain, state)]
    return [(finding.check, finding.severity, finding.scope) for finding in found]


def test_domain_as_it_should_be_has_none() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"exchangers": None}, ("dns_silent", "warning", "dns")),
        ({"exchangers": [MxRecord(10, "slow.example", resolved=False), OWN]}, ("dns_silent", "warning", "dns")),
        # Any of those that did not answer may be this host.
        ({"exchangers": [OTHER, MxRecord(20, "slow.example", resolved=False)]}, ("dns_silent", "warning", "dns")),
        ({"exchangers": [OTHER]}, ("mx_record", "error", "dns")),
        (
            {"exchangers": [OTHER, MxRecord(20, "alias.example", ("192.0.2.9",), alias=True)]},
            ("mx_cname", "error", "dns"),
        ),
        ({"exchangers": [MxRecord(10, "gone.example"), OWN]}, ("mx_address", "error", "dns")),
        ({"exchangers": [MxRecord(10, "alias.example", alias=True), OWN]}, ("mx_cname", "error", "dns")),
        (
            {"exchangers": [OTHER, MxRecord(20, "mx.example", ("198.51.100.1",))]},
            ("proxy_interfaces", "error", "local"),
        ),
        (
            {"exchangers": [OTHER, MxRecord(20, "mx.example", ("192.0.2.9", "198.51.100.1"))]},
            ("proxy_interfaces", "error", "local"),
        ),
        ({"answer": ROW}, ("mx_order", "warning", "dns")),
        ({"policy": ""}, ("mta_sts", "warning", "dns")),
        ({"policy": "version: STSv1\nmode: enforce\nmx: other.example\n"}, ("mta_sts", "error", "dns")),
        ({"policy": "version: STSv1\nmode: testing\nmx: *.mx.example\n"}, ("mta_sts", "warning", "dns")),
        # Senders pass over fields that they don't know (RFC 8461, 3.2).
        ({"policy": "mode: enforce\nmx: other.example\nbackup: mx.example\n"}, ("mta_sts", "error", "dns")),
        ({"policy": "Mode : Enforce\r\nMX: other.example\r\n"}, ("mta_sts", "error", "dns")),
    ],
)
def test_domain_is_judged(fields: dict[str, Any], expected: tuple[str, str, str]) -> None:
    assert found(**fields) == [expected]


@pytest.mark.parametrize(
    ("mode", "served", "expected"),
    [
        ("enforce", ServedCertificate("smtp/inet"), [("mta_sts", "error", "dns")]),
        ("testing", ServedCertificate("smtp/inet"), [("mta_sts", "warning", "dns")]),
        ("none", ServedCertificate("smtp/inet"), []),
        ("enforce", ServedCertificate("smtp/inet", failure="Connection refused"), []),
    ],
)
def test_policy_demands_a_certificate(
    mode: str, served: ServedCertificate, expected: list[tuple[str, str, str]]
) -> None:
    policy = f"version: STSv1\nmode: {mode}\nmx: *.example\n"
    assert found(policy=policy, certificates=CertificateEvidence(served=[served])) == expected


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("", "its MTA-STS policy, announced by _mta-sts.x.example, can't be fetched"),
        (
            "mode: testing\nmx: other.example\n",
            "its MTA-STS policy (mode testing) does not list this host (mx.example): senders that honour it will skip "
            "this host",
        ),
    ],
)
def test_policy_that_is_not_there_or_does_not_list_this_host(policy: str, message: str) -> None:
    domain = DomainEvidence("x.example", relayed="x.example", asked=True, exchangers=[OTHER, OWN], policy=policy)
    state = HostState(values={"myhostname": "mx.example"}, own_addresses=frozenset(OWN.addresses))
    assert [finding.message for finding in mta_sts(domain, state)] == [message]


@pytest.mark.parametrize(
    "fields",
    [
        {"exchangers": None, "asked": False},
        {"exchangers": None, "relayed": ""},
        {"exchangers": [OTHER], "relayed": ""},
        {"exchangers": [MxRecord(10, "gone.example"), OWN], "relayed": ""},
        # A name that several hosts share has addresses of others.
        {"exchangers": [OTHER, MxRecord(20, "cluster.example", ("192.0.2.9", "198.51.100.1"))]},
        {"answer": ROW, "nexthop_addresses": ["192.0.2.1"]},
        {"answer": OTHER_ROW},
        {"answer": ROW, "others": [DomainEvidence("x.example", answer=OTHER_ROW)]},
        {"policy": "mode: enforce\nmx: *.example\n"},
        {"policy": "mode: enforce\nmx: primary.example\nMX : MX.example\n"},
        {
            "policy": "mode: enforce\nmx: *.x.example\n",
            "exchangers": [OTHER, MxRecord(20, "mx.x.example", OWN.addresses)],
        },
        {"policy": "mode: none\nmx: other.example\n"},
    ],
)
def test_domain_with_nothing_against_it(fields: dict[str, Any]) -> None:
    assert found(**fields) == []


@pytest.mark.parametrize(
    ("values", "addresses", "expected"),
    [
        ({"inet_protocols": "ipv4"}, ("192.0.2.9", "2001:db8::9"), [("inet_protocols", "warning", "local")]),
        ({"inet_protocols": "ipv6"}, ("192.0.2.9", "2001:db8::9"), [("inet_protocols", "warning", "local")]),
        ({"inet_interfaces": "192.0.2.10"}, ("192.0.2.9",), [("listens", "error", "local")]),
        ({"inet_interfaces": "192.0.2.10, [192.0.2.9]"}, ("192.0.2.9",), []),
        ({"inet_interfaces": "$myhostname"}, ("192.0.2.9",), []),
        ({"inet_interfaces": "192.0.2.10, mx.example"}, ("192.0.2.9",), []),
        ({"inet_interfaces": "127.0.0.1"}, ("192.0.2.9",), []),
        ({"inet_interfaces": "192.0.2.10", "proxy_interfaces": "198.51.100.1"}, ("198.51.100.1",), []),
    ],
)
def test_address_has_to_be_one_that_postfix_listens_on(
    values: dict[str, str], addresses: tuple[str, ...], expected: list[tuple[str, str, str]]
) -> None:
    assert found(values, exchangers=[OTHER, MxRecord(20, "mx.example", addresses)]) == expected


@pytest.mark.parametrize(("protocols", "unheard"), [("ipv4", "2001:db8::9"), ("ipv6", "192.0.2.9")])
def test_address_of_the_family_that_is_off_is_named(protocols: str, unheard: str) -> None:
    state = HostState(values={"inet_protocols": protocols}, own_addresses=frozenset({"192.0.2.9", "2001:db8::9"}))
    record = MxRecord(20, "mx.example", ("192.0.2.9", "2001:db8::9"))
    domain = DomainEvidence("x.example", relayed="x.example", asked=True, exchangers=[record])
    found = [finding for check in checks_of(DOMAIN_IN_DNS) for finding in check(domain, state)]
    (finding,) = [finding for finding in found if finding.check == "inet_protocols"]
    assert f"mx.example has the address {unheard}, but inet_protocols is {protocols}" in finding.message
    assert f"remove {unheard} from DNS" in finding.remedy


@pytest.mark.parametrize(
    ("names", "deaf"),
    [
        (("192.0.2.77:smtp",), True),
        (("192.0.2.77:25", "192.0.2.9:smtp"), False),
        (("192.0.2.77:25", "smtp"), False),
        (("0.0.0.0:25",), False),
        (("mx.example:25",), False),
    ],
)
def test_address_in_front_of_the_port_is_held_against_dns(names: tuple[str, ...], deaf: bool) -> None:
    services = [Service(name, "inet", "-", "-", "-", "-", "-", "smtpd", {}) for name in names]
    assert found(services=services) == [("listens", "error", "local")] * deaf


def record_to_add(called: str, name: str) -> str:
    state = HostState(values={"myhostname": name}, called=called)
    domain = DomainEvidence("x.example", relayed="x.example", asked=True, exchangers=[OTHER])
    (finding,) = [finding for check in checks_of(DOMAIN_IN_DNS) for finding in check(domain, state)]
    return finding.remedy.partition(", or, if")[0]


def test_record_to_add_has_the_full_name_of_the_host() -> None:
    assert record_to_add("mx2.example.org", "mx2") == "add the record x.example. IN MX 100 mx2.example.org."
    assert record_to_add("mx2", "mx2.example.org") == "add the record x.example. IN MX 100 mx2.example.org."
    assert record_to_add("192.0.2.9", "mx2") == "add the record x.example. IN MX 100 and this host's full name in DNS"
