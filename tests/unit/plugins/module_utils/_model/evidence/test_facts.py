# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    best_exchanger,
    best_other_exchanger,
    effective,
    interface_names,
    is_loopback,
    offers_smtputf8,
    own_mail_domain,
    pass_name,
    port_of_mail,
    ports_for_strangers,
    reaches_strangers,
    sasl_endpoint,
    screens_for_strangers,
    services_for_strangers,
    stranger_services,
    unknown_host,
    values_for_strangers,
    written_value,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    HostState,
    MxRecord,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import OWN, host

WRITTEN = {
    "smtpd_relay_restrictions": "$mine, reject_unauth_destination",
    "mine": "permit_mynetworks, $inner",
    "inner": "permit_sasl_authenticated",
    "smtpd_tls_security_level": "${{$compatibility_level} <level {3.11} ? {} : {may}}",
}
EXPANDED = {
    "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
    "mine": "permit_mynetworks, permit_sasl_authenticated",
    "inner": "permit_sasl_authenticated",
    "smtpd_tls_security_level": "may",
}


@pytest.mark.parametrize(
    ("overrides", "name", "value"),
    [
        ({}, "smtpd_relay_restrictions", EXPANDED["smtpd_relay_restrictions"]),
        ({"other": "x"}, "smtpd_relay_restrictions", EXPANDED["smtpd_relay_restrictions"]),
        ({"other": "x"}, "smtpd_tls_security_level", "may"),
        ({"smtpd_relay_restrictions": "$mine"}, "smtpd_relay_restrictions", EXPANDED["mine"]),
        ({"mine": "static:OK"}, "smtpd_relay_restrictions", "static:OK, reject_unauth_destination"),
        ({"inner": "permit"}, "smtpd_relay_restrictions", "permit_mynetworks, permit, reject_unauth_destination"),
        ({"inner": "$yes", "yes": "permit"}, "mine", "permit_mynetworks, permit"),
        ({"inner": ""}, "unknown", ""),
    ],
)
def test_service_goes_by_its_overrides_also_through_other_names(
    overrides: dict[str, str], name: str, value: str
) -> None:
    on = HostState(parameters=WRITTEN, values=EXPANDED)
    service = Service("2525", "inet", "n", "-", "n", "-", "-", "smtpd", overrides)
    assert effective(on, service, name) == value


@pytest.mark.parametrize(
    ("records", "own"),
    [
        ([], None),
        ([MxRecord(10, "other", ("192.0.2.1",))], None),
        ([MxRecord(10, "other", ()), OWN], None),
        ([OWN], OWN),
        ([MxRecord(20, "other", ("192.0.2.1",)), OWN], OWN),
        ([MxRecord(30, "other", ("192.0.2.1",)), OWN], OWN),
        ([MxRecord(20, "alias.example", ("192.0.2.9",))], MxRecord(20, "alias.example", ("192.0.2.9",))),
    ],
)
def test_best_exchanger_is_told(records: list[MxRecord], own: MxRecord | None) -> None:
    assert best_exchanger(records, host(), ()) == own


@pytest.mark.parametrize(
    ("records", "other"),
    [
        ([], ""),
        ([OWN], ""),
        ([MxRecord(5, "alias.example", ("192.0.2.9",)), MxRecord(10, "first.example"), OWN], "first.example"),
        ([MxRecord(10, "first.example"), MxRecord(20, "second.example")], "first.example"),
    ],
)
def test_mail_goes_to_the_best_exchanger_that_is_not_this_host(records: list[MxRecord], other: str) -> None:
    assert best_other_exchanger(records, host()) == other


