# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.admission import AdmissionEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import best_exchanger
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    Capture,
    DomainRows,
    HostState,
    MxRecord,
    TableState,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.decide import Decision, decide
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import RecipientsItem
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.recipient_rows import (
    rows_differ,
    subdomain_pattern,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import DomainItem, read_request

RECIPIENTS = TableState("hash:/t/relay_recipients", "/t/relay_recipients", "hash", True, "hash:/t/relay_recipients")
TRANSPORT = TableState("hash:/t/transport", "/t/transport", "hash", True, "hash:/t/transport")
VERIFY = TableState("hash:/t/relay_verify", "/t/relay_verify", "hash")
CLOSED = "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination"
VALUES = {
    "myhostname": "mx.example",
    "inet_interfaces": "all",
    "mynetworks": "127.0.0.0/8",
    "relay_recipient_maps": "hash:/t/relay_recipients",
    "transport_maps": "hash:/t/transport",
    "relay_transport": "relay",
    "relayhost": "",
    "smtp_fallback_relay": "",
    "smtpd_relay_restrictions": CLOSED,
    "smtpd_recipient_restrictions": "",
    "unverified_recipient_defer_code": "450",
    "proxy_interfaces": "",
}


def service(name: str = "relay", kind: str = "unix", command: str = "smtp", **overrides: str) -> Service:
    return Service(name, kind, "-", "-", "-", "-", "-", command, dict(overrides))


def host(**fields: Any) -> HostState:
    """A host that relays for nobody yet; `values` are changes to its parameters, all of them set in main.cf."""
    values = {**VALUES, **fields.pop("values", {})}
    values = {name: value for name, value in values.items() if value is not None}
    defaults: dict[str, Any] = {
        "installed": True,
        "version": (3, 10, 13),
        "parameters": values,
        "values": values,
        "explicit": values,
        "services": [service("smtp", "inet", "smtpd"), service()],
        "recipients": RECIPIENTS,
        "transport": TRANSPORT,
        "verify": VERIFY,
        "own_addresses": frozenset({"127.0.0.1", "192.0.2.9"}),
    }
    return HostState(**{**defaults, **fields})


def listed(name: str = "x.example", **fields: Any) -> dict[str, Any]:
    return {"name": name, "has_list": True, "recipients_count": 2, "recipients_digest": "d", **fields}


def secondary(*domains: dict[str, Any], on: HostState | None = None, **settings: Any) -> Decision:
    request = read_request({"role": "secondary_mx", "domains": list(domains) or [listed()], **settings})
    return decide(request, on or host())


def primary(*domains: dict[str, Any], on: HostState | None = None, **settings: Any) -> Decision:
    items = [{"mail_host": "mail.example", **one} for one in domains or [listed()]]
    return decide(read_request({"role": "primary_mx", "domains": items, **settings}), on or host())


def checks(plan: Decision) -> list[tuple[str, str]]:
    return [(one.domain, one.check) for one in plan.refusals]


def test_new_secondary_is_relayed_with_its_recipients_and_no_transport_row() -> None:
    plan = secondary()
    assert plan.refusals == []
    assert plan.main_cf.add_items == {"relay_domains": ["x.example"]}
    assert plan.main_cf.parameters == {}
    assert plan.routes.rows == {}
    assert plan.recipients == [
        RecipientsItem("x.example", "listed", index=0, postmaster=True, changed=True, digest="d")
    ]


def test_new_primary_has_a_transport_row_as_well() -> None:
    plan = primary(listed(port=2525))
    assert plan.refusals == []
    assert plan.routes.rows == {"x.example": "relay:[mail.example]:2525"}


def test_tables_that_main_cf_does_not_name_are_added() -> None:
    on = host(
        recipients=replace(RECIPIENTS, member=""),
        transport=replace(TRANSPORT, member="", replaces=("lmdb:/t/transport",)),
    )
    plan = primary(on=on)
    assert plan.main_cf.add_items == {
        "relay_domains": ["x.example"],
        "relay_recipient_maps": ["hash:/t/relay_recipients"],
        "transport_maps": ["hash:/t/transport"],
    }
    assert plan.main_cf.remove_items == {"transport_maps": ["lmdb:/t/transport"]}


def test_converged_host_needs_nothing() -> None:
    on = host(
        relayed={"x.example": "x.example"},
        recipient_rows={"x.example": DomainRows(2, "d", True, False, True)},
        transport=replace(TRANSPORT, rows={"x.example": "relay:[mail.example]"}),
    )
    plan = primary(on=on)
    assert (plan.refusals, plan.main_cf.add_items, plan.main_cf.remove_items, plan.main_cf.parameters) == (
        [],
        {},
        {},
        {},
    )
    assert [one.changed for one in plan.recipients] == [False]
    assert plan.routes.removed == []


@pytest.mark.parametrize(
    ("policy", "rows", "differs"),
    [
        ("listed", DomainRows(2, "d", True, False, True), False),
        ("listed", DomainRows(2, "other", True, False, True), True),
        ("listed", DomainRows(2, "d", False, False, True), True),
        ("listed", DomainRows(2, "d", True, True, True), True),
        ("listed", DomainRows(2, "d", True, False, False), True),
        ("any", DomainRows(0, "", False, True, True), False),
        ("any", DomainRows(1, "d", False, True, True), True),
        ("any", DomainRows(0, "", True, True, True), True),
        ("any", DomainRows(), True),
        ("verify", DomainRows(0, "", False, True, True), False),
    ],
)
def test_rows_are_compared_with_the_policy(policy: str, rows: DomainRows, differs: bool) -> None:
    item = DomainItem(0, "x.example", "secondary", policy=policy, digest="d")
    assert rows_differ(item, rows, True) is differs


def test_postmaster_is_left_out_where_switched_off_unless_listed() -> None:
    rows = DomainRows(2, "d", True, False, True)
    assert rows_differ(DomainItem(0, "x", "secondary", policy="listed", digest="d"), rows, False) is True
    assert (
        rows_differ(DomainItem(0, "x", "secondary", policy="listed", digest="d", lists_postmaster=True), rows, False)
        is False
    )
    assert secondary(postmaster=False).recipients[0].postmaster is False


@pytest.mark.parametrize("item", [{"name": "x.example"}, listed(recipients_count=0)])
def test_domain_without_recipients_and_without_policy_is_refused(item: dict[str, Any]) -> None:
    assert checks(secondary(item)) == [("x.example", "no_recipients")]


def test_policy_any_writes_the_wildcard_alone() -> None:
    plan = secondary({"name": "x.example", "recipients_policy": "any"})
    assert plan.refusals == []
    assert plan.recipients == [RecipientsItem("x.example", "any", index=0, changed=True)]


PATTERN = "/@[^@]+\\.x\\.example$/"
PATTERNS = TableState("regexp:/t/relay_recipients_subdomains", "/t/relay_recipients_subdomains", "regexp")
WIDE = {"name": "x.example", "recipients_policy": "any", "subdomains": True}


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("a@sub.x.example", True),
        ("a@b.sub.x.example", True),
        ('"a@b"@sub.x.example', True),
        ("a@x.example", False),
        ("a@subx.example", False),
        ("a@sub.xyexample", False),
        ("a@sub.x.example.org", False),
        ('"a@sub.x.example"@other.example', False),
    ],
)
def test_pattern_takes_the_addresses_of_subdomains_alone(address: str, found: bool) -> None:
    assert bool(re.search(subdomain_pattern("x.example").strip("/"), address)) is found


