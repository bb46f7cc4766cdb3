# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    MxRecord,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import (
    OWN,
    checks,
    host,
    listed,
    primary,
    secondary,
    service,
)


@pytest.mark.parametrize("parameter", ["mydestination", "virtual_alias_domains", "virtual_mailbox_domains"])
def test_domain_of_another_class_is_refused(parameter: str) -> None:
    plan = secondary(on=host(classes={"x.example": {parameter: "hash:/v"}}))
    assert checks(plan) == [("x.example", "class")]
    assert parameter in plan.refusals[0].cause and "hash:/v" in plan.refusals[0].cause


@pytest.mark.parametrize(
    "mail_host", ["mx.example", "MX.example", "192.0.2.9", "127.0.0.1", "[192.0.2.9]:2525", "::ffff:c000:2ff"]
)
def test_nexthop_that_is_this_host_is_refused(mail_host: str) -> None:
    on = host(own_addresses=frozenset({"127.0.0.1", "192.0.2.9", "::ffff:c000:2ff"}))
    assert checks(primary(listed(mail_host=mail_host), on=on)) == [("x.example", "own_nexthop")]


def test_nexthop_that_resolves_to_this_host_is_refused() -> None:
    on = host(host_addresses={"mail.example": ["192.0.2.9"]})
    assert checks(primary(on=on)) == [("x.example", "own_nexthop")]
    assert checks(primary(on=host(host_addresses={"mail.example": ["192.0.2.10"]}))) == []


@pytest.mark.parametrize(
    ("settings", "values"), [({"proxy_interfaces": ["198.51.100.1"]}, {}), ({}, {"proxy_interfaces": "198.51.100.1"})]
)
def test_nexthop_that_is_this_host_behind_nat_is_refused(settings: dict[str, Any], values: dict[str, str]) -> None:
    on = host(host_addresses={"mail.example": ["198.51.100.1"]}, values=values)
    assert checks(primary(on=on, **settings)) == [("x.example", "own_nexthop")]


def test_nexthop_whose_best_exchanger_is_this_host_is_refused() -> None:
    on = host(mx={"mail.example": [MxRecord(10, "mx.example", ("192.0.2.9",))]})
    assert checks(primary(listed(mx_lookup=True), on=on)) == [("x.example", "nexthop_brackets")]
    assert checks(primary(on=replace(on, host_addresses={"mail.example": ("198.51.100.5",)}))) == []


def test_secondary_that_is_the_best_exchanger_is_refused() -> None:
    on = host(mx={"x.example": [OWN]})
    assert checks(secondary(on=on)) == [("x.example", "best_mx")]
    assert checks(primary(on=on)) == []


@pytest.mark.parametrize(
    "values",
    [
        {"smtpd_relay_restrictions": "permit"},
        {"smtpd_relay_restrictions": "permit_mynetworks"},
        {"smtpd_relay_restrictions": "", "smtpd_recipient_restrictions": "permit"},
        {"smtpd_relay_restrictions": None, "smtpd_recipient_restrictions": "permit_mynetworks"},
    ],
)
def test_open_relay_is_refused(values: dict[str, Any]) -> None:
    assert checks(secondary(on=host(values=values))) == [("", "open_relay")]


@pytest.mark.parametrize(
    ("name", "overrides", "expected"),
    [
        ("submission", {"smtpd_relay_restrictions": "permit_sasl_authenticated,reject"}, []),
        ("submission", {"smtpd_relay_restrictions": "permit"}, [("", "open_relay")]),
        ("submission", {"smtpd_relay_restrictions": "$mua"}, []),
        ("submission", {"smtpd_recipient_restrictions": "permit"}, []),
        ("127.0.0.1:10025", {"smtpd_relay_restrictions": "permit"}, []),
    ],
)
def test_overrides_of_services_are_judged(
    name: str, overrides: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    services = [service("smtp", "inet", "smtpd"), service(name, "inet", "smtpd", **overrides), service()]
    on = host(services=services, values={"mua": "permit_mynetworks, reject"})
    assert checks(secondary(on=on)) == expected


@pytest.mark.parametrize("network", ["0.0.0.0/0", "[::]/0", "::/0"])
def test_mynetworks_with_the_world_is_refused(network: str) -> None:
    assert checks(secondary(on=host(values={"mynetworks": f"127.0.0.0/8 {network}"}))) == [("", "mynetworks")]
    on = host(services=[service("smtp", "inet", "smtpd", mynetworks=network), service()])
    assert checks(secondary(on=on)) == [("", "mynetworks")]


@pytest.mark.parametrize("value", ["loopback-only", "localhost", "127.0.0.1, [::1]"])
def test_host_that_listens_to_itself_alone_is_refused(value: str) -> None:
    on = host(values={"inet_interfaces": value})
    assert checks(secondary(on=on)) == [("", "inet_interfaces")]
    assert "*_inet_interfaces" in secondary(on=on).refusals[0].remedy
    plan = secondary(on=on, inet_interfaces="all")
    assert plan.refusals == []
    assert plan.main_cf.parameters == {"inet_interfaces": "all"}


def test_missing_relay_service_is_refused() -> None:
    assert checks(secondary(on=host(services=[service("smtp", "inet", "smtpd")]))) == [("", "relay_service")]


@pytest.mark.parametrize(
    ("fields", "records", "refused"),
    [
        ({}, {"mail.example": ()}, True),
        ({}, {"mail.example": (MxRecord(10, "other.example", ("198.51.100.5",)),)}, True),
        ({}, {}, False),
        ({"mx_lookup": True}, {"mail.example": ()}, True),
        ({"mx_lookup": True}, {"mail.example": (MxRecord(10, "other.example", ("198.51.100.5",)),)}, False),
    ],
)
def test_mail_host_that_dns_does_not_know_is_refused(
    fields: dict[str, Any], records: dict[str, Any], refused: bool
) -> None:
    plan = primary(listed(**fields), on=host(mx=records))
    assert checks(plan) == ([("x.example", "mail_host")] if refused else [])


def test_mail_host_with_an_address_is_known() -> None:
    on = host(mx={"mail.example": ()}, host_addresses={"mail.example": ("198.51.100.5",)})
    assert checks(primary(on=on)) == []


def test_table_or_class_that_permits_strangers_is_refused() -> None:
    values = {"smtpd_relay_restrictions": "permit_mynetworks, check_client_access cidr:/c, reject_unauth_destination"}
    assert checks(secondary(on=host(values=values))) == []
    on = host(values=values, permitting=frozenset({"cidr:/c"}))
    assert checks(secondary(on=on)) == [("", "open_relay")]
    values = {"smtpd_relay_restrictions": "permit_mynetworks, friends, reject_unauth_destination"}
    on = host(values=values, permitting=frozenset({"friends"}))
    assert checks(secondary(on=on)) == [("", "open_relay")]


def test_table_after_the_closing_restriction_opens_nothing() -> None:
    values = {"smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination, check_client_access cidr:/c"}
    assert checks(secondary(on=host(values=values, permitting=frozenset({"cidr:/c"})))) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [("inet", [("", "smtp_service")]), ("smtp.inet", [("", "smtp_service")]), ("qmqp.inet", [])],
)
def test_instance_that_does_not_listen_is_refused(value: str, expected: list[tuple[str, str]]) -> None:
    assert checks(secondary(on=host(values={"master_service_disable": value}))) == expected
