# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.contents import Content
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    Capture,
    DomainRows,
    HostState,
    MxRecord,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.lookups import RecipientLookups
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import TableEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.after import (
    domain_after,
    host_after,
    refusals_after,
    rows_after,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MainCfChange, ServiceChange
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import DomainItem, read_request
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.routes import Routes
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.index_states import MISSING, NO_SUCH_TYPE
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import (
    OWN,
    TRANSPORT,
    VALUES,
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
    "mail_host",
    [
        *("mx.example", "MX.example", "localhost", "192.0.2.9", "[192.0.2.9]:2525", "::ffff:c000:2ff"),
        *("127.0.0.1", "127.0.1.1", "127.0.0.2", "0.0.0.0", "::", "::ffff:192.0.2.9", "::ffff:127.0.0.1"),
    ],
)
def test_nexthop_that_is_this_host_is_refused(mail_host: str) -> None:
    on = host(own_addresses=frozenset({"127.0.0.1", "192.0.2.9", "::ffff:c000:2ff"}))
    assert checks(primary(listed(mail_host=mail_host), on=on)) == [("x.example", "own_nexthop")]


@pytest.mark.parametrize("address", ["192.0.2.9", "127.0.1.1", "0.0.0.0", "::", "::ffff:192.0.2.9"])
def test_nexthop_that_resolves_to_this_host_is_refused(address: str) -> None:
    on = host(host_addresses={"mail.example": [address]})
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


def test_missing_relay_service_is_added() -> None:
    """With the overrides that it would need if it were there."""
    lacking = host(services=[service("smtp", "inet", "smtpd")], values={"smtp_fallback_relay": "[smart.example]"})
    plan = secondary(on=lacking)
    assert (checks(plan), dict(plan.services)) == (
        [],
        {"relay/unix": ServiceChange({"smtp_fallback_relay": ""}, "smtp")},
    )
    assert secondary(on=host()).services.get("relay/unix", ServiceChange()).command == ""
    assert secondary({"name": "x.example", "state": "absent"}, on=lacking).services == {}


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
    on = host(values=values, contents={"cidr:/c": Content((("192.0.2.7", "OK"),))})
    assert checks(secondary(on=on)) == []
    on = host(values=values, contents={"cidr:/c": Content((("0.0.0.0/0", "OK"),))})
    assert checks(secondary(on=on)) == [("", "open_relay")]
    lists = {
        "smtpd_relay_restrictions": "permit_mynetworks, friends, reject_unauth_destination",
        "smtpd_restriction_classes": "friends",
        "friends": "permit",
    }
    assert checks(secondary(on=host(values=lists))) == [("", "open_relay")]


def test_table_after_the_closing_restriction_opens_nothing() -> None:
    values = {"smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination, check_client_access cidr:/c"}
    assert checks(secondary(on=host(values=values, contents={"cidr:/c": Content((("0.0.0.0/0", "OK"),))}))) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [("inet", [("", "smtp_service")]), ("smtp.inet", [("", "smtp_service")]), ("qmqp.inet", [])],
)
def test_instance_that_does_not_listen_is_refused(value: str, expected: list[tuple[str, str]]) -> None:
    assert checks(secondary(on=host(values={"master_service_disable": value}))) == expected


def test_list_that_opens_through_two_names_is_refused_once_the_plan_has_changed_it() -> None:
    values = {
        "smtpd_relay_restrictions": "permit_mynetworks",
        "mine": "permit_mynetworks",
        "smtpd_recipient_restrictions": "permit_mynetworks",
    }
    written = {**values, "mine": "$smtpd_relay_restrictions", "smtpd_recipient_restrictions": "$mine"}
    on = host(values=values, explicit={}, parameters={**VALUES, **written})
    assert checks(secondary(on=on)) == [("", "open_relay")]
    after = host_after(on, MainCfChange({"smtpd_relay_restrictions": "reject"}), {})
    assert (after.value("mine"), after.value("smtpd_recipient_restrictions")) == ("reject", "reject")


def test_value_that_depends_on_a_condition_is_taken_as_it_was_read() -> None:
    on = host(values={"mine": "old"}, parameters={**VALUES, "mine": "${relayhost?$smtpd_relay_restrictions}"})
    assert host_after(on, MainCfChange({"smtpd_relay_restrictions": "reject"}), {}).value("mine") == "old"


def test_overrides_are_those_of_their_service_alone() -> None:
    services = [service("smtp", "unix", a="1"), service("relay", "unix", a="1", b="2"), service("relay", "inet")]
    after = host_after(host(services=services), MainCfChange(), {"relay/unix": ServiceChange({"a": "new"})})
    assert [changed.overrides for changed in after.services] == [{"a": "1"}, {"a": "new", "b": "2"}, {}]