@pytest.mark.parametrize("policy", ["any", "verify"])
def test_every_recipient_of_subdomains_is_taken_by_a_pattern(policy: str) -> None:
    plan = secondary({**WIDE, "recipients_policy": policy}, on=host(subdomains=PATTERNS))
    assert plan.refusals == []
    assert plan.patterns == {PATTERN: "x"}
    assert plan.main_cf.add_items["relay_recipient_maps"] == ["regexp:/t/relay_recipients_subdomains"]


@pytest.mark.parametrize(
    ("item", "removed"),
    [
        (WIDE, ["sub.x.example"]),
        (listed(), ["sub.x.example"]),
        ({"name": "x.example", "state": "absent"}, ["x.example", "sub.x.example"]),
        (listed(subdomains=True), []),
        ({"name": "x.example", "recipients_policy": "external"}, []),
    ],
)
def test_addresses_of_subdomains_go_when_they_are_no_longer_to_be_listed(
    item: dict[str, Any], removed: list[str]
) -> None:
    rows = {name: DomainRows(count=1) for name in ("x.example", "sub.x.example", "own.x.example", "subx.example")}
    on = host(recipient_rows=rows, relayed={"own.x.example": "own.x.example"}, subdomains=PATTERNS)
    assert [one.name for one in secondary(item, on=on).recipients_removed] == removed


def test_listed_recipients_need_no_pattern() -> None:
    plan = secondary(listed(subdomains=True), on=host(subdomains=PATTERNS))
    assert (plan.patterns, "relay_recipient_maps" in plan.main_cf.add_items) == ({}, False)


@pytest.mark.parametrize(
    "item", [{**WIDE, "subdomains": False}, listed(subdomains=True), {"name": "x.example", "state": "absent"}]
)
def test_last_pattern_takes_its_table_out_of_main_cf(item: dict[str, Any]) -> None:
    member = "regexp:/t/relay_recipients_subdomains"
    on = host(subdomains=replace(PATTERNS, exists=True, member=member, rows={PATTERN: "x"}))
    plan = secondary(item, on=on)
    assert plan.patterns_removed == [PATTERN]
    assert plan.main_cf.remove_items == {"relay_recipient_maps": [member]}


def test_table_of_patterns_stays_for_other_rows() -> None:
    member = "regexp:/t/relay_recipients_subdomains"
    rows = {PATTERN: "x", "/^all@other\\.example$/": "x"}
    plan = secondary(
        {**WIDE, "subdomains": False}, on=host(subdomains=replace(PATTERNS, exists=True, member=member, rows=rows))
    )
    assert (plan.patterns_removed, plan.main_cf.remove_items) == ([PATTERN], {})