@pytest.mark.parametrize(
    ("mx_lookup", "addresses", "records", "unknown"),
    [
        (False, [], [], True),
        (False, [], [OWN], True),
        (True, [], [OWN], False),
        (True, [], [], True),
        (False, ["192.0.2.1"], [], False),
        # No answer came.
        (False, [], None, False),
    ],
)
def test_host_is_unknown_if_dns_says_that_mail_can_not_reach_it(
    mx_lookup: bool, addresses: list[str], records: list[MxRecord] | None, unknown: bool
) -> None:
    on = host(mx={} if records is None else {"m": records}, host_addresses={"m": addresses})
    assert unknown_host("m", mx_lookup, on) is unknown
    assert unknown_host("", mx_lookup, on) is False


def test_value_is_told_as_main_cf_has_it() -> None:
    on = host(explicit={"relay_domains": "$mine"}, values={"relay_domains": "x.example", "relayhost": "[smart]"})
    assert written_value(on, "relay_domains") == "$mine"
    assert written_value(on, "relayhost") == "[smart]"


def smtpd(name: str, command: str = "smtpd", **overrides: str) -> Service:
    return Service(name, "inet", "n", "-", "n", "-", "-", command, overrides)


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("", True),
        ("permit_mynetworks, reject_unauth_destination", True),
        ("permit_mynetworks, permit_sasl_authenticated, reject", False),
        ("permit_sasl_authenticated, DEFER", False),
        ("reject_non_fqdn_sender, permit_tls_clientcerts, reject", False),
        ("permit_auth_destination, reject", True),
        ("check_client_access cidr:/t/friends, reject", True),
        ("warn_if_reject reject", True),
        ("reject_rbl_client list.example, reject", False),
        ("ours, reject", True),
    ],
)
def test_service_takes_mail_from_strangers_unless_a_list_ends_in_reject_for_all_of_them(
    value: str, taken: bool
) -> None:
    service = smtpd("2525", smtpd_client_restrictions=value)
    assert services_for_strangers(HostState(services=[service])) == ([service] if taken else [])


def test_values_for_strangers_are_named_by_their_place() -> None:
    services = [
        smtpd("smtp"),
        smtpd("2525", soft_bounce="yes"),
        smtpd("2526", soft_bounce="yes"),
        smtpd("127.0.0.1:10025", soft_bounce="maybe"),
        smtpd("2527", "qmqpd", soft_bounce="perhaps"),
    ]
    on = HostState(services=services, values={"soft_bounce": "no"})
    assert values_for_strangers(on, "soft_bounce") == {
        "no": "soft_bounce",
        "yes": "soft_bounce of 2525/inet and 2526/inet",
    }
    assert values_for_strangers(HostState(values={"soft_bounce": "no"}), "soft_bounce") == {"no": "soft_bounce"}


@pytest.mark.parametrize(
    ("name", "kind", "reached"),
    [
        ("smtp", "inet", True),
        ("smtpd", "pass", True),
        ("192.0.2.9:25", "inet", True),
        ("127.0.0.1:10025", "inet", False),
        ("[::1]:10025", "inet", False),
        ("localhost:10025", "inet", False),
        ("127.example:25", "inet", True),
        ("smtp", "unix", False),
    ],
)
def test_service_is_reached_by_strangers(name: str, kind: str, reached: bool) -> None:
    assert reaches_strangers(Service(name, kind, "n", "-", "n", "-", "-", "smtpd", {}), HostState()) is reached


def test_disabled_service_is_not_reached() -> None:
    assert not reaches_strangers(smtpd("2525"), HostState(values={"master_service_disable": "2525.inet"}))
    assert not reaches_strangers(smtpd("2525"), HostState(values={"master_service_disable": "inet"}))