def test_relay_domains_lose_and_get_their_members() -> None:
    on = host(values={"relay_domains": "x.example, hash:/t/d"}, relayed={"x.example": "x.example", "t": "hash:/t/d"})
    change = MainCfChange(add_items={"relay_domains": ["y.example"]}, remove_items={"relay_domains": ["x.example"]})
    after = host_after(on, change, {})
    assert after.relayed == {"t": "hash:/t/d", "y.example": "y.example"}
    assert after.value("relay_domains") == "hash:/t/d, y.example"


# Of a member behind our table.
OTHER = Capture("hash:/other", "x.example", "smtp:[other]")
STRONG = Capture("regexp:/all", "any address of x.example", "smtp:[all]")


def ours(key: str, result: str = "relay:[ours]") -> Capture:
    return Capture("hash:/t/transport", key, result)


@pytest.mark.parametrize(
    ("rows", "added", "removed", "captures", "answer"),
    [
        # The domain's own row, of those that the plan leaves.
        ({"x.example": "relay:[ours]"}, {}, [], {"weak_captures": OTHER}, ours("x.example")),
        ({"x.example": "relay:[ours]"}, {"x.example": "relay:[new]"}, [], {}, ours("x.example", "relay:[new]")),
        ({}, {"x.example": "relay:[new]"}, [], {"weak_captures": OTHER}, ours("x.example", "relay:[new]")),
        ({"x.example": "relay:[ours]"}, {}, ["x.example"], {}, None),
        # A parent's row, the nearest one, and behind it the wildcard.
        ({".example": "relay:[ours]", "*": "relay:[all]"}, {}, [], {}, ours(".example")),
        ({"*": "relay:[ours]"}, {}, [], {}, ours("*")),
        ({"sub.x.example": "relay:[ours]"}, {}, [], {}, None),
        # A member behind ours that has the domain comes before a parent's row; one that has its addresses, before all.
        ({".example": "relay:[ours]"}, {}, [], {"weak_captures": OTHER}, OTHER),
        ({"x.example": "relay:[ours]"}, {}, ["x.example"], {"weak_captures": OTHER}, OTHER),
        ({"x.example": "relay:[ours]"}, {}, [], {"captures": STRONG, "weak_captures": OTHER}, STRONG),
    ],
)
def test_answer_of_transport_maps_is_the_first_in_postfixs_order(
    rows: dict[str, str],
    added: dict[str, str],
    removed: list[str],
    captures: dict[str, Capture],
    answer: Capture | None,
) -> None:
    captured: dict[str, Any] = {name: {"x.example": capture} for name, capture in captures.items()}
    after = host(transport=replace(TRANSPORT, rows=rows), **captured)
    assert (
        domain_after(DomainItem(0, "x.example", "primary"), after, rows_after(after, Routes(added, removed))).answer
        == answer
    )


def test_rows_of_a_table_that_postfix_did_not_read_are_no_answer() -> None:
    item = DomainItem(0, "x.example", "primary")
    unread = host(transport=replace(TRANSPORT, member="", rows={"x.example": "relay:[old]"}))
    assert domain_after(item, unread, rows_after(unread, Routes())).answer is None
    assert domain_after(item, unread, rows_after(unread, Routes({"x.example": "relay:[m]"}))).answer == ours(
        "x.example", "relay:[m]"
    )
    none = host(transport=None, weak_captures={"x.example": OTHER})
    assert domain_after(item, none, rows_after(none, Routes({"x.example": "relay:[m]"}))).answer == OTHER


@pytest.mark.parametrize(
    ("result", "exchangers", "unknown"),
    [
        ("relay:[mail.example]", None, True),
        ("relay:mail.example", [OWN], False),
        ("relay:mail.example", [], True),
    ],
)
def test_nexthop_is_looked_up_as_postfix_does(result: str, exchangers: list[MxRecord] | None, unknown: bool) -> None:
    records = {"x.example": [OWN], "mail.example": exchangers or []}
    domain = domain_after(
        DomainItem(0, "x.example", "primary"), host(mx=records), rows_after(host(), Routes({"x.example": result}))
    )
    assert (domain.nexthop, domain.nexthop_exchangers, domain.nexthop_unknown) == ("mail.example", exchangers, unknown)
    assert (domain.exchangers, domain.asked, domain.relayed) == ([OWN], True, "x.example")
    known = host(mx=records, host_addresses={"mail.example": ["192.0.2.1"]})
    rows = rows_after(known, Routes({"x.example": result}))
    domain = domain_after(DomainItem(0, "x.example", "primary"), known, rows)
    assert (domain.nexthop_addresses, domain.nexthop_unknown) == (["192.0.2.1"], False)