@pytest.mark.parametrize(
    ("parents", "rows"), [("smtpd_access_maps", ["x.example"]), ("relay_domains", ["x.example", ".x.example"])]
)
def test_mail_host_is_asked_about_subdomains_as_well(parents: str, rows: list[str]) -> None:
    on = host(subdomains=PATTERNS, values={"parent_domain_matches_subdomains": parents})
    assert list(primary({**WIDE, "recipients_policy": "verify"}, on=on).verify) == rows


def test_check_by_an_older_table_goes_with_it() -> None:
    old, new = (f"check_recipient_access {kind}:/t/relay_verify" for kind in ("hash", "lmdb"))
    on = host(
        verify=TableState("lmdb:/t/relay_verify", "/t/relay_verify", "lmdb", replaces=("hash:/t/relay_verify",)),
        values={"smtpd_recipient_restrictions": f"{old}, reject_unknown_recipient_domain"},
    )
    plan = primary({"name": "x.example", "recipients_policy": "verify"}, on=on)
    assert plan.main_cf.parameters["smtpd_recipient_restrictions"] == f"reject_unknown_recipient_domain, {new}"


NONE = {"recipient_check": "none"}


def test_subdomains_are_refused_without_a_recipient_check() -> None:
    plan = secondary({"name": "x.example"}, **NONE)
    assert plan.main_cf.remove_items == {"parent_domain_matches_subdomains": ["relay_domains"]}
    assert plan.main_cf.add_items == {"relay_domains": ["x.example"]}


def test_subdomains_that_are_wanted_are_named_without_a_recipient_check() -> None:
    plan = secondary({"name": "x.example", "subdomains": True}, **NONE)
    assert plan.main_cf.add_items == {"relay_domains": ["x.example", ".x.example"]}


def test_undeclared_domains_keep_their_subdomains_without_a_recipient_check() -> None:
    relayed = {"other.example": "other.example", "two.example": "two.example", ".two.example": ".two.example"}
    plan = secondary({"name": "x.example"}, on=host(relayed=relayed), **NONE)
    assert plan.refusals == []
    assert plan.main_cf.add_items == {"relay_domains": ["x.example", ".other.example"]}


def test_own_names_are_no_relay_domains_whose_subdomains_matter() -> None:
    on = host(relayed={"mx.example": "$mydestination"}, classes={"mx.example": {"mydestination": "mx.example"}})
    assert secondary({"name": "x.example"}, on=on, **NONE).refusals == []


@pytest.mark.parametrize(
    "fields",
    [{"relayed": {"other.example": "hash:/t/domains"}}, {"unlisted_relay_members": ["ldap:/t/domains"]}],
)
def test_subdomains_that_a_table_relays_stand_against_no_recipient_check(fields: dict[str, Any]) -> None:
    assert [check for _domain, check in checks(secondary({"name": "x.example"}, on=host(**fields), **NONE))] == [
        "subdomains"
    ]


def test_parents_that_match_no_longer_stay_so() -> None:
    on = host(relay_parents=False, relayed={"x.example": "x.example", ".x.example": ".x.example"})
    plan = secondary({"name": "x.example"}, on=on, **NONE)
    assert (plan.main_cf.add_items, plan.main_cf.remove_items) == ({}, {"relay_domains": [".x.example"]})


def test_recipient_check_none_empties_the_maps() -> None:
    plan = secondary({"name": "x.example"}, recipient_check="none")
    assert plan.refusals == []
    assert plan.main_cf.parameters == {"relay_recipient_maps": ""}
    assert plan.recipients == []


def test_recipient_check_none_with_a_list_is_refused() -> None:
    assert checks(secondary(recipient_check="none")) == [("x.example", "recipient_check")]


@pytest.mark.parametrize("parameter", ["mydestination", "virtual_alias_domains", "virtual_mailbox_domains"])
def test_domain_of_another_class_is_refused(parameter: str) -> None:
    plan = secondary(on=host(classes={"x.example": {parameter: "hash:/v"}}))
    assert checks(plan) == [("x.example", "class")]
    assert parameter in plan.refusals[0].cause and "hash:/v" in plan.refusals[0].cause


def test_mail_captured_before_our_row_is_refused() -> None:
    on = host(captures={"x.example": Capture("regexp:/t/all", "any address of x.example", "smtp:[other]")})
    assert checks(primary(on=on)) == [("x.example", "captured")]
    assert checks(secondary(on=on)) == [("x.example", "captured")]


@pytest.mark.parametrize(
    "fields",
    [
        {"values": {"relayhost": "[smart.example]"}},
        {"values": {"sender_dependent_relayhost_maps": "hash:/s"}},
        {"values": {"relay_transport": "smtp"}},
        {"weak_captures": {"x.example": Capture("hash:/other", "*", "smtp:[smart]")}},
    ],
)
def test_what_would_capture_a_secondarys_mail_gets_a_row_against_it(fields: dict[str, Any]) -> None:
    assert secondary(on=host(**fields)).routes.rows == {"x.example": "relay:"}


