# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import DomainRows
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.membership import (
    Members,
    items_change,
    named_table,
    recipient_maps,
    unset_if_emptied,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MainCfChange
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import read_request
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import (
    PATTERN,
    PATTERNS,
    RECIPIENTS,
    TRANSPORT,
    WIDE,
    checks,
    host,
    listed,
    primary,
    secondary,
)


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


@pytest.mark.parametrize(("parents", "members"), [(True, ["x.example"]), (False, ["x.example", ".x.example"])])
def test_subdomains_are_relayed_and_routed(parents: bool, members: list[str]) -> None:
    plan = primary(listed(subdomains=True), on=host(relay_parents=parents))
    assert plan.main_cf.add_items["relay_domains"] == members
    assert plan.routes.rows == {"x.example": "relay:[mail.example]", ".x.example": "relay:[mail.example]"}


def test_domain_that_its_transport_row_makes_a_relay_domain_is_listed_when_the_row_goes() -> None:
    on = host(
        relayed={"x.example": "proxy:hash:/t/transport"},
        transport=replace(TRANSPORT, rows={"x.example": "relay:[mail]"}),
    )
    plan = secondary(on=on)
    assert (plan.routes.removed, plan.main_cf.add_items) == (["x.example"], {"relay_domains": ["x.example"]})
    plan = secondary({"name": "x.example", "state": "absent"}, on=on)
    assert (checks(plan), plan.routes.removed, plan.main_cf.remove_items) == ([], ["x.example"], {})


EXTERNAL = {"name": "x.example", "recipients_policy": "external"}


def test_external_domain_on_a_host_without_any_map_is_refused() -> None:
    on = host(values={"relay_recipient_maps": ""}, recipients=replace(RECIPIENTS, member="", exists=False))
    assert checks(secondary(EXTERNAL, on=on)) == [("x.example", "external")]


@pytest.mark.parametrize(("known", "expected"), [(True, []), (False, [("x.example", "external")])])
def test_probe_recipient_has_to_be_known(known: bool, expected: list[tuple[str, str]]) -> None:
    item = {**EXTERNAL, "probe_recipient": "a@x.example"}
    assert checks(secondary(item, on=host(probed={"a@x.example": known}))) == expected


def test_emptied_maps_need_no_table_of_patterns_taken_out() -> None:
    member = "regexp:/t/relay_recipients_subdomains"
    on = host(subdomains=replace(PATTERNS, exists=True, member=member, rows={}))
    plan = secondary({"name": "x.example"}, on=on, **NONE)
    assert "relay_recipient_maps" not in plan.main_cf.remove_items
    assert plan.main_cf.parameters == {"relay_recipient_maps": ""}


def test_declared_domain_does_not_go_on_with_its_subdomains() -> None:
    on = host(relayed={"x.example": "x.example", "gone.example": "gone.example"})
    items = [{"name": "x.example"}, {"name": "gone.example", "state": "absent"}]
    plan = secondary(*items, on=on, **NONE)
    assert "relay_domains" not in plan.main_cf.add_items


def test_maps_are_left_alone_if_nothing_is_to_be_relayed() -> None:
    request = read_request({"recipient_check": "none", "domains": [{"name": "x.example", "state": "absent"}]})
    assert recipient_maps(request, host(), True) == Members()
    unnamed = host(recipients=replace(RECIPIENTS, member=""))
    assert recipient_maps(request, unnamed, True) == Members()


def test_external_domain_beside_listed_ones_needs_no_map_of_its_own() -> None:
    on = host(values={"relay_recipient_maps": ""}, recipients=replace(RECIPIENTS, member="", exists=False))
    assert checks(secondary(EXTERNAL, listed("y.example"), on=on)) == [("x.example", "no_recipients")]
    known = replace(on, recipient_rows={"x.example": DomainRows(1, "d")})
    assert checks(secondary(EXTERNAL, listed("y.example"), on=known)) == []


def test_table_takes_the_place_of_those_that_it_replaces() -> None:
    old = replace(RECIPIENTS, replaces=("lmdb:/t/relay_recipients",))
    removed = {"relay_recipient_maps": ["lmdb:/t/relay_recipients"]}
    assert named_table("relay_recipient_maps", old, True) == MainCfChange(remove_items=removed)
    other_type = MainCfChange(add_items={"relay_recipient_maps": ["hash:/t/relay_recipients"]}, remove_items=removed)
    assert named_table("relay_recipient_maps", replace(old, member=""), True) == other_type
    assert named_table("relay_recipient_maps", None, True) == MainCfChange()
    # Nothing is needed of it now, but main.cf names it by its old type.
    assert named_table("relay_recipient_maps", replace(old, member=""), False) == other_type
    assert named_table("relay_recipient_maps", replace(old, member="", exists=False), False) == MainCfChange()
    assert named_table("relay_recipient_maps", replace(old, member="", replaces=()), False) == MainCfChange()


def test_list_without_members_to_change_is_not_touched() -> None:
    assert items_change({"a": ["x", "x"], "b": []}, {"c": ["y"], "d": []}) == MainCfChange(
        add_items={"a": ["x"]}, remove_items={"c": ["y"]}
    )


@pytest.mark.parametrize(
    ("present", "added", "unset"), [("ours", [], True), ("ours, theirs", [], False), ("ours", ["new"], False)]
)
def test_list_that_loses_its_last_member_is_not_left_empty(present: str, added: list[str], unset: bool) -> None:
    change = items_change({"classes": added}, {"classes": ["ours"], "others": ["a"]})
    expected = MainCfChange(absent=["classes"], remove_items={"others": ["a"]}) if unset else change
    assert unset_if_emptied("classes", host(values={"classes": present}), change) == expected


def test_list_that_main_cf_does_not_set_stays_unset() -> None:
    change = items_change({}, {"classes": ["ours"]})
    assert unset_if_emptied("classes", host(), change) == MainCfChange(absent=[])
