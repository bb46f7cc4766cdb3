# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    DomainRows,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import RecipientsItem
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.recipient_rows import (
    patterns_no_longer_wanted,
    rows_differ,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import DomainItem, read_request
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.subdomain_patterns import subdomain_pattern
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import (
    PATTERN,
    PATTERNS,
    RECIPIENTS,
    WIDE,
    checks,
    host,
    listed,
    secondary,
)


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
    assert rows_differ(item, rows, True, False) is differs


def test_roles_are_left_out_where_switched_off_unless_listed() -> None:
    item = DomainItem(0, "x", "secondary", policy="listed", digest="d")
    rows = DomainRows(2, "d", postmaster=True)
    assert rows_differ(item, rows, False, False) is True
    assert rows_differ(replace(item, lists_postmaster=True), rows, False, False) is False
    assert secondary(postmaster=False).recipients[0].postmaster is False
    rows = DomainRows(2, "d", postmaster=True, abuse=True)
    assert rows_differ(item, rows, True, True) is False
    assert rows_differ(item, rows, True, False) is True
    assert rows_differ(item, replace(rows, abuse=False), True, True) is True
    assert rows_differ(replace(item, lists_abuse=True), rows, True, False) is False
    assert rows_differ(replace(item, policy="any"), DomainRows(wildcard=True, abuse=True), True, True) is True


def test_abuse_is_added_where_it_is_switched_on_and_makes_no_list() -> None:
    assert secondary().recipients[0].abuse is False
    assert secondary(abuse=True).recipients[0].abuse is True
    assert secondary({"name": "x.example", "recipients_policy": "any"}, abuse=True).recipients[0].abuse is False
    assert checks(secondary(listed(recipients_count=0), abuse=True)) == [("x.example", "no_recipients")]
    on = host(recipient_rows={"x.example": DomainRows(abuse=True)})
    assert checks(secondary(KEPT, on=on)) == [("x.example", "no_recipients")]


@pytest.mark.parametrize("item", [{"name": "x.example"}, listed(recipients_count=0)])
def test_domain_without_recipients_and_without_policy_is_refused(item: dict[str, Any]) -> None:
    assert checks(secondary(item)) == [("x.example", "no_recipients")]


def test_policy_any_writes_the_wildcard_alone() -> None:
    plan = secondary({"name": "x.example", "recipients_policy": "any"})
    assert plan.refusals == []
    assert plan.recipients == [RecipientsItem("x.example", "any", index=0, changed=True)]


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
    assert [gone.name for gone in secondary(item, on=on).recipients_removed] == removed


def test_listed_recipients_need_no_pattern() -> None:
    plan = secondary(listed(subdomains=True), on=host(subdomains=PATTERNS))
    assert (plan.patterns, "relay_recipient_maps" in plan.main_cf.add_items) == ({}, False)


def test_recipient_check_none_with_a_list_is_refused() -> None:
    assert checks(secondary(recipient_check="none")) == [("x.example", "recipient_check")]


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
    assert [(item.name, item.policy, item.index) for item in plan.recipients] == [
        ("x.example", "listed", 0),
        ("old.example", "any", None),
    ]


def test_undeclared_domains_have_no_subdomains_where_parents_do_not_match() -> None:
    on = host(
        values={"relay_recipient_maps": ""},
        recipients=replace(RECIPIENTS, member="", exists=False),
        relay_parents=False,
        relayed={"old.example": "old.example", ".wide.example": ".wide.example"},
    )
    assert secondary(on=on, undeclared_domains="any").patterns == {r"/@[^@]+\.wide\.example$/": "x"}


def test_host_without_lists_goes_on_without_if_its_last_declared_domain_goes() -> None:
    on = host(
        values={"relay_recipient_maps": ""},
        recipients=replace(RECIPIENTS, member="", exists=False),
        relayed={"old.example": "old.example", "x.example": "x.example"},
    )
    plan = secondary({"name": "x.example", "state": "absent"}, on=on)
    assert (checks(plan), plan.recipients) == ([], [])


def test_rows_of_a_subdomain_stay_where_nobody_can_tell_whether_it_is_relayed() -> None:
    rows = {"x.example": DomainRows(2, "d", True), "s.x.example": DomainRows(5, "e")}
    on = host(relayed={"x.example": "x.example"}, recipient_rows=rows)
    assert [item.name for item in secondary(on=on).recipients_removed] == ["s.x.example"]
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
        values={"relay_recipient_maps": maps},
        recipients=replace(RECIPIENTS, member=member, exists=True, repair=repair),
        recipient_rows={"x.example": DomainRows(1, "d")},
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


def test_external_domain_writes_no_rows() -> None:
    on = host(values={"relay_recipient_maps": "ldap:/l"}, recipients=replace(RECIPIENTS, member="", exists=False))
    plan = secondary({"name": "x.example", "recipients_policy": "external"}, on=on)
    assert plan.refusals == []
    assert plan.recipients == []
    assert plan.main_cf.add_items == {"relay_domains": ["x.example"]}


PEER = {"role": "primary_mx", "domains": ["peer.example"]}


def test_domain_of_the_other_role_is_accepted_as_before_until_that_role_runs() -> None:
    on = host(values={"relay_recipient_maps": ""}, relayed={"peer.example": "peer.example"})
    plan = secondary(on=on, peer=PEER)
    assert plan.refusals == []
    assert RecipientsItem(name="peer.example", policy="any", changed=True) in plan.recipients


def test_domain_of_the_other_role_with_rows_keeps_them() -> None:
    on = host(
        values={"relay_recipient_maps": ""},
        relayed={"peer.example": "peer.example"},
        recipient_rows={"peer.example": DomainRows(count=1, digest="d")},
    )
    assert [item.name for item in secondary(on=on, peer=PEER).recipients] == ["x.example"]


def test_domain_that_is_refused_gets_no_rows() -> None:
    plan = secondary(listed(), {"name": "y.example"})
    assert [item.name for item in plan.recipients] == ["x.example"]


def test_pattern_of_an_external_domain_is_left_to_others() -> None:
    on = host(subdomains=replace(PATTERNS, rows={PATTERN: "x"}))
    items = [{"name": "x.example", "recipients_policy": policy} for policy in ("external", "any")]
    requests = [read_request({"role": "secondary_mx", "domains": [item]}) for item in items]
    assert [patterns_no_longer_wanted(request, on, {}) for request in requests] == [[], [PATTERN]]
    assert patterns_no_longer_wanted(requests[1], on, {PATTERN: "x"}) == []


def test_undeclared_domain_that_has_its_wildcard_needs_no_other() -> None:
    on = host(
        values={"relay_recipient_maps": ""},
        recipients=replace(RECIPIENTS, member="", exists=False),
        relayed={"old.example": "old.example"},
        recipient_rows={"old.example": DomainRows(wildcard=True)},
    )
    assert [item.name for item in secondary(on=on, undeclared_domains="any").recipients] == ["x.example"]


def test_subdomain_with_rows_of_its_own_is_left_out_of_the_pattern_of_the_domain_above() -> None:
    below = listed("s.x.example")
    assert secondary(WIDE, below, on=host(subdomains=PATTERNS)).patterns == {
        subdomain_pattern("x.example", ["s.x.example"]): "x"
    }
    on = host(
        subdomains=replace(PATTERNS, rows={PATTERN: "x"}),
        relayed={"x.example": "x.example", "s.x.example": "s.x.example"},
        recipient_rows={"s.x.example": DomainRows(1, "d")},
    )
    plan = secondary(WIDE, on=on)
    assert plan.patterns == {subdomain_pattern("x.example", ["s.x.example"]): "x"}
    assert plan.patterns_removed == [PATTERN]
    assert secondary(WIDE, {"name": "s.x.example", "state": "absent"}, on=on).patterns == {PATTERN: "x"}


def test_subdomain_without_rows_goes_on_by_the_pattern_of_the_domain_above() -> None:
    on = host(subdomains=PATTERNS, relayed={"s.x.example": "s.x.example"})
    assert secondary(WIDE, on=on).patterns == {PATTERN: "x"}


KEPT = {"name": "x.example", "follows": True, "kept": "source ad: timed out"}


def test_kept_list_is_neither_written_nor_removed() -> None:
    on = host(recipient_rows={"x.example": DomainRows(2, "d", False, False, True)})
    plan = secondary(KEPT, on=on)
    assert (plan.refusals, plan.recipients, plan.recipients_removed) == ([], [], [])
    assert plan.main_cf.add_items["relay_domains"] == ["x.example"]


@pytest.mark.parametrize(
    "rows",
    [DomainRows(), DomainRows(postmaster=True), DomainRows(0, "", False, True, True), DomainRows(2, "d", False, True)],
)
def test_domain_without_a_list_to_keep_is_refused_with_what_is_wrong_with_its_source(rows: DomainRows) -> None:
    (refusal,) = secondary(KEPT, on=host(recipient_rows={"x.example": rows})).refusals
    assert (refusal.domain, refusal.check) == ("x.example", "no_recipients")
    assert refusal.cause == "it has no list to keep, and its sources can't be believed: source ad: timed out"
    assert refusal.remedy.startswith("correct that and run again, or list its recipients")


def test_table_of_kept_lists_stays_in_use() -> None:
    on = host(recipient_rows={"x.example": DomainRows(2, "d")}, values={"relay_recipient_maps": ""})
    on = replace(on, recipients=replace(RECIPIENTS, member=""))
    assert secondary(KEPT, on=on).main_cf.add_items["relay_recipient_maps"] == [RECIPIENTS.reference]


@pytest.mark.parametrize("rows", [DomainRows(), DomainRows(2, "d")])
@pytest.mark.parametrize("installed", [True, False])
def test_list_that_awaits_a_library_is_no_refusal_but_a_note(rows: DomainRows, installed: bool) -> None:
    on = host(recipient_rows={"x.example": rows}, values={"relay_recipient_maps": ""}, installed=installed)
    on = replace(on, recipients=replace(RECIPIENTS, member=""))
    awaited = {**KEPT, "awaits": "python3-ldap3 on mx.example"}
    plan = secondary(awaited, {**awaited, "name": "y.example"}, on=on)
    assert (plan.refusals, plan.recipients) == ([], [])
    assert plan.main_cf.add_items["relay_domains"] == ["x.example", "y.example"]
    assert plan.main_cf.add_items.get("relay_recipient_maps", []) == [RECIPIENTS.reference] * installed
    assert plan.notes == [
        "what would change in the list of x.example, y.example can't be told before a run installs python3-ldap3 on "
        "mx.example, which its source needs"
    ]


def test_rows_at_subdomains_of_a_kept_list_stay() -> None:
    rows = {"x.example": DomainRows(2, "d"), "sub.x.example": DomainRows(1, "e")}
    assert secondary(KEPT, on=host(recipient_rows=rows)).recipients_removed == []


@pytest.mark.parametrize("item", [listed(follows=True), KEPT])
def test_list_of_sources_without_a_table_is_refused(item: dict[str, Any]) -> None:
    on = host(recipient_rows={"x.example": DomainRows(2, "d")})
    (refusal,) = secondary(item, on=on, recipient_check="none").refusals
    assert refusal.cause == "recipient_check is none, which accepts every recipient, but its policy is listed"