def test_secondary_that_was_primary_loses_its_transport_row() -> None:
    on = host(transport=replace(TRANSPORT, rows={"x.example": "relay:[old]", "y.example": "relay:[y]"}))
    assert secondary(on=on).routes.removed == ["x.example"]


X_ROW = {"x.example": "relay:[mail.example]"}
X_SUB_ROW = {".x.example": "relay:[mail.example]"}
X_PRIMARY = listed("x.example", role="primary", mail_host="mail.example")
SUB_SECONDARY = listed("sub.x.example", role="secondary")
SUB_ROW = {"sub.x.example": "relay:"}


@pytest.mark.parametrize(
    ("domains", "rows", "settled"),
    [
        ([X_PRIMARY], {}, X_ROW),
        ([{**X_PRIMARY, "subdomains": True}], {}, {**X_ROW, **X_SUB_ROW, **SUB_ROW}),
        ([X_PRIMARY], X_SUB_ROW, X_ROW),
        ([{**X_PRIMARY, "state": "absent"}], {**X_SUB_ROW, **SUB_ROW}, {}),
        ([listed(role="secondary", subdomains=True)], {".x.example": "relay:", **SUB_ROW}, {}),
        ([listed(role="secondary")], {".x.example": "relay:"}, {}),
        ([], X_SUB_ROW, {**X_SUB_ROW, **SUB_ROW}),
        ([], {"*": "smtp:[smart.example]"}, {"*": "smtp:[smart.example]", **SUB_ROW}),
        ([], X_ROW, X_ROW),
    ],
)
@pytest.mark.parametrize("parents_first", [True, False])
def test_row_of_a_secondary_is_for_the_rows_that_stay(
    domains: list[dict[str, Any]], rows: dict[str, str], settled: dict[str, str], parents_first: bool
) -> None:
    """A second plan, on the rows that the first one leaves, is for the same ones."""
    declared = [*domains, SUB_SECONDARY] if parents_first else [SUB_SECONDARY, *domains]
    request = read_request({"role": "mx", "domains": declared})
    for _run in range(2):
        plan = decide(request, host(transport=replace(TRANSPORT, rows=rows)))
        assert plan.refusals == []
        rows = {**{key: value for key, value in rows.items() if key not in plan.routes.removed}, **plan.routes.rows}
        assert rows == settled


@pytest.mark.parametrize("subdomains", [True, False])
def test_row_for_subdomains_leaves_the_other_roles_domains_to_their_mx(subdomains: bool) -> None:
    on = host(relayed={"sub.x.example": "sub.x.example", ".sub.x.example": "sub.x.example", "y.example": "y.example"})
    peer = {"role": "secondary_mx", "domains": ["sub.x.example", "new.x.example", "y.example"]}
    plan = primary(listed(subdomains=subdomains), on=on, peer=peer)
    kept = {"sub.x.example": "relay:", ".sub.x.example": "relay:"} if subdomains else {}
    assert {key: result for key, result in plan.routes.rows.items() if result == "relay:"} == kept
    routed = dict.fromkeys(("sub.x.example", ".sub.x.example"), "relay:[own.example]")
    on = replace(on, transport=replace(TRANSPORT, rows=routed))
    assert "relay:" not in primary(listed(subdomains=subdomains), on=on, peer=peer).routes.rows.values()


def test_row_for_subdomains_that_takes_an_undeclared_domain_with_it_is_noted() -> None:
    on = host(relayed={"sub.x.example": "hash:/t/relayed"})
    note = "the transport row .x.example also routes sub.x.example, which no role declares"
    assert primary(listed(subdomains=True), on=on, undeclared_domains="any").notes == [note]
    routed = replace(on, transport=replace(TRANSPORT, rows={".x.example": "relay:[mail.example]"}))
    assert primary(listed(subdomains=True), on=routed, undeclared_domains="any").notes == []
    declared = read_request({"role": "mx", "domains": [{**X_PRIMARY, "subdomains": True}, SUB_SECONDARY]})
    assert decide(declared, on).notes == []


def test_rows_of_a_table_that_postfix_does_not_read_capture_nothing() -> None:
    unread = replace(TRANSPORT, member="", rows={"*": "smtp:[smart.example]"})
    assert secondary(on=host(transport=unread)).routes.rows == {}


def test_row_for_subdomains_goes_where_they_are_no_longer_wanted() -> None:
    on = host(transport=replace(TRANSPORT, rows={".x.example": "relay:[mail.example]"}))
    assert primary(on=on).routes.removed == [".x.example"]
    assert primary(listed(subdomains=True), on=on).routes.removed == []


@pytest.mark.parametrize(("parents", "members"), [(True, ["x.example"]), (False, ["x.example", ".x.example"])])
def test_subdomains_are_relayed_and_routed(parents: bool, members: list[str]) -> None:
    plan = primary(listed(subdomains=True), on=host(relay_parents=parents))
    assert plan.main_cf.add_items["relay_domains"] == members
    assert plan.routes.rows == {"x.example": "relay:[mail.example]", ".x.example": "relay:[mail.example]"}


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