def test_loopback_is_an_address_or_localhost() -> None:
    assert [is_loopback(text) for text in ("127.0.0.2", "[::1]", "LocalHost", "127.example", "")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_ports_for_strangers_are_told_with_tls_from_the_first_byte() -> None:
    services = (
        smtpd("smtp"),
        smtpd("587"),
        smtpd("smtps", smtpd_tls_wrappermode="yes"),
        smtpd("192.0.2.9:2525", "postscreen"),
        smtpd("127.0.0.1:10025"),
        smtpd("628", "qmqpd"),
    )
    on = HostState(services=services)
    assert ports_for_strangers(on) == {"smtp": False, "587": False, "smtps": True, "2525": False}


def test_server_behind_postscreen_is_the_one_that_its_entry_names() -> None:
    screen = smtpd("smtp", "postscreen", smtpd_service_name="inner")
    inner, other = (Service(name, "pass", "-", "-", "n", "-", "-", "smtpd", {}) for name in ("inner", "smtpd"))
    on = HostState(services=(screen, smtpd("127.0.0.1:smtp", "postscreen"), inner, other))
    assert screens_for_strangers(on) == [screen]
    assert pass_name(on, screen) == "inner"
    assert stranger_services(on) == [inner]


def test_strangers_come_to_port_25_and_elsewhere_only_without_one() -> None:
    usual, other = smtpd("smtp"), smtpd("2525")
    assert stranger_services(HostState(services=(other, usual))) == [usual]
    assert stranger_services(HostState(services=(other,))) == [other]


def test_port_of_mail_is_one_where_smtpd_or_postscreen_listens() -> None:
    behind = Service("smtpd", "pass", "-", "-", "n", "-", "-", "smtpd", {})
    services = [smtpd("25"), smtpd("[::]:2525", "postscreen"), smtpd("10023", "spawn"), smtpd("submission"), behind]
    assert [port_of_mail(service) for service in services] == ["25", "2525", "", "", ""]


def test_interfaces_that_are_names_are_resolved_once() -> None:
    members = ["all", "mx.example", "loopback-only", "192.0.2.1", "[2001:db8::1]", "$myhostname", "mx.example"]
    assert interface_names(members) == ["mx.example"]


@pytest.mark.parametrize(
    ("path", "values", "endpoint"),
    [
        ("private/auth", {}, "unix:private/auth"),
        ("inet:127.0.0.1:12345", {}, "inet:127.0.0.1:12345"),
        ("unix:/run/auth", {}, "unix:/run/auth"),
        ("", {}, ""),
        ("private/auth", {"smtpd_sasl_type": "cyrus"}, ""),
        ("private/auth", {"smtpd_sasl_auth_enable": "no"}, ""),
    ],
)
def test_where_smtpd_asks_dovecot(path: str, values: dict[str, str], endpoint: str) -> None:
    known = {"smtpd_sasl_auth_enable": "Yes", "smtpd_sasl_type": "Dovecot", "smtpd_sasl_path": path, **values}
    assert sasl_endpoint(HostState(parameters=known, values=known), smtpd("smtp")) == endpoint


@pytest.mark.parametrize(
    ("values", "relayed", "own"),
    [
        ({"myhostname": "MX.example", "mydomain": "example"}, (), "mx.example"),
        ({"myhostname": "mx.x.example", "mydomain": "own.example"}, ("x.example",), "own.example"),
        ({"myhostname": "localhost", "mydomain": "localdomain"}, (), ""),
        ({"myhostname": "mx.x.example", "mydomain": "x.example"}, ("x.example",), ""),
    ],
)
def test_own_mail_domain_is_never_one_that_is_relayed(
    values: dict[str, str], relayed: tuple[str, ...], own: str
) -> None:
    on = HostState(values=values, relayed={name: name for name in relayed}, relay_parents=True)
    assert own_mail_domain(on) == own


def test_own_mail_domain_may_be_one_that_relay_domains_takes_over_from_mydestination() -> None:
    relayed = {"mx.example": "$mydestination"}
    on = HostState(
        values={"myhostname": "mx.example"}, relayed=relayed, classes={"mx.example": {"mydestination": "mx.example"}}
    )
    assert own_mail_domain(on) == "mx.example"


@pytest.mark.parametrize(("value", "offered"), [("yes", True), ("YES", True), ("no", False), ("", False)])
def test_smtputf8_is_offered_if_it_is_enabled(value: str, offered: bool) -> None:
    assert offers_smtputf8(HostState(values={"smtputf8_enable": value})) is offered