def test_nothing_is_judged_of_a_host_that_is_to_relay_nothing() -> None:
    on = host(values={"smtpd_relay_restrictions": "permit"})
    absent = {"name": "x.example", "state": "absent"}
    assert checks(secondary(absent, on=on)) == []
    assert checks(secondary(listed(), absent | {"name": "y.example"}, on=on)) == [("", "open_relay")]


DOUBT = "permit_mynetworks, check_policy_service unix:p, reject_unauth_destination"
SUBJECT = "main.cf smtpd_relay_restrictions check_policy_service unix:p"


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ({}, []),
        ({"unproven": "fail"}, [("", "relay_unproven")]),
        ({"unproven": "fail", "accepted": [{"check": "relay_unproven", "subject": SUBJECT, "reason": "ours"}]}, []),
        ({"accepted": [{"check": "open_relay", "subject": SUBJECT, "reason": "ours"}]}, [("", "accepted")]),
    ],
)
def test_doubt_is_refused_if_that_is_wanted_and_nobody_accepts_it(
    settings: dict[str, Any], refused: list[tuple[str, str]]
) -> None:
    on = host(values={"smtpd_relay_restrictions": DOUBT})
    assert checks(secondary(on=on, **settings)) == refused


@pytest.mark.parametrize(
    ("item", "rows", "listed", "expected"),
    [
        ({"policy": "listed", "listed_count": 2}, DomainRows(count=5, wildcard=True), {}, (2, False)),
        ({"policy": "any"}, DomainRows(count=5), {}, (0, True)),
        ({"policy": "verify"}, DomainRows(), {}, (0, True)),
        ({"policy": None}, DomainRows(), {}, (0, False)),
        ({"policy": "external"}, DomainRows(count=5, wildcard=True), {}, (5, True)),
        ({"policy": "external"}, DomainRows(), {"x.example": "a@x.example"}, (1, False)),
        ({"policy": "external"}, DomainRows(), {"y.example": "a@y.example"}, (0, False)),
        ({"policy": "kept", "awaits": "python3-ldap3 on mx.example"}, DomainRows(), {}, (1, False)),
        ({"policy": "kept", "awaits": "python3-ldap3 on mx.example"}, DomainRows(count=5), {}, (5, False)),
    ],
)
def test_recipients_are_those_that_a_run_leaves(
    item: dict[str, Any], rows: DomainRows, listed: dict[str, str], expected: tuple[int, bool]
) -> None:
    state = HostState(recipient_rows={"x.example": rows}, lookups=RecipientLookups(listed=listed))
    domain = domain_after(DomainItem(0, "x.example", "secondary", **item), state, rows_after(state, Routes()))
    assert (domain.recipients, domain.wildcard) == expected


@pytest.mark.parametrize(
    ("check", "values"),
    [
        ("restriction", {"smtpd_client_restrictions": "reject_unknwon_client"}),
        ("defer_transports", {"defer_transports": "relay"}),
        ("queue_lifetime", {"maximal_queue_lifetime": "5 days"}),
    ],
)
def test_error_that_verify_would_end_with_is_refused(check: str, values: dict[str, str]) -> None:
    assert ("", check) in checks(secondary(on=host(values=values)))


@pytest.mark.parametrize("values", [{"soft_bounce": "yes"}, {"unknown_relay_recipient_reject_code": "450"}])
def test_warning_is_no_refusal(values: dict[str, str]) -> None:
    assert checks(secondary(on=host(values=values))) == []


def test_stopped_service_is_refused_only_if_the_run_neither_starts_it_nor_leaves_it_unjudged() -> None:
    stopped = host(service_active=False)
    assert checks(secondary(on=stopped)) == []
    assert checks(secondary(on=stopped, manage_service=False)) == [("", "service")]
    request = read_request({"domains": [listed(role="secondary")], "manage_service": False})
    assert refusals_after(request, stopped, (), Routes(), judged=False) == []


@pytest.mark.parametrize("index", [MISSING, NO_SUCH_TYPE])
def test_table_of_others_that_fails_is_refused(index: str) -> None:
    request = read_request({"domains": [listed(role="secondary")]})
    table = TableEvidence("transport_maps", "hash:/t/theirs", index, 1)
    (refusal,) = refusals_after(request, host(), (table,), Routes(), judged=True)
    assert (refusal.domain, "hash:/t/theirs (transport_maps)" in refusal.cause) == ("", True)
    absent = read_request({"domains": [{"name": "x.example", "state": "absent"}]})
    assert refusals_after(absent, host(), (table,), Routes(), judged=True) == []