OWN = MxRecord(20, "mx.example", ("192.0.2.9",))


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


def test_secondary_that_is_the_best_exchanger_is_refused() -> None:
    on = host(mx={"x.example": [OWN]})
    assert checks(secondary(on=on)) == [("x.example", "best_mx")]
    assert checks(primary(on=on)) == []


def test_first_table_on_a_host_that_relays_others_is_refused() -> None:
    on = host(
        values={"relay_recipient_maps": ""},
        recipients=replace(RECIPIENTS, member="", exists=False),
        relayed={"old.example": "old.example"},
        unlisted_relay_members=["ldap:/l"],
    )
    assert checks(secondary(on=on)) == [("old.example", "undeclared"), ("ldap:/l", "undeclared")]
    assert "secondary_mx_undeclared_domains: any" in secondary(on=on).refusals[0].remedy
    plan = secondary(on=on, undeclared_domains="any")
    assert checks(plan) == [("ldap:/l", "undeclared")]
    assert "set recipient_check to none" in plan.refusals[0].remedy


def test_undeclared_domains_go_on_with_their_subdomains_when_asked() -> None:
    on = host(
        values={"relay_recipient_maps": "", "parent_domain_matches_subdomains": "relay_domains"},
        recipients=replace(RECIPIENTS, member="", exists=False),
        relayed={
            "old.example": "old.example",
            ".wide.example": ".wide.example",
            "u@y.example": "hash:/t",
            "*": "hash:/t",
        },
    )
    plan = secondary(on=on, undeclared_domains="any")
    assert plan.refusals == []
    assert plan.patterns == {r"/@[^@]+\.old\.example$/": "x", r"/@[^@]+\.wide\.example$/": "x"}
    assert [(one.name, one.policy, one.index) for one in plan.recipients] == [
        ("x.example", "listed", 0),
        ("old.example", "any", None),
    ]


def test_removal_of_undeclared_domains_does_not_close_those_that_stay() -> None:
    on = host(
        values={"relay_recipient_maps": ""},
        recipients=replace(RECIPIENTS, member="", exists=False),
        relayed={"old.example": "old.example", "t.example": "hash:/t/d", "peer.example": "peer.example"},
        unlisted_relay_members=["ldap:/l"],
    )
    peer = {"role": "primary_mx", "domains": ["peer.example"]}
    plan = secondary(on=on, remove_undeclared=True, peer=peer)
    assert checks(plan) == [("t.example", "undeclared"), ("ldap:/l", "undeclared")]
    assert [(one.name, one.policy) for one in plan.recipients] == [("x.example", "listed"), ("peer.example", "any")]
    assert plan.main_cf.remove_items == {"relay_domains": ["old.example"]}


def test_domain_that_its_transport_row_makes_a_relay_domain_is_listed_when_the_row_goes() -> None:
    on = host(
        relayed={"x.example": "proxy:hash:/t/transport"},
        transport=replace(TRANSPORT, rows={"x.example": "relay:[mail]"}),
    )
    plan = secondary(on=on)
    assert (plan.routes.removed, plan.main_cf.add_items) == (["x.example"], {"relay_domains": ["x.example"]})
    plan = secondary({"name": "x.example", "state": "absent"}, on=on)
    assert (checks(plan), plan.routes.removed, plan.main_cf.remove_items) == ([], ["x.example"], {})


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize(
    ("relayed", "rows", "goes"),
    [
        ({}, {}, True),
        ({"s.x.example": "s.x.example"}, {}, False),
        ({"s.x.example": "s.x.example"}, {"s.x.example": "relay:[m]"}, True),
    ],
)
def test_row_that_routes_a_subdomain_of_others_stays(
    relayed: dict[str, str], rows: dict[str, str], goes: bool, state: str
) -> None:
    on = host(
        relayed={"x.example": "x.example", **relayed},
        transport=replace(TRANSPORT, rows={"x.example": "relay:[m]", ".x.example": "relay:[m]", **rows}),
    )
    plan = primary(listed(state=state), on=on)
    assert (".x.example" in plan.routes.removed) is goes
    assert ["the transport row .x.example stays" in note for note in plan.notes] == [True] * (not goes)


def test_rows_of_a_subdomain_stay_where_nobody_can_tell_whether_it_is_relayed() -> None:
    rows = {"x.example": DomainRows(2, "d", True), "s.x.example": DomainRows(5, "e")}
    on = host(relayed={"x.example": "x.example"}, recipient_rows=rows)
    assert [one.name for one in secondary(on=on).recipients_removed] == ["s.x.example"]
    on = host(relayed={"x.example": "x.example"}, recipient_rows=rows, unlisted_relay_members=["ldap:/l"])
    assert secondary(on=on).recipients_removed == []


@pytest.mark.parametrize(
    ("maps", "repair", "member", "added"),
    [
        ("", False, "", True),
        ("", True, "", False),
        ("ldap:/r", False, "", False),
        ("ldap:/r", True, "hash:/t/r", False),
    ],
)
def test_table_of_external_domains_is_named_only_where_it_can_be_all_there_is(
    maps: str, repair: bool, member: str, added: bool
) -> None:
    on = host(
        values={"relay_recipient_maps": maps}, recipients=replace(RECIPIENTS, member=member, exists=True, repair=repair)
    )
    plan = secondary({"name": "x.example", "recipients_policy": "external"}, on=on)
    assert ("relay_recipient_maps" in plan.main_cf.add_items) is added
    assert checks(plan) == [("x.example", "external")] * (repair and not maps)


def test_undeclared_domains_of_a_host_with_lists_stay_and_are_reported() -> None:
    on = host(relayed={"old.example": "old.example", "x.example": "x.example"})
    plan = secondary(on=on)
    assert plan.refusals == []
    assert plan.undeclared == ["old.example"]
    assert plan.main_cf.remove_items == {}


def test_this_hosts_own_domains_are_not_undeclared() -> None:
    on = host(relayed={"mx.example": "$mydestination"}, classes={"mx.example": {"mydestination": "mx.example"}})
    assert secondary(on=on).undeclared == []


def test_undeclared_domains_are_removed_when_asked() -> None:
    on = host(
        relayed={"old.example": "old.example", "t.example": "hash:/t/d"},
        recipient_rows={"old.example": DomainRows(1, "d", True, False, True)},
        transport=replace(TRANSPORT, rows={"old.example": "relay:[old]"}),
    )
    plan = secondary(on=on, remove_undeclared=True)
    assert plan.main_cf.remove_items == {"relay_domains": ["old.example"]}
    assert [one.name for one in plan.recipients_removed] == ["old.example"]
    assert plan.routes.removed == ["old.example"]
    assert any("t.example" in note for note in plan.notes)


ABSENT = {"name": "x.example", "state": "absent"}
GONE = {
    "relayed": {"x.example": "x.example"},
    "recipient_rows": {"x.example": DomainRows(1, "d", True, False, True)},
    "transport": replace(
        TRANSPORT, rows={"x.example": "relay:[m]", ".x.example": "relay:[m]", "y.example": "relay:[m]"}
    ),
    "verify": replace(
        VERIFY,
        exists=True,
        rows={"x.example": "reject_unverified_recipient", "y.example": "reject_unverified_recipient"},
    ),
}


def test_absent_domain_leaves_with_all_that_is_its_own() -> None:
    plan = secondary(ABSENT, on=host(**GONE))
    assert plan.refusals == []
    assert plan.main_cf.remove_items == {"relay_domains": ["x.example"]}
    assert [(one.name, one.state) for one in plan.recipients_removed] == [("x.example", "absent")]
    assert plan.routes.removed == ["x.example", ".x.example"]
    assert plan.verify_removed == ["x.example"]
    assert plan.waiting == ["x.example"]


def test_absent_domain_that_was_never_there_changes_nothing() -> None:
    plan = secondary(ABSENT)
    assert (
        plan.refusals,
        plan.main_cf.remove_items,
        plan.main_cf.parameters,
        plan.recipients_removed,
        plan.waiting,
    ) == (
        [],
        {},
        {},
        [],
        [],
    )


def test_absent_domain_whose_mx_is_still_this_host_is_refused_unless_forced() -> None:
    on = host(mx={"x.example": [MxRecord(10, "primary.example", ("192.0.2.1",)), OWN]}, **GONE)
    assert checks(secondary(ABSENT, on=on)) == [("x.example", "still_mx")]
    assert secondary({**ABSENT, "force": True}, on=on).main_cf.remove_items == {"relay_domains": ["x.example"]}


def test_absent_domain_that_a_table_relays_is_refused() -> None:
    on = host(relayed={"x.example": "hash:/t/d"})
    assert checks(secondary(ABSENT, on=on)) == [("x.example", "relay_domains")]


def test_absent_external_domain_keeps_rows_that_are_not_ours() -> None:
    plan = secondary({**ABSENT, "recipients_policy": "external"}, on=host(**GONE))
    assert plan.recipients_removed == []


EXTERNAL = {"name": "x.example", "recipients_policy": "external"}


def test_external_domain_writes_no_rows() -> None:
    plan = secondary(
        EXTERNAL,
        on=host(values={"relay_recipient_maps": "ldap:/l"}, recipients=replace(RECIPIENTS, member="", exists=False)),
    )
    assert plan.refusals == []
    assert plan.recipients == []
    assert plan.main_cf.add_items == {"relay_domains": ["x.example"]}


def test_external_domain_on_a_host_without_any_map_is_refused() -> None:
    on = host(values={"relay_recipient_maps": ""}, recipients=replace(RECIPIENTS, member="", exists=False))
    assert checks(secondary(EXTERNAL, on=on)) == [("x.example", "external")]


@pytest.mark.parametrize(("known", "expected"), [(True, []), (False, [("x.example", "external")])])
def test_probe_recipient_has_to_be_known(known: bool, expected: list[tuple[str, str]]) -> None:
    item = {**EXTERNAL, "probe_recipient": "a@x.example"}
    assert checks(secondary(item, on=host(probed={"a@x.example": known}))) == expected


VERIFIED = {"name": "x.example", "recipients_policy": "verify"}
CHECK = "check_recipient_access hash:/t/relay_verify"


def test_verified_domain_has_a_wildcard_and_asks_its_mail_host() -> None:
    plan = primary(VERIFIED)
    assert plan.refusals == []
    assert plan.recipients[0].policy == "any"
    assert plan.verify == {"x.example": "reject_unlisted_recipient, reject_unverified_recipient"}
    assert plan.main_cf.parameters == {"smtpd_recipient_restrictions": CHECK, "unverified_recipient_defer_code": "250"}


def test_verification_needs_postfix_2_6() -> None:
    on = host(values={"unverified_recipient_defer_code": None})
    assert checks(primary(VERIFIED, on=on)) == [("x.example", "verify")]


@pytest.mark.parametrize("name", ["smtpd_recipient_restrictions", "smtpd_sender_restrictions"])
def test_other_use_of_verification_is_refused(name: str) -> None:
    on = host(values={name: "reject_unverified_sender"})
    assert checks(primary(VERIFIED, on=on)) == [("x.example", "verify")]


@pytest.mark.parametrize(
    ("before", "parameters", "absent"),
    [
        (f"permit_mynetworks, {CHECK}", {"smtpd_recipient_restrictions": "permit_mynetworks"}, []),
        (CHECK, {}, ["smtpd_recipient_restrictions"]),
    ],
)
def test_last_verified_domain_takes_its_check_along(before: str, parameters: dict[str, str], absent: list[str]) -> None:
    rows = {"x.example": "reject_unverified_recipient"}
    values = {"smtpd_recipient_restrictions": before}
    plan = secondary(on=host(values=values, verify=replace(VERIFY, exists=True, rows=rows)))
    assert plan.verify_removed == ["x.example"]
    assert (plan.main_cf.parameters, plan.main_cf.absent) == (parameters, absent)
    other = secondary(on=host(values=values, verify=replace(VERIFY, exists=True, rows={**rows, "y.example": "z"})))
    assert (other.verify_removed, other.main_cf.parameters, other.main_cf.absent) == (["x.example"], {}, [])


def test_deferral_of_relay_attempts_becomes_a_rejection() -> None:
    on = host(
        values={"smtpd_relay_restrictions": "permit_mynetworks permit_sasl_authenticated defer_unauth_destination"}
    )
    assert secondary(on=on).main_cf.parameters == {"smtpd_relay_restrictions": CLOSED}


def test_deferral_behind_a_name_is_written_out() -> None:
    values = {
        "mine": "permit_mynetworks, defer_unauth_destination",
        "smtpd_relay_restrictions": "permit_mynetworks, defer_unauth_destination",
    }
    on = host(values=values, explicit={"smtpd_relay_restrictions": "$mine"})
    assert secondary(on=on).main_cf.parameters == {
        "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination"
    }


@pytest.mark.parametrize(
    ("values", "parameters"),
    [
        ({"smtpd_relay_restrictions": ""}, {"smtpd_relay_restrictions": CLOSED}),
        ({"smtpd_relay_restrictions": "", "smtpd_recipient_restrictions": CLOSED}, {}),
        (
            {
                "smtpd_relay_restrictions": None,
                "smtpd_recipient_restrictions": "permit_mynetworks, defer_unauth_destination",
            },
            {"smtpd_recipient_restrictions": "permit_mynetworks, reject_unauth_destination"},
        ),
        ({"smtpd_relay_restrictions": None}, {"smtpd_recipient_restrictions": CLOSED}),
        (
            {"smtpd_relay_restrictions": "", "smtpd_recipient_restrictions": "reject_unknown_recipient_domain"},
            {"smtpd_relay_restrictions": CLOSED},
        ),
        ({"smtpd_relay_restrictions": "permit", "smtpd_recipient_restrictions": CLOSED}, {}),
    ],
)
def test_some_list_is_closed_afterwards(values: dict[str, Any], parameters: dict[str, str]) -> None:
    plan = secondary(on=host(values=values))
    assert plan.refusals == []
    assert plan.main_cf.parameters == parameters


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


@pytest.mark.parametrize(
    ("values", "overrides", "wanted"),
    [
        ({"smtp_fallback_relay": "[smart]"}, {}, {"smtp_fallback_relay": ""}),
        ({"smtp_fallback_relay": "[smart]"}, {"smtp_fallback_relay": ""}, {}),
        ({"smtp_fallback_relay": ""}, {"smtp_fallback_relay": "[smart]"}, {"smtp_fallback_relay": ""}),
        ({}, {}, {}),
    ],
)
def test_fallback_relay_takes_no_mail_of_relay_domains(
    values: dict[str, Any], overrides: dict[str, str], wanted: dict[str, str]
) -> None:
    on = host(values=values, services=[service("smtp", "inet", "smtpd"), service(**overrides)])
    assert secondary(on=on).overrides == wanted


@pytest.mark.parametrize(
    ("version", "overrides", "wanted"),
    [
        ((2, 2, 12), {}, {"fallback_relay": ""}),
        # As the relay service was shipped from 2.2 to 2.8, under the names of 2.4 and 2.8.
        ((2, 2, 12), {"fallback_relay": ""}, {}),
        ((2, 8, 20), {"smtp_fallback_relay": ""}, {}),
        ((2, 9, 15), {}, {"smtp_fallback_relay": ""}),
    ],
)
def test_fallback_relay_is_kept_away_by_the_name_that_the_release_has_for_it(
    version: tuple[int, ...], overrides: dict[str, str], wanted: dict[str, str]
) -> None:
    values = {"smtp_fallback_relay": None if version < (2, 3) else "[smart]", "fallback_relay": "[smart]"}
    on = host(version=version, values=values, services=[service("smtp", "inet", "smtpd"), service(**overrides)])
    assert secondary(on=on).overrides == wanted


def test_missing_relay_service_is_refused() -> None:
    assert checks(secondary(on=host(services=[service("smtp", "inet", "smtpd")]))) == [("", "relay_service")]


def test_settings_of_the_host_are_written_only_when_given() -> None:
    plan = secondary(proxy_interfaces=["198.51.100.1", "198.51.100.2"], queue_lifetime="10d")
    assert plan.main_cf.parameters == {
        "proxy_interfaces": "198.51.100.1, 198.51.100.2",
        "maximal_queue_lifetime": "10d",
    }


def test_postfix_before_2_2_sends_relay_domains_by_the_relay_service() -> None:
    values = {
        "smtp_fallback_relay": None,
        "fallback_relay": "",
        "smtpd_relay_restrictions": None,
        "smtpd_recipient_restrictions": CLOSED,
    }
    plan = secondary(on=host(version=(2, 1, 6), values=values))
    assert plan.main_cf.parameters == {"relay_transport": "relay"}
    assert plan.overrides == {"fallback_relay": ""}


def test_host_without_postfix_is_judged_by_the_values_alone() -> None:
    bare = HostState(missing_packages=["postfix"])
    plan = primary(on=bare)
    assert plan.refusals == []
    assert plan.main_cf.add_items == {"relay_domains": ["x.example"]}
    assert plan.routes.rows == {"x.example": "relay:[mail.example]"}
    assert checks(primary({"name": "x.example"}, on=bare)) == [("x.example", "no_recipients")]


def test_domain_of_the_other_role_is_accepted_as_before_until_that_role_runs() -> None:
    on = host(values={"relay_recipient_maps": ""}, relayed={"peer.example": "peer.example"})
    request = read_request(
        {"role": "secondary_mx", "domains": [listed()], "peer": {"role": "primary_mx", "domains": ["peer.example"]}}
    )
    plan = decide(request, on)
    assert plan.refusals == []
    assert RecipientsItem(name="peer.example", policy="any", changed=True) in plan.recipients


def test_domain_of_the_other_role_with_rows_keeps_them() -> None:
    on = host(
        values={"relay_recipient_maps": ""},
        relayed={"peer.example": "peer.example"},
        recipient_rows={"peer.example": DomainRows(count=1, digest="d")},
    )
    request = read_request(
        {"role": "secondary_mx", "domains": [listed()], "peer": {"role": "primary_mx", "domains": ["peer.example"]}}
    )
    assert [one.name for one in decide(request, on).recipients] == ["x.example"]


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


@pytest.mark.parametrize(
    ("wanted", "refused"),
    [
        (["permit_mynetworks", "reject"], True),
        (["reject_rbl_client rbl.example", "defer"], True),
        (["check_client_access hash:/etc/postfix/clients", "reject"], True),
        (["warn_if_reject reject", "permit"], False),
        (["reject_rbl_client rbl.example"], False),
    ],
)
def test_client_restrictions_that_let_nobody_in_are_refused(wanted: list[str], refused: bool) -> None:
    assert checks(secondary(client_restrictions=wanted)) == [("", "refuses_strangers")] * refused


def test_client_restrictions_that_let_strangers_in_mend_those_that_did_not() -> None:
    on = host(values={"smtpd_client_restrictions": "permit_mynetworks, reject"})
    assert checks(secondary(on=on)) == [("", "refuses_strangers")]
    assert checks(secondary(on=on, client_restrictions=["permit_mynetworks"])) == []
    overridden = [service("smtp", "inet", "smtpd", smtpd_client_restrictions="reject"), service()]
    assert checks(secondary(on=host(services=overridden), client_restrictions=["permit_mynetworks"])) == [
        ("", "refuses_strangers")
    ]


def test_table_that_the_run_makes_is_no_refusal() -> None:
    values = {"smtpd_recipient_restrictions": "reject_unauth_destination, check_recipient_access hash:/t/relay_verify"}
    gone = AdmissionEvidence(unread={"hash:/t/relay_verify": "no such file", "hash:/other": "no such file"})
    assert checks(primary(VERIFIED, on=host(values=values, admission=gone))) == []
    values = {"smtpd_sender_restrictions": "check_sender_access hash:/other"}
    assert checks(secondary(on=host(values=values, admission=gone))) == [("", "restriction_table")]
